"""What the import has to know of one directory: how rows are loaded, made, judged, written."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.imports.world import Values, World
from backend.services.records.directories import Entry
from backend.services.versions import Change, Kind

R = TypeVar("R", bound=Entry)
NEW = UUID(int=0)
UNIT = "\x1f"
# What a file does not say and an update keeps.
KEPT = ("id", "account", "rev", "created_at", "updated_at")


@dataclass(frozen=True)
class Directory(Generic[R]):
    """One directory; ``make`` gives a record under the id NEW, ``judge`` sees what was before.

    ``whole`` selects all rows of some subjects where a version is of them together.
    """

    record: type[R]
    load: Callable[[World, Sequence[Values]], Awaitable[None]]
    make: Callable[[Values, World], R]
    key: Callable[[R], Hashable]
    key_column: str
    upsert: str
    version: Kind
    subject: Callable[[R], UUID]
    judge: Callable[[R, R | None, World], None] | None = None
    whole: str | None = None

    async def write(self, records: Sequence[R]) -> None:
        """Insert or update all records in one statement."""
        names = self.record.__struct_fields__
        columns = [[_cell(getattr(record, name)) for record in records] for name in names]
        await DB.connection.execute(self.upsert, *columns)

    async def changes(self, records: Sequence[R]) -> list[Change]:
        """What is true now of the subjects the records belong to, after ``write``."""
        if self.whole is None:
            return [self._change(record, msgspec.to_builtins(record)) for record in records]
        subjects = {self.subject(record): record for record in records}
        rows: dict[UUID, list[Any]] = {subject: [] for subject in subjects}
        for row in await DB.connection.fetch(self.whole, list(subjects)):
            record = self.record.of(row)
            rows[self.subject(record)].append(msgspec.to_builtins(record))
        return [
            self._change(record, {"entries": rows[subject]})
            for subject, record in subjects.items()
        ]

    def _change(self, record: R, payload: dict[str, Any]) -> Change:
        subject = self.subject(record)
        institution = subject if self.version == "institution" else None
        return Change(
            subject=subject,
            region=record.region,
            institution=institution or getattr(record, "institution", None),
            payload=payload,
        )


def _cell(value: object) -> object:
    """A value as an element of a column's array; arrays in arrays must be rectangular."""
    return UNIT.join(map(str, value)) if isinstance(value, tuple) else value


def settle(made: R, before: R | None, world: World) -> R:
    """The record to store: equal to ``before`` when nothing changed."""
    if before is None:
        return msgspec.structs.replace(made, id=world.act.new_id())
    names = made.__struct_fields__
    kept = {name: getattr(before, name) for name in KEPT if name in names}
    same = msgspec.structs.replace(made, **kept)
    if same == before or "rev" not in names:
        return same
    return msgspec.structs.replace(same, rev=kept["rev"] + 1, updated_at=world.act.at)
