"""Rules about candidates, scores and certificates: DR-12, DR-33 to DR-35."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from inspection_plans.desk.frame import At, Result, Results, check, via
from inspection_plans.desk.view import View
from inspection_plans.desk.ways import (
    batch_of,
    certificates_of_batch,
    certificates_of_candidate,
    standard_of,
)
from inspection_plans.filings.catalogue import Standard
from inspection_plans.filings.exams import (
    Candidate,
    Certificate,
    CertificateLayout,
    CertificateReport,
    Commitment,
    ExamBatch,
    Scores,
)
from inspection_plans.filings.training import Completion
from inspection_plans.filings.words import within

SUBJECTS = ("theory", "ability")


@check(
    "DR-12",
    over=Candidate,
    reads={
        Scores: via("id"),
        Certificate: via("id", "candidate_id"),
        ExamBatch: via("batch_id"),
        CertificateReport: via("batch_id", "batch_id"),
    },
)
def passed_both(at: At, one: Candidate) -> Results:
    """A certificate is there exactly when both results reach the minimum, as exact decimals.

    Source: national-2021-71/3.6/pass-score, national-2021-71/3.6/certificate-right.
    """
    batch = at.view.one(ExamBatch, one.batch_id)
    if batch is None:
        yield at.missing(one, at.as_of, "exam_batches")
        return
    on = batch.start_on
    if lacking := at.lacking(Scores, Certificate):
        yield at.missing(one, on, *lacking)
        return
    row = at.view.one(Scores, one.id)
    found = {name: None if row is None else getattr(row, name) for name in SUBJECTS}
    minima = {name: _minimum(at, f"{name}_min", on) for name in SUBJECTS}
    if None in minima.values():
        return
    passed = all(_reaches(found[name], minima[name]) for name in SUBJECTS)
    inputs = {**found, "minimum": max(filter(None, minima.values()))}
    if at.view.many(Certificate, "candidate_id", one.id):
        yield at.say("earned" if passed else "unearned", one, on, inputs)
    elif not passed:
        yield at.say("not_passed", one, on, inputs)
    else:
        due = _issue_due(at, one)
        late = due is not None and due < at.as_of
        yield at.say("withheld" if late else "awaited", one, on, inputs | {"due": due})


def _minimum(at: At, name: str, on: date) -> int | None:
    numbers = [value for _, value in at.parameters(name, on) if isinstance(value, int)]
    return max(numbers, default=None)


def _reaches(score: str | None, minimum: int | None) -> bool:
    """Compare an exact decimal; what is missing is not passed."""
    return score is not None and minimum is not None and Decimal(score) >= minimum


def _issue_due(at: At, one: Candidate) -> date | None:
    rows = at.view.many(CertificateReport, "batch_id", one.batch_id)
    audits = [row.audit_passed_on for row in rows if row.audit_passed_on is not None]
    term = at.deadline("certificate_issue", min(audits)) if audits else None
    return None if term is None else term.due


def _alike(view: View, row: Certificate) -> tuple[Certificate, ...]:
    return view.many(Certificate, "number", row.number)


def _laid_out(view: View, row: CertificateLayout) -> Iterator[Certificate]:
    # Few layouts, all certificates under one: an index would be slower than this walk.
    return (one for one in view.all(Certificate) if one.layout == row.id)


@check("DR-33", over=Certificate, reads={Certificate: _alike})
def number_unique(at: At, one: Certificate) -> Results:
    """No two certificates have one number.

    Source: national-2021-71/2.3/certificate-style-code.
    """
    others = [row.id for row in _alike(at.view, one) if row.id != one.id]
    inputs = {"number": one.number, "others": others}
    cited = at.clauses(one.issued_on, "certificate_style_code")
    outcome = "doubled" if others else "unique"
    yield at.say(outcome, one, one.issued_on, inputs, clauses=cited, part="number")


@check(
    "DR-33",
    over=Certificate,
    reads={Candidate: certificates_of_candidate, ExamBatch: certificates_of_batch},
)
def issued_by_examiner(at: At, one: Certificate) -> Results:
    """The institution that held the exam issues, and answers for it.

    Source: national-2021-71/3.7/responsibility.
    """
    cited = at.clauses(one.issued_on, "issuer_responsibility")
    batch = batch_of(at.view, one)
    if batch is None:
        lacking = "exam_batches"
        yield at.missing(one, one.issued_on, lacking, clauses=cited, part="issuer")
        return
    inputs = {"issuer": one.institution_id, "examiner": batch.institution_id}
    outcome = "issuer_fits" if one.institution_id == batch.institution_id else "foreign_issuer"
    yield at.say(outcome, one, one.issued_on, inputs, clauses=cited, part="issuer")


@check("DR-33", over=Certificate, reads={CertificateLayout: _laid_out})
def laid_out_by_rule(at: At, one: Certificate) -> Results:
    """The layout was in force on the day of issue, and the number starts as it asks.

    Source: national-2021-71/3.7/certificate-format.
    """
    yield _layout(at, one)


def _layout(at: At, one: Certificate) -> Result | None:
    on = one.issued_on
    cited = at.clauses(on, "certificate_style_code")
    if one.layout is None or not at.view.known(CertificateLayout):
        what = "certificates.layout" if one.layout is None else "certificate_layouts"
        return at.missing(one, on, what, clauses=cited, part="layout")
    layout = at.view.one(CertificateLayout, one.layout)
    inputs: dict[str, object] = {"layout": one.layout, "number": one.number, "issued_on": on}
    if layout is None or not within(layout.valid_from, layout.valid_until, on):
        return at.say("layout_unknown", one, on, inputs, clauses=cited, part="layout")
    if layout.prefix is None:
        return at.missing(one, on, "certificate_layouts.prefix", clauses=cited, part="layout")
    inputs["prefix"] = layout.prefix
    outcome = "layout_known" if one.number.startswith(layout.prefix) else "prefix_wrong"
    return at.say(outcome, one, on, inputs, clauses=cited, part="layout")


@check(
    "DR-34",
    over=Candidate,
    reads={ExamBatch: via("batch_id"), Completion: via("trainee_id", "trainee_id")},
)
def trained_before(at: At, one: Candidate) -> Results:
    """The training certificate is dated on or before the first day of the exam.

    Source: weihai-2023-25/4.3/training-before-evaluation,
    heilongjiang-2023-13/3.2.1/training-before-evaluation.
    """
    batch = at.view.one(ExamBatch, one.batch_id)
    if batch is None:
        yield at.missing(one, at.as_of, "exam_batches")
        return
    on = batch.start_on
    if one.trainee_id is None or not at.view.known(Completion):
        what = "candidates.trainee_id" if one.trainee_id is None else "completions"
        yield at.missing(one, on, what)
        return
    row = at.view.one(Completion, one.trainee_id)
    if row is None or row.certificate is None:
        yield at.say("untrained", one, on)
    elif row.certified_on is None:
        yield at.missing(one, on, "completions.certified_on")
    else:
        inputs = {"certified_on": row.certified_on, "exam_on": on}
        yield at.say("trained" if row.certified_on <= on else "later", one, on, inputs)


def _candidates_under(view: View, row: Standard) -> list[Candidate]:
    batches = view.many(ExamBatch, "occupation", row.occupation)
    return [one for batch in batches for one in view.many(Candidate, "batch_id", batch.id)]


@check(
    "DR-35",
    over=Candidate,
    reads={
        ExamBatch: via("batch_id"),
        Standard: _candidates_under,
        Commitment: via("commitment_id"),
    },
)
def eligible_and_committed(at: At, one: Candidate) -> Results:
    """On the confirmed list, under a condition of the standard, with a commitment of one's own.

    Source: national-2021-71/3.5/application-commitment, national-2021-71/3.6/eligibility-review.
    """
    batch = at.view.one(ExamBatch, one.batch_id)
    if batch is None:
        yield at.missing(one, at.as_of, "exam_batches")
        return
    on = batch.start_on
    reviewed = at.clauses(on, "eligibility_review")
    if one.confirmed is None:
        what = "candidates.confirmed"
        yield at.missing(one, on, what, clauses=reviewed, part="list")
    else:
        outcome = "confirmed" if one.confirmed else "unconfirmed"
        yield at.say(outcome, one, on, clauses=reviewed, part="list")
    yield _condition(at, one, batch)
    yield _committed(at, one, on)


def _condition(at: At, one: Candidate, batch: ExamBatch) -> Result | None:
    on = batch.start_on
    cited = at.clauses(on, "eligibility_review")
    standard = standard_of(at.view, batch, on)
    lacking = {
        "candidates.condition": one.condition is None,
        "standards": standard is None,
        "standards.conditions": standard is not None and not standard.conditions,
    }
    if standard is None or any(lacking.values()):
        what = [name for name, unknown in lacking.items() if unknown]
        return at.missing(one, on, *what, clauses=cited, part="condition")
    inputs: Mapping[str, object] = {
        "condition": one.condition,
        "conditions": standard.conditions,
    }
    outcome = "condition_met" if one.condition in standard.conditions else "condition_unknown"
    return at.say(outcome, one, on, inputs, clauses=cited, part="condition")


def _committed(at: At, one: Candidate, on: date) -> Result | None:
    cited = at.clauses(on, "application_commitment")
    if not at.view.known(Commitment):
        return at.missing(one, on, "commitments", clauses=cited, part="commitment")
    row = at.view.one(Commitment, one.commitment_id)
    if row is None:
        return at.say("commitment_lacking", one, on, clauses=cited, part="commitment")
    inputs = {"signed_on": row.signed_on, "exam_on": on}
    if row.person != one.person:
        outcome = "commitment_foreign"
    else:
        outcome = "committed" if row.signed_on <= on else "commitment_late"
    return at.say(outcome, one, on, inputs, clauses=cited, part="commitment")
