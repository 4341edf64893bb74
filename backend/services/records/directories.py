"""Records of the directories 一单两库: fields are the columns of the table, in its order."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Root of the records: how one is made of a row."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Take a row of the record's own table; arrays become tuples."""
        values = {
            name: tuple(value) if isinstance(value := row[name], list) else value
            for name in cls.__struct_fields__
        }
        return cls(**values)


class Entry(Row, frozen=True):
    """Root of the directories' own rows: each belongs to the office of a region."""

    id: UUID
    region: int


class Institution(Entry, frozen=True):
    """机构: a party in one or several roles, listed by the office of ``region``.

    ``lat_e7`` and ``lon_e7`` are 1e-7 degrees in the datum ``crs``; all three or none.
    """

    credit_code: str
    name: str
    kinds: tuple[str, ...]
    home_region: int
    is_base: bool
    risk_class: str
    frequency_cap: int | None
    status: str
    legal_person: str | None
    phone: str | None
    address: str | None
    lat_e7: int | None
    lon_e7: int | None
    crs: str | None
    fictional: bool
    rev: int
    created_at: datetime
    updated_at: datetime


class CatalogueEntry(Entry, frozen=True):
    """目录条目: what an institution may do, from ``listed_on`` to ``valid_until`` inclusive."""

    institution: UUID
    kind: str
    occupation: str
    levels: tuple[str, ...]
    listed_on: date
    valid_until: date
    source_notice: str
    delisted_on: date | None
    created_at: datetime


class Inspector(Entry, frozen=True):
    """执法检查人员: licence 执法证 with its last day, areas, skills, visits a plan at most."""

    account: UUID | None
    staff_code: str
    name: str
    department: str
    unit: str
    licence_no: str
    licence_until: date
    lead: bool
    skills: tuple[str, ...]
    areas: tuple[int, ...]
    cap: int
    available: bool
    rev: int
    created_at: datetime
    updated_at: datetime


class InspectorRelation(Entry, frozen=True):
    """回避关系: a declared tie of an inspector to an institution, open when ``until`` is None."""

    inspector: UUID
    institution: UUID
    ground: str
    declared_on: date
    until: date | None
    created_at: datetime


class TrainingClass(Entry, frozen=True):
    """班次: one class of one institution, held at a venue from ``starts_on`` to ``ends_on``."""

    institution: UUID
    code: str
    title: str
    occupation: str
    level: str
    mode: str
    venue_region: int
    venue: str
    teacher: str
    starts_on: date
    ends_on: date
    status: str
    created_at: datetime


class ClassSession(Entry, frozen=True):
    """课次: one lesson of a class; ``minutes`` is its length."""

    institution: UUID
    training_class: UUID
    code: str
    on_date: date
    starts_at: datetime
    ends_at: datetime
    mode: str
    minutes: int
    status: str


class Trainee(Entry, frozen=True):
    """学员: one line of a roster; of the identity number the last four characters alone."""

    institution: UUID
    training_class: UUID
    roster_no: int
    name: str
    id_tail: str


class InspectionItem(Entry, frozen=True):
    """抽查事项: what an office says it inspects, with its basis in law if there is one."""

    code: str
    title: str
    law_basis: str | None
    competent_authority: str | None
    object_kind: str
    way: str
    ratio: str
    frequency_cap: int


class Version(Row, frozen=True):
    """What was true of a subject from ``valid_from`` on, until the next version."""

    kind: str
    subject: UUID
    rev: int
    valid_from: datetime
    payload: dict[str, Any]
    recorded_by: UUID | None
    import_run: UUID | None
