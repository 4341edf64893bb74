"""Rules about the catalogues: DR-01 to DR-03 listing and scope, DR-04 publicity, DR-05 papers."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Literal

from inspection_plans.deadlines import year_end
from inspection_plans.desk.frame import At, Result, Results, check, via
from inspection_plans.desk.view import View
from inspection_plans.desk.ways import (
    batch_of,
    certificates_of_batch,
    certificates_of_candidate,
)
from inspection_plans.filings.catalogue import (
    AnnualFiling,
    CatalogueEntry,
    Institution,
    OccupationListed,
    Publicity,
    Scope,
)
from inspection_plans.filings.exams import Candidate, Certificate, ExamBatch
from inspection_plans.filings.training import TrainingClass
from inspection_plans.filings.words import Side, within

_DAY = timedelta(days=1)
OF_INSTITUTION = via("institution_id", "institution_id")


@check("DR-01", over=TrainingClass, reads={CatalogueEntry: OF_INSTITUTION})
def class_listed(at: At, one: TrainingClass) -> Results:
    """Judge by the catalogue of the days of the class.

    Source: national-2021-71/4.6/validity-3y, national-2021-71/6.3/outside-catalogue.
    """
    yield _listed(at, one, "training", one.ended_on or one.end_on)


@check("DR-01", over=ExamBatch, reads={CatalogueEntry: OF_INSTITUTION})
def batch_listed(at: At, one: ExamBatch) -> Results:
    """Judge by the catalogue of the days of the exam.

    Source: national-2021-71/4.6/validity-3y, national-2021-71/6.3/outside-catalogue.
    """
    yield _listed(at, one, "evaluation", one.end_on)


def _listed(
    at: At, one: TrainingClass | ExamBatch, side: Side, last: date | None
) -> Result | None:
    start = one.start_on
    cited = at.clauses(start, side=side)
    if not at.view.known(CatalogueEntry):
        return at.missing(one, start, "catalogue_entries", clauses=cited)
    entries = _entries(at.view, one.institution_id, side)
    inputs: dict[str, object] = {"institution": one.institution_id, "start_on": start}
    until = _listed_until(entries, start)
    if until is None:
        past = [row.valid_until for row in entries if row.valid_until < start]
        inputs |= {"listed_until": max(past)} if past else {}
        return at.say("lapsed" if past else "not_listed", one, start, inputs, clauses=cited)
    inputs |= {"end_on": last, "listed_until": until}
    if last is None:
        return at.missing(one, start, "end_on", clauses=cited)
    return at.say("listed" if last <= until else "straddles", one, start, inputs, clauses=cited)


def _entries(view: View, institution: str, side: Side) -> list[CatalogueEntry]:
    found = view.many(CatalogueEntry, "institution_id", institution)
    return [row for row in found if row.side == side]


def _listed_until(entries: list[CatalogueEntry], start: date) -> date | None:
    """Return the last day up to which entries follow each other without a gap from ``start``."""
    until = None
    day = start
    while ends := [
        row.valid_until for row in entries if within(row.valid_from, row.valid_until, day)
    ]:
        until = max(ends)
        if until == date.max:
            break
        day = until + _DAY
    return until


@check(
    "DR-02",
    over=TrainingClass,
    reads={CatalogueEntry: OF_INSTITUTION, OccupationListed: via("occupation")},
)
def class_in_scope(at: At, one: TrainingClass) -> Results:
    """Compare a class with the scope listed on its first day.

    Source: national-2021-71/3.1/three-levels, national-2021-71/6.3/outside-catalogue.
    """
    yield _in_scope(at, one, "training", one.start_on)


@check(
    "DR-02",
    over=ExamBatch,
    reads={CatalogueEntry: OF_INSTITUTION, OccupationListed: via("occupation")},
)
def batch_in_scope(at: At, one: ExamBatch) -> Results:
    """Compare an exam with the scope listed on its first day.

    Source: national-2021-71/3.1/three-levels, national-2021-71/6.3/outside-catalogue.
    """
    yield _in_scope(at, one, "evaluation", one.start_on)


@check(
    "DR-02",
    over=Certificate,
    reads={
        CatalogueEntry: OF_INSTITUTION,
        OccupationListed: via("occupation"),
        Candidate: certificates_of_candidate,
        ExamBatch: certificates_of_batch,
    },
)
def certificate_in_scope(at: At, one: Certificate) -> Results:
    """Compare a certificate with the scope its issuer had on the day of the exam.

    Source: national-2021-71/3.1/three-levels, national-2021-71/6.3/outside-catalogue.
    """
    batch = batch_of(at.view, one)
    if batch is None:
        yield at.missing(one, one.issued_on, "exam_batches.start_on")
    else:
        yield _in_scope(at, one, "evaluation", batch.start_on)


def _in_scope(
    at: At, one: TrainingClass | ExamBatch | Certificate, side: Side, on: date
) -> Result | None:
    entries = _entries(at.view, one.institution_id, side)
    valid = [row for row in entries if within(row.valid_from, row.valid_until, on)]
    cited = at.clauses(on, side=side)
    if not valid:
        return at.missing(one, on, "catalogue_entries", clauses=cited)
    rows = [scope for row in valid for scope in row.scope if scope.occupation == one.occupation]
    outcome = _outside(rows, one.level, one.direction) or _occupation(at, one.occupation, on)
    if outcome in _LACKING:
        return at.missing(one, on, _LACKING[outcome], clauses=cited)
    inputs = {
        "institution": one.institution_id,
        "occupation": one.occupation,
        "direction": one.direction,
        "level": one.level,
    }
    return at.say(outcome, one, on, inputs, clauses=cited)


_LACKING: Mapping[str, str] = {
    "no_direction": "direction",
    "no_occupations": "occupations",
    "no_fields": "occupations.in_fields",
}


def _outside(rows: list[Scope], level: str, direction: str | None) -> str | None:
    if not rows:
        return "occupation_outside"
    rows = [row for row in rows if level in row.levels]
    if not rows:
        return "level_outside"
    if any(not row.directions or direction in row.directions for row in rows):
        return None
    return "no_direction" if direction is None else "direction_outside"


def _occupation(at: At, occupation: str, on: date) -> str:
    if not at.view.known(OccupationListed):
        return "no_occupations"
    listed = at.view.one(OccupationListed, occupation)
    if listed is None or not within(listed.valid_from or date.min, listed.valid_until, on):
        return "occupation_unknown"
    if listed.in_fields is None:
        return "no_fields"
    return "in_scope" if listed.in_fields else "outside_fields"


@check("DR-03", over=CatalogueEntry, reads={CatalogueEntry: OF_INSTITUTION})
def expiring(at: At, one: CatalogueEntry) -> Results:
    """Warn before an entry ends that nothing follows.

    Source: national-2021-71/4.6/validity-3y; the days of warning are a setting.
    """
    sisters = _entries(at.view, one.institution_id, one.side)
    later = [row.valid_until for row in sisters if row.valid_until > one.valid_until]
    inputs: dict[str, object] = {
        "valid_until": one.valid_until,
        "days_left": (one.valid_until - at.as_of).days,
        "warning_days": at.number("expiry_warning_days"),
    }
    if later:
        yield at.say("renewed", one, at.as_of, inputs | {"renewed_until": max(later)})
    elif one.valid_until < at.as_of:
        yield at.say("expired", one, at.as_of, inputs)
    else:
        soon = (one.valid_until - at.as_of).days <= at.number("expiry_warning_days")
        yield at.say("expiring" if soon else "valid", one, at.as_of, inputs)


@check("DR-04", over=Publicity)
def shown_long_enough(at: At, one: Publicity) -> Results:
    """Compare the day of publication with the last working day of the publicity.

    Source: national-2021-71/4.5/publicity-15wd.
    """
    period = at.deadline("publicity_period", one.started_on)
    if period is None:
        return
    inputs = {
        "started_on": one.started_on,
        "until": period.due,
        "published_on": one.published_on,
    }
    if one.published_on is None:
        yield at.say("unpublished", one, one.started_on, inputs)
    else:
        outcome = "full" if one.published_on > period.due else "early"
        yield at.say(outcome, one, one.started_on, inputs)


@check(
    "DR-05",
    over=Institution,
    reads={CatalogueEntry: via("id", "institution_id"), AnnualFiling: via("id", "institution_id")},
)
def yearly_papers(at: At, one: Institution) -> Results:
    """Ask for a plan and a summary of every year in which the institution was listed.

    Source: national-2021-71/4.6.1/annual-plan, national-2021-71/4.6.1/annual-summary.
    """
    if lacking := at.lacking(CatalogueEntry, AnnualFiling):
        yield at.missing(one, at.as_of, *lacking)
        return
    filed = at.view.many(AnnualFiling, "institution_id", one.id)
    for year in _years(at, one.id):
        for kind in ("plan", "summary"):
            days = [row.filed_on for row in filed if row.year == year and row.kind == kind]
            yield _paper(at, one, year, kind, min(days, default=None))


def _years(at: At, institution: str) -> Iterator[int]:
    entries = at.view.many(CatalogueEntry, "institution_id", institution)
    years = {
        year
        for row in entries
        for year in range(row.valid_from.year, min(row.valid_until, at.as_of).year + 1)
        if row.valid_from <= at.as_of
    }
    yield from sorted(years)


def _paper(
    at: At, one: Institution, year: int, kind: Literal["plan", "summary"], filed_on: date | None
) -> Result | None:
    end = year_end(year)
    on = min(end, at.as_of)
    inputs: dict[str, Any] = {"year": year, "filed_on": filed_on}
    due = end
    if kind == "summary":
        term = at.deadline("annual_summary", end, on=on)
        if term is None:
            return None
        due = inputs["due"] = term.due
    if filed_on is not None:
        outcome = "filed" if filed_on <= due else "late"
    else:
        outcome = "awaited" if at.as_of <= due else "lacking"
    cited = at.clauses(on, f"annual_{kind}")
    part = f"{year}/{kind}"
    return at.say(f"{kind}_{outcome}", one, on, inputs, clauses=cited, part=part)
