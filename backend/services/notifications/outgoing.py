"""Messages on their way outside: by SMS and mail to who left an address, never at night."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import tasks
from backend.services.accounts import SHANGHAI
from backend.services.act import Act
from backend.services.notifications.wording import line, words
from inspection_plans import policy
from inspection_plans.loader import jurisdiction_of

KIND = "message.send"
Channel = Literal["sms", "email"]
# After each failure this long until the next try; after the last one it is given up, and says so.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720))
REACHED = """
select r.email, r.mobile, m.region, m.institution from message m
join reach r on r.account = m.account where m.id = $1
"""
PLAN = """
insert into delivery (id, region, institution, message, channel, progress, attempts, created_at,
  due_at) values ($1, $2, $3, $4, $5, 'waiting', 0, $6, $7)
"""
WAITING = """
select d.id, d.region, d.channel, d.attempts, m.subject, m.facts, r.email, r.mobile, r.language
from delivery d join message m on m.id = d.message join reach r on r.account = m.account
where d.id = $1 and d.progress = 'waiting'
"""
SENT = """
update delivery set progress = 'sent', attempts = attempts + 1, fault = null, ended_at = $2
where id = $1 and progress = 'waiting'
"""
MISSED = """
update delivery set attempts = attempts + 1, fault = $2, due_at = coalesce($3, due_at),
  progress = case when $3::timestamptz is null then 'failed' else 'waiting' end,
  ended_at = case when $3::timestamptz is null then $4::timestamptz end
where id = $1 and progress = 'waiting'
"""
PAGE = """
select id, message, channel, progress, attempts, fault, created_at, due_at, ended_at from delivery
where ($1::uuid is null or id < $1) order by id desc limit $2
"""


class NotTaken(Exception):  # noqa: N818 - the other side's answer, kept as text
    """A gateway or mail server did not take the message; the text says why, without addresses."""


class Mouth(Protocol):
    """What speaks to the outside: one call a message; ``key`` makes a repeat recognisable."""

    def sms(self, mobile: str, text: str, *, key: str) -> None: ...
    def mail(self, address: str, subject: str, text: str, *, key: str) -> None: ...


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One way of one message, and what became of it; without the address."""

    id: UUID
    message: UUID
    channel: Channel
    progress: Literal["waiting", "sent", "failed"]
    attempts: int
    fault: str | None
    created_at: datetime
    due_at: datetime
    ended_at: datetime | None


def after_quiet(at: datetime, region: int) -> datetime:
    """``at``, or the end of the quiet hours (Asia/Shanghai) it lies in."""
    place = jurisdiction_of(region)
    begins = policy.number("quiet_from_hour", place)
    ends = policy.number("quiet_until_hour", place)
    local = at.astimezone(SHANGHAI)
    if ends <= local.hour < begins:
        return at
    morning = local.replace(hour=ends, minute=0, second=0, microsecond=0)
    if local.hour >= begins:
        morning += timedelta(days=1)
    return morning.astimezone(at.tzinfo)


async def plan(message: UUID, *, act: Act) -> None:
    """Order the ways outside for a message just written, in its transaction."""
    row = await DB.connection.fetchrow(REACHED, message)
    if row is None:
        return
    due = after_quiet(act.at, row["region"])
    channels: dict[Channel, str | None] = {"sms": row["mobile"], "email": row["email"]}
    for channel, address in channels.items():
        if address:
            ident = act.new_id()
            await DB.connection.execute(
                PLAN, ident, row["region"], row["institution"], message, channel, act.at, due
            )
            await _enqueue(ident, row["region"], due, act=act)


async def _enqueue(ident: UUID, region: int, due: datetime, *, act: Act) -> None:
    await tasks.enqueue(KIND, {"delivery": str(ident)}, region=region, at=act.at, run_at=due)


def _speak(row: Any, mouth: Mouth, origin: str) -> None:  # noqa: ANN401 - a driver's row
    language = row["language"]
    subject = line(row["subject"], language, row["facts"])
    key = str(row["id"])
    if row["channel"] == "sms":
        mouth.sms(row["mobile"], words().sms[language].format(subject=subject), key=key)
        return
    text = words().mail[language].format(subject=subject, origin=origin)
    mouth.mail(row["email"], subject, text, key=key)


async def send(ident: UUID, *, act: Act, mouth: Mouth, origin: str) -> None:
    """Send one delivery that still waits; a refusal is kept and tried again later, then told."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(WAITING, ident)
    if row is None:
        return
    try:
        await asyncio.to_thread(_speak, row, mouth, origin)
    except NotTaken as fault:
        await _missed(ident, row, str(fault), act=act)
        return
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(SENT, ident, act.at)


async def _missed(ident: UUID, row: Any, fault: str, *, act: Act) -> None:  # noqa: ANN401 - a row
    tried = row["attempts"]
    again = None
    if tried < len(PAUSES):
        again = after_quiet(act.at + PAUSES[tried], row["region"])
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(MISSED, ident, fault[:300], again, act.at)
        if again is not None:
            await _enqueue(ident, row["region"], again, act=act)


async def page(*, act: Act, after: UUID | None = None, limit: int = 50) -> tuple[Delivery, ...]:
    """What went out, or did not, in the caller's scope; the newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PAGE, after, limit)
    return tuple(msgspec.convert(dict(row), Delivery) for row in rows)
