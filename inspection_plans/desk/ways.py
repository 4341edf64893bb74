"""Longer ways back from a changed row to the rows judged by it, and look-ups that are shared."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Protocol, TypeVar

from inspection_plans import jurisdictions
from inspection_plans.desk.view import View
from inspection_plans.filings.catalogue import Standard
from inspection_plans.filings.exams import Candidate, Certificate, CertificateReport, ExamBatch
from inspection_plans.filings.training import Completion, Lesson, Trainee, TrainingClass
from inspection_plans.filings.words import Filed
from inspection_plans.vocabulary import NATIONAL

R = TypeVar("R", bound=Filed)


def lies_in(region: int, place: str) -> bool:
    """Say whether a six-digit region lies in a jurisdiction.

    Source: settled point 4.
    """
    return place == NATIONAL or f"CN-{region}".startswith(place)


def province(region: int) -> str:
    """Return the jurisdiction code of the province of a region."""
    return jurisdictions.lineage(f"CN-{region}")[-2]


class Taught(Protocol):
    """What has an occupation, a level and perhaps a direction: a class, a batch."""

    @property
    def occupation(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def direction(self) -> str | None: ...


def standard_of(view: View, one: Taught, on: date) -> Standard | None:
    """Return the loaded standard in force; one for the direction goes before one for all."""
    found = [
        row
        for row in view.many(Standard, "occupation", one.occupation)
        if row.level == one.level
        and row.direction in (None, one.direction)
        and (row.valid_from is None or row.valid_from <= on)
        and (row.valid_until is None or on <= row.valid_until)
    ]
    # The newest of the nearest; the key settles what the filer left open.
    found.sort(key=lambda row: (row.direction is None, -_day(row.valid_from), row.id))
    return found[0] if found else None


def _day(on: date | None) -> int:
    return 0 if on is None else on.toordinal()


def _present(found: Iterable[R | None]) -> Iterator[R]:
    return (row for row in found if row is not None)


def completions_of_class(view: View, row: TrainingClass) -> Iterator[Completion]:
    """From a class to the completions of its trainees."""
    trainees = view.many(Trainee, "class_id", row.id)
    return _present(view.one(Completion, one.id) for one in trainees)


def completions_of_lesson(view: View, row: Lesson) -> Iterator[Completion]:
    """From a lesson to the completions of the trainees of its class."""
    trainees = view.many(Trainee, "class_id", row.class_id)
    return _present(view.one(Completion, one.id) for one in trainees)


def completions_under(view: View, row: Standard) -> Iterator[Completion]:
    """From a standard to the completions of the classes of its occupation."""
    for group in view.many(TrainingClass, "occupation", row.occupation):
        yield from completions_of_class(view, group)


def batch_of(view: View, one: Certificate) -> ExamBatch | None:
    """From a certificate to the batch it was earned in."""
    candidate = view.one(Candidate, one.candidate_id)
    return None if candidate is None else view.one(ExamBatch, candidate.batch_id)


def certificates_of_candidate(view: View, row: Candidate) -> tuple[Certificate, ...]:
    """From a candidate to its certificates."""
    return view.many(Certificate, "candidate_id", row.id)


def certificates_of_batch(view: View, row: ExamBatch) -> Iterator[Certificate]:
    """From a batch to the certificates earned in it."""
    for one in view.many(Candidate, "batch_id", row.id):
        yield from view.many(Certificate, "candidate_id", one.id)


def certificates_of_report(view: View, row: CertificateReport) -> Iterator[Certificate]:
    """From the report of a batch to the certificates earned in it."""
    for one in view.many(Candidate, "batch_id", row.batch_id):
        yield from view.many(Certificate, "candidate_id", one.id)
