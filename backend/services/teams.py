"""The teams of a drawn plan as events have changed them, and the one way to fill a place anew."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import audit, draw_events, drawrows, plans, visits
from backend.services.act import Act
from backend.services.draw_events import Clerk
from backend.services.drawrows import Frozen
from backend.services.errors import Absent, ServiceRefusal
from backend.services.frames import Target
from backend.services.records.draws import DrawRecord
from backend.services.records.plans import PlanRecord
from inspection_plans import states
from inspection_plans.draw import events as engine
from inspection_plans.draw.replace import substitute
from inspection_plans.errors import Family
from inspection_plans.states import Noun

VISIT = "select * from visit where id = $1 for no key update"
# The last sending that has a result: the draw itself, or a later attempt to send.
LAST = """
select d.*, r.selection, r.assignment, r.days from draw d join draw_result r on r.draw = d.id
where d.plan = $1 and d.state in ('drawn', 'published') order by d.attempt desc limit 1
"""
ACTIVE = "select * from assignment where visit = $1 and state = 'active' order by place"
END = """
update assignment set state = 'replaced', ended_at = $2, reason = $3
where visit = $1 and state = 'active' and inspector <> all ($4)
"""
SET = "update visit set state = $2 where id = $1"


class NotDrawn(ServiceRefusal):
    """The visit does not come from a draw made here; its team is assigned by a person."""

    code = "visit.not_drawn"
    family = Family.CONFLICT


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """A drawn plan as it stands: its draw, the last sending, what they froze and gave."""

    draw: DrawRecord
    plan: PlanRecord
    kept: Frozen
    last: DrawRecord
    seed: str
    selection: list[dict[str, Any]]
    assignment: dict[str, Any]
    days: dict[str, str]
    events: list[tuple[str, dict[str, Any]]]

    def crew(self) -> engine.Crew:
        """The teams now, by the code that the verifier follows the log with."""
        crew = engine.Crew(
            {
                "draw": self.draw.code,
                "plan": self.kept.plan,
                "objects": self.kept.frames["objects"],
                "inspectors": self.kept.frames["inspectors"],
                "blocked": self.kept.frames["blocked"],
                "assignment": self.assignment,
            }
        )
        for kind, body in self.events:
            crew.follow({"type": kind, "body": {"draw": self.draw.code, **body}})
        return crew

    def target(self, ident: str) -> Target:
        """What an object id stands for."""
        return msgspec.convert(self.kept.pseudonyms["targets"][ident], Target)

    def object_of(self, visit: Mapping[str, Any]) -> str:
        """The object id of a visit of this draw."""
        kinds = {rule.object for rule in self.plan.spec.visits if rule.kind == visit["kind"]}
        here = (visit["institution"], visit["class_session"])
        for ident in self.crew().teams:
            target = self.target(ident)
            if (target.institution, target.class_session) == here and target.kind in kinds:
                return ident
        raise NotDrawn(visit=str(visit["id"]))

    def inspector(self, alias: str) -> UUID:
        """Who is behind a pseudonym."""
        return UUID(self.kept.pseudonyms["aliases"][alias]["inspector"])

    def alias(self, inspector: UUID) -> str | None:
        """The pseudonym of an inspector in this draw."""
        aliases = self.kept.pseudonyms["aliases"]
        return next((a for a, one in aliases.items() if one["inspector"] == str(inspector)), None)

    def substitutions(self) -> int:
        """How many places have been filled anew; the next event's number."""
        return sum(kind == "substitute" for kind, _ in self.events)


async def stand(draw_id: UUID, *, act: Act, keys: Keyring) -> Stand:
    """The draw, locked, as it stands now. Raises: Absent, EventsClosed ("draw.events_closed")."""
    draw = await drawrows.lock(draw_id)
    draw_events.check_open(draw)
    row = await DB.connection.fetchrow(LAST, draw.plan)
    last = drawrows.to_draw({name: row[name] for name in DrawRecord.__struct_fields__})
    return Stand(
        draw=draw,
        plan=await plans.plan(draw.plan, act=act),
        kept=await drawrows.frozen(last.id, keys=keys),
        last=last,
        seed=row["seed"],
        selection=row["selection"],
        assignment=row["assignment"],
        days=row["days"],
        events=await draw_events.bodies(draw.id),
    )


async def lock_visit(visit_id: UUID) -> dict[str, Any]:
    """A drawn visit's row, locked. Raises: Absent, NotDrawn ("visit.not_drawn")."""
    row = await DB.connection.fetchrow(VISIT, visit_id)
    if row is None:
        raise Absent
    if row["draw"] is None:
        raise NotDrawn(visit=str(visit_id))
    return dict(row)


async def fill(here: Stand, ident: str, place: int, *, clerk: Clerk) -> Stand:
    """Fill one place of a team anew by the seed, whoever holds it now being released.

    An event whether somebody is found or not; without, a supplement of inspectors is needed.
    Source: draw.md section 8.
    """
    number = here.substitutions()
    found = await asyncio.to_thread(
        substitute,
        here.last.alg,
        here.seed,
        here.crew().now(),
        visit=ident,
        place=place,
        event=number,
    )
    body = {name: found[name] for name in ("visit", "place", "released", "inspector")}
    body |= {"event": number}
    if found["certificate"] is not None:
        body["certificate"] = found["certificate"]
    draw = await draw_events.write(here.draw, "substitute", body, clerk=clerk)
    return msgspec.structs.replace(here, draw=draw, events=[*here.events, ("substitute", body)])


def _waiting(state: str, whole: bool) -> str:
    """The state of a visit whose team is whole again, or still has an open place."""
    if whole and state == "recused":
        state = states.require(Noun.VISIT, state, "replace")
    if whole and state in ("drawn", "reserve", "needs_decision"):
        return states.require(Noun.VISIT, state, "assign")
    if not whole and state in ("assigned", "opened"):
        return states.require(Noun.VISIT, state, "recuse")
    return state


async def seat(here: Stand, visit: Mapping[str, Any], ident: str, reason: str, act: Act) -> bool:
    """Write the team of a visit as it stands now; whether every place is filled.

    Who stays keeps the assignment and the epoch: a substitution makes no colleague's work stale.
    """
    names = here.crew().teams[ident]
    team = [None if name is None else here.inspector(name) for name in names]
    whole = None not in team
    await DB.connection.execute(END, visit["id"], act.at, reason, [one for one in team if one])
    active = {row["inspector"] for row in await DB.connection.fetch(ACTIVE, visit["id"])}
    new = tuple(
        visits.NewAssignment(inspector=one, place=place, lead=place == 1)
        for place, one in enumerate(team, 1)
        if one is not None and one not in active
    )
    if whole or active:
        await visits.assign([(visit["id"], visit["region"], new)], epoch=visit["epoch"], act=act)
    await DB.connection.execute(SET, visit["id"], _waiting(visit["state"], whole))
    await audit.record(
        act,
        "visit.substituted" if whole else "visit.place_open",
        "visit",
        visit["id"],
        region=visit["region"],
        title=visit["code"],
        reason=reason,
    )
    return whole


async def fill_open(
    here: Stand, visit: Mapping[str, Any], ident: str, reason: str, *, clerk: Clerk
) -> Stand:
    """Fill every open place of one visit and write its team."""
    for place, name in enumerate(here.crew().teams[ident]):
        if name is None:
            here = await fill(here, ident, place, clerk=clerk)
    await seat(here, visit, ident, reason, clerk.act)
    return here


def open_places(team: Sequence[str | None]) -> int:
    """How many places of a team nobody holds."""
    return sum(name is None for name in team)
