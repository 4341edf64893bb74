"""How a person wants to be reached: own mail address, mobile number, language, calendar secret."""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.accounts import digest
from backend.services.act import Act

Email = Annotated[str, Meta(max_length=200, pattern=r"\A[!-?A-~]{1,64}@[0-9A-Za-z.-]{1,130}\Z")]
Mobile = Annotated[str, Meta(pattern=r"\A\+?[0-9]{6,15}\Z")]
SAVE = """
insert into reach (account, region, institution, email, mobile, language, updated_at)
select a.id, a.region, a.institution, $2, $3, $4, $5 from account a where a.id = $1
on conflict (account) do update set email = excluded.email, mobile = excluded.mobile,
  language = excluded.language, updated_at = excluded.updated_at
"""
READ = """
select email, mobile, language, calendar_hash is not null as calendar from reach where account = $1
"""
CALENDAR = """
insert into reach (account, region, institution, language, calendar_hash, updated_at)
select a.id, a.region, a.institution, 'zh', $2, $3 from account a where a.id = $1
on conflict (account) do update set calendar_hash = excluded.calendar_hash,
  updated_at = excluded.updated_at
"""
SECRET = re.compile(r"[0-9A-Za-z_-]{22,86}\Z")


class Ways(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person sets; an address left out is not used."""

    email: Email | None = None
    mobile: Mobile | None = None
    language: Literal["zh", "en"] = "zh"


class Reach(Ways, frozen=True, kw_only=True):
    """What is set now; ``calendar`` says whether a feed exists, its secret is shown only once."""

    calendar: bool = False


async def own(*, act: Act) -> Reach:
    """How the caller is reached."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(READ, act.by.id)
    return msgspec.convert(dict(row), Reach) if row else Reach()


async def save(ways: Ways, *, act: Act) -> Reach:
    """Set the caller's own addresses; the log says that they changed, never what they are."""
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(
            SAVE, act.by.id, ways.email, ways.mobile, ways.language, act.at
        )
        await audit.record(act, "reach.saved", "account", act.by.id, region=act.by.region)
    return await own(act=act)


async def open_calendar(secret: str, *, act: Act) -> None:
    """Let this secret open the caller's feed; the one before opens nothing any more."""
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(CALENDAR, act.by.id, digest(secret), act.at)
        await audit.record(act, "calendar.opened", "account", act.by.id, region=act.by.region)


async def close_calendar(*, act: Act) -> None:
    """End the caller's feed."""
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(
            "update reach set calendar_hash = null, updated_at = $2 where account = $1",
            act.by.id,
            act.at,
        )
        await audit.record(act, "calendar.closed", "account", act.by.id, region=act.by.region)
