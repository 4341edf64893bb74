"""备案数据: the one document a desk review reads; a list of rows for each register.

A register that is not in the document is unknown, so what needs it cannot be computed; a register
that is there, even empty, is complete: a row it lacks was not filed.
"""

from collections.abc import Callable, Iterator
from functools import cache
from operator import attrgetter
from typing import ClassVar, get_args, get_type_hints

from inspection_plans.errors import RuleRefusal
from inspection_plans.filings.catalogue import (
    Advert,
    AnnualFiling,
    Application,
    CatalogueEntry,
    FeeNotice,
    Institution,
    OccupationListed,
    Publicity,
    PublicLookup,
    Standard,
    Target,
)
from inspection_plans.filings.exams import (
    Archive,
    Candidate,
    Certificate,
    CertificateLayout,
    CertificateReport,
    Commitment,
    ExamBatch,
    Scores,
)
from inspection_plans.filings.oversight import (
    BadRecord,
    Case,
    Charge,
    Inspection,
    LocalCatalogueEntry,
    Payment,
    QuarterlyForm,
)
from inspection_plans.filings.training import (
    Allocation,
    Attendance,
    ClassApproval,
    Completion,
    CompletionStandard,
    EmployerApproval,
    Employment,
    EnrolmentNotice,
    Lesson,
    ListReport,
    Photo,
    PlanFiling,
    RealNameRecord,
    Trainee,
    TrainingClass,
)
from inspection_plans.filings.words import Filed
from inspection_plans.records import Record

Register = type[Filed]
_KEYS: dict[Register, str] = {
    Attendance: "trainee_id",
    Completion: "trainee_id",
    Scores: "candidate_id",
}


class FiledTwice(RuleRefusal):
    """Two rows of one register have the same key."""

    code: ClassVar[str] = "filings.filed_twice"


class Filings(Record, frozen=True, kw_only=True):
    """备案数据: None is a register that was not given, an empty list one without rows."""

    institutions: tuple[Institution, ...] | None = None
    occupations: tuple[OccupationListed, ...] | None = None
    standards: tuple[Standard, ...] | None = None
    catalogue_entries: tuple[CatalogueEntry, ...] | None = None
    applications: tuple[Application, ...] | None = None
    publicity: tuple[Publicity, ...] | None = None
    annual_filings: tuple[AnnualFiling, ...] | None = None
    fee_notices: tuple[FeeNotice, ...] | None = None
    adverts: tuple[Advert, ...] | None = None
    public_lookups: tuple[PublicLookup, ...] | None = None
    targets: tuple[Target, ...] | None = None
    allocations: tuple[Allocation, ...] | None = None
    classes: tuple[TrainingClass, ...] | None = None
    plan_filings: tuple[PlanFiling, ...] | None = None
    class_approvals: tuple[ClassApproval, ...] | None = None
    employer_approvals: tuple[EmployerApproval, ...] | None = None
    enrolment_notices: tuple[EnrolmentNotice, ...] | None = None
    trainees: tuple[Trainee, ...] | None = None
    lessons: tuple[Lesson, ...] | None = None
    attendance: tuple[Attendance, ...] | None = None
    photos: tuple[Photo, ...] | None = None
    completion_standards: tuple[CompletionStandard, ...] | None = None
    completions: tuple[Completion, ...] | None = None
    list_reports: tuple[ListReport, ...] | None = None
    real_name_records: tuple[RealNameRecord, ...] | None = None
    employments: tuple[Employment, ...] | None = None
    exam_batches: tuple[ExamBatch, ...] | None = None
    commitments: tuple[Commitment, ...] | None = None
    candidates: tuple[Candidate, ...] | None = None
    scores: tuple[Scores, ...] | None = None
    certificate_reports: tuple[CertificateReport, ...] | None = None
    certificates: tuple[Certificate, ...] | None = None
    certificate_layouts: tuple[CertificateLayout, ...] | None = None
    archives: tuple[Archive, ...] | None = None
    charges: tuple[Charge, ...] | None = None
    payments: tuple[Payment, ...] | None = None
    local_catalogues: tuple[LocalCatalogueEntry, ...] | None = None
    quarterly_forms: tuple[QuarterlyForm, ...] | None = None
    inspections: tuple[Inspection, ...] | None = None
    cases: tuple[Case, ...] | None = None
    bad_records: tuple[BadRecord, ...] | None = None


@cache
def registers() -> dict[Register, str]:
    """Return the name of every register by the record of its rows, in the document's order."""
    hints = get_type_hints(Filings)
    return {
        get_args(get_args(shape)[0])[0]: name for name, shape in hints.items() if name[0] != "_"
    }


def key_field(register: Register) -> str:
    """Return the field that tells the rows of a register apart."""
    return _KEYS.get(register, "id")


@cache
def _naming(register: Register) -> tuple[Callable[[Filed], str], str]:
    """Return how to read the key of a row, and the name of its register."""
    return attrgetter(key_field(register)), registers()[register]


def key_of(row: Filed) -> str:
    """Return the key of a row within its register."""
    return _naming(type(row))[0](row)


def label(row: Filed) -> str:
    """Name a row in a result, such as ``classes/c1``."""
    key, name = _naming(type(row))
    return f"{name}/{key(row)}"


def rows(filings: Filings) -> Iterator[tuple[Register, tuple[Filed, ...] | None]]:
    """Yield the rows of every register."""
    for register, name in registers().items():
        yield register, getattr(filings, name)
