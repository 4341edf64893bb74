"""A new sending 再次派人: the institutions stand, an infeasible attempt's teams are drawn anew."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from backend.db.tables.draws import Draw, DrawResult
from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import attempts, ceremony, drawrows, plans, teams, visits
from backend.services.act import Act
from backend.services.draw_events import Clerk
from backend.services.drawrows import Frozen
from backend.services.errors import ServiceRefusal
from backend.services.records.draws import DrawRecord
from backend.services.records.plans import Entropy
from backend.services.teams import Stand
from inspection_plans import states
from inspection_plans.draw import outcome, record
from inspection_plans.errors import Family
from inspection_plans.states import Noun

KEY_BYTES = 32
BASE = """
select d.*, r.selection, r.assignment, r.days from draw d join draw_result r on r.draw = d.id
where d.plan = $1 and d.stage = 'draw' and d.state in ('drawn', 'published') for no key update of d
"""
BEGUN = """
select count(*) from visit where draw = $1 and (sealed_until <= $2
  or state not in ('drawn', 'assigned', 'recused'))
"""
OPEN = "select * from visit where draw = $1 order by code for no key update"
END = """
update assignment set state = 'replaced', ended_at = $2, reason = 'sent anew'
where visit = any ($1) and state = 'active'
"""
RAISE = "update visit set epoch = epoch + 1, state = $2 where id = $1 returning epoch"


class Needless(ServiceRefusal):
    """Every place was filled: a second sending would be a choice."""

    code = "draw.sending_needless"
    family = Family.CONFLICT


class NobodyNew(ServiceRefusal):
    """Nobody was added since the last sending; the same people give the same gap."""

    code = "draw.sending_nobody_new"
    family = Family.CONFLICT


class SendingLate(ServiceRefusal):
    """A visit's hour has come, or an event changed a team: all teams would change with it."""

    code = "draw.sending_late"
    family = Family.CONFLICT


async def freeze(draw_id: UUID, *, clerk: Clerk, named: Sequence[Entropy] = ()) -> DrawRecord:
    """Open a further attempt that only sends: with everybody added since the last one.

    A second call gives the open attempt. Raises: Absent, EventsClosed, Needless, NobodyNew,
    SendingLate ("draw.…"), NoPartyLeft.  Source: draw.md section 6 (infeasible).
    """
    act, keys = clerk.act, clerk.keys
    async with DB.transaction(act.by.scope):
        draw = await drawrows.lock(draw_id)
        plan = await plans.lock(draw.plan)
        before = await attempts.attempts(draw.plan)
        if before[-1].state in ("frozen", "revealed"):
            return before[-1]
        here = await teams.stand(draw_id, act=act, keys=keys)
        await _check(here, act)
        kept = _grown(here, clerk)
        plan = attempts.renamed(await attempts.without_barred(plan, before), named)
        roots = await asyncio.to_thread(record.frozen, plan.spec.alg, kept.frames, kept.keys)
        number = len(before) + 1
        sending = attempts.row(plan, kept, roots, stage="assignment", attempt=number, act=act)
        await attempts.store(sending, kept, keys=keys)
        sending = await attempts.announce(sending, kept, roots, act=act)
        return await ceremony.begin(sending, keys=keys, token=clerk.token, act=act)


async def _check(here: Stand, act: Act) -> None:
    if here.assignment["status"] == "complete":
        raise Needless(open_places=0)
    if not await possible(here, act):
        raise SendingLate(events=len(here.events))


async def possible(here: Stand, act: Act) -> bool:
    """Whether all teams may still change: some places open, no event, no visit's hour come."""
    if here.assignment["status"] == "complete":
        return False
    begun: int = await DB.connection.fetchval(BEGUN, here.draw.id, act.at)
    return not begun and all(kind == "supplement" for kind, _ in here.events)


def _grown(here: Stand, clerk: Clerk) -> Frozen:
    """What the last sending froze, with the supplements since; plan and objects to the byte."""
    frames = here.kept.frames
    known = {row["id"] for row in frames["inspectors"]}
    bodies = [body for kind, body in here.events if kind == "supplement"]
    new = [row for body in bodies for row in body["inspectors"] if row["id"] not in known]
    if not new:
        raise NobodyNew(inspectors=len(known))
    fresh = {row["id"] for row in new}
    pairs = [pair for body in bodies for pair in body["blocked"] if pair[0] in fresh]
    return msgspec.structs.replace(
        here.kept,
        frames={
            "objects": frames["objects"],
            "inspectors": sorted([*frames["inspectors"], *new], key=lambda row: row["id"]),
            "blocked": sorted([*frames["blocked"], *pairs]),
        },
        keys={"objects": here.kept.keys["objects"], "inspectors": clerk.token(KEY_BYTES).hex()},
    )


async def run(draw: DrawRecord, *, act: Act, keys: Keyring) -> DrawRecord:
    """Send teams anew with the seed of a revealed attempt, inside the running transaction.

    Raises: "draw.wrong_state".  Source: draw.md section 6.
    """
    base = await DB.connection.fetchrow(BASE, draw.plan)
    kept = await drawrows.frozen(draw.id, keys=keys)
    secret = await drawrows.seed_of(draw, kept, keys=keys)
    assignment = await asyncio.to_thread(
        outcome.send, draw.alg, secret, kept.plan, kept.frames, base["selection"]
    )
    drawn = {"selection": base["selection"], "assignment": assignment, "days": base["days"]}
    new: drawrows.Columns = {Draw.seed: secret, Draw.drawn_at: act.at}
    draw = await drawrows.move(draw, "draw", new, act=act)
    await DrawResult.insert(
        DrawResult(
            {
                DrawResult.draw: draw.id,
                DrawResult.region: draw.region,
                DrawResult.selection: drawn["selection"],
                DrawResult.assignment: drawn["assignment"],
                DrawResult.days: drawn["days"],
            }
        )
    )
    body = outcome.sealed(draw.alg, secret, drawn)
    draw = await drawrows.note(draw, "result", body, act=act)
    await drawrows.sign_as_operator(draw, keys=keys, act=act)
    await _reseat(await teams.stand(base["id"], act=act, keys=keys), act)
    await drawrows.show(draw, act=act)
    return draw


async def _reseat(here: Stand, act: Act) -> None:
    """Give every visit of the draw its new team, under a raised epoch."""
    rows = await DB.connection.fetch(OPEN, here.draw.id)
    await DB.connection.execute(END, [row["id"] for row in rows], act.at)
    sent: list[tuple[UUID, int, tuple[visits.NewAssignment, ...]]] = []
    epochs: dict[UUID, int] = {}
    for row in rows:
        names = here.crew().teams[here.object_of(row)]
        team = _team(here, names)
        state = states.require(Noun.VISIT, "drawn", "assign") if team else "drawn"
        epochs[row["id"]] = await DB.connection.fetchval(RAISE, row["id"], state)
        sent.append((row["id"], row["region"], team))
    for one in sent:
        await visits.assign([one], epoch=epochs[one[0]], act=act)


def _team(here: Stand, names: Sequence[Any]) -> tuple[visits.NewAssignment, ...]:
    if None in names:
        return ()
    return tuple(
        visits.NewAssignment(inspector=here.inspector(name), place=place, lead=place == 1)
        for place, name in enumerate(names, 1)
    )
