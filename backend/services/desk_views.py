"""What desk review looks at for one institution: its rows, its office's, others' it touches."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import registers
from backend.services.filed_rows import Place
from inspection_plans.desk.review import Change
from inspection_plans.desk.view import View
from inspection_plans.filings.words import Filed
from inspection_plans.records import decode

# What an office collects here is whole: what it lacks was not filed.
COMPLETE = (
    "institutions",
    "catalogue_entries",
    "classes",
    "annual_filings",
    "plan_filings",
    "class_approvals",
    "list_reports",
    "quarterly_forms",
    "bad_records",
)
ROUNDS = 4  # from a candidate to a trainee, its class, the institution
PROVINCE = 10_000
OWN = """
select register, key, person, refs, body, reviewed from filed_row
where institution = $1 and (body is not null or reviewed is not null)
"""
GENERAL = """
select register, key, person, refs, body, body as reviewed from filed_row
where institution is null and region = any($1) and body is not null
"""
# Of other institutions of the province: rows about the same persons, and rows that ours name.
TOUCHED = """
select institution, register, key, person, refs, body, body as reviewed from filed_row
where institution <> $1 and region / 10000 = $2 and body is not null
  and (person = any($3) or key = any($4))
"""


class _Row(msgspec.Struct, frozen=True):
    register: str
    key: str
    person: str | None
    refs: list[str]
    body: dict[str, Any] | None
    reviewed: dict[str, Any] | None

    @property
    def place(self) -> Place:
        return self.register, self.key

    @property
    def now(self) -> Filed | None:
        """The row as it is; None when it is gone."""
        return None if self.body is None else self.of(self.body)

    def of(self, body: Mapping[str, Any]) -> Filed:
        record = registers.records()[self.register]
        row: Filed = decode(body, record)
        return row


class Looked(msgspec.Struct, frozen=True):
    """Rows as they are: ``own`` by place, ``others`` the institutions whose rows were touched."""

    own: dict[Place, _Row]
    around: dict[Place, _Row]
    others: frozenset[UUID]

    def view(self, *, before: bool) -> View:
        """What a review saw last, or what is there now."""
        seen: dict[str, list[Filed]] = {name: [] for name in COMPLETE}
        for row in (*self.around.values(), *self.own.values()):
            body = row.reviewed if before else row.body
            if body is not None:
                seen.setdefault(row.register, []).append(row.of(body))
        made = View()
        for name, rows in sorted(seen.items()):
            made.give(registers.records()[name], rows)
        return made

    @property
    def changes(self) -> list[Change]:
        """Own rows that are not what the last review saw."""
        return [
            Change(registers.records()[row.register], row.key, row.now)
            for row in self.own.values()
            if row.body != row.reviewed
        ]


def _rows(found: Iterable[Any]) -> dict[Place, _Row]:
    rows = (msgspec.convert(dict(one), _Row) for one in found)
    return {row.place: row for row in rows}


async def look(institution: UUID, *, region: int, above: tuple[int, ...]) -> Looked:
    """Read what a review of one institution needs; ``above``: its region and those over it."""
    own = _rows(await DB.connection.fetch(OWN, institution))
    around = _rows(await DB.connection.fetch(GENERAL, list(above)))
    others: set[UUID] = set()
    known, front = own | around, dict(own)
    for _ in range(ROUNDS):
        persons = sorted({row.person for row in front.values() if row.person})
        keys = sorted({ref for row in front.values() for ref in row.refs} - {k for _, k in known})
        if not persons and not keys:
            break
        found = await DB.connection.fetch(TOUCHED, institution, region // PROVINCE, persons, keys)
        front = {place: row for place, row in _rows(found).items() if place not in known}
        others |= {one["institution"] for one in found}
        known |= front
        around |= front
    return Looked(own, around, frozenset(others))
