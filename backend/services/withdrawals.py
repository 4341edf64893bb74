"""Withdrawals 撤出: a listed reason, evidence, two persons; the reserve takes the place."""

from collections.abc import Mapping
from typing import Any
from unicodedata import normalize
from uuid import UUID

import asyncpg
import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, draw_events, errands, teams, visits
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.draw_events import Clerk
from backend.services.drawrows import Frozen
from backend.services.errors import Absent, ServiceRefusal
from backend.services.records.draw_events import NewWithdrawal, Withdrawal, WithdrawalRate
from backend.services.records.draws import DrawRecord
from backend.services.teams import Stand
from inspection_plans import gates, states
from inspection_plans.draw.days import days
from inspection_plans.draw.outcome import drawn, visits_of
from inspection_plans.draw.replace import SESSION_REASONS, next_reserve
from inspection_plans.errors import Family
from inspection_plans.states import Noun

ADD = """
insert into withdrawal (id, region, draw, visit, object, reason, paper, evidence_sha256, state,
  proposed_by, proposed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'proposed', $9, $10) returning *
"""
DECIDE = """
update withdrawal set state = $2, decided_by = $3, decided_at = $4, decision = $5, replacement = $6
where id = $1 returning *
"""
COUNT = "select count(*) from withdrawal where draw = $1 and state = $2 and reason <> all ($3)"
END = """
update assignment set state = 'replaced', ended_at = $2, reason = 'withdrawn'
where visit = $1 and state = 'active'
"""
NUMBER = "select count(*) from visit where draw = $1"
# Only what has been confirmed and not been in a frame since has to come back.
DUE = """
select object from withdrawal
where region = $1 and state = 'confirmed' and returned_in is null and reason <> all ($2)
"""
RETURNED = """
update withdrawal set returned_in = $1
where region = $2 and state = 'confirmed' and returned_in is null and object = any ($3)
"""
RATES = """
select d.id as draw, d.code, r.selection, f.plan_doc -> 'withdrawal_limit' as limit,
  count(*) filter (where w.reason <> all ($2)) as withdrawn,
  count(*) filter (where w.reason = any ($2)) as sessions,
  (select coalesce(jsonb_object_agg(name, number), '{}') from (
    select coalesce(a.display_name, 'system') as name, count(*) as number from withdrawal x
      left join account a on a.id = x.proposed_by
    where x.draw = d.id and x.state = 'confirmed' group by 1) t) as by
from draw d join draw_result r on r.draw = d.id join draw_frame f on f.draw = d.id
  left join withdrawal w on w.draw = d.id and w.state = 'confirmed'
where d.stage = 'draw' and ($1::uuid is null or d.id = $1)
group by d.id, d.code, r.selection, f.plan_doc order by d.id desc limit 100
"""
WITHDRAWABLE = (
    "drawn",
    "assigned",
    "opened",
    "recused",
    "needs_decision",
    "closed",
    "unreachable",
)


class VisitBegun(ServiceRefusal):
    """The visit was begun or is over: what was found there is its result, not a withdrawal."""

    code = "withdrawal.visit_begun"
    family = Family.CONFLICT


class WithdrawalOpen(ServiceRefusal):
    """The visit's object has a withdrawal already."""

    code = "withdrawal.exists"
    family = Family.CONFLICT


class NotProposed(ServiceRefusal):
    """The withdrawal was decided before."""

    code = "withdrawal.decided"
    family = Family.CONFLICT


class TooMany(ServiceRefusal):
    """The plan's ceiling of withdrawals is reached."""

    code = "withdrawal.too_many"
    family = Family.GATE


def to_withdrawal(row: asyncpg.Record) -> Withdrawal:
    """The record of one row."""
    return msgspec.convert(dict(row), Withdrawal)


async def _limit(here: Stand) -> None:
    """Hold confirmed withdrawals under the plan's ceiling, frozen with it. Raises: TooMany."""
    limit = here.kept.plan.get("withdrawal_limit")
    count = await DB.connection.fetchval(COUNT, here.draw.id, "confirmed", list(SESSION_REASONS))
    if limit is not None and count >= limit:
        raise TooMany(field="reason", withdrawn=count, limit=limit)


async def _record(act: Act, verb: str, one: Withdrawal, reason: str) -> None:
    await audit.record(
        act,
        f"withdrawal.{verb}",
        "visit",
        one.visit,
        region=one.region,
        title=one.object,
        reason=reason,
        after_sha256=one.evidence_sha256,
    )


async def propose(visit_id: UUID, new: NewWithdrawal, *, clerk: Clerk) -> Withdrawal:
    """Propose to withdraw a drawn object whose hour has come, with evidence.

    Raises: Absent, NotDrawn, EventsClosed, VisitBegun, WithdrawalOpen, TooMany, E_NFC,
    E_CONTROL.  Source: draw.md section 8.
    """
    act = clerk.act
    async with DB.transaction(act.by.scope):
        visit = await teams.lock_visit(visit_id)
        # Before its hour nobody knows the target, so nobody can have a reason.
        if visit["sealed_until"] > act.at:
            raise Absent
        _check_visit(visit)
        here = await teams.stand(visit["draw"], act=act, keys=clerk.keys)
        await _limit(here)
        values = (here.object_of(visit), new.reason, new.paper, new.evidence_sha256)
        try:
            async with DB.transaction():
                row = await DB.connection.fetchrow(
                    ADD,
                    act.new_id(),
                    here.draw.region,
                    here.draw.id,
                    visit_id,
                    *values,
                    act.by.id,
                    act.at,
                )
        except asyncpg.UniqueViolationError:
            raise WithdrawalOpen(field="visit") from None
        one = to_withdrawal(row)
        await _record(act, "proposed", one, new.paper)
    return one


def _check_visit(visit: Mapping[str, Any]) -> None:
    if visit["started_at"] is not None or visit["state"] not in WITHDRAWABLE:
        raise VisitBegun(state=visit["state"])


async def _decidable(withdrawal_id: UUID) -> Withdrawal:
    row = await DB.connection.fetchrow(
        "select * from withdrawal where id = $1 for no key update", withdrawal_id
    )
    if row is None:
        raise Absent
    if row["state"] != "proposed":
        raise NotProposed(state=row["state"])
    return to_withdrawal(row)


async def confirm(withdrawal_id: UUID, *, clerk: Clerk) -> Withdrawal:
    """Let a second person confirm: the first unused reserve takes the place, or a shortfall shows.

    Raises: Absent, NotProposed, "draw.same_person", VisitBegun, TooMany, EventsClosed.
    Source: draw.md section 8.
    """
    act = clerk.act
    async with DB.transaction(act.by.scope):
        one = await _decidable(withdrawal_id)
        gates.second_person(Noun.DRAW, author=one.proposed_by, approver=act.by.id)
        visit = await teams.lock_visit(one.visit)
        _check_visit(visit)
        here = await teams.stand(one.draw, act=act, keys=clerk.keys)
        await _limit(here)
        proposer = await DB.connection.fetchval(
            "select display_name from account where id = $1", one.proposed_by
        )
        names = (normalize("NFC", proposer), normalize("NFC", act.by.name))
        here = await withdraw(here, visit, one, names, clerk=clerk)
        stratum = next(
            row["stratum"] for row in here.kept.frames["objects"] if row["id"] == one.object
        )
        reserve = next_reserve(here.selection, stratum, used(here))
        made = await replace(here, one.object, reserve, clerk=clerk)
        row = await DB.connection.fetchrow(
            DECIDE, withdrawal_id, "confirmed", act.by.id, act.at, None, made
        )
        one = to_withdrawal(row)
        await _record(act, "confirmed", one, one.reason)
    return one


async def refuse(withdrawal_id: UUID, reason: str, *, act: Act) -> Withdrawal:
    """Refuse a proposal, saying why; the visit goes on. Raises: Absent, NotProposed."""
    async with DB.transaction(act.by.scope):
        await _decidable(withdrawal_id)
        row = await DB.connection.fetchrow(
            DECIDE, withdrawal_id, "refused", act.by.id, act.at, reason, None
        )
        one = to_withdrawal(row)
        await _record(act, "refused", one, reason)
    return one


def used(here: Stand) -> list[str]:
    """Every object drawn or taken from a reserve so far, withdrawn ones too."""
    replaced = [body["object"] for kind, body in here.events if kind == "replace"]
    return [*drawn(here.selection), *replaced]


async def withdraw(
    here: Stand,
    visit: Mapping[str, Any],
    one: Withdrawal,
    names: tuple[str, str],
    *,
    clerk: Clerk,
) -> Stand:
    """Write the withdrawal's event and end its visit; it stays visible as drawn, not inspected."""
    act = clerk.act
    body = {
        "object": one.object,
        "reason": one.reason,
        "evidence": one.evidence_sha256,
        "by": names[0],
        "second": names[1],
    }
    draw = await draw_events.write(here.draw, "withdraw", body, clerk=clerk)
    state = visit["state"]
    if state not in ("closed", "unreachable"):
        if state in ("drawn", "recused"):
            state = "needs_decision"
        state = states.require(Noun.VISIT, state, "mark_closed")
    await DB.connection.execute(END, visit["id"], act.at)
    await DB.connection.execute(teams.SET, visit["id"], state)
    await audit.record(
        act,
        "visit.withdrawn",
        "visit",
        visit["id"],
        region=visit["region"],
        title=visit["code"],
        reason=one.reason,
    )
    return msgspec.structs.replace(here, draw=draw, events=[*here.events, ("withdraw", body)])


def _day(here: Stand, ident: str, act: Act) -> str | None:
    """The day of a reserve's visit, drawn out of those that are left; None when none is left."""
    (visit,) = visits_of(here.kept.plan, here.kept.frames["objects"], [ident])
    today = on_day(act.at).isoformat()
    left = [day for day in visit["days"] if day > today]
    if not left:
        return None
    return days(here.draw.alg, here.seed, [{"id": ident, "days": left}])[ident]


async def replace(here: Stand, gone: str, ident: str | None, *, clerk: Clerk) -> UUID | None:
    """Send a team to the object that takes another's place; None is a shortfall, no new draw.

    Day and team come from the seed. Source: draw.md sections 6b and 8.
    """
    day = None if ident is None else _day(here, ident, clerk.act)
    if ident is None or day is None:
        return None
    stratum = next(row["stratum"] for row in here.kept.frames["objects"] if row["id"] == ident)
    body = {"stratum": stratum, "object": ident, "withdrawn": gone, "day": day}
    draw = await draw_events.write(here.draw, "replace", body, clerk=clerk)
    here = msgspec.structs.replace(here, draw=draw, events=[*here.events, ("replace", body)])
    number = await DB.connection.fetchval(NUMBER, here.draw.id) + 1
    chances = errands.chances(here.draw.alg, await _first_seed(here), here.kept)
    work = errands.Errands(here.draw, here.plan, here.kept, {"days": {ident: day}}, chances)
    team = {"visit": ident, "team": here.crew().teams[ident]}
    new = work.visit(number, team, act=clerk.act)
    await visits.create([new], act=clerk.act)
    made = await teams.lock_visit(new.id)
    await teams.fill_open(here, made, ident, "replacement", clerk=clerk)
    return new.id


async def _first_seed(here: Stand) -> str:
    """The seed that selected; a later sending has another."""
    seed: str = await DB.connection.fetchval("select seed from draw where id = $1", here.draw.id)
    return seed


async def due(region: int) -> frozenset[str]:
    """The objects withdrawn from earlier draws of an office that are a must of its next frame."""
    rows = await DB.connection.fetch(DUE, region, list(SESSION_REASONS))
    return frozenset(row["object"] for row in rows)


async def returned(draw: DrawRecord, kept: Frozen) -> None:
    """Note which withdrawn objects this frame holds as a must."""
    musts = [row["id"] for row in kept.frames["objects"] if row.get("must")]
    await DB.connection.execute(RETURNED, draw.id, draw.region, musts)


async def withdrawals(draw_id: UUID, *, act: Act) -> tuple[Withdrawal, ...]:
    """Every withdrawal of a draw, proposed, confirmed and refused."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(
            "select * from withdrawal where draw = $1 order by id", draw_id
        )
    return tuple(to_withdrawal(row) for row in rows)


async def rates(*, act: Act, draw: UUID | None = None) -> tuple[WithdrawalRate, ...]:
    """How often drawn objects were withdrawn, plan by plan and by who proposed it.

    Source: draw.md section 10 (withdraw the unwelcome).
    """
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(RATES, draw, list(SESSION_REASONS))
    return tuple(
        WithdrawalRate(
            draw=row["draw"],
            code=row["code"],
            drawn=len(drawn(row["selection"])),
            withdrawn=row["withdrawn"],
            sessions=row["sessions"],
            limit=row["limit"] or 0,
            by=row["by"],
        )
        for row in rows
    )
