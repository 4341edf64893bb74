"""季度《开展情况表》: six measures per occupation, counted from the filings, held against a form.

A form covers the classes finished in its period; of their trainees it counts the certificates
issued and the subsidies granted up to the quarter's last day.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from inspection_plans import parameters
from inspection_plans.deadlines import quarter_end
from inspection_plans.desk.view import View
from inspection_plans.figures import Figures
from inspection_plans.filings import Register, registers
from inspection_plans.filings.exams import Candidate, Certificate
from inspection_plans.filings.oversight import FormRow, Payment, QuarterlyForm
from inspection_plans.filings.training import Trainee, TrainingClass
from inspection_plans.parameters import BrokenParameter
from inspection_plans.vocabulary import Clause, ClauseId

_CONCEPT = "quarterly_form"
_MONTHS_OF_A_QUARTER = 3
NEEDED: tuple[Register, ...] = (TrainingClass, Trainee, Candidate, Certificate, Payment)


class Counting(StrEnum):
    """What the figures cover: the quarter alone, or the year up to its end."""

    QUARTERLY = "quarterly"
    CUMULATIVE = "cumulative"


@dataclass(frozen=True)
class Layout:
    """The form as the notice prints it: preset rows and the names of everything on it."""

    row_key: str
    preset: tuple[str, ...]
    open_rows: bool
    columns: Mapping[str, str]
    header: Mapping[str, str]
    attachments: Mapping[str, str]
    clauses: tuple[ClauseId, ...]


@dataclass(frozen=True)
class Difference:
    """One cell where the form filed says something else than the filings."""

    occupation: str
    measure: str
    filed: int
    counted: int


def layout(clauses: Iterable[Clause], figures: Figures) -> Layout | None:
    """Read the form of the place; None where no paper in force asks for one.

    Raises: BrokenParameter ("packs.broken_parameter") when the columns are not the measures.
    Source: weihai-2023-25/annex/form-columns, /form-header, /form-attachments; K18.
    """
    known = [clause for clause in clauses if clause.concept == _CONCEPT]
    printed = parameters.giving(known, _CONCEPT, "columns", "row_key", "rows_preset")
    if not printed:
        return None
    form = printed[-1]
    return Layout(
        row_key=parameters.word(form, "row_key"),
        preset=parameters.words(form, "rows_preset"),
        open_rows=form.parameters.get("rows_open") is True,
        columns=_named(known, "columns", list(figures.measures)),
        header=_named(known, "fields", list(figures.header)),
        attachments=_named(known, "attachments", list(figures.attachments)),
        clauses=tuple(clause.id for clause in known),
    )


def _named(clauses: Iterable[Clause], name: str, codes: Sequence[str]) -> dict[str, str]:
    """Pair our codes with the words of the last clause that lists them, in its order."""
    clause = parameters.giving(clauses, _CONCEPT, name)[-1:]
    printed = parameters.words(clause[0], name) if clause else ()
    if len(printed) != len(codes):
        raise BrokenParameter(field=name, clause=[one.id for one in clause], value=printed)
    return dict(zip(codes, printed, strict=True))


def period(quarter: str, counting: Counting) -> tuple[date, date]:
    """Return the first and last day that a form of a quarter "2024Q1" covers."""
    last = quarter_end(quarter)
    month = 1 if counting is Counting.CUMULATIVE else last.month - _MONTHS_OF_A_QUARTER + 1
    return date(last.year, month, 1), last


def unknown(view: View) -> tuple[str, ...]:
    """Name the registers that a form cannot be counted without and that are not given."""
    return tuple(registers()[one] for one in NEEDED if not view.known(one))


def counted(
    view: View, institution: str, span: tuple[date, date], preset: Sequence[str]
) -> tuple[FormRow, ...]:
    """Count the six measures per occupation: the preset rows first, then others by name.

    ``span``: first and last day covered; the last is the cut-off of certificates and subsidies.
    Source: weihai-2023-25/6.2/statistics, weihai-2023-25/annex/form-columns.
    """
    groups: dict[str, list[TrainingClass]] = {name: [] for name in preset}
    others: dict[str, list[TrainingClass]] = {}
    for one in view.many(TrainingClass, "institution_id", institution):
        ended = finished(one)
        if ended is not None and span[0] <= ended <= span[1]:
            known = groups if one.occupation in groups else others
            known.setdefault(one.occupation, []).append(one)
    groups |= dict(sorted(others.items()))
    return tuple(_row(view, name, classes, span[1]) for name, classes in groups.items())


def finished(one: TrainingClass) -> date | None:
    """Return the day a class was finished: its completion, else its last lesson, else its end."""
    return one.completed_on or one.ended_on or one.end_on


def _row(view: View, occupation: str, classes: Iterable[TrainingClass], until: date) -> FormRow:
    known = tuple(classes)
    trainees = [one for group in known for one in view.many(Trainee, "class_id", group.id)]
    certified = {one.person for one in trainees if _certified(view, one, until)}
    grants = {
        grant.id: grant
        for group in known
        for grant in view.many(Payment, "class_id", group.id)
        if grant.granted_on <= until
    }
    paid: set[str] = set()
    for one in trainees:
        own = [
            grant
            for grant in view.many(Payment, "trainee_id", one.id)
            if grant.granted_on <= until
        ]
        grants |= {grant.id: grant for grant in own}
        if any(grant.amount_fen for grant in own):
            paid.add(one.person)
    paid |= {grant.person for grant in grants.values() if grant.person and grant.amount_fen}
    return FormRow(
        occupation=occupation,
        classes=len(known),
        subsidised_classes=sum(group.subsidised is True for group in known),
        trained=len({one.person for one in trainees}),
        certified=len(certified),
        subsidised_persons=len(paid),
        amount_fen=sum(grant.amount_fen for grant in grants.values()),
    )


def _certified(view: View, one: Trainee, until: date) -> bool:
    return any(
        certificate.issued_on <= until
        for candidate in view.many(Candidate, "trainee_id", one.id)
        for certificate in view.many(Certificate, "candidate_id", candidate.id)
    )


def differences(
    filed: QuarterlyForm, rows: Iterable[FormRow], measures: Iterable[str]
) -> Iterator[Difference]:
    """Yield every cell of the form filed that is not what was counted; no row is a row of zeros.

    An occupation that the form has twice is added up.
    Source: weihai-2023-25/6.2/quarterly-form; clause register K18.
    """
    computed = {row.occupation: row for row in rows}
    told: dict[str, dict[str, int]] = {}
    names = tuple(measures)
    for row in filed.rows:
        cells = told.setdefault(row.occupation, dict.fromkeys(names, 0))
        for name in names:
            cells[name] += getattr(row, name)
    for occupation in (*computed, *sorted(told.keys() - computed.keys())):
        for name in names:
            said = told.get(occupation, {}).get(name, 0)
            right = getattr(computed[occupation], name) if occupation in computed else 0
            if said != right:
                yield Difference(occupation, name, said, right)
