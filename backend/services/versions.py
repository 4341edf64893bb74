"""Versions of the directories: each change is kept, so what was true on a day can be asked."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, ClassVar, Literal, get_args
from uuid import UUID

import msgspec

from backend.db.queries.directories import INSERT_VERSIONS
from backend.piccolo_conf import DB
from backend.services.accounts import SHANGHAI
from backend.services.act import SYSTEM_ID, Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.records.directories import Version
from inspection_plans.errors import Family

Kind = Literal[
    "institution",
    "catalogue",
    "inspector",
    "relations",
    "training_class",
    "schedule",
    "roster",
    "inspection_item",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

ALL = """
select * from directory_version where kind = $1 and subject = $2 and ($3::int is null or rev < $3)
order by rev desc limit $4
"""
AT = """
select * from directory_version where kind = $1 and subject = $2 and valid_from <= $3
order by rev desc limit 1
"""


# Days outside have no instant in both calendars; nothing of ours is older or younger.
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(9998, 12, 31)


class KindUnknown(ServiceRefusal):
    """Nothing of this kind has versions."""

    code: ClassVar[str] = "version.kind_unknown"
    family: ClassVar[Family] = Family.ABSENT


class Change(msgspec.Struct, frozen=True):
    """What is true of one subject now; catalogue, relations, schedule and roster as a whole."""

    subject: UUID
    region: int
    institution: UUID | None
    payload: dict[str, Any]


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise KindUnknown(field="kind", known=list(KINDS))
    return kind


async def record(kind: Kind, changes: Sequence[Change], *, act: Act, run: UUID | None) -> None:
    """Add the next version of each subject, inside the transaction of the change."""
    await DB.connection.execute(
        INSERT_VERSIONS,
        kind,
        [act.new_id() for _ in changes],
        [change.region for change in changes],
        [change.institution for change in changes],
        [change.subject for change in changes],
        [change.payload for change in changes],
        act.at,
        None if act.by.id == SYSTEM_ID else act.by.id,
        run,
    )


async def versions(
    kind: str, subject: UUID, *, act: Act, before: int | None = None, limit: int = 100
) -> tuple[Version, ...]:
    """The versions of one subject, newest first, those under ``before`` if given.

    Raises: KindUnknown ("version.kind_unknown").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(ALL, _kind(kind), subject, before, limit)
    return tuple(Version.of(row) for row in rows)


async def as_of(kind: str, subject: UUID, at: datetime, *, act: Act) -> Version:
    """What was true of the subject at an instant.

    Raises: KindUnknown ("version.kind_unknown"), Absent ("thing.absent") before its first version.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(AT, _kind(kind), subject, at)
    if row is None:
        raise Absent
    return Version.of(row)


async def on_day(kind: str, subject: UUID, day: date, *, act: Act) -> Version:
    """What was true of the subject at the end of a day in Shanghai.

    Raises: KindUnknown ("version.kind_unknown"), Absent ("thing.absent") before its first version.
    """
    known = min(max(day, FIRST_DAY), LAST_DAY)
    at = datetime.combine(known, time.max, SHANGHAI)
    return await as_of(kind, subject, at, act=act)
