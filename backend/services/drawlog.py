"""The public log of an office's draws: one chain a region and year, one entry after another."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from inspection_plans.draw import record
from inspection_plans.errors import Family

# One writer a chain at a time: a transaction that waits here sees its predecessor's entry.
LOCK = (
    "select pg_advisory_xact_lock(hashtextextended('draw_log:' || $1::int || ':' || $2::int, 0))"
)
LAST = "select * from draw_log where region = $1 and year = $2 order by seq desc limit 1"
INSERT = """
insert into draw_log (region, year, seq, draw, prev, at, type, body, hash)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
Entry = dict[str, Any]


class DigestMixed(ServiceRefusal):
    """The year's log is chained with another digest; one log, one digest."""

    code = "plan.digest_mixed"
    family = Family.CONFLICT


def instant(at: datetime) -> str:
    """UTC to the second, as the log writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_entry(row: Mapping[str, Any]) -> Entry:
    """One stored row as the entry that was hashed."""
    return {
        "seq": row["seq"],
        "prev": row["prev"],
        "time": instant(row["at"]),
        "type": row["type"],
        "body": row["body"],
        "hash": row["hash"],
    }


async def _last(region: int, year: int) -> Entry | None:
    await DB.connection.execute(LOCK, region, year)
    row = await DB.connection.fetchrow(LAST, region, year)
    return None if row is None else to_entry(row)


async def append(
    region: int,
    year: int,
    kind: str,
    body: Mapping[str, Any],
    *,
    alg: str,
    draw: UUID | None,
    act: Act,
) -> Entry:
    """Write the next entry of a chain inside the running transaction.

    Times never go back: two deeds may reach the lock in another order than they began.
    """
    last = await _last(region, year)
    at = act.at.replace(microsecond=0)
    if last is not None:
        at = max(at, datetime.fromisoformat(last["time"]))
    entry = record.append([last] if last else [], kind, body, instant(at), alg=alg)
    await DB.connection.execute(
        INSERT, region, year, entry["seq"], draw, entry["prev"], at, kind, body, entry["hash"]
    )
    return entry


async def entries(region: int, year: int, *, until: int | None = None) -> list[Entry]:
    """A whole chain, the first entry first; ``until`` is the last ``seq`` wanted."""
    rows = await DB.connection.fetch(
        "select * from draw_log where region = $1 and year = $2"
        " and ($3::int is null or seq <= $3) order by seq",
        region,
        year,
        until,
    )
    return [to_entry(row) for row in rows]


async def _planned(region: int, year: int) -> tuple[list[dict[str, Any]], str | None]:
    """The draws announced for a year so far, and the digest of its chain."""
    rows = await DB.connection.fetch(
        "select body from draw_log where region = $1 and year = $2 and type = 'plan_year'"
        " order by seq",
        region,
        year,
    )
    bodies = [row["body"] for row in rows]
    items = [item for body in bodies for item in body["draws"]]
    return items, bodies[0]["alg"] if bodies else None


async def register(
    region: int,
    year: int,
    draws: Sequence[tuple[str, date]],
    *,
    alg: str,
    act: Act,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Announce draws (code, day by which each has a result); one announced is not repeated.

    An omitted draw is visible from now on. ``more`` is what else the year is told, such as the
    tip of a chain. Raises: DigestMixed ("plan.digest_mixed").
    Source: draw.md sections 1 and 9.
    """
    await DB.connection.execute(LOCK, region, year)
    known, chained = await _planned(region, year)
    if chained not in (None, alg):
        raise DigestMixed(field="alg", alg=chained)
    names = {item["draw"] for item in known}
    fresh = [(code, due.isoformat()) for code, due in draws if code not in names]
    new: list[dict[str, Any]] = [{"draw": code, "due": due} for code, due in fresh]
    # A year begun by an older program has no numbers, and half of them would be none.
    if all("number" in item for item in known):
        new = [item | {"number": len(known) + place} for place, item in enumerate(new, 1)]
    if new or more:
        body = {"year": year, "alg": alg, "draws": new, **(more or {})}
        await append(region, year, "plan_year", body, alg=alg, draw=None, act=act)
