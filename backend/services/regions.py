"""Regions 行政区划: province and prefecture codes of GB/T 2260 with their years, as own data.

The data's record begins with 2010: ``valid_from`` 2010 says "2010 or before". A code is valid in
a year when it stood on the last day of that year; ``valid_until`` is its last such year, None
while open. Collective codes that name no authority (市辖区, 省直辖县级) are left out.
"""

import csv
from functools import cache
from pathlib import Path
from typing import Literal

import asyncpg
import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.errors import Absent

FILE = Path(__file__).parent / "data" / "regions.csv"
NATION = 100_000
_PROVINCE, _PREFECTURE = 10_000, 100

UPSERT = """
insert into region (code, parent, level, name_zh, name_en, valid_from, valid_until)
select * from unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[], $6::int[],
  $7::int[])
on conflict (code) do update set parent = excluded.parent, level = excluded.level,
  name_zh = excluded.name_zh, name_en = excluded.name_en, valid_from = excluded.valid_from,
  valid_until = excluded.valid_until
"""
CHILDREN = "select * from region where parent is not distinct from $1 order by code"
ONE = "select * from region where code = $1"


class Region(msgspec.Struct, frozen=True):
    """One province or prefecture; years as in the module's docstring."""

    code: int
    parent: int | None
    level: Literal["nation", "province", "prefecture"]
    name_zh: str
    name_en: str
    valid_from: int
    valid_until: int | None

    def stands_in(self, year: int) -> bool:
        return self.valid_from <= year and (self.valid_until is None or year <= self.valid_until)


def parent_of(code: int) -> int | None:
    """The code one level up; None for the nation."""
    if code == NATION:
        return None
    return NATION if code % _PROVINCE == 0 else code - code % _PROVINCE


def lineage(code: int) -> tuple[int, ...]:
    """A region and those over it, up to the nation."""
    above = parent_of(code)
    return (code,) if above is None else (code, *lineage(above))


def _level(code: int) -> Literal["nation", "province", "prefecture"]:
    if code == NATION:
        return "nation"
    return "province" if code % _PROVINCE == 0 else "prefecture"


@cache
def shipped() -> dict[int, Region]:
    """Every region of the shipped data by code, in order of codes."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        return {
            (code := int(row["code"])): Region(
                code,
                parent_of(code),
                _level(code),
                row["name_zh"],
                row["name_en"],
                int(row["valid_from"]),
                int(row["valid_until"]) if row["valid_until"] else None,
            )
            for row in csv.DictReader(lines)
        }


async def load(connection: asyncpg.Connection) -> None:
    """Write the shipped data into the table; running it again changes nothing."""
    rows = [msgspec.structs.astuple(region) for region in shipped().values()]
    await connection.execute(UPSERT, *map(list, zip(*rows, strict=True)))


async def below(code: int, *, act: Act) -> tuple[int, ...]:
    """The region and everything under it, in order of codes; empty for an unknown code."""
    async with DB.transaction(act.by.scope, readonly=True):
        found = await DB.connection.fetchval("select regions_below($1)", code)
    return tuple(found or ())


async def regions(parent: int | None, *, act: Act) -> tuple[Region, ...]:
    """The regions right under ``parent``; None asks for the nation."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(CHILDREN, parent)
    return tuple(Region(**dict(row)) for row in rows)


async def region(code: int, *, act: Act) -> Region:
    """One region.

    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(ONE, code)
    if row is None:
        raise Absent
    return Region(**dict(row))
