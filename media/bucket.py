"""The one module that speaks S3: rooms with and without locks, hashed reads, promotion.

Source: evidence-and-sync 4, 5, 12.7.  Calls block and touch the network: callers use
``asyncio.to_thread`` and never hold a transaction meanwhile.  Object lock is a seat belt; the
proof is the hash, taken here from the stored bytes and never from what a client says.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from io import BytesIO
from typing import BinaryIO, Self, cast
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.commonconfig import COMPLIANCE, ENABLED, GOVERNANCE, CopySource
from minio.datatypes import Part as Listed
from minio.error import InvalidResponseError, S3Error, ServerError
from minio.objectlockconfig import DAYS, ObjectLockConfig
from minio.retention import Retention
from minio.versioningconfig import VersioningConfig
from minio.xml import marshal

from media import presign
from media.flow import Flow
from media.rooms import (
    LOCKED,
    Facts,
    Hashed,
    HashMismatch,
    Held,
    Item,
    Lock,
    ObjectTooLarge,
    Part,
    Room,
    Store,
    StoreAbsent,
    StoreUnavailable,
    newest,
)

# Whoever speaks to a bucket finds here what it says of itself.
__all__ = [
    "LOCKED",
    "Bucket",
    "Facts",
    "HashMismatch",
    "Hashed",
    "Held",
    "Item",
    "Lock",
    "ObjectTooLarge",
    "Part",
    "Room",
    "Store",
    "StoreAbsent",
    "StoreUnavailable",
]

QUARANTINE_DAYS = 30
CHUNK_BYTES = 1 << 20
PART_BYTES = 5 << 20
CONNECT_SECONDS = 5
READ_SECONDS = 60
SERVER_FAULT = 500  # the first status that says the fault is on the store's side
CONNECTIONS = 16
NO_LOCK = "ObjectLockConfigurationNotFoundError"  # what an object without a lock is answered with
LOCK_HEADER = "x-amz-object-lock"


@contextmanager
def _answers() -> Iterator[None]:
    """Turn what the SDK raises into our refusals; other S3 errors are faults and pass through."""
    try:
        yield
    except S3Error as error:
        if (error.code or "").startswith("NoSuch") or error.code == NO_LOCK:
            raise StoreAbsent(code=error.code) from error
        # Refused keys are the operator's matter like a store that is down: nothing is lost.
        if error.response.status == HTTPStatus.FORBIDDEN or error.response.status >= SERVER_FAULT:
            raise StoreUnavailable(reason=error.code) from error
        raise
    except (urllib3.exceptions.HTTPError, ServerError, InvalidResponseError) as error:
        raise StoreUnavailable(reason=type(error).__name__) from error


class Bucket:
    """All rooms of one installation in one store."""

    def __init__(self, endpoint: str, public: presign.Endpoint, *, prefix: str) -> None:
        address = urlsplit(endpoint)
        self.public = public
        self.prefix = prefix
        self._client = Minio(
            address.netloc,
            access_key=public.access_key,
            secret_key=public.secret_key,
            secure=address.scheme == "https",
            region=public.region,
            # The SDK's own client waits five minutes, five times.
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
                retries=urllib3.Retry(total=2, backoff_factor=0.1),
                maxsize=CONNECTIONS,
            ),
        )

    @classmethod
    def of(cls, store: Store) -> Self:
        public = presign.Endpoint(
            store.public_endpoint, store.access_key, store.secret_key, store.region
        )
        return cls(store.endpoint, public, prefix=store.prefix)

    def name(self, room: Room) -> str:
        return f"{self.prefix}-{room}"

    @_answers()
    def ensure_buckets(self) -> None:
        """Create what is missing and set what protects; safe to repeat.

        Source: evidence-and-sync 5 (buckets).
        """
        for room in Room:
            name, locked = self.name(room), room in LOCKED
            if not self._client.bucket_exists(name):
                self._client.make_bucket(name, object_lock=locked)
            if locked:
                self._client.set_bucket_versioning(name, VersioningConfig(ENABLED))
        self._client.set_object_lock_config(
            self.name(Room.QUARANTINE), ObjectLockConfig(GOVERNANCE, QUARANTINE_DAYS, DAYS)
        )

    def check(self) -> None:
        """Raise StoreUnavailable ("store.unavailable") unless the store answers for our rooms."""
        with _answers():
            self._client.bucket_exists(self.name(Room.ORIGINALS))

    def presign_put(
        self, key: str, *, size: int, mime: str, sha256_hex: str, now: datetime
    ) -> presign.Presigned:
        """Address for a phone to put one object into quarantine, once, within 15 minutes.

        Source: evidence-and-sync 4.1, 12.7.
        """
        path = f"/{self.name(Room.QUARANTINE)}/{key}"
        return presign.put_object(
            self.public, path, size=size, mime=mime, sha256_hex=sha256_hex, now=now
        )

    def presign_get(
        self,
        room: Room,
        key: str,
        *,
        version: str | None = None,
        filename: str,
        mime: str,
        now: datetime,
    ) -> presign.Presigned:
        """Address to fetch an object as attachment within 60 seconds.

        Source: evidence-and-sync 12.6, 12.7.
        """
        path = f"/{self.name(room)}/{key}"
        return presign.get_object(
            self.public, path, version=version, filename=filename, mime=mime, now=now
        )

    @_answers()
    def open_parts(self, key: str, mime: str) -> str:
        """Begin an object of several parts in quarantine; returns the store's upload id.

        Source: evidence-and-sync 4 (parts of 5 MiB above 5 MiB).
        """
        # The SDK's multipart calls are private names; a contract test holds them.
        return self._client._create_multipart_upload(  # noqa: SLF001
            self.name(Room.QUARANTINE), key, {"Content-Type": mime}
        )

    def presign_part(
        self, key: str, upload: str, number: int, *, size: int, sha256_hex: str, now: datetime
    ) -> presign.Presigned:
        """Address for a phone to put one part, from 1, within 15 minutes."""
        path = f"/{self.name(Room.QUARANTINE)}/{key}"
        return presign.put_part(
            self.public,
            path,
            upload_id=upload,
            number=number,
            size=size,
            sha256_hex=sha256_hex,
            now=now,
        )

    @_answers()
    def put_part(self, key: str, upload: str, number: int, data: bytes) -> None:
        """Put one part, from 1. Raises: StoreAbsent when the upload is gone."""
        self._client._upload_part(  # noqa: SLF001 - as above
            self.name(Room.QUARANTINE), key, data, None, upload, number
        )

    @_answers()
    def parts(self, key: str, upload: str) -> tuple[Part, ...]:
        """The parts that the store holds, by number.

        A part that was sent twice is listed twice; the newest is meant, for completing with the
        older one would be honoured. Two of one second that differ count as none: send it again.
        Raises: StoreAbsent when the upload is gone.
        """
        found, marker = [], None
        while True:
            page = self._client._list_parts(  # noqa: SLF001 - as above
                self.name(Room.QUARANTINE), key, upload, part_number_marker=marker
            )
            found += page.parts
            if not page.is_truncated:
                break
            marker = str(page.next_part_number_marker)
        return newest(
            (str(one.last_modified), Part(one.part_number, one.size or 0, one.etag))
            for one in found
        )

    @_answers()
    def close_parts(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        """Make one object of the parts. Raises: StoreAbsent when the upload is gone."""
        listed = [Listed(one.number, one.etag) for one in parts]
        self._client._complete_multipart_upload(  # noqa: SLF001 - as above
            self.name(Room.QUARANTINE), key, upload, listed
        )

    @_answers()
    def drop_parts(self, key: str, upload: str) -> None:
        """Give an upload up; one that is gone is no fault."""
        with suppress(StoreAbsent), _answers():
            self._client._abort_multipart_upload(  # noqa: SLF001 - as above
                self.name(Room.QUARANTINE), key, upload
            )

    def listed(
        self,
        room: Room,
        *,
        prefix: str = "",
        after: str = "",
        recursive: bool = True,
        versions: bool = False,
    ) -> Iterator[Item]:
        """Objects of a room by key, a page at a time; not ``recursive``: folders end with ``/``.

        ``versions``: every version, newest first, and deletions; else what is current.
        Raises: StoreUnavailable.
        """
        with _answers():
            for found in self._client.list_objects(
                self.name(room),
                prefix=prefix or None,
                start_after=after or None,
                recursive=recursive,
                include_version=versions,
            ):
                yield Item(
                    found.object_name or "",
                    None if found.version_id == "null" else found.version_id,
                    found.size or 0,
                    found.last_modified,
                    bool(found.is_delete_marker),
                )

    @_answers()
    def head(self, room: Room, key: str, version: str | None = None) -> Held:
        """Size and version of an object.

        Raises: StoreAbsent ("store.absent"), StoreUnavailable ("store.unavailable").
        """
        found = self._client.stat_object(self.name(room), key, version_id=version)
        return Held(found.size or 0, found.version_id)

    @_answers()
    def facts(self, room: Room, key: str, version: str | None = None) -> Facts:
        """Size, type and lock of an object in one question. Raises as ``head``."""
        found = self._client.stat_object(self.name(room), key, version_id=version)
        said = {name.lower(): value for name, value in (found.metadata or {}).items()}
        until = said.get(f"{LOCK_HEADER}-retain-until-date")
        lock = Lock(
            said.get(f"{LOCK_HEADER}-mode"),
            datetime.fromisoformat(until) if until else None,
            said.get(f"{LOCK_HEADER}-legal-hold") == "ON",
        )
        mime = found.content_type or "application/octet-stream"
        return Facts(found.size or 0, found.version_id, mime, lock)

    @_answers()
    def bring_back(self, room: Room, key: str, file: BinaryIO, facts: Facts) -> Held:
        """Store an object of a backup as a new version, locked from birth; as ``put`` raises."""
        lock = facts.lock
        written = self._client.put_object(
            self.name(room),
            key,
            file,
            facts.size,
            content_type=facts.mime,
            part_size=PART_BYTES,
            num_parallel_uploads=1,
            retention=Retention(lock.mode, lock.until) if lock.mode and lock.until else None,
            legal_hold=lock.hold,
        )
        return Held(facts.size, written.version_id)

    def stream(
        self, room: Room, key: str, version: str | None = None, *, offset: int = 0, length: int = 0
    ) -> Iterator[bytes]:
        """Yield an object's bytes in chunks of at most 1 MiB; ``length`` 0 means to its end.

        Raises: StoreAbsent, StoreUnavailable.
        """
        with _answers():
            response = self._client.get_object(
                self.name(room), key, offset=offset, length=length, version_id=version
            )
            try:
                yield from response.stream(CHUNK_BYTES)
            finally:
                response.close()
                response.release_conn()

    def read(
        self, room: Room, key: str, offset: int, length: int, version: str | None = None
    ) -> bytes:
        """Read at most ``length`` bytes from ``offset``, a place inside the object.

        Raises: StoreAbsent, StoreUnavailable.
        """
        return b"".join(self.stream(room, key, version, offset=offset, length=length))

    def fetch(self, room: Room, key: str, *, limit: int, version: str | None = None) -> bytes:
        """Read a whole object of at most ``limit`` bytes.

        Raises: ObjectTooLarge ("store.object_too_large"), StoreAbsent, StoreUnavailable.
        """
        found = bytearray()
        for chunk in self.stream(room, key, version):
            found += chunk
            if len(found) > limit:
                raise ObjectTooLarge(limit=limit)
        return bytes(found)

    def rehash(self, room: Room, key: str, version: str | None = None) -> Hashed:
        """Hash the stored bytes, whatever their size, in constant memory.

        Raises: StoreAbsent, StoreUnavailable.
        Source: evidence-and-sync 5.
        """
        digest, size = sha256(), 0
        for chunk in self.stream(room, key, version):
            digest.update(chunk)
            size += len(chunk)
        return Hashed(digest.hexdigest(), size)

    def promote(
        self, key: str, *, version: str | None, sha256_hex: str, retain_until: datetime
    ) -> Held:
        """Copy one verified version from quarantine to originals under lock; read back and hash.

        Safe to repeat: a copy that is there with these bytes is the answer; one with others, cut
        off in the making, gets a newer version on top.
        Raises: HashMismatch ("media.hash_mismatch"), StoreAbsent, StoreUnavailable.
        Source: evidence-and-sync 5 (verified), 0.4.
        """
        try:
            held = self.head(Room.ORIGINALS, key)
        except StoreAbsent:
            held = self._copy(key, version=version, retain_until=retain_until)
        else:
            if self.rehash(Room.ORIGINALS, key, held.version).sha256 != sha256_hex:
                held = self._copy(key, version=version, retain_until=retain_until)
        self.lock(key, held.version, retain_until)
        found = self.rehash(Room.ORIGINALS, key, held.version)
        if found.sha256 != sha256_hex:
            raise HashMismatch(expected=sha256_hex, found=found.sha256)
        return held

    @_answers()
    def _copy(self, key: str, *, version: str | None, retain_until: datetime) -> Held:
        source = CopySource(self.name(Room.QUARANTINE), key, version_id=version)
        written = self._client.copy_object(
            self.name(Room.ORIGINALS),
            key,
            source,
            retention=Retention(GOVERNANCE, retain_until),
            legal_hold=True,
        )
        return self.head(Room.ORIGINALS, key, written.version_id)

    @_answers()
    def lock(self, key: str, version: str | None, retain_until: datetime) -> None:
        """Keep an original at least until then, and hold it."""
        # SeaweedFS 4.48 gives a copy the lock of its source (quarantine's 30 days) and ignores
        # the one that is asked for: without this call an original is free after a month.
        name = self.name(Room.ORIGINALS)
        held = self._client.get_object_retention(name, key, version)
        if held is None or held.retain_until_date < retain_until.replace(microsecond=0):
            self._client.set_object_retention(
                name, key, Retention(GOVERNANCE, retain_until), version
            )
        self._client.enable_object_legal_hold(name, key, version)

    @_answers()
    def lock_of(self, key: str, version: str | None, *, room: Room = Room.ORIGINALS) -> Lock:
        """What keeps an object of a locked room. Raises: StoreAbsent, StoreUnavailable."""
        name = self.name(room)
        held = self._client.get_object_retention(name, key, version)
        hold = False  # asked about in one room alone: where none ever was, the store errs
        if room is Room.ORIGINALS:
            hold = self._client.is_object_legal_hold_enabled(name, key, version)
        if held is None:
            return Lock(None, None, hold)
        return Lock(held.mode, held.retain_until_date, hold)

    @_answers()
    def comply(self, key: str, version: str | None, *, until: datetime) -> Lock:
        """Put an original under COMPLIANCE, which nobody lifts before its day; repeatable.

        Raises: StoreAbsent, StoreUnavailable.  Source: evidence-and-sync 5 (a case is filed).
        """
        held = self.lock_of(key, version)
        retention = Retention(COMPLIANCE, max(until, held.until or until))
        # The SDK cannot say that the mode is meant to change, which stores ask for.
        self._client._execute(  # noqa: SLF001 - a contract test holds it
            "PUT",
            self.name(Room.ORIGINALS),
            key,
            body=marshal(retention),
            headers={"x-amz-bypass-governance-retention": "true"},
            query_params={"retention": "", **({"versionId": version} if version else {})},
        )
        return self.lock_of(key, version)

    @_answers()
    def lift_hold(self, key: str, version: str | None) -> Lock:
        """Take the legal hold off an original; its retention stays as it is.

        Raises: StoreAbsent, StoreUnavailable.  Source: evidence-and-sync 12.2 (lift a lock).
        """
        name = self.name(Room.ORIGINALS)
        self._client.disable_object_legal_hold(name, key, version)
        return self.lock_of(key, version)

    @_answers()
    def put_flow(
        self, key: str, chunks: Iterable[bytes], size: int, mime: str, room: Room = Room.QUARANTINE
    ) -> Held:
        """Store all of ``size`` bytes as they come, or none, a part of 5 MiB at a time.

        Raises: StoreUnavailable, and whatever the chunks' source refuses.
        """
        flow = Flow(chunks)
        file = cast("BinaryIO", flow)  # the SDK calls nothing but read
        what = (self.name(room), key, file, size, mime)
        written = self._client.put_object(*what, part_size=PART_BYTES, num_parallel_uploads=1)
        flow.finish()
        return Held(size, written.version_id)

    def put(self, room: Room, key: str, raw: bytes, mime: str) -> Held:
        """Store a derivative or an export. Raises: StoreUnavailable."""
        return self._put(room, key, raw, mime, None)

    @_answers()
    def remove(self, key: str) -> None:
        """Delete a file of the exports, the only room where anything ends."""
        self._client.remove_object(self.name(Room.EXPORTS), key)

    def put_waiting(self, key: str, raw: bytes, mime: str) -> Held:
        """Store a small object that came through the spool in quarantine."""
        return self._put(Room.QUARANTINE, key, raw, mime, None)

    def put_locked(self, key: str, raw: bytes, mime: str, *, retain_until: datetime) -> Held:
        """Store a checkpoint under COMPLIANCE, which no key of ours shortens.

        Raises: StoreUnavailable.
        Source: evidence-and-sync 8 (anchor a).
        """
        return self._put(Room.CHECKPOINTS, key, raw, mime, Retention(COMPLIANCE, retain_until))

    @_answers()
    def _put(
        self, room: Room, key: str, raw: bytes, mime: str, retention: Retention | None
    ) -> Held:
        written = self._client.put_object(
            self.name(room), key, BytesIO(raw), len(raw), content_type=mime, retention=retention
        )
        return Held(len(raw), written.version_id)
