"""Rules about reports and their terms: DR-08 to DR-11."""

from collections.abc import Iterable, Mapping
from datetime import date

from inspection_plans.deadlines import Deadline, in_time
from inspection_plans.desk.frame import At, Result, Results, check, via
from inspection_plans.desk.ways import (
    batch_of,
    certificates_of_batch,
    certificates_of_candidate,
    certificates_of_report,
)
from inspection_plans.filings.exams import Candidate, Certificate, CertificateReport, ExamBatch
from inspection_plans.filings.training import ListReport, TrainingClass
from inspection_plans.vocabulary import ClauseId


@check("DR-08", over=TrainingClass, reads={ListReport: via("id", "class_id")})
def list_reported(at: At, one: TrainingClass) -> Results:
    """Every recipient is to be served by the day due, counted from the event of the paper.

    Source: shandong-2022-156/4.2/trainee-list-30d, heilongjiang-2023-13/3.1.3/trainee-list-15d.
    """
    probe = one.completed_on or one.ended_on or one.end_on or one.start_on
    events = {str(event) for _, event in at.parameters("trigger_event", probe)}
    fields = sorted(at.rule.words[event] for event in events & at.rule.words.keys())
    if not fields:
        return
    days = {name: getattr(one, name) for name in fields}
    known = [day for day in days.values() if day is not None]
    if not known or len(known) < len(days):
        yield _not_ended(at, one, probe, [name for name in fields if days[name] is None])
        return
    trigger = min(known)
    if trigger > at.as_of:
        yield at.say("running", one, trigger)
        return
    term = at.deadline("trainee_list_report", trigger)
    if term is None:
        return
    if not at.view.known(ListReport):
        yield at.missing(one, trigger, "list_reports")
    else:
        yield _list(at, one, trigger, term)


def _not_ended(at: At, one: TrainingClass, on: date, fields: Iterable[str]) -> Result | None:
    if one.end_on is not None and at.as_of <= one.end_on:
        return at.say("running", one, on)
    return at.missing(one, on, *(f"classes.{name}" for name in fields))


def _list(at: At, one: TrainingClass, trigger: date, term: Deadline) -> Result | None:
    served: dict[str, date] = {}
    for row in at.view.many(ListReport, "class_id", one.id):
        served[row.recipient] = min(row.reported_on, served.get(row.recipient, row.reported_on))
    inputs: dict[str, object] = {"trigger": trigger, "due": term.due, "reported": served}
    if term.provisional:
        inputs["provisional"] = True
    unserved = [name for name in term.recipients if not in_time(term.due, [name], served)]
    if not unserved:
        inputs["reported_on"] = max(served[name] for name in term.recipients)
        return at.say("in_time", one, trigger, inputs)
    late = at.as_of > term.due or any(name in served for name in unserved)
    inputs["recipients"] = unserved
    return at.say("late" if late else "awaited", one, trigger, inputs)


@check("DR-09", over=ExamBatch, reads={CertificateReport: via("id", "batch_id")})
def certificates_reported(at: At, one: ExamBatch) -> Results:
    """Judge each paper's own limit and cite only those passed.

    Source: national-2021-71/4.6.3/certificate-data-1-month,
    shandong-2022-156/4.3/certificate-data-30d.
    """
    if one.end_on is None:
        if at.as_of <= one.start_on:
            yield at.say("running", one, one.start_on)
        else:
            yield at.missing(one, one.start_on, "exam_batches.end_on")
        return
    if one.end_on >= at.as_of:
        yield at.say("running", one, one.end_on)
        return
    if not at.view.known(CertificateReport):
        yield at.missing(one, one.end_on, "certificate_reports")
        return
    term = at.deadline("certificate_data_report", one.end_on)
    rows = at.view.many(CertificateReport, "batch_id", one.id)
    days = [row.reported_on for row in rows if row.reported_on is not None]
    if term is not None:
        yield _timely(at, one, one.end_on, term, min(days, default=None), {"end_on": one.end_on})


def _timely(
    at: At,
    one: ExamBatch | CertificateReport,
    trigger: date,
    term: Deadline,
    done: date | None,
    inputs: Mapping[str, object],
    name: str = "reported_on",
) -> Result | None:
    """Compare an act, or its absence until today, with the limit of each paper."""
    upto = at.as_of if done is None else done
    passed = {each.clause: each.due for each in term.each if upto > each.due}
    said = {**inputs, "due": term.due, name: done, "as_of": at.as_of}
    said["passed"] = sorted({day.isoformat() for day in passed.values()})
    cited: tuple[ClauseId, ...] | None = None
    if passed:
        cited = tuple(clause for clause in at.clauses(trigger) if clause in passed)
        return at.say("lacking" if done is None else "late", one, trigger, said, clauses=cited)
    return at.say("awaited" if done is None else "in_time", one, trigger, said)


@check("DR-10", over=CertificateReport)
def handled_by_province(at: At, one: CertificateReport) -> Results:
    """Judge where a paper gives the province a term: working days in one, days in another.

    Source: shandong-2022-156/4.3/province-10wd, shanxi-2024-27/4.3/province-10d.
    """
    if one.received_on is None:
        on = one.reported_on or at.as_of
        if at.deadline("province_confirmation", on) is not None:
            yield at.missing(one, on, "certificate_reports.received_on")
        return
    term = at.deadline("province_confirmation", one.received_on)
    if term is not None:
        inputs = {"received_on": one.received_on}
        done = one.reported_up_on
        yield _timely(at, one, one.received_on, term, done, inputs, "reported_up_on")


@check(
    "DR-11",
    over=Certificate,
    reads={
        Candidate: certificates_of_candidate,
        ExamBatch: certificates_of_batch,
        CertificateReport: certificates_of_report,
    },
)
def issued_in_order(at: At, one: Certificate) -> Results:
    """The audit comes before the issue; how long after is asked only where a paper says so.

    Source: national-2021-71/4.6.3/office-audit-online, shandong-2022-156/4.3/issue-30d.
    """
    batch = batch_of(at.view, one)
    rows = () if batch is None else at.view.many(CertificateReport, "batch_id", batch.id)
    audits = [row.audit_passed_on for row in rows if row.audit_passed_on is not None]
    if not audits:
        yield at.missing(one, one.issued_on, "certificate_reports.audit_passed_on")
        return
    audit = min(audits)
    inputs: dict[str, object] = {"audit_passed_on": audit, "issued_on": one.issued_on}
    local = at.clauses(audit, "certificate_issue")
    if one.issued_on < audit:
        outcome = "before_audit" if local else "order_unusual"
        yield at.say(outcome, one, audit, inputs, clauses=local or None)
        return
    term = at.deadline("certificate_issue", audit)
    if term is None:
        yield at.say("in_order", one, audit, inputs)
        return
    inputs["due"] = term.due
    if one.issued_on <= term.due:
        yield at.say("in_time", one, audit, inputs)
    else:
        cited = [each.clause for each in term.each if one.issued_on > each.due]
        yield at.say("late", one, audit, inputs, clauses=cited)
