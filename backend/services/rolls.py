"""What a draw room shows of a result: pseudonyms and counts while sealed, names once disclosed.

Representatives of several parties watch a draw; a name seen before the disclosure would be a
tip-off, so nobody sees one, the office's own people included.
Source: draw.md sections 2.5, 2.6, 3.6.
"""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.errors import Absent

FOUND = """
select d.state, d.plan, r.selection, r.assignment, f.pseudonyms -> 'strata' as strata
from draw d left join draw_result r on r.draw = d.id left join draw_frame f on f.draw = d.id
where d.id = $1
"""
NAMED = """
select v.code, i.name as institution, i.credit_code, v.on_date, v.state,
  array(select p.name from assignment a join inspector p on p.id = a.inspector
    where a.visit = v.id and a.state = 'active' order by a.place) as team
from visit v join institution i on i.id = v.institution
where v.draw = $1 order by v.code limit $2
"""
MOST = 1000


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """How many of one stratum 层 were taken, and by which rule."""

    stratum: str
    must: int
    certain: int
    random: int
    reserve: int
    shortfall: int


class Team(msgspec.Struct, frozen=True):
    """One sealed visit by its inspectors' pseudonyms; None is a place still open."""

    number: int
    members: tuple[str | None, ...]


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """One disclosed visit."""

    code: str
    institution: str
    credit_code: str
    on_date: date
    state: str
    team: tuple[str, ...]


class Roll(msgspec.Struct, frozen=True):
    """The result as it may be shown now; ``named`` is empty until the draw is disclosed."""

    parts: tuple[Part, ...] = ()
    teams: tuple[Team, ...] = ()
    named: tuple[Named, ...] = ()


def _parts(selection: list[dict[str, Any]], strata: dict[str, str]) -> tuple[Part, ...]:
    names = {ident: name for name, ident in strata.items()}
    return tuple(
        Part(
            stratum=names.get(part["stratum"], part["stratum"]),
            must=len(part["must"]),
            certain=len(part["certain"]),
            random=len(part["random"]),
            reserve=len(part["reserve"]),
            shortfall=part["shortfall"],
        )
        for part in selection
    )


def _teams(assignment: dict[str, Any]) -> tuple[Team, ...]:
    """Ordered by pseudonym: the order of the visits would tell something of their objects."""
    found = sorted([team["team"] for team in assignment["teams"]], key=str)
    return tuple(Team(number, tuple(team)) for number, team in enumerate(found, 1))


async def roll(draw_id: UUID, *, act: Act) -> Roll:
    """What a draw has come to. Raises: Absent ("thing.absent")."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(FOUND, draw_id)
        if row is None:
            raise Absent
        if row["selection"] is None:
            return Roll()
        open_now = row["state"] == "published"
        rows = await DB.connection.fetch(NAMED, draw_id, MOST) if open_now else ()
    return Roll(
        _parts(row["selection"], row["strata"] or {}),
        _teams(row["assignment"]),
        tuple(Named(**{**dict(one), "team": tuple(one["team"])}) for one in rows),
    )
