"""The board 检查看板: visits that are not over, counted by state, place and leading inspector."""

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act

# Visits that are over are as many as the years; those that are not, as many as the office can do.
OPEN = (
    "assigned",
    "opened",
    "started",
    "returned",
    "submitted",
    "complete",
    "needs_decision",
    "accepted",
    "unreachable",
    "closed",
    "refused",
    "recused",
)
COUNTS = """
select v.region, v.state, coalesce(i.name, '') as team, count(*)::int as visits
from visit v
left join assignment a on a.visit = v.id and a.state = 'active' and a.lead
left join inspector i on i.id = a.inspector
where v.region = any ($1) and v.state = any ($2) and v.sealed_until <= $3
group by v.region, v.state, i.name
"""


class Row(msgspec.Struct, frozen=True):
    """One line of the board: how many visits are in which state."""

    states: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.states.values())


class Board(msgspec.Struct, frozen=True):
    """The same visits three times; places are region codes, teams the leading inspectors."""

    states: dict[str, int]
    places: dict[int, Row]
    teams: dict[str, Row]


async def board(*, act: Act) -> Board:
    """Visits of the caller's regions that are not over; a sealed one is counted nowhere."""
    async with DB.transaction(act.by.scope, readonly=True):
        found = await DB.connection.fetch(COUNTS, list(act.by.regions), list(OPEN), act.at)
    states: dict[str, int] = {}
    places: dict[int, dict[str, int]] = {}
    teams: dict[str, dict[str, int]] = {}
    for row in found:
        for counts in (
            states,
            places.setdefault(row["region"], {}),
            teams.setdefault(row["team"], {}),
        ):
            counts[row["state"]] = counts.get(row["state"], 0) + row["visits"]
    return Board(
        {state: states[state] for state in OPEN if state in states},
        {place: Row(counts) for place, counts in sorted(places.items())},
        {team: Row(counts) for team, counts in sorted(teams.items())},
    )
