"""The inbox 消息: written by the worker, read by its owner alone."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.notifications import Order, outgoing
from backend.services.notifications.wording import line

# The nearest office with people of the role: the matter's own region first, then its parents.
OFFICERS = """
with recursive up as (
  select code, parent, 0 as far from region where code = $1
  union all select r.code, r.parent, up.far + 1 from region r join up on r.code = up.parent),
holders as (
  select r.account, up.far from up join role_assignment r on r.region = up.code
  join account a on a.id = r.account and a.disabled_at is null and a.kind = 'office'
  where r.role = any ($2) and r.revoked_at is null
    and (r.valid_until is null or r.valid_until >= $3::date))
select distinct account from holders where far = (select min(far) from holders)
"""
USERS = "select id from account where institution = $1 and disabled_at is null"
WRITE = """
insert into message (id, region, institution, account, subject, facts, matter, matter_id, dedupe,
  written_at) select $1, a.region, a.institution, a.id, $3, $4, $5, $6, $7, $8 from account a
where a.id = $2 and a.disabled_at is null
on conflict (account, dedupe) do nothing returning id
"""
PAGE = """
select id, subject, facts, matter, matter_id, written_at, read_at from message
where account = $1 and ($2::uuid is null or id < $2) and (not $3 or read_at is null)
order by id desc limit $4
"""
READ = """
update message set read_at = $3 where account = $1 and read_at is null
  and ($2::uuid[] is null or id = any ($2)) returning id
"""
HELD = "select count(*) from message where account = $1 and id = any ($2)"
UNREAD = """
select count(*) from (select from message where account = $1 and read_at is null limit $2) m
"""
CAP = 100


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an inbox; ``zh`` and ``en`` are its words."""

    id: UUID
    subject: str
    zh: str
    en: str
    matter: str
    matter_id: UUID
    written_at: datetime
    read_at: datetime | None


async def _persons(order: Order, *, act: Act) -> list[UUID]:
    """Everybody the order reaches, each once, without the one whose deed it was."""
    found = set(order.to.accounts)
    if order.to.roles:
        rows = await DB.connection.fetch(
            OFFICERS, order.matter.region, list(order.to.roles), act.at
        )
        found |= {row["account"] for row in rows}
    if order.to.institution and order.matter.institution is not None:
        rows = await DB.connection.fetch(USERS, order.matter.institution)
        found |= {row["id"] for row in rows}
    return sorted(found - {order.by})


async def write(order: Order, *, act: Act) -> int:
    """Put the message into every inbox it is for, and order its ways outside; how many are new."""
    async with DB.transaction(act.by.scope):
        return await put(order, act=act)


async def put(order: Order, *, act: Act) -> int:
    """The same in a running transaction."""
    new = 0
    for person in await _persons(order, act=act):
        written = await DB.connection.fetchval(
            WRITE,
            act.new_id(),
            person,
            order.subject,
            order.facts,
            order.matter.noun,
            order.matter.id,
            order.dedupe,
            act.at,
        )
        if written is not None:
            new += 1
            await outgoing.plan(written, act=act)
    return new


def _of(row: Any) -> Message:  # noqa: ANN401 - a driver's row
    said = {language: line(row["subject"], language, row["facts"]) for language in ("zh", "en")}
    return msgspec.convert({**dict(row), **said}, Message)


async def page(
    *, act: Act, unread: bool = False, after: UUID | None = None, limit: int = 50
) -> tuple[Message, ...]:
    """The caller's own messages, the newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PAGE, act.by.id, after, unread, limit)
    return tuple(_of(row) for row in rows)


async def unread(*, act: Act) -> int:
    """How many messages the caller has not read, counted up to 100."""
    async with DB.transaction(act.by.scope, readonly=True):
        found: int = await DB.connection.fetchval(UNREAD, act.by.id, CAP)
    return found


async def read(messages: tuple[UUID, ...] | None, *, act: Act) -> int:
    """Mark messages read, all of them for None; how many were new. Raises: Absent."""
    async with DB.transaction(act.by.scope):
        if messages is not None:
            held = await DB.connection.fetchval(HELD, act.by.id, list(messages))
            if held != len(set(messages)):
                raise Absent
        wanted = None if messages is None else list(messages)
        return len(await DB.connection.fetch(READ, act.by.id, wanted, act.at))
