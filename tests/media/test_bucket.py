"""The contract with an S3 store: pinned uploads, locks, hashed reads; run against a real one."""

import io
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

import httpx
import pytest
from minio import Minio
from minio.commonconfig import GOVERNANCE
from minio.error import S3Error
from minio.retention import Retention

from media import presign
from media.bucket import (
    Bucket,
    Hashed,
    HashMismatch,
    Lock,
    ObjectTooLarge,
    Room,
    StoreAbsent,
    StoreUnavailable,
)
from media.errors import Family


def now() -> datetime:
    """The store's own clock, to the second: an address made minutes ago is refused."""
    return datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - S3 compares with the real one


UNTIL = now() + timedelta(days=5 * 366)
RAW = b"mingcha " * 40_000
SHA = sha256(RAW).hexdigest()
numbers = itertools.count()


def a_key() -> str:
    return f"371000/{next(numbers)}/{SHA}"


def admin(s3: Bucket) -> Minio:
    return Minio(
        urlsplit(s3.public.base_url).netloc,
        access_key=s3.public.access_key,
        secret_key=s3.public.secret_key,
        secure=False,
        region=s3.public.region,
    )


def signed(s3: Bucket, key: str, *, at: datetime | None = None) -> presign.Presigned:
    at = at or now()
    return s3.presign_put(key, size=len(RAW), mime="image/jpeg", sha256_hex=SHA, now=at)


def put(address: presign.Presigned, raw: bytes = RAW, **headers: str) -> int:
    sent = {**address.headers, **headers}
    return httpx.put(address.url, content=raw, headers=sent).status_code


def uploaded(s3: Bucket) -> tuple[str, str]:
    key = a_key()
    assert put(signed(s3, key)) == 200
    version = s3.head(Room.QUARANTINE, key).version
    assert version
    return key, version


def test_a_pinned_put_takes_the_promised_bytes_once(s3: Bucket) -> None:
    key = a_key()
    address = signed(s3, key)
    assert put(address, RAW[:-1] + b"x") == 400
    assert put(address, RAW + b"x") == 403
    assert put(address, **{"content-type": "text/html"}) == 403
    assert put(address, **{"if-none-match": "x"}) == 403
    assert put(address, **{"x-amz-checksum-sha256": "A" * 43 + "="}) == 403
    with pytest.raises(StoreAbsent):
        s3.head(Room.QUARANTINE, key)
    assert put(address) == 200
    assert put(address) == 412
    assert s3.head(Room.QUARANTINE, key).size == len(RAW)


def test_an_address_serves_one_key_one_method_and_a_quarter_of_an_hour(s3: Bucket) -> None:
    key = a_key()
    address = signed(s3, key)
    moved = presign.Presigned("PUT", address.url.replace(key, a_key()), address.headers)
    assert put(moved) == 403
    assert httpx.delete(address.url, headers=address.headers).status_code == 403
    assert put(signed(s3, key, at=now() - timedelta(seconds=presign.PUT_SECONDS + 60))) == 403
    assert put(signed(s3, key, at=now() - timedelta(seconds=presign.PUT_SECONDS - 60))) == 200


def test_parts_are_pinned_too(s3: Bucket) -> None:
    key = a_key()
    client, name = admin(s3), s3.name(Room.QUARANTINE)
    upload = client._create_multipart_upload(name, key, {})  # noqa: SLF001 - contract of parts
    part = presign.put_part(
        s3.public,
        f"/{name}/{key}",
        upload_id=upload,
        number=1,
        size=len(RAW),
        sha256_hex=SHA,
        now=now(),
    )
    assert put(part, RAW[:-1] + b"x") == 400
    assert put(part, RAW + b"x") == 403
    assert put(part) == 200
    client._abort_multipart_upload(name, key, upload)  # noqa: SLF001 - as above


def test_stored_bytes_are_hashed_by_version(s3: Bucket) -> None:
    key, version = uploaded(s3)
    later = admin(s3).put_object(s3.name(Room.QUARANTINE), key, io.BytesIO(b"other"), 5).version_id
    assert s3.rehash(Room.QUARANTINE, key, version).sha256 == SHA
    assert s3.rehash(Room.QUARANTINE, key, version).size == len(RAW)
    assert s3.rehash(Room.QUARANTINE, key, later).sha256 == sha256(b"other").hexdigest()


def test_promotion_keeps_the_bytes_and_locks_them(s3: Bucket) -> None:
    key, version = uploaded(s3)
    held = s3.promote(key, version=version, sha256_hex=SHA, retain_until=UNTIL)
    assert s3.fetch(Room.ORIGINALS, key, limit=len(RAW), version=held.version) == RAW
    client, name = admin(s3), s3.name(Room.ORIGINALS)
    retention = client.get_object_retention(name, key, held.version)
    assert retention is not None
    assert (retention.mode, retention.retain_until_date) == (GOVERNANCE, UNTIL)
    assert client.is_object_legal_hold_enabled(name, key, held.version)
    for locked, number in ((name, held.version), (s3.name(Room.QUARANTINE), version)):
        with pytest.raises(S3Error) as refused:
            client.remove_object(locked, key, number)
        assert refused.value.code == "AccessDenied"
    with pytest.raises(S3Error):
        client.set_object_retention(
            name, key, Retention(GOVERNANCE, now() + timedelta(days=1)), held.version
        )
    assert s3.rehash(Room.ORIGINALS, key, held.version).sha256 == SHA


def test_promotion_takes_the_verified_version_and_may_be_repeated(s3: Bucket) -> None:
    key, version = uploaded(s3)
    admin(s3).put_object(s3.name(Room.QUARANTINE), key, io.BytesIO(b"slipped in"), 10)
    first = s3.promote(key, version=version, sha256_hex=SHA, retain_until=UNTIL)
    longer = UNTIL + timedelta(days=1)
    assert s3.promote(key, version=version, sha256_hex=SHA, retain_until=longer) == first
    assert s3.promote(key, version=version, sha256_hex=SHA, retain_until=UNTIL) == first
    retention = admin(s3).get_object_retention(s3.name(Room.ORIGINALS), key, first.version)
    assert retention is not None
    assert retention.retain_until_date == longer


def test_promotion_of_other_bytes_is_refused(s3: Bucket) -> None:
    key, version = uploaded(s3)
    with pytest.raises(HashMismatch) as refused:
        s3.promote(key, version=version, sha256_hex="0" * 64, retain_until=UNTIL)
    assert refused.value.facts["found"] == SHA


def test_downloads_are_attachments_for_a_minute(s3: Bucket) -> None:
    key, version = uploaded(s3)

    def get(at: datetime) -> httpx.Response:
        address = s3.presign_get(
            Room.QUARANTINE,
            key,
            version=version,
            filename="证据.jpg",
            mime="image/jpeg",
            now=at,
        )
        return httpx.get(address.url)

    answer = get(now())
    assert (answer.status_code, answer.content) == (200, RAW)
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E8")
    assert answer.headers["content-type"] == "image/jpeg"
    assert get(now() - timedelta(seconds=presign.GET_SECONDS + 30)).status_code == 403


def test_derivatives_are_stored_and_checkpoints_locked(s3: Bucket) -> None:
    s3.put(Room.DERIVATIVES, "371000/thumb", b"thumb", "image/jpeg")
    assert s3.fetch(Room.DERIVATIVES, "371000/thumb", limit=5) == b"thumb"
    held = s3.put_locked("log/1", b"note", "text/plain", retain_until=UNTIL)
    with pytest.raises(S3Error):
        admin(s3).remove_object(s3.name(Room.CHECKPOINTS), "log/1", held.version)
    assert s3.fetch(Room.CHECKPOINTS, "log/1", limit=4, version=held.version) == b"note"


def test_ranges_and_limits(s3: Bucket) -> None:
    key, _ = uploaded(s3)
    assert s3.read(Room.QUARANTINE, key, 8, 7) == RAW[8:15]
    assert s3.read(Room.QUARANTINE, key, len(RAW) - 3, 100) == RAW[-3:]
    with pytest.raises(ObjectTooLarge):
        s3.fetch(Room.QUARANTINE, key, limit=len(RAW) - 1)


def test_what_is_not_there_is_absent(s3: Bucket) -> None:
    with pytest.raises(StoreAbsent):
        s3.head(Room.ORIGINALS, "nothing")
    with pytest.raises(StoreAbsent):
        s3.rehash(Room.ORIGINALS, "nothing")
    with pytest.raises(StoreAbsent):
        s3.promote("nothing", version=None, sha256_hex=SHA, retain_until=UNTIL)
    with pytest.raises(StoreAbsent):
        Bucket(s3.public.base_url, s3.public, prefix="nowhere").head(Room.ORIGINALS, "nothing")


def test_a_store_that_does_not_answer_is_unavailable(s3: Bucket) -> None:
    gone = presign.Endpoint("http://127.0.0.1:9", "a", "b")
    refused_key = presign.Endpoint(s3.public.base_url, s3.public.access_key, "wrong")
    for endpoint in (gone, refused_key):
        bucket = Bucket(endpoint.base_url, endpoint, prefix=s3.prefix)
        with pytest.raises(StoreUnavailable):
            bucket.check()
        with pytest.raises(StoreUnavailable) as refused:
            bucket.rehash(Room.ORIGINALS, "x")
        assert refused.value.family is Family.UNAVAILABLE


def test_buckets_may_be_ensured_again(s3: Bucket) -> None:
    s3.check()
    s3.ensure_buckets()
    for room in Room:
        assert admin(s3).bucket_exists(s3.name(room))


def test_an_original_of_a_case_is_under_compliance(s3: Bucket) -> None:
    key, version = uploaded(s3)
    held = s3.promote(key, version=version, sha256_hex=SHA, retain_until=UNTIL)
    assert s3.lock_of(key, held.version) == Lock("GOVERNANCE", UNTIL, hold=True)
    longer = UNTIL + timedelta(days=400)
    assert s3.comply(key, held.version, until=longer) == Lock("COMPLIANCE", longer, hold=True)
    assert s3.comply(key, held.version, until=UNTIL) == Lock("COMPLIANCE", longer, hold=True)
    name = s3.name(Room.ORIGINALS)
    with pytest.raises(S3Error):
        admin(s3).set_object_retention(name, key, Retention(GOVERNANCE, UNTIL), held.version)
    s3.promote(key, version=version, sha256_hex=SHA, retain_until=UNTIL)
    assert s3.lock_of(key, held.version) == Lock("COMPLIANCE", longer, hold=True)
    assert s3.lift_hold(key, held.version) == Lock("COMPLIANCE", longer, hold=False)


def test_a_copy_with_other_bytes_gets_the_right_ones_on_top(s3: Bucket) -> None:
    key, version = uploaded(s3)
    s3.put(Room.ORIGINALS, key, RAW[:-1], "image/jpeg")
    held = s3.promote(key, version=version, sha256_hex=SHA, retain_until=UNTIL)
    assert s3.rehash(Room.ORIGINALS, key, held.version).sha256 == SHA
    assert s3.lock_of(key, held.version).hold


@pytest.mark.parametrize("size", [3, 5 << 20, (5 << 20) + 1, 12_000_000])
def test_a_flow_is_stored_as_it_comes(s3: Bucket, size: int) -> None:
    key, raw = a_key(), (RAW * (size // len(RAW) + 1))[:size]
    chunks = (raw[at : at + 700_001] for at in range(0, size, 700_001))
    held = s3.put_flow(key, chunks, size, "application/octet-stream")
    assert s3.rehash(Room.QUARANTINE, key, held.version) == Hashed(sha256(raw).hexdigest(), size)


def test_a_flow_whose_source_refuses_leaves_nothing(s3: Bucket) -> None:
    def chunks() -> Iterator[bytes]:
        yield bytes(6 << 20)
        raise HashMismatch(reason="source")

    key = a_key()
    with pytest.raises(HashMismatch):
        s3.put_flow(key, chunks(), 12 << 20, "application/octet-stream")
    with pytest.raises(StoreAbsent):
        s3.head(Room.QUARANTINE, key)
