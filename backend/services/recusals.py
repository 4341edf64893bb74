"""Late recusal 回避 and illness: one inspector of a drawn visit released, the next one drawn."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, teams
from backend.services.act import Act
from backend.services.draw_events import Clerk
from backend.services.errors import Absent, ServiceRefusal
from backend.services.phrases import phrase
from backend.services.records.draw_events import NewRecusal, Recusal
from backend.services.records.draws import DrawRecord
from backend.services.teams import Stand
from inspection_plans import gates
from inspection_plans.draw.replace import recusal_is_automatic
from inspection_plans.errors import Family
from inspection_plans.states import Noun

ADD = """
insert into recusal_request (id, region, visit, inspector, cause, ground, state, asked_by,
  asked_at, decided_by, decided_at, decision)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning *
"""
DECIDE = """
update recusal_request set state = $2, decided_by = $3, decided_at = $4, decision = $5
where id = $1 returning *
"""
GRANTED = "select count(*) from recusal_request where visit = $1 and state = 'granted'"
# Decisions of the product itself; anything else in the column is a person's reason.
AUTOMATIC, BEGUN = "automatic", "begun"


class NotInTeam(ServiceRefusal):
    """The inspector has no place in the visit's team now."""

    code = "visit.not_in_team"
    family = Family.CONFLICT


class RecusalOpen(ServiceRefusal):
    """A request about this inspector and visit waits for the head's decision."""

    code = "visit.recusal_open"
    family = Family.CONFLICT


class RecusalDecided(ServiceRefusal):
    """The request was decided before."""

    code = "visit.recusal_decided"
    family = Family.CONFLICT


def to_recusal(row: asyncpg.Record) -> Recusal:
    """The record of one row, with the sentence that tells what became of it."""
    one = msgspec.convert(dict(row), Recusal)
    name = "recusal_begun" if one.decision == BEGUN else f"recusal_{one.state}"
    return msgspec.structs.replace(one, zh=phrase(name, "zh"), en=phrase(name, "en"))


async def _keep(
    visit: Mapping[str, Any], new: NewRecusal, state: str, why: str | None, act: Act
) -> Recusal:
    decided = (None, None) if why is None else (act.by.id, act.at)
    row = await DB.connection.fetchrow(
        ADD,
        act.new_id(),
        visit["region"],
        visit["id"],
        new.inspector,
        new.cause,
        new.ground,
        state,
        act.by.id,
        act.at,
        *decided,
        why,
    )
    one = to_recusal(row)
    await _record(one, visit, act)
    return one


async def _record(one: Recusal, visit: Mapping[str, Any], act: Act) -> None:
    await audit.record(
        act,
        f"visit.recusal_{one.state}",
        "visit",
        one.visit,
        region=one.region,
        title=str(visit["code"]),
        reason=one.decision or one.ground,
    )


async def _release(
    here: Stand, visit: Mapping[str, Any], inspector: UUID, *, clerk: Clerk
) -> None:
    ident = here.object_of(visit)
    team = here.crew().teams[ident]
    alias = here.alias(inspector)
    if alias is None or alias not in team:
        raise NotInTeam(field="inspector")
    here = await teams.fill(here, ident, team.index(alias), clerk=clerk)
    await teams.seat(here, visit, ident, "recusal", clerk.act)


async def ask(visit_id: UUID, new: NewRecusal, *, clerk: Clerk) -> Recusal:
    """Ask to release an inspector; a visit's first three by themselves, then a person decides.

    The office enters what inspector or institution asks: before its hour nobody is told of a
    visit. After it began the request is recorded and refused; the visit is not suspended.
    Raises: Absent, NotDrawn, NotInTeam, RecusalOpen ("visit.…"), EventsClosed.
    Source: draw.md sections 1 and 8.
    """
    act = clerk.act
    async with DB.transaction(act.by.scope):
        visit = await teams.lock_visit(visit_id)
        if visit["sealed_until"] > act.at:
            raise Absent
        if visit["started_at"] is not None:
            return await _keep(visit, new, "refused", BEGUN, act)
        here = await teams.stand(visit["draw"], act=act, keys=clerk.keys)
        if here.alias(new.inspector) not in here.crew().teams[here.object_of(visit)]:
            raise NotInTeam(field="inspector")
        if not recusal_is_automatic(await DB.connection.fetchval(GRANTED, visit_id)):
            try:
                async with DB.transaction():
                    return await _keep(visit, new, "pending", None, act)
            except asyncpg.UniqueViolationError:
                raise RecusalOpen(field="inspector") from None
        await _release(here, visit, new.inspector, clerk=clerk)
        return await _keep(visit, new, "granted", AUTOMATIC, act)


async def decide(request_id: UUID, *, grant: bool, reason: str, clerk: Clerk) -> Recusal:
    """Decide a request that was too many: another person than who asked, with a reason.

    Raises: Absent, RecusalDecided, NotInTeam ("visit.…"), "visit.same_person", EventsClosed.
    """
    act = clerk.act
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(
            "select * from recusal_request where id = $1 for no key update", request_id
        )
        if row is None:
            raise Absent
        if row["state"] != "pending":
            raise RecusalDecided(state=row["state"])
        gates.second_person(Noun.VISIT, author=row["asked_by"], approver=act.by.id)
        visit = await teams.lock_visit(row["visit"])
        begun = visit["started_at"] is not None
        granted = grant and not begun
        if granted:
            here = await teams.stand(visit["draw"], act=act, keys=clerk.keys)
            await _release(here, visit, row["inspector"], clerk=clerk)
        state = "granted" if granted else "refused"
        why = BEGUN if begun else reason
        stored = await DB.connection.fetchrow(DECIDE, request_id, state, act.by.id, act.at, why)
        one = to_recusal(stored)
        await _record(one, visit, act)
        return one


async def refill(visit_id: UUID, *, clerk: Clerk) -> DrawRecord:
    """Draw whoever replaces inspectors that recused themselves on the phone; again, nothing.

    Source: draw.md section 8.
    """
    act = clerk.act
    async with DB.transaction(act.by.scope):
        visit = await teams.lock_visit(visit_id)
        gone = await DB.connection.fetch(
            "select inspector from assignment where visit = $1 and state = 'recused'", visit_id
        )
        here = await teams.stand(visit["draw"], act=act, keys=clerk.keys)
        ident = here.object_of(visit)
        for row in gone:
            alias = here.alias(row["inspector"])
            team = here.crew().teams[ident]
            if alias is not None and alias in team:
                here = await teams.fill(here, ident, team.index(alias), clerk=clerk)
                await teams.seat(here, visit, ident, "recusal", act)
                visit = await teams.lock_visit(visit_id)
    return here.draw


async def recusals(visit_id: UUID, *, act: Act) -> tuple[Recusal, ...]:
    """Every request about a visit, the oldest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(
            "select * from recusal_request where visit = $1 order by id", visit_id
        )
    return tuple(to_recusal(row) for row in rows)
