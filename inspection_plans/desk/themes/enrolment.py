"""Rules about how a class finds its trainees: DR-31 prospectus, DR-32 announcement."""

from collections.abc import Iterable, Sequence
from datetime import date

from inspection_plans.desk.frame import At, Result, Results, check, via
from inspection_plans.filings.training import EnrolmentNotice, TrainingClass


@check("DR-31", over=TrainingClass, reads={EnrolmentNotice: via("id", "class_id")})
def prospectus(at: At, one: TrainingClass) -> Results:
    """One notice states every item the paper asks for, before enrolment opens.

    Source: heilongjiang-2023-13/3.1.2/prospectus.
    """
    named = [names for _, names in at.parameters("required_items", one.start_on)]
    items = {str(name) for names in named if isinstance(names, list) for name in names}
    fields = {name: at.rule.words[name] for name in sorted(items & at.rule.words.keys())}
    if not fields:
        return
    rows = _notices(at, one)
    if not rows:
        yield _without(at, one)
        return
    lacks = {
        row.id: [name for name, field in fields.items() if not (getattr(row, field) or "").strip()]
        for row in rows
    }
    complete = [row for row in rows if not lacks[row.id]]
    if complete:
        yield _published(at, one, complete, "complete")
    else:
        fewest = min(rows, key=lambda row: (len(lacks[row.id]), row.id))
        inputs = {"items": lacks[fewest.id], "notice": fewest.id}
        yield at.say("incomplete", one, one.start_on, inputs)


@check("DR-32", over=TrainingClass, reads={EnrolmentNotice: via("id", "class_id")})
def announced(at: At, one: TrainingClass) -> Results:
    """An announcement is public when enrolment opens.

    Source: shandong-2022-156/4.2/announcement, heilongjiang-2023-13/3.1.2/prospectus.
    """
    rows = _notices(at, one)
    yield _published(at, one, rows, "announced") if rows else _without(at, one)


def _notices(at: At, one: TrainingClass) -> tuple[EnrolmentNotice, ...]:
    return at.view.many(EnrolmentNotice, "class_id", one.id)


def _without(at: At, one: TrainingClass) -> Result | None:
    if not at.view.known(EnrolmentNotice):
        return at.missing(one, one.start_on, "enrolment_notices")
    outcome = "lacking" if one.start_on <= at.as_of else "awaited"
    return at.say(outcome, one, one.start_on, {"start_on": one.start_on})


def _published(
    at: At, one: TrainingClass, rows: Sequence[EnrolmentNotice], good: str
) -> Result | None:
    """Compare the first publication with the first opening of enrolment."""
    published = _first(row.published_on for row in rows)
    opens = _first(row.opens_on for row in _notices(at, one))
    days = {
        "enrolment_notices.published_on": published,
        "enrolment_notices.opens_on": opens,
    }
    if published is None or opens is None:
        unknown = [name for name, day in days.items() if day is None]
        return at.missing(one, one.start_on, *unknown)
    inputs = {"published_on": published, "opens_on": opens}
    return at.say(good if published <= opens else "late", one, one.start_on, inputs)


def _first(days: Iterable[date | None]) -> date | None:
    return min((day for day in days if day is not None), default=None)
