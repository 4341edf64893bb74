"""The doors of S3 itself, tried on one locked object (D1-D6) and as a foreign page (P5)."""

import json
import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from backend.embedded.doors import Verdict, shut
from backend.embedded.s3 import Answer, plain, signed
from backend.settings import Store

BUCKET = "mingcha-selfcheck"
BODY = b"canary " * 700  # beyond what a filer keeps inside its own table
LOCK_S = 120
SHORTER_S = 60
PLACE_LIMIT_S = 30.0
TICK_S = 0.1
XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
VERSION = re.compile(rb"<Key>([^<]+)</Key>\s*<VersionId>([^<]+)</VersionId>")
BYPASS = {"x-amz-bypass-governance-retention": "true"}
FOREIGN = "https://foreign.invalid"


@dataclass(frozen=True)
class Canary:
    """One object version under COMPLIANCE until ``until``; empty ``version``: not placed."""

    bucket: str
    key: str
    version: str
    until: datetime
    seen: str = ""

    @property
    def path(self) -> str:
        """Path of the object on S3."""
        return f"/{self.bucket}/{self.key}"

    @property
    def folder(self) -> str:
        """Where weed's filer keeps the versions of the object."""
        return f"/buckets/{self.bucket}/{self.key}.versions"


def place(store: Store, now: datetime) -> Canary:
    """Put a locked object under a key of its own, so that no two boots share a history."""
    key = f"canary-{int(now.timestamp() * 1000)}"
    locked = {"x-amz-bucket-object-lock-enabled": "true"}
    signed(store, "PUT", f"/{BUCKET}", now=now, headers=locked)
    until = now + timedelta(seconds=LOCK_S)
    lock = {
        "x-amz-object-lock-mode": "COMPLIANCE",
        "x-amz-object-lock-retain-until-date": f"{until:%Y-%m-%dT%H:%M:%SZ}",
    }
    limit = time.monotonic() + PLACE_LIMIT_S
    while True:  # a young store answers 5xx until its first volume has grown
        put = signed(store, "PUT", f"/{BUCKET}/{key}", now=now, headers=lock, body=BODY)
        if put.ok or (0 < put.status < 500) or time.monotonic() > limit:  # noqa: PLR2004
            break
        time.sleep(TICK_S)
    return Canary(BUCKET, key, put.headers.get("x-amz-version-id", ""), until, f"PUT {put.status}")


def sweep(store: Store, now: datetime) -> None:
    """Delete what earlier boots left; a version that is still locked refuses, as it should."""
    listed = signed(store, "GET", f"/{BUCKET}", now=now, query={"versions": ""})
    for key, version in VERSION.findall(listed.body):
        one = {"versionId": version.decode()}
        signed(store, "DELETE", f"/{BUCKET}/{key.decode()}", now=now, query=one)


def lock_terms(store: Store, canary: Canary, now: datetime) -> dict[str, Verdict]:
    """D2-D4, D6: what would loosen the lock or replace the bytes."""
    if not canary.version:
        return {line: Verdict(ok=False, seen=canary.seen) for line in ("D2", "D3", "D4", "D6")}
    one = {"versionId": canary.version}
    bucket = f"/{canary.bucket}"
    early = canary.until - timedelta(seconds=SHORTER_S)
    suspend = (
        f"<VersioningConfiguration {XMLNS}><Status>Suspended</Status></VersioningConfiguration>"
    )

    def retain(mode: str, until: datetime) -> Answer:
        body = (
            f"<Retention {XMLNS}><Mode>{mode}</Mode>"
            f"<RetainUntilDate>{until:%Y-%m-%dT%H:%M:%SZ}</RetainUntilDate></Retention>"
        ).encode()
        query = {"retention": "", **one}
        return signed(store, "PUT", canary.path, now=now, query=query, headers=BYPASS, body=body)

    return {
        "D2": shut([retain("COMPLIANCE", early)]),
        "D3": shut([retain("GOVERNANCE", canary.until)]),
        "D4": shut(
            [
                signed(
                    store, "PUT", bucket, now=now, query={"versioning": ""}, body=suspend.encode()
                )
            ]
        ),
        "D6": _overwrite(store, canary, now),
    }


def delete_version(store: Store, canary: Canary, now: datetime) -> Verdict:
    """D1."""
    if not canary.version:
        return Verdict(ok=False, seen=canary.seen)
    one = {"versionId": canary.version}
    return shut([signed(store, "DELETE", canary.path, now=now, query=one, headers=BYPASS)])


def drop_bucket(store: Store, canary: Canary, now: datetime) -> Verdict:
    """D5; only meaningful while the bucket holds the locked version."""
    if not canary.version:
        return Verdict(ok=False, seen=canary.seen)
    return shut([signed(store, "DELETE", f"/{canary.bucket}", now=now)])


def _overwrite(store: Store, canary: Canary, now: datetime) -> Verdict:
    """D6: a PUT on the same key makes a new version; the old bytes stay."""
    put = signed(store, "PUT", canary.path, now=now, body=b"overwritten")
    old = signed(store, "GET", canary.path, now=now, query={"versionId": canary.version})
    return Verdict(old.ok and old.body == BODY, f"PUT {put.status}, old version {old.status}")


def origins(store: Store, ours: str) -> dict[str, Verdict]:
    """P5: the preflight of our pages is answered, a foreign page's is not."""
    host = urlsplit(store.endpoint).netloc
    allowed = {
        origin: plain(
            host,
            "OPTIONS",
            f"/{BUCKET}/canary",
            headers={"Origin": origin, "Access-Control-Request-Method": "PUT"},
        ).headers.get("access-control-allow-origin", "")
        for origin in (ours, FOREIGN)
    }
    return {"P5": Verdict(allowed[ours] == ours and not allowed[FOREIGN], json.dumps(allowed))}
