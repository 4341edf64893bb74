"""Who has signed the log's head at freeze and result 副署, and who has not."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from backend.piccolo_conf import DB
from backend.services.records.draws import DrawRecord

# The heads of an attempt: what a party saw when it signed, in the log's order.
STATIONS = """
select type, seq, hash from draw_log where draw = $1 and type in ('freeze', 'result')
order by seq
"""
SIGNED = """
select c.party, l.seq from draw_countersign c join draw_log l on l.hash = c.hash
where l.draw = $1
union
select item ->> 'party', l.seq from draw_log r
  cross join lateral jsonb_array_elements(r.body -> 'countersigned') item
  join draw_log l on l.hash = item ->> 'head'
where r.draw = $1 and r.type = 'reveal' and l.draw = $1
"""


async def stations(draw_id: UUID) -> list[asyncpg.Record]:
    """Type, place and hash of the freeze and the result of an attempt, in order."""
    found: list[asyncpg.Record] = await DB.connection.fetch(STATIONS, draw_id)
    return found


async def unsigned(draw: DrawRecord) -> dict[str, tuple[str, ...]]:
    """``freeze`` and ``result`` → the parties that have signed no head from there on.

    Source: draw.md section 9; settled 14.
    """
    places = {row["type"]: row["seq"] for row in await stations(draw.id)}
    signed = [(row["party"], row["seq"]) for row in await DB.connection.fetch(SIGNED, draw.id)]
    ends = [*places.values(), None]
    return {
        station: _silent(draw.parties, signed, start, ends[place + 1])
        for place, (station, start) in enumerate(places.items())
    }


def _silent(
    among: Sequence[str], signed: Sequence[tuple[str, int]], start: int, end: int | None
) -> tuple[str, ...]:
    here = {party for party, seq in signed if start <= seq and (end is None or seq < end)}
    return tuple(party for party in among if party not in here)
