"""Reads of the classes: a class, its schedule of sessions, its roster."""

from typing import Literal
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.records.directories import ClassSession, Trainee, TrainingClass

Status = Literal["planned", "running", "ended", "cancelled"]

CLASSES = """
select * from training_class where ($1::uuid is null or id < $1)
  and ($2::uuid is null or institution = $2) and ($3::text is null or status = $3)
order by id desc limit $4
"""
CLASS = "select * from training_class where id = $1"
SESSIONS = "select * from class_session where training_class = $1 order by starts_at, id"
ROSTER = "select * from trainee where training_class = $1 order by roster_no"


async def classes(
    *,
    act: Act,
    after: UUID | None = None,
    limit: int = 100,
    institution: UUID | None = None,
    status: Status | None = None,
) -> tuple[TrainingClass, ...]:
    """Classes, newest first, of one institution or in one state if given."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(CLASSES, after, institution, status, limit)
    return tuple(TrainingClass.of(row) for row in rows)


async def training_class(class_id: UUID, *, act: Act) -> TrainingClass:
    """One class.

    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        return await _class(class_id)


async def _class(class_id: UUID) -> TrainingClass:
    row = await DB.connection.fetchrow(CLASS, class_id)
    if row is None:
        raise Absent
    return TrainingClass.of(row)


async def sessions(class_id: UUID, *, act: Act) -> tuple[ClassSession, ...]:
    """The schedule of a class in order of time.

    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        await _class(class_id)
        rows = await DB.connection.fetch(SESSIONS, class_id)
    return tuple(ClassSession.of(row) for row in rows)


async def roster(class_id: UUID, *, act: Act) -> tuple[Trainee, ...]:
    """The roster of a class in order of its numbers.

    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        await _class(class_id)
        rows = await DB.connection.fetch(ROSTER, class_id)
    return tuple(Trainee.of(row) for row in rows)
