"""Rules about papers: DR-36 retention, DR-46 completion standard, DR-47 traces, DR-38 the form."""

from collections.abc import Iterator
from datetime import date

from inspection_plans import quarterly
from inspection_plans.deadlines import quarter_end
from inspection_plans.desk.frame import At, Result, Results, check, via
from inspection_plans.desk.view import View
from inspection_plans.filings import Register
from inspection_plans.filings.exams import Archive, Candidate, Certificate, ExamBatch
from inspection_plans.filings.oversight import FormRow, Payment, QuarterlyForm
from inspection_plans.filings.training import (
    Completion,
    CompletionStandard,
    Trainee,
    TrainingClass,
)
from inspection_plans.quarterly import Counting


@check("DR-36", over=Archive)
def kept(at: At, one: Archive) -> Results:
    """Compare the day of destruction with the end of the retention, by medium.

    From the same date on that the years are over, destroying is no finding.
    Source: national-2021-71/4.6.5/retention-paper-3y, /retention-electronic-5y; K24.
    """
    by_closing = at.setting("archive_retention_start").value == "closing_day"
    name = "closed_on" if by_closing else "certificate_on"
    start = one.closed_on if by_closing else one.certificate_on
    if one.destroyed_on is None:
        yield at.say("held", one, at.as_of, {"medium": one.medium})
        return
    if start is None:
        yield at.missing(one, one.destroyed_on, f"archives.{name}")
        return
    term = at.deadline("archive_retention", start, chosen=one.medium)
    if term is not None:
        facts = {"medium": one.medium, "destroyed_on": one.destroyed_on, "until": term.due}
        outcome = "destroyed_early" if one.destroyed_on < term.due else "destroyed_after"
        cited = [
            clause.id
            for clause in at.in_force(start)
            if clause.parameters.get("medium") == one.medium
        ]
        yield at.say(outcome, one, start, facts, clauses=cited)


def _class_of_completion(view: View, row: Completion) -> Iterator[TrainingClass]:
    """From a completion to the class."""
    trainee = view.one(Trainee, row.trainee_id)
    group = None if trainee is None else view.one(TrainingClass, trainee.class_id)
    if group is not None:
        yield group


@check(
    "DR-46",
    over=TrainingClass,
    reads={
        Trainee: via("id", "class_id"),
        Completion: _class_of_completion,
        CompletionStandard: via("id", "class_id"),
    },
)
def standard_filed(at: At, one: TrainingClass) -> Results:
    """Ask for the standard of the completion exam before its first day.

    Source: heilongjiang-2023-13/3.1.3/completion-standard.
    """
    examined = [
        row.examined_on
        for trainee in at.view.many(Trainee, "class_id", one.id)
        if (row := at.view.one(Completion, trainee.id)) is not None and row.examined_on
    ]
    if not at.view.known(CompletionStandard) or not at.view.known(Completion):
        names: dict[str, Register] = {
            "completion_standards": CompletionStandard,
            "completions": Completion,
        }
        lacking = [name for name, register in names.items() if not at.view.known(register)]
        yield at.missing(one, one.start_on, *lacking)
        return
    filed = [
        row.filed_on
        for row in at.view.many(CompletionStandard, "class_id", one.id)
        if row.filed_on is not None
    ]
    if not examined:
        yield at.say(
            "filed" if filed else "no_exam_yet", one, one.start_on, _days(filed, examined)
        )
        return
    first = min(examined)
    facts = _days(filed, examined)
    if not filed or min(filed) > first:
        yield at.say("not_filed" if not filed else "late", one, first, facts)
    else:
        yield at.say("same_day" if min(filed) == first else "filed", one, first, facts)


def _days(filed: list[date], examined: list[date]) -> dict[str, object]:
    return {"filed_on": min(filed, default=None), "examined_on": min(examined, default=None)}


@check("DR-47", over=TrainingClass, reads={Archive: via("id", "class_id")})
def traces_of_class(at: At, one: TrainingClass) -> Results:
    """Ask for written records, photographs and videos of a class that is over.

    Source: shanxi-2024-27/6.3/records-photos-videos.
    """
    ended = quarterly.finished(one)
    if ended is not None and ended <= at.as_of:
        yield from _traces(at, one, ended, at.view.many(Archive, "class_id", one.id))


@check("DR-47", over=ExamBatch, reads={Archive: via("id", "batch_id")})
def traces_of_batch(at: At, one: ExamBatch) -> Results:
    """Ask for written records, photographs and videos of an exam that is over.

    Source: shanxi-2024-27/6.3/records-photos-videos.
    """
    ended = one.end_on or one.start_on
    if ended <= at.as_of:
        yield from _traces(at, one, ended, at.view.many(Archive, "batch_id", one.id))


def _traces(
    at: At, one: TrainingClass | ExamBatch, on: date, archives: tuple[Archive, ...]
) -> Iterator[Result | None]:
    if not at.view.known(Archive):
        yield at.missing(one, on, "archives")
        return
    if any(row.traces is None for row in archives):
        yield at.missing(one, on, "archives.traces")
        return
    held = {trace for row in archives for trace in row.traces or ()}
    asked = [
        at.rule.words[str(word)]
        for _, told in at.parameters("media", on)
        for word in (told if isinstance(told, list) else [told])
    ]
    lacking = [trace for trace in dict.fromkeys(asked) if trace not in held]
    facts = {"lacking": lacking, "held": sorted(held)}
    yield at.say("lacking" if lacking else "complete", one, on, facts)


def _forms_of(view: View, institution: str | None) -> Iterator[QuarterlyForm]:
    if institution is not None:
        yield from view.many(QuarterlyForm, "institution_id", institution)


def _forms_of_trainee(view: View, row: Trainee) -> Iterator[QuarterlyForm]:
    """From an enrolment to the forms of the institution."""
    group = view.one(TrainingClass, row.class_id)
    yield from _forms_of(view, None if group is None else group.institution_id)


def _forms_of_candidate(view: View, row: Candidate) -> Iterator[QuarterlyForm]:
    """From a candidate to the forms of the training institution."""
    trainee = view.one(Trainee, row.trainee_id)
    if trainee is not None:
        yield from _forms_of_trainee(view, trainee)


def _forms_of_certificate(view: View, row: Certificate) -> Iterator[QuarterlyForm]:
    """From a certificate to the forms of the training institution."""
    candidate = view.one(Candidate, row.candidate_id)
    if candidate is not None:
        yield from _forms_of_candidate(view, candidate)


def _forms_of_grant(view: View, row: Payment) -> Iterator[QuarterlyForm]:
    """From a grant to the forms of the institution of its class."""
    trainee = view.one(Trainee, row.trainee_id)
    if trainee is not None:
        yield from _forms_of_trainee(view, trainee)
    group = view.one(TrainingClass, row.class_id)
    yield from _forms_of(view, None if group is None else group.institution_id)


@check("DR-38", over=QuarterlyForm)
def sent(at: At, one: QuarterlyForm) -> Results:
    """Ask for the form by the last day of the quarter, signed, with its attachments.

    Source: weihai-2023-25/6.2/quarterly-form, weihai-2023-25/annex/form-header.
    """
    last = quarter_end(one.quarter)
    term = at.deadline("quarterly_form", last)
    if term is None:
        return
    if one.sent_on is None:
        outcome = "not_sent" if at.as_of > term.due else "not_yet"
        yield at.say(outcome, one, last, {"due": term.due}, part="sent")
    else:
        facts = {"sent_on": one.sent_on, "due": term.due}
        outcome = "in_time" if one.sent_on <= term.due else "late"
        yield at.say(outcome, one, last, facts, part="sent")
    given = {
        "filled_on": one.filled_on is not None,
        "filled_by": one.filled_by is not None,
        "sealed": one.sealed,
        "telephone_given": one.telephone_given,
        "measures": one.measures,
        "experience": one.experience,
        "problems": one.problems,
    }
    empty = [name for name, held in given.items() if not held]
    yield at.say("empty_fields" if empty else "full", one, last, {"empty": empty}, part="header")


@check(
    "DR-38",
    over=QuarterlyForm,
    reads={
        TrainingClass: via("institution_id", "institution_id"),
        Trainee: _forms_of_trainee,
        Candidate: _forms_of_candidate,
        Certificate: _forms_of_certificate,
        Payment: _forms_of_grant,
    },
)
def counted(at: At, one: QuarterlyForm) -> Results:
    """Hold the form against itself, row by row, and against the filings, cell by cell.

    Source: weihai-2023-25/6.2/statistics, weihai-2023-25/annex/form-columns; K18.
    """
    last = quarter_end(one.quarter)
    if at.deadline("quarterly_form", last) is None:
        return
    for row in one.rows:
        if odd := list(_contradictions(row)):
            facts = {"occupation": row.occupation, "contradictions": odd}
            yield at.say("contradicts", one, last, facts, part=f"row/{row.occupation}")
    if missing := quarterly.unknown(at.view):
        yield at.missing(one, last, *missing, part="count")
        return
    span = quarterly.period(one.quarter, Counting(str(at.setting("quarterly_counting").value)))
    rows = quarterly.counted(at.view, one.institution_id, span, ())
    found = list(quarterly.differences(one, rows, at.rules.figures.measures))
    facts = {
        "cells": [
            f"{cell.occupation}.{cell.measure}: {cell.filed}/{cell.counted}" for cell in found
        ]
    }
    yield at.say("differs" if found else "agrees", one, last, facts, part="count")


def _contradictions(row: FormRow) -> Iterator[str]:
    """Name the measures of a row that cannot be true together."""
    if row.subsidised_classes > row.classes:
        yield "subsidised_classes > classes"
    if row.certified > row.trained:
        yield "certified > trained"
    if row.subsidised_persons > row.trained:
        yield "subsidised_persons > trained"
    if (row.amount_fen == 0) != (row.subsidised_persons == 0):
        yield "amount_fen / subsidised_persons"
