"""Inspectors and their declared relations: from cells to records."""

from collections.abc import Sequence

from backend.db.queries.directories import UPSERT_INSPECTORS, UPSERT_RELATIONS
from backend.piccolo_conf import DB
from backend.services.imports import refusals
from backend.services.imports.directory import NEW, Directory
from backend.services.imports.world import (
    Values,
    World,
    add_inspectors,
    add_institutions,
    distinct,
)
from backend.services.records.directories import Inspector, InspectorRelation

PRESENT = "select * from inspector where staff_code = any($1) or licence_no = any($2)"
RELATIONS = "select * from inspector_relation where inspector = any($1)"
WHOLE = RELATIONS + " order by declared_on, id"


async def _load_inspectors(world: World, rows: Sequence[Values]) -> None:
    staff, licences = distinct(rows, "staff_code"), distinct(rows, "licence_no")
    for row in await DB.connection.fetch(PRESENT, staff, licences):
        record = Inspector.of(row)
        world.present[_inspector_key(record)] = record
        world.licences[record.region, record.licence_no] = record.staff_code


def _inspector_key(record: Inspector) -> tuple[int, str]:
    return record.region, record.staff_code


def _inspector(values: Values, world: World) -> Inspector:
    return Inspector(
        id=NEW,
        region=world.region(values),
        account=None,
        staff_code=values["staff_code"],
        name=values["name"],
        department=values["department"],
        unit=values["unit"],
        licence_no=values["licence_no"],
        licence_until=values["licence_until"],
        lead=bool(values["lead"]),
        skills=values["skills"] or (),
        areas=values["areas"],
        cap=values["cap"],
        available=values["available"] is not False,
        rev=1,
        created_at=world.act.at,
        updated_at=world.act.at,
    )


def _judge_inspector(record: Inspector, before: Inspector | None, world: World) -> None:
    """A licence that is named anew must be valid today; a stored one may run out in peace."""
    renewed = before is None or record.licence_until != before.licence_until
    if renewed and record.licence_until < world.today:
        raise refusals.LicenceExpired(field="licence_until")
    if world.licences.setdefault((record.region, record.licence_no), record.staff_code) != (
        record.staff_code
    ):
        raise refusals.Taken(field="licence_no")
    known = before.areas if before else ()
    for area in record.areas:
        world.require_region("areas", area, area if area in known else None)


async def _load_relations(world: World, rows: Sequence[Values]) -> None:
    await add_institutions(world, rows)
    await add_inspectors(world, rows)
    owners = [owner.id for some in world.inspectors.values() for owner in some]
    for row in await DB.connection.fetch(RELATIONS, owners):
        record = InspectorRelation.of(row)
        world.present[_relation_key(record)] = record


def _relation_key(record: InspectorRelation) -> tuple[object, ...]:
    return record.inspector, record.institution, record.ground, record.declared_on


def _relation(values: Values, world: World) -> InspectorRelation:
    inspector, institution = world.inspector(values), world.institution(values)
    return InspectorRelation(
        id=NEW,
        region=inspector.region,
        inspector=inspector.id,
        institution=institution.id,
        ground=values["ground"],
        declared_on=values["declared_on"],
        until=values["until"],
        created_at=world.act.at,
    )


def _judge_relation(
    record: InspectorRelation, before: InspectorRelation | None, world: World
) -> None:
    del before, world
    if record.until is not None and record.until < record.declared_on:
        raise refusals.WrongOrder(field="until")


INSPECTORS = Directory(
    record=Inspector,
    load=_load_inspectors,
    make=_inspector,
    key=_inspector_key,
    key_column="staff_code",
    judge=_judge_inspector,
    upsert=UPSERT_INSPECTORS,
    version="inspector",
    subject=lambda record: record.id,
)
RELATIONS_DIRECTORY = Directory(
    record=InspectorRelation,
    load=_load_relations,
    make=_relation,
    key=_relation_key,
    key_column="credit_code",
    judge=_judge_relation,
    upsert=UPSERT_RELATIONS,
    version="relations",
    subject=lambda record: record.inspector,
    whole=WHOLE,
)
