"""Supplements 补充人员: people added after the freeze, logged, for places nobody could fill."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import crews, draw_events, sendings, teams
from backend.services.draw_events import Clerk
from backend.services.errors import ServiceRefusal
from backend.services.frames import Target
from backend.services.records.draw_events import Supplemented
from backend.services.teams import Stand
from inspection_plans.errors import Family

ALIASES = """
update draw_frame set pseudonyms = jsonb_set(pseudonyms, '{aliases}',
  (pseudonyms -> 'aliases') || $2) where draw = $1
"""
WAITING = """
select * from visit where draw = $1 and state in ('drawn', 'recused', 'reserve', 'assigned')
  and started_at is null order by code for no key update
"""


class NobodyToAdd(ServiceRefusal):
    """None of these inspectors is new to the draw and fit to be sent in its window."""

    code = "draw.nobody_to_add"
    family = Family.CONFLICT


async def add(draw_id: UUID, staff: Collection[UUID], *, clerk: Clerk) -> Supplemented:
    """Add inspectors to a draw's frame; places left open by substitutions are filled at once.

    Where the sending itself was infeasible and can be tried anew, `sendings.freeze` takes them.
    Raises: Absent, EventsClosed ("draw.events_closed"), NobodyToAdd ("draw.nobody_to_add").
    Source: draw.md sections 6 and 8.
    """
    async with DB.transaction(clerk.act.by.scope):
        here = await teams.stand(draw_id, act=clerk.act, keys=clerk.keys)
        here, added = await _write(here, staff, clerk=clerk)
        filled = 0
        if not await sendings.possible(here, clerk.act):
            here, filled = await _fill(here, clerk=clerk)
        still = sum(teams.open_places(team) for team in here.crew().teams.values())
    return Supplemented(added=added, filled=filled, still_open=still)


async def _write(here: Stand, staff: Collection[UUID], *, clerk: Clerk) -> tuple[Stand, int]:
    new = {one for one in staff if here.alias(one) is None}
    targets = msgspec.convert(here.kept.pseudonyms["targets"], dict[str, Target])
    rows, blocked, aliases = await crews.further(
        here.plan, new, here.kept.frames["objects"], targets, token=clerk.token
    )
    if not rows:
        raise NobodyToAdd(field="inspectors")
    body: dict[str, Any] = {"inspectors": rows, "blocked": blocked}
    draw = await draw_events.write(here.draw, "supplement", body, clerk=clerk)
    plain = msgspec.to_builtins(aliases)
    await DB.connection.execute(ALIASES, here.last.id, plain)
    pseudonyms = here.kept.pseudonyms | {"aliases": here.kept.pseudonyms["aliases"] | plain}
    here = msgspec.structs.replace(
        here,
        draw=draw,
        kept=msgspec.structs.replace(here.kept, pseudonyms=pseudonyms),
        events=[*here.events, ("supplement", body)],
    )
    return here, len(rows)


async def _fill(here: Stand, *, clerk: Clerk) -> tuple[Stand, int]:
    before = sum(teams.open_places(team) for team in here.crew().teams.values())
    for visit in await DB.connection.fetch(WAITING, here.draw.id):
        ident = here.object_of(visit)
        if teams.open_places(here.crew().teams[ident]):
            here = await teams.fill_open(here, dict(visit), ident, "supplement", clerk=clerk)
    after = sum(teams.open_places(team) for team in here.crew().teams.values())
    return here, before - after
