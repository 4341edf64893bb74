"""Public look-ups 信息查询服务: institutions with the six items, certificates by number and day.

What the paper asks to be open is open; a certificate is confirmed to whoever holds it in hand,
without the name of its holder.
"""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services import occupations, visitors
from backend.services.accounts import on_day
from backend.services.errors import Absent
from backend.services.visitors import Visitor

PUBLIC = Scope(role="public")
CERTIFICATES_AN_HOUR = 30
INSTITUTIONS = """
select i.id, i.credit_code, i.name, i.region, i.home_region, i.status, i.fictional,
  coalesce(jsonb_agg(jsonb_build_object('kind', c.kind, 'occupation', c.occupation,
    'name_zh', o.name_zh, 'name_en', o.name_en, 'levels', c.levels, 'listed_on', c.listed_on,
    'valid_until', c.valid_until, 'delisted_on', c.delisted_on,
    'source_notice', c.source_notice) order by c.kind, c.listed_on desc, c.occupation)
    filter (where c.id is not null), '[]') as entries
from institution i join catalogue_entry c on c.institution = i.id
join occupation o on o.code = c.occupation
where ($1::text is null or strpos(i.name, $1) > 0 or i.credit_code = $1)
  and ($2::int is null or i.region = $2) and ($3::text is null or c.kind = $3)
  and ($4::text is null or c.occupation = $4) and ($5::uuid is null or i.id > $5)
group by i.id, i.credit_code, i.name, i.region, i.home_region, i.status, i.fictional
order by i.id limit $6
"""
CERTIFICATE = "select * from certificate_lookup($1, $2)"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One listing: kind, occupation and levels, and how long it is valid."""

    kind: str
    occupation: str
    name_zh: str
    name_en: str
    levels: tuple[str, ...]
    listed_on: date
    valid_until: date
    delisted_on: date | None
    source_notice: str
    valid: bool


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """机构查询: what the public may know of an institution; ``fictional`` marks invented ones."""

    id: UUID
    credit_code: str
    name: str
    region: int
    home_region: int
    status: str
    fictional: bool
    entries: tuple[Entry, ...]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; nothing set means all. ``name``: a part of it, or the credit code."""

    name: str | None = None
    region: int | None = None
    kind: str | None = None
    occupation: str | None = None


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """证书查询: that a certificate of this number was issued that day, for what and by whom."""

    number: str
    occupation: str
    level: str
    direction: str | None
    issued_on: date
    issuer: str


def _entry(said: dict[str, Any], today: date) -> Entry:
    until = date.fromisoformat(said["valid_until"])
    delisted = said["delisted_on"] and date.fromisoformat(said["delisted_on"])
    listed = date.fromisoformat(said["listed_on"])
    return Entry(
        kind=said["kind"],
        occupation=said["occupation"],
        name_zh=said["name_zh"],
        name_en=said["name_en"],
        levels=tuple(said["levels"]),
        listed_on=listed,
        valid_until=until,
        delisted_on=delisted,
        source_notice=said["source_notice"],
        valid=listed <= today <= until and (delisted is None or today < delisted),
    )


async def institutions(
    asked: Asked, *, visitor: Visitor, after: UUID | None = None, limit: int = 50
) -> tuple[Listed, ...]:
    """Listed institutions, each with its entries that fit, in order of id.

    Source: national-2021-71/6.1/query-service.
    """
    today = on_day(visitor.at)
    async with DB.transaction(PUBLIC, readonly=True):
        rows = await DB.connection.fetch(
            INSTITUTIONS,
            asked.name,
            asked.region,
            asked.kind,
            asked.occupation,
            after,
            limit,
        )
    return tuple(
        Listed(**{**dict(row), "entries": tuple(_entry(one, today) for one in row["entries"])})
        for row in rows
    )


async def certificate(number: str, issued_on: date, *, visitor: Visitor) -> Certificate:
    """The certificate of a number that was issued on a day: both are printed on it.

    Raises: Absent ("thing.absent"), TooOften ("visitor.too_often").
    Source: national-2021-71/2.5/certificate-query.
    """
    await visitors.spend("certificate", visitor, most=CERTIFICATES_AN_HOUR)
    async with DB.transaction(PUBLIC, readonly=True):
        row = await DB.connection.fetchrow(CERTIFICATE, number, issued_on)
    if row is None:
        raise Absent
    return Certificate(**dict(row))


class Standard(msgspec.Struct, frozen=True, kw_only=True):
    """国家职业标准: what the standard asks of one occupation and level, as an office filed it."""

    occupation: str
    level: str
    direction: str | None
    valid_from: date | None
    valid_until: date | None
    minutes_min: int | None
    teachers_min: int | None
    places_min: int | None
    education_min: int | None
    conditions: tuple[str, ...]
    region: int


async def standards() -> tuple[Standard, ...]:
    """The standards that offices have filed and accepted, by occupation and level.

    Source: national-2021-71/6.1/query-service (国家职业标准).
    """
    async with DB.transaction(PUBLIC, readonly=True):
        rows = await DB.connection.fetch("select * from standard_lookup()")
    return tuple(Standard(**{**dict(row), "conditions": tuple(row["conditions"])}) for row in rows)


def names() -> dict[str, tuple[str, str]]:
    """Chinese and English name of every occupation by code, for a form's choices."""
    return {code: (name.zh, name.en) for code, name in occupations.shipped().occupations.items()}
