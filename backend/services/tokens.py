"""Opaque tokens 令牌 for phones and integrators: only hashes are stored, refresh rotates."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services.accounts import digest, load_person
from backend.services.act import Act, Person
from backend.services.errors import ServiceRefusal
from inspection_plans.errors import Family

ACCESS_LIFE = timedelta(minutes=10)
REFRESH_LIFE = timedelta(hours=12)
FAMILY_LIFE = timedelta(days=7)
CACHE_LIFE = timedelta(seconds=3)  # a revocation works within 5 s
CACHE_MAX = 4096

INSERT = """
insert into access_token (hash, refresh_hash, region, account, device, issued_at, expires_at,
  refresh_expires_at, family_expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_cache: dict[bytes, tuple[datetime, Person]] = {}


class TokenOver(ServiceRefusal):
    """The refresh token is unknown, used, revoked or over: sign in again."""

    code = "session.over"
    family = Family.DENIED


class DeviceForeign(ServiceRefusal):
    """The device belongs to somebody else, or was revoked."""

    code = "session.device_foreign"
    family = Family.DENIED


class TokenPair(msgspec.Struct, frozen=True):
    """What the phone keeps: both opaque, base64url of 256 bits."""

    access: str
    refresh: str
    expires_at: datetime


async def issue(
    person: Person, *, access: str, refresh: str, at: datetime, device: UUID | None = None
) -> TokenPair:
    """A fresh pair for a signed-in person, bound to ``device`` when given.

    Raises: DeviceForeign ("session.device_foreign").
    """
    async with DB.transaction(_scope(person)):
        if device and not await DB.connection.fetchval(
            "select true from device where id = $1 and account = $2 and revoked_at is null",
            device,
            person.id,
        ):
            raise DeviceForeign
        return await _store(person, device, access, refresh, at, at + FAMILY_LIFE)


def _scope(person: Person) -> Scope:
    """A person's tokens are rows of its own region, which an institution's scope leaves out."""
    return Scope(regions=(*person.regions, person.region), institution=person.institution)


async def _store(
    person: Person,
    device: UUID | None,
    access: str,
    refresh: str,
    at: datetime,
    family_until: datetime,
) -> TokenPair:
    await DB.connection.execute(
        INSERT,
        digest(access),
        digest(refresh),
        person.region,
        person.id,
        device,
        at,
        at + ACCESS_LIFE,
        min(at + REFRESH_LIFE, family_until),
        family_until,
    )
    return TokenPair(access, refresh, at + ACCESS_LIFE)


async def renew(old: str, *, access: str, refresh: str, at: datetime) -> TokenPair:
    """Exchange a refresh token for a fresh pair; it works once.

    A second use is a theft or a lost answer: every token of that device ends.
    Raises: TokenOver ("session.over").
    """
    async with DB.transaction(Scope()):
        row = await DB.connection.fetchrow("select * from auth_refresh($1)", digest(old))
    person = await load_person(row["account"], at=at) if row else None
    if row is None or person is None:
        raise TokenOver
    async with DB.transaction(_scope(person)):
        live = await DB.connection.fetchval(
            "update access_token set revoked_at = $2 where refresh_hash = $1"
            " and revoked_at is null and refresh_expires_at > $2 returning true",
            digest(old),
            at,
        )
        if live:
            return await _store(
                person, row["device"], access, refresh, at, row["family_expires_at"]
            )
        await DB.connection.execute(
            "update access_token set revoked_at = $3 where account = $1 and revoked_at is null"
            " and device is not distinct from $2",
            row["account"],
            row["device"],
            at,
        )
    raise TokenOver


async def revoke_all(act: Act) -> None:
    """Sign the caller out: every token of this person and device ends now."""
    async with DB.transaction(_scope(act.by)):
        await DB.connection.execute(
            "update access_token set revoked_at = $3 where account = $1 and revoked_at is null"
            " and device is not distinct from $2",
            act.by.id,
            act.by.device,
            act.at,
        )
    forget()


def forget() -> None:
    """Drop what this process remembers of tokens; the next request asks the database."""
    _cache.clear()


async def person_of_token(token: str, *, at: datetime) -> Person | None:
    """The person behind an access token with the device it is bound to, or None."""
    key = digest(token)
    cached = _cache.get(key)
    if cached and cached[0] <= at < cached[0] + CACHE_LIFE:
        return cached[1]
    _cache.pop(key, None)
    async with DB.transaction(Scope(), readonly=True):
        row = await DB.connection.fetchrow("select * from auth_token($1, $2)", key, at)
    person = await load_person(row["account"], at=at) if row else None
    if row is None or person is None:
        return None
    person = msgspec.structs.replace(person, device=row["device"], device_spki=row["spki"])
    if len(_cache) >= CACHE_MAX:
        forget()
    _cache[key] = (at, person)
    return person
