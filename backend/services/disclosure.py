"""Opening a draw: keys and secrets published, so that a stranger can replay all of it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from backend.db.engine import Scope
from backend.db.tables.draws import Draw
from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import chains, draw_events, drawlog, drawrows, externals, plans
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.drawrows import Frozen
from backend.services.errors import Absent, ServiceRefusal
from backend.services.records.draws import (
    DrawRecord,
    PageLine,
    PlannedDraw,
    PublicPage,
    Verdict,
)
from inspection_plans.draw.record import build, build_external, build_sealed
from inspection_plans.draw.select import select_with_totals
from inspection_plans.draw.verify import verify as replay
from inspection_plans.errors import Family

PUBLIC = Scope(role="public")
# States in which a visit's target is no secret any more.
DONE = (
    "submitted",
    "complete",
    "accepted",
    "returned",
    "concluded",
    "concluded_with_gap",
    "unreachable",
    "closed",
    "refused",
)
SENT = """
select a.inspector from assignment a join visit v on v.id = a.visit
where v.draw = $1 and a.state = 'active' and v.state = any ($2)
"""
PAGES = """
select draw as id, code, attempt, state, disclose_on, etag,
  state = 'drawn' and disclose_on < $3 as overdue
from draw_page where ($1::uuid is null or draw < $1) order by draw desc limit $2
"""


PLANNED = """
select owed.draw, owed.due, last.state, coalesce(last.attempt, 0) as attempts,
  owed.due < $3 and coalesce(last.state, 'void') not in ('drawn', 'published') as overdue
from draw_log l
  cross join lateral jsonb_to_recordset(l.body -> 'draws') as owed (draw text, due date)
  left join lateral (select state, attempt from draw_page p where p.code = owed.draw
    order by p.attempt desc limit 1) last on true
where l.region = $1 and l.year = $2 and l.type = 'plan_year' order by l.seq, owed.draw
"""


class Sealed(ServiceRefusal):
    """Visits of the draw are still to come: publishing now would tip them off."""

    code = "draw.sealed"
    family = Family.CONFLICT


class NotDisclosed(ServiceRefusal):
    """Until its disclosure a draw has digests and counts, nothing to replay."""

    code = "draw.not_disclosed"
    family = Family.CONFLICT


async def _ripe(draw: DrawRecord, act: Act) -> None:
    """Disclosure waits for the visits, or for the day the plan set. Source: draw.md 3.6."""
    if on_day(act.at) >= draw.disclose_on:
        return
    open_visits = await DB.connection.fetchval(
        "select count(*) from visit where draw = $1 and state <> all ($2)", draw.id, list(DONE)
    )
    if open_visits:
        raise Sealed(open_visits=open_visits, disclose_on=draw.disclose_on.isoformat())


async def _persons(draw: DrawRecord, kept: Frozen) -> list[dict[str, str]]:
    """Licence and salt of those sent: only theirs open the commitment behind a pseudonym.

    Source: draw.md section 2.5.
    """
    sent = {str(row["inspector"]) for row in await DB.connection.fetch(SENT, draw.id, list(DONE))}
    return [
        {"id": alias, "licence": secret["licence"], "salt": secret["salt"]}
        for alias, secret in sorted(kept.pseudonyms["aliases"].items())
        if secret["inspector"] in sent
    ]


async def _origin(draw: DrawRecord) -> dict[str, Any]:
    """The record of a draw made elsewhere."""
    entered = await externals.held(draw.plan)
    plan = await DB.connection.fetchrow("select * from plan where id = $1", draw.plan)
    return build_external(
        draw.alg,
        draw.code,
        externals.plan_doc(plans.to_plan(plan), entered),
        log=await drawlog.entries(draw.region, await drawrows.year_of(draw)),
        visits=externals.shown(entered),
    )


LAST = """
select d.*, r.selection, r.assignment, r.days from draw d join draw_result r on r.draw = d.id
where d.plan = $1 and d.state in ('drawn', 'published') order by d.attempt desc limit 1
"""


async def full(draw: DrawRecord, kept: Frozen, sent: Frozen) -> dict[str, Any]:
    """The full record of a draw with a result, with its year's log as it is now.

    ``sent`` is what the last sending froze; without a second one it is ``kept``.

    Under the sealed profile no row is in it: totals and thresholds, drawn once more from the
    seed.  Source: draw.md section 2.6.
    """
    row = await DB.connection.fetchrow(LAST, draw.plan)
    log = await drawlog.entries(draw.region, await drawrows.year_of(draw))
    if kept.plan.get("profile") == "sealed":
        seed = await DB.connection.fetchval("select seed from draw where id = $1", draw.id)
        _, totals = await asyncio.to_thread(
            select_with_totals, draw.alg, seed, kept.plan, kept.frames["objects"]
        )
        return build_sealed(draw.alg, draw.code, kept.plan, log=log, totals=totals)
    return build(
        draw.alg,
        draw.code,
        kept.plan,
        {**sent.frames, "objects": kept.frames["objects"]},
        keys={**sent.keys, "objects": kept.keys["objects"]},
        log=log,
        outcome={name: row[name] for name in ("selection", "assignment", "days")},
    )


async def disclose(draw_id: UUID, *, act: Act, keys: Keyring) -> DrawRecord:
    """Publish keys, secrets and the licences of those sent; a second call changes nothing.

    Raises: Absent, Sealed ("draw.sealed"), "draw.wrong_state".
    Source: draw.md sections 2.6, 3.3, 3.6.
    """
    async with DB.transaction(act.by.scope):
        draw = await _first(await drawrows.lock(draw_id))
        if draw.state == "published":
            return draw
        if draw.state == "drawn":
            await _ripe(draw, act)
        draw = await drawrows.move(draw, "publish", {Draw.published_at: act.at}, act=act)
        if draw.origin == "external":
            draw = await drawrows.note(draw, "disclose", {"persons": []}, act=act)
            await drawrows.sign_as_operator(draw, keys=keys, act=act)
            record = await drawrows.attached(draw, await _origin(draw))
            await drawrows.show(draw, act=act, full=record)
            return draw
        tries = await _with_result(draw)
        kept = await drawrows.frozen(draw.id, keys=keys)
        sent = await drawrows.frozen(tries[-1].id, keys=keys)
        draw = await _open(draw, tries, sent, keys=keys, act=act)
        record = await drawrows.attached(draw, await full(draw, kept, sent))
        await drawrows.show(draw, act=act, full=record)
        for other in tries[1:]:
            new: drawrows.Columns = {Draw.published_at: act.at}
            await drawrows.show(
                await drawrows.move(other, "publish", new, act=act), act=act, full=record
            )
    return draw


async def _first(draw: DrawRecord) -> DrawRecord:
    """The attempt that drew the institutions; a later sending is disclosed with it."""
    if draw.stage == "draw":
        return draw
    first: UUID = await DB.connection.fetchval(
        "select id from draw where plan = $1 and stage = 'draw'"
        " and state in ('drawn', 'published')",
        draw.plan,
    )
    return await drawrows.lock(first)


async def _with_result(draw: DrawRecord) -> list[DrawRecord]:
    """The draw and its later sendings that have a result, in order."""
    rows = await DB.connection.fetch(
        "select * from draw where plan = $1 and state in ('drawn', 'published') order by attempt",
        draw.plan,
    )
    return [drawrows.to_draw(row) for row in rows]


async def _open(
    draw: DrawRecord, tries: Sequence[DrawRecord], sent: Frozen, *, keys: Keyring, act: Act
) -> DrawRecord:
    """Publish who was sent, every party's secret and every sealed event; the operator signs."""
    body = {
        "persons": await _persons(draw, sent),
        "countersigned": await drawrows.signed(draw),
        "links": await chains.opened(draw, keys=keys),
    }
    draw = await drawrows.note(draw, "disclose", body, act=act)
    for attempt in tries:
        secrets = await drawrows.secrets(attempt.id, keys=keys)
        for party in attempt.parties:
            opening = {"party": party, "value": secrets[party]}
            noted = await drawrows.note(attempt, "opening", opening, act=act)
            draw = msgspec.structs.replace(draw, head=noted.head)
    draw = await draw_events.open_all(draw, act=act)
    await drawrows.sign_as_operator(draw, keys=keys, act=act)
    return draw


async def due(*, act: Act) -> tuple[UUID, ...]:
    """The draws whose day of disclosure has come."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(
            "select id from draw where state = 'drawn' and disclose_on <= $1 order by id",
            on_day(act.at),
        )
    return tuple(row["id"] for row in rows)


async def page(code: str, *, attempt: int | None = None) -> PublicPage:
    """What anybody may read of a draw: the same bytes as long as its tag is the same.

    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(PUBLIC, readonly=True):
        row = await DB.connection.fetchrow(
            "select code, etag, body from draw_page where code = $1"
            " and ($2::int is null or attempt = $2) order by attempt desc limit 1",
            code,
            attempt,
        )
    if row is None:
        raise Absent
    return PublicPage(**dict(row))


async def pages(
    *, today: date, after: UUID | None = None, limit: int = 100
) -> tuple[PageLine, ...]:
    """A page of the public list, the newest draw first; void attempts and late ones show."""
    async with DB.transaction(PUBLIC, readonly=True):
        rows = await DB.connection.fetch(PAGES, after, min(limit, 200), today)
    return tuple(msgspec.convert(dict(row), PageLine) for row in rows)


async def planned(region: int, year: int, *, today: date) -> tuple[PlannedDraw, ...]:
    """The draws that the year's log announced, in order, and what became of each.

    An omitted draw shows red by itself.  Source: draw.md sections 1, 9 and 10 (never publish).
    """
    async with DB.transaction(PUBLIC, readonly=True):
        rows = await DB.connection.fetch(PLANNED, region, year, today)
    return tuple(msgspec.convert(dict(row), PlannedDraw) for row in rows)


async def log(region: int, year: int) -> list[drawlog.Entry]:
    """The public log of an office's draws in a year, whole and in order."""
    async with DB.transaction(PUBLIC, readonly=True):
        return await drawlog.entries(region, year)


async def record(draw_id: UUID, *, act: Act) -> dict[str, Any]:
    """The public page of a draw as JSON values, for the office. Raises: Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        body = await DB.connection.fetchval("select body from draw_page where draw = $1", draw_id)
    if body is None:
        raise Absent
    values: dict[str, Any] = msgspec.json.decode(body)
    return values


async def verify(draw_id: UUID, *, act: Act) -> Verdict:
    """Replay the published record with the verifier a citizen runs.

    Raises: Absent, NotDisclosed ("draw.not_disclosed").  Source: draw.md section 9.
    """
    public = await record(draw_id, act=act)
    return await asyncio.to_thread(judge, public)


def judge(public: Mapping[str, Any]) -> Verdict:
    """The verifier's answer to one public page, with the heads its parties signed."""
    if public["record"] is None:
        raise NotDisclosed(disclose_on=public["draw"]["disclose_on"])
    heads = [one["hash"] for one in public["countersigns"]]
    report = replay(public["record"], heads)
    return Verdict(
        ok=report.ok,
        level=report.level or "",
        problems=tuple(f"{failure.check}: {failure.text}" for failure in report.failures),
        unchecked=tuple(report.unchecked),
    )
