"""Frozen records of the notices and their closed words: clauses, packs, settings, wordings."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, NewType

from inspection_plans.records import Meta, Record

__all__ = ["Record"]
ClauseId = NewType("ClauseId", str)
Jurisdiction = NewType("Jurisdiction", str)
NATIONAL = Jurisdiction("national")

Scalar = str | int | bool | None
ParameterValue = Scalar | list[Scalar] | dict[str, int]

Line = Annotated[str, Meta(min_length=1, max_length=600)]
Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
ClauseCode = Annotated[
    ClauseId, Meta(pattern=r"^[a-z]+-[0-9]{4}-[0-9]+/[0-9a-z.]+/[a-z0-9-]+$", max_length=90)
]
JurisdictionCode = Annotated[
    Jurisdiction, Meta(pattern=r"^(national|CN-[0-9]{2}([0-9]{2}){0,2})$")
]


class Kind(StrEnum):
    """What a clause does 条款性质."""

    PROHIBITION = "prohibition"
    DUTY = "duty"
    DEADLINE = "deadline"
    THRESHOLD = "threshold"
    QUOTA = "quota"
    AMOUNT = "amount"
    CONDITION = "condition"
    RIGHT = "right"
    CONSEQUENCE = "consequence"
    SERVICE = "service"


class CheckMode(StrEnum):
    """How a clause is checked; ``informational`` is shown and not checked."""

    FIELD_CHECK = "field_check"
    DESK_REVIEW = "desk_review"
    AUTOMATIC = "automatic"
    INFORMATIONAL = "informational"


class Severity(StrEnum):
    """Weight of a breach: critical is a red line, major is rectified, minor improves."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    INFO = "info"


class BasisKind(StrEnum):
    """Where a number that no notice gives comes from."""

    LAW = "law"
    LOCAL = "local"
    HOUSE_DEFAULT = "house_default"


class Measure(StrEnum):
    """What a setting counts; ``word`` is one of its options."""

    SHARE = "share"
    PERSON = "person"
    VISIT = "visit"
    INSTITUTION = "institution"
    REPLY = "reply"
    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WORKING_DAY = "working_day"
    YEAR = "year"
    METRE = "metre"
    KILOMETRE_PER_HOUR = "kilometre_per_hour"
    POINT = "point"
    PIXEL = "pixel"
    BIT = "bit"
    CAPTURE = "capture"
    PERCENT = "percent"
    WORD = "word"


class Verdict(StrEnum):
    """What an answer comes to; derived, never sent."""

    PASS = "pass"  # noqa: S105 - a verdict, not a secret
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    COULD_NOT_CHECK = "could_not_check"


class Bilingual(Record, frozen=True, kw_only=True):
    """One text in both languages, Chinese first."""

    zh: Line
    en: Line


class Clause(Record, frozen=True, kw_only=True):
    """条款: one duty, ban, number or right of a notice.

    ``parameters`` holds the numbers of the law under names of ``packs/terms.yaml``; shares are
    exact decimal strings, never floats. It is shared by everyone and must not be changed.
    """

    id: ClauseCode
    section: Line
    subject: Annotated[tuple[Code, ...], Meta(min_length=1)]
    kind: Kind
    concept: Code
    rule: Bilingual
    check_mode: CheckMode
    severity: Severity
    key_terms: tuple[Line, ...] = ()
    parameters: Mapping[str, ParameterValue] = {}
    evidence: tuple[Code, ...] = ()
    also_check: tuple[CheckMode, ...] = ()
    consequence: ClauseCode | None = None
    also_consequences: tuple[ClauseCode, ...] = ()
    related: tuple[ClauseCode, ...] = ()
    notes: str = ""

    @property
    def pack(self) -> str:
        """Id of the pack that holds the clause."""
        return self.id.split("/", 1)[0]


class Pack(Record, frozen=True, kw_only=True):
    """文件: one government notice; ``valid_until`` is its last valid day, None while open."""

    id: Annotated[str, Meta(pattern=r"^[a-z]+-[0-9]{4}-[0-9]+$")]
    title: Line
    number: Line
    issuer: Line
    jurisdiction: JurisdictionCode
    issued: date | None
    printed: date | None
    valid_from: date
    valid_until: date | None
    parents: tuple[str, ...] = ()
    aliases: tuple[Line, ...] = ()
    notes: str = ""

    def valid_on(self, on: date) -> bool:
        """Day-exact validity, both ends included."""
        return self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)


class Terms(Record, frozen=True, kw_only=True):
    """Words that packs, sheets and questions may use; what is not here is refused."""

    provinces: Annotated[tuple[JurisdictionCode, ...], Meta(min_length=1)]
    subjects: dict[Code, Bilingual]
    evidence: dict[Code, Bilingual]
    concepts: tuple[Code, ...]
    parameters: tuple[Code, ...]


class Basis(Record, frozen=True, kw_only=True):
    """依据: why a value is what it is."""

    kind: BasisKind
    zh: Line
    en: Line
    clauses: tuple[ClauseCode, ...] = ()


class Bounds(Record, frozen=True, kw_only=True):
    """What a plan may set instead: a range, or a closed list of options."""

    min: int | str | None = None
    max: int | str | None = None
    options: tuple[str, ...] = ()


class Setting(Record, frozen=True, kw_only=True):
    """One thing the notices leave open; shares are exact decimal strings, None means not set."""

    name: Code
    zh: Line
    en: Line
    value: int | str | None
    unit: Measure
    jurisdiction: JurisdictionCode
    bounds: Bounds
    basis: Basis


class Gate(Record, frozen=True, kw_only=True):
    """One due-process gate, G1 to G12, with its basis to show."""

    id: Annotated[str, Meta(pattern=r"^G\d{1,2}$")]
    zh: Line
    en: Line
    basis: Basis


class Wording(Record, frozen=True, kw_only=True):
    """One standard wording of a published result 公示用语, kept verbatim."""

    code: Code
    zh: Line
    en: Line


class Computed(Record, frozen=True, kw_only=True):
    """A question that computes its answer from the clauses of these concepts."""

    question: Code
    zh: Line
    en: Line
    concepts: Annotated[tuple[Code, ...], Meta(min_length=1)]
    jurisdictions: Annotated[tuple[JurisdictionCode, ...], Meta(min_length=1)] = (NATIONAL,)


class Wordings(Record, frozen=True, kw_only=True):
    """The list of standard wordings under its version; several may apply to one result."""

    version: Annotated[int, Meta(ge=1)]
    wordings: tuple[Wording, ...]
