"""Institutions and their catalogue entries: from cells to records."""

from collections.abc import Sequence
from datetime import date

from backend.db.queries.directories import UPSERT_CATALOGUE, UPSERT_INSTITUTIONS
from backend.piccolo_conf import DB
from backend.services.imports import refusals
from backend.services.imports.directory import NEW, Directory
from backend.services.imports.world import Values, World, add_institutions
from backend.services.records.directories import CatalogueEntry, Institution

ENTRIES = "select * from catalogue_entry where institution = any($1)"
WHOLE = ENTRIES + " order by listed_on, kind, occupation, id"
POSITION = ("latitude", "longitude", "crs")
RISK_CLASS = "B"


async def _load_institutions(world: World, rows: Sequence[Values]) -> None:
    await add_institutions(world, rows)
    for same in world.institutions.values():
        world.present |= {_institution_key(record): record for record in same}


def _institution_key(record: Institution) -> tuple[int, str]:
    return record.region, record.credit_code


def _institution(values: Values, world: World) -> Institution:
    if len({values[key] is None for key in POSITION}) > 1:
        raise refusals.HalfPosition(field=next(k for k in POSITION if values[k] is None))
    return Institution(
        id=NEW,
        region=world.region(values),
        credit_code=values["credit_code"],
        name=values["name"],
        kinds=values["kinds"],
        home_region=values["home_region"],
        is_base=bool(values["is_base"]),
        risk_class=values["risk_class"] or RISK_CLASS,
        frequency_cap=values["frequency_cap"],
        status=values["status"] or "active",
        legal_person=values["legal_person"],
        phone=values["phone"],
        address=values["address"],
        lat_e7=values["latitude"],
        lon_e7=values["longitude"],
        crs=values["crs"],
        fictional=bool(values["fictional"]),
        rev=1,
        created_at=world.act.at,
        updated_at=world.act.at,
    )


def _judge_institution(record: Institution, before: Institution | None, world: World) -> None:
    known = before.home_region if before else None
    world.require_region("home_region", record.home_region, known)


async def _load_entries(world: World, rows: Sequence[Values]) -> None:
    await add_institutions(world, rows)
    owners = [owner.id for some in world.institutions.values() for owner in some]
    for row in await DB.connection.fetch(ENTRIES, owners):
        entry = CatalogueEntry.of(row)
        world.present[_entry_key(entry)] = entry


def _entry_key(record: CatalogueEntry) -> tuple[object, ...]:
    return record.institution, record.kind, record.occupation, record.listed_on


def _years_later(day: date, years: int) -> date:
    """The same date years later; the last day of February where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _entry(values: Values, world: World) -> CatalogueEntry:
    owner = world.institution(values)
    last = _years_later(values["listed_on"], world.term_years)
    return CatalogueEntry(
        id=NEW,
        region=owner.region,
        institution=owner.id,
        kind=values["kind"],
        occupation=values["occupation"],
        levels=values["levels"],
        listed_on=values["listed_on"],
        valid_until=values["valid_until"] or last,
        source_notice=values["source_notice"],
        delisted_on=values["delisted_on"],
        created_at=world.act.at,
    )


def _judge_entry(record: CatalogueEntry, before: CatalogueEntry | None, world: World) -> None:
    """An entry lasts three years at most. Source: national-2021-71/4.6/validity-3y."""
    if record.valid_until < record.listed_on:
        raise refusals.WrongOrder(field="valid_until")
    if record.delisted_on is not None and record.delisted_on < record.listed_on:
        raise refusals.WrongOrder(field="delisted_on")
    last = _years_later(record.listed_on, world.term_years)
    if record.valid_until > last and (before is None or record != before):
        raise refusals.TermTooLong(field="valid_until", until=last.isoformat())


INSTITUTIONS = Directory(
    record=Institution,
    load=_load_institutions,
    make=_institution,
    key=_institution_key,
    key_column="credit_code",
    judge=_judge_institution,
    upsert=UPSERT_INSTITUTIONS,
    version="institution",
    subject=lambda record: record.id,
)
CATALOGUE = Directory(
    record=CatalogueEntry,
    load=_load_entries,
    make=_entry,
    key=_entry_key,
    key_column="occupation",
    judge=_judge_entry,
    upsert=UPSERT_CATALOGUE,
    version="catalogue",
    subject=lambda record: record.institution,
    whole=WHOLE,
)
