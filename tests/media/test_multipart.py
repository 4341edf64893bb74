"""Objects of several parts: the contract of the store, and of the SDK's private names."""

import itertools
import time
from datetime import UTC, datetime
from hashlib import sha256

import httpx
import pytest

from media.bucket import Bucket, Part, Room, StoreAbsent
from media.rooms import newest

FIVE = 5 << 20
numbers = itertools.count()


def a_key() -> str:
    return f"371000/parts-{next(numbers)}/{'0' * 64}"


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - S3 compares with the real one


def put(s3: Bucket, key: str, upload: str, number: int, raw: bytes, body: bytes = b"") -> int:
    address = s3.presign_part(
        key,
        upload,
        number,
        size=len(raw),
        sha256_hex=sha256(raw).hexdigest(),
        now=now(),
    )
    return httpx.put(address.url, content=body or raw, headers=dict(address.headers)).status_code


def test_parts_of_both_lanes_make_one_object(s3: Bucket) -> None:
    key, first, last = a_key(), b"a" * FIVE, b"b" * 1000
    upload = s3.open_parts(key, "video/mp4")
    assert s3.parts(key, upload) == ()
    assert put(s3, key, upload, 1, first) == 200
    s3.put_part(key, upload, 2, last)
    held = s3.parts(key, upload)
    assert [(one.number, one.size) for one in held] == [(1, FIVE), (2, 1000)]
    s3.close_parts(key, upload, held)
    found = s3.rehash(Room.QUARANTINE, key)
    assert (found.sha256, found.size) == (sha256(first + last).hexdigest(), FIVE + 1000)
    with pytest.raises(StoreAbsent):
        s3.parts(key, upload)


def test_a_part_is_pinned_to_its_bytes(s3: Bucket) -> None:
    key = a_key()
    upload = s3.open_parts(key, "video/mp4")
    assert put(s3, key, upload, 1, b"a" * 100, b"b" * 100) == 400
    assert put(s3, key, upload, 1, b"a" * 100, b"a" * 99) == 403
    assert s3.parts(key, upload) == ()
    s3.drop_parts(key, upload)
    s3.drop_parts(key, upload)


def test_of_a_part_sent_twice_the_newest_counts(s3: Bucket) -> None:
    key = a_key()
    upload = s3.open_parts(key, "video/mp4")
    s3.put_part(key, upload, 1, b"old" * 100)
    limit = time.monotonic() + 10
    while [one.size for one in s3.parts(key, upload)] != [500]:
        # Within one second of the store's clock nobody can tell them apart: neither counts.
        assert time.monotonic() < limit
        assert [one.size for one in s3.parts(key, upload)] in ([], [300])
        s3.put_part(key, upload, 1, b"newer" * 100)
    held = s3.parts(key, upload)
    s3.close_parts(key, upload, held)
    assert s3.rehash(Room.QUARANTINE, key).sha256 == sha256(b"newer" * 100).hexdigest()


def test_twins_of_one_second_count_as_none() -> None:
    old, new, other = Part(1, 3, "old"), Part(1, 5, "new"), Part(2, 9, "x")
    assert newest([("10:00:01", new), ("10:00:00", old)]) == (new,)
    assert newest([("10:00:00", other), ("10:00:01", new), ("10:00:01", old)]) == (other,)
    assert newest([("10:00:01", new), ("10:00:01", new)]) == (new,)


def test_an_upload_that_is_gone_is_absent(s3: Bucket) -> None:
    key = a_key()
    upload = s3.open_parts(key, "video/mp4")
    s3.drop_parts(key, upload)
    with pytest.raises(StoreAbsent):
        s3.put_part(key, upload, 1, b"a")
    with pytest.raises(StoreAbsent):
        s3.parts(key, upload)
