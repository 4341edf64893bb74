"""Classes with their schedules and rosters: from cells to records."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from backend.db.queries.directories import UPSERT_CLASSES, UPSERT_SESSIONS, UPSERT_TRAINEES
from backend.piccolo_conf import DB
from backend.services.accounts import SHANGHAI
from backend.services.imports import refusals
from backend.services.imports.directory import NEW, Directory
from backend.services.imports.world import Values, World, add_bars, add_classes, add_institutions
from backend.services.records.directories import ClassSession, Trainee, TrainingClass

CLASSES_OF = "select * from training_class where institution = any($1)"
SESSIONS_OF = "select * from class_session where training_class = any($1)"
TRAINEES_OF = "select * from trainee where training_class = any($1)"
MINUTE = timedelta(minutes=1)


async def _load_classes(world: World, rows: Sequence[Values]) -> None:
    await add_institutions(world, rows)
    await add_bars(world)
    owners = [owner.id for some in world.institutions.values() for owner in some]
    for row in await DB.connection.fetch(CLASSES_OF, owners):
        record = TrainingClass.of(row)
        world.present[_class_key(record)] = record


def _class_key(record: TrainingClass) -> tuple[UUID, str]:
    return record.institution, record.code


def _training_class(values: Values, world: World) -> TrainingClass:
    owner = world.institution(values)
    return TrainingClass(
        id=NEW,
        region=owner.region,
        institution=owner.id,
        code=values["code"],
        title=values["title"],
        occupation=values["occupation"],
        level=values["level"],
        mode=values["mode"],
        venue_region=values["venue_region"],
        venue=values["venue"],
        teacher=values["teacher"],
        starts_on=values["starts_on"],
        ends_on=values["ends_on"],
        status=values["status"] or "planned",
        created_at=world.act.at,
    )


def _judge_class(record: TrainingClass, before: TrainingClass | None, world: World) -> None:
    if record.ends_on < record.starts_on:
        raise refusals.WrongOrder(field="ends_on")
    if before is None or before.starts_on != record.starts_on:
        world.require_free(record.institution, record.starts_on)
    known = before.venue_region if before else None
    world.require_region("venue_region", record.venue_region, known)


async def _load_sessions(world: World, rows: Sequence[Values]) -> None:
    await add_classes(world, rows)
    for row in await DB.connection.fetch(SESSIONS_OF, [c.id for c in world.classes.values()]):
        record = ClassSession.of(row)
        world.present[_session_key(record)] = record


def _session_key(record: ClassSession) -> tuple[UUID, str]:
    return record.training_class, record.code


def _instant(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, SHANGHAI).astimezone(UTC)


def _session(values: Values, world: World) -> ClassSession:
    owner, day = world.training_class(values), values["on_date"]
    starts_at, ends_at = _instant(day, values["starts"]), _instant(day, values["ends"])
    if ends_at <= starts_at:
        raise refusals.WrongOrder(field="ends")
    return ClassSession(
        id=NEW,
        region=owner.region,
        institution=owner.institution,
        training_class=owner.id,
        code=values["code"],
        on_date=day,
        starts_at=starts_at,
        ends_at=ends_at,
        mode=values["mode"],
        minutes=(ends_at - starts_at) // MINUTE,
        status=values["status"] or "planned",
    )


def _judge_session(record: ClassSession, before: ClassSession | None, world: World) -> None:
    owner = next(c for c in world.classes.values() if c.id == record.training_class)
    if record != before and not owner.starts_on <= record.on_date <= owner.ends_on:
        raise refusals.OutsideClass(
            field="on_date",
            starts_on=owner.starts_on.isoformat(),
            ends_on=owner.ends_on.isoformat(),
        )


async def _load_trainees(world: World, rows: Sequence[Values]) -> None:
    await add_classes(world, rows)
    await add_bars(world)
    for row in await DB.connection.fetch(TRAINEES_OF, [c.id for c in world.classes.values()]):
        record = Trainee.of(row)
        world.present[_trainee_key(record)] = record


def _trainee_key(record: Trainee) -> tuple[UUID, int]:
    return record.training_class, record.roster_no


def _trainee(values: Values, world: World) -> Trainee:
    owner = world.training_class(values)
    return Trainee(
        id=NEW,
        region=owner.region,
        institution=owner.institution,
        training_class=owner.id,
        roster_no=values["roster_no"],
        name=values["name"],
        id_tail=values["id_tail"],
    )


def _judge_trainee(record: Trainee, before: Trainee | None, world: World) -> None:
    """Who is on the roster stays there; a bar forbids new enrolments."""
    if before is None:
        owner = next(c for c in world.classes.values() if c.id == record.training_class)
        world.require_free(owner.institution, owner.starts_on)


CLASSES = Directory(
    record=TrainingClass,
    load=_load_classes,
    make=_training_class,
    key=_class_key,
    key_column="code",
    judge=_judge_class,
    upsert=UPSERT_CLASSES,
    version="training_class",
    subject=lambda record: record.id,
)
SESSIONS = Directory(
    record=ClassSession,
    load=_load_sessions,
    make=_session,
    key=_session_key,
    key_column="code",
    judge=_judge_session,
    upsert=UPSERT_SESSIONS,
    version="schedule",
    subject=lambda record: record.training_class,
    whole=SESSIONS_OF + " order by starts_at, code",
)
ROSTERS = Directory(
    record=Trainee,
    load=_load_trainees,
    make=_trainee,
    key=_trainee_key,
    key_column="roster_no",
    judge=_judge_trainee,
    upsert=UPSERT_TRAINEES,
    version="roster",
    subject=lambda record: record.training_class,
    whole=TRAINEES_OF + " order by roster_no",
)
