"""What a plan 抽查计划 says, and the record of one as services give it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

RiskClass = Literal["A", "B", "C", "D"]
InstitutionKind = Literal["training", "evaluation"]
ObjectKind = Literal["training", "evaluation", "class_session"]
VisitKind = Literal[
    "training_site",
    "class_session",
    "evaluation_site",
    "exam_patrol",
    "document_review",
    "remote_class",
]
Source = Literal["dice", "drand", "lottery"]
PlanState = Literal["draft", "submitted", "approved", "running", "closed", "rejected", "cancelled"]

Name = Annotated[str, Meta(min_length=1, max_length=80)]
Reason = Annotated[str, Meta(min_length=2, max_length=600)]
Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,40}$")]
PartyCode = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Region = Annotated[int, Meta(ge=100_000, le=999_999)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]


class Stratum(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """层: risk classes and cities (with all below them); empty means all.

    ``visited``: never or before, at random, in the term of the current listing; a stratum of
    the never visited with ratio 1/r reaches everybody within the r draws that are left.
    ``ratio`` is exact text such as ``1/10`` or ``0.05``; ``size`` weighs a total.
    """

    name: Name
    risk: Annotated[tuple[RiskClass, ...], Meta(max_length=4)] = ()
    regions: Annotated[tuple[Region, ...], Meta(max_length=100)] = ()
    visited: Literal["never", "before"] | None = None
    ratio: Annotated[str, Meta(max_length=24)] | None = None
    min: Count | None = None
    max: Count | None = None
    size: Count | None = None


class VisitRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which kind of visit and which sheet an inspection object 检查对象 of a kind gets."""

    object: ObjectKind
    kind: VisitKind
    sheet: Annotated[str, Meta(pattern=r"^[A-Z]{1,8}$")]


class Entropy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source of chance named before anybody can know its value."""

    source: Source
    ref: Name


class PlanSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a plan settles in advance; days of disclosure are working days.

    ``origin`` external: drawn on another platform and entered, never verifiable. ``profile``
    sealed: rows stay closed at the disclosure, each institution gets its own (draw.md 2.6).
    """

    objects: Literal["institution", "class_session"] = "institution"
    kinds: Annotated[tuple[InstitutionKind, ...], Meta(min_length=1, max_length=2)] = ("training",)
    mode: Literal["ratio", "total"] = "ratio"
    total: Count | None = None
    base: Literal["frame", "eligible"] = "frame"
    reserve: Annotated[int, Meta(ge=0, le=50)] = 3
    strata: Annotated[tuple[Stratum, ...], Meta(min_length=1, max_length=200)]
    visits: Annotated[tuple[VisitRule, ...], Meta(min_length=1, max_length=3)]
    team_size: Annotated[int, Meta(ge=2, le=6)] = 2
    skills: Annotated[tuple[Name, ...], Meta(max_length=4)] = ()
    unannounced: bool = True
    frequency_cap: Annotated[int, Meta(ge=1, le=12)] = 2
    cool_down_days: Annotated[int, Meta(ge=0, le=365)] = 60
    occupations: Annotated[tuple[Name, ...], Meta(max_length=40)] = ()
    tasks_open_at_hour: Annotated[int, Meta(ge=0, le=23)] = 6
    parties: Annotated[tuple[PartyCode, ...], Meta(min_length=1, max_length=8)] = ("operator",)
    entropy: Annotated[tuple[Entropy, ...], Meta(max_length=4)] = ()
    reveal_within_hours: Annotated[int, Meta(ge=1, le=720)] = 48
    disclose_after_days: Annotated[int, Meta(ge=1, le=60)] = 20
    alg: Literal["sha256", "sm3"] = "sha256"
    origin: Literal["here", "external"] = "here"
    profile: Literal["full", "sealed"] = "full"
    level_d_accepted: bool = False
    level_d_reason: Reason | None = None


class PlanDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an author writes; ``window`` days are inclusive, ``fire_at`` is the draw's instant."""

    code: Code
    title: Name
    year: Annotated[int, Meta(ge=2021, le=2100)]
    period: Name
    targeted: bool = False
    window_from: date
    window_until: date
    fire_at: Annotated[datetime, Meta(tz=True)]
    spec: PlanSpec


class PlanRecord(PlanDraft, frozen=True, kw_only=True):
    """抽查计划 as stored, with who moved it last."""

    id: UUID
    region: int
    office: UUID
    state: PlanState
    rev: int
    created_by: UUID
    submitted_by: UUID | None
    approved_by: UUID | None
    reason: str | None
    created_at: datetime
    updated_at: datetime


class Change(Struct, frozen=True):
    """One field that differs between two revisions; ``path`` is dotted, lists by number."""

    path: str
    before: Any
    after: Any
