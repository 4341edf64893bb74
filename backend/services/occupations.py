"""Occupations 职业 and their levels 等级 as own data, loaded beside the regions."""

from functools import cache
from pathlib import Path

import asyncpg
import msgspec
import yaml

from backend.piccolo_conf import DB
from backend.services.act import Act
from inspection_plans.records import Record, decode
from inspection_plans.vocabulary import Bilingual, ClauseCode

FILE = Path(__file__).parent / "data" / "occupations.yaml"

UPSERT = """
insert into occupation (code, name_zh, name_en, levels, source)
select t.code, t.zh, t.en, $4::text[], $5
from unnest($1::text[], $2::text[], $3::text[]) as t(code, zh, en)
on conflict (code) do update set name_zh = excluded.name_zh, name_en = excluded.name_en,
  levels = excluded.levels, source = excluded.source
"""
ALL = 'select * from occupation order by code collate "C"'


class Occupation(msgspec.Struct, frozen=True):
    """One occupation, the levels it has, and the clause that names it."""

    code: str
    name_zh: str
    name_en: str
    levels: tuple[str, ...]
    source: str


class Shipped(Record, frozen=True, kw_only=True):
    """The data file: names by code, levels by code, the clause they come from."""

    source: ClauseCode
    levels: dict[str, Bilingual]
    occupations: dict[str, Bilingual]


@cache
def shipped() -> Shipped:
    """The shipped data, read once."""
    return decode(yaml.safe_load(FILE.read_text("utf-8")), Shipped)


async def load(connection: asyncpg.Connection) -> None:
    """Write the shipped data into the table; running it again changes nothing."""
    data = shipped()
    await connection.execute(
        UPSERT,
        list(data.occupations),
        [name.zh for name in data.occupations.values()],
        [name.en for name in data.occupations.values()],
        list(data.levels),
        data.source,
    )


async def occupations(*, act: Act) -> tuple[Occupation, ...]:
    """All occupations in order of their codes."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(ALL)
    return tuple(Occupation(**{**dict(row), "levels": tuple(row["levels"])}) for row in rows)
