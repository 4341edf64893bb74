"""Rules about one class: DR-06 and DR-07 papers before it, DR-14 and DR-15 its lessons."""

from datetime import date
from fractions import Fraction
from typing import Literal

from inspection_plans.desk.frame import At, Result, Results, check, via
from inspection_plans.desk.ways import lies_in
from inspection_plans.filings.training import ClassApproval, Lesson, PlanFiling, TrainingClass

OF_CLASS = via("id", "class_id")
_CONCEPTS: tuple[tuple[Literal["training", "exam"], str], ...] = (
    ("training", "plan_filing"),
    ("exam", "exam_plan_filing"),
)


@check("DR-06", over=TrainingClass, reads={PlanFiling: OF_CLASS})
def plans_filed(at: At, one: TrainingClass) -> Results:
    """Both plans are filed with every recipient the papers name, not later than the first day.

    Source: shandong-2022-156/4.1/training-plan-filing, weihai-2023-25/4.1/exam-plan-filing.
    """
    for kind, concept in _CONCEPTS:
        cited = at.clauses(one.start_on, concept)
        named = [names for _, names in at.parameters("recipient", one.start_on, concept)]
        wanted = {str(name) for names in named if isinstance(names, list) for name in names}
        if not wanted:
            continue
        if not at.view.known(PlanFiling):
            yield at.missing(one, one.start_on, "plan_filings", clauses=cited, part=kind)
            continue
        served: dict[str, date] = {}
        for row in at.view.many(PlanFiling, "class_id", one.id):
            if row.kind == kind:
                served[row.recipient] = min(row.filed_on, served.get(row.recipient, row.filed_on))
        inputs: dict[str, object] = {"kind": kind, "start_on": one.start_on, "filed": served}
        if lacking := sorted(wanted - served.keys()):
            outcome = "lacking" if one.start_on <= at.as_of else "awaited"
            inputs["recipients"] = lacking
        else:
            last = inputs["filed_on"] = max(served[name] for name in wanted)
            outcome = "filed" if last <= one.start_on else "late"
        yield at.say(outcome, one, one.start_on, inputs, clauses=cited, part=kind)


@check("DR-07", over=TrainingClass, reads={ClassApproval: OF_CLASS})
def approved_locally(at: At, one: TrainingClass) -> Results:
    """A class held in the city is approved by its first day; held elsewhere it is not asked.

    Source: weihai-2023-25/4.1/local-class-approval.
    """
    on = one.start_on
    places = {at.rules.library.packs[clause.pack].jurisdiction for clause in at.in_force(on)}
    if not any(lies_in(one.venue_region, place) for place in places):
        yield at.say("elsewhere", one, on, {"venue_region": one.venue_region})
    elif not at.view.known(ClassApproval):
        yield at.missing(one, on, "class_approvals")
    else:
        yield _approval(at, one)


def _approval(at: At, one: TrainingClass) -> Result | None:
    rows = at.view.many(ClassApproval, "class_id", one.id)
    approved = [row.decided_on for row in rows if row.status == "approved"]
    days = [day for day in approved if day is not None]
    inputs: dict[str, object] = {"start_on": one.start_on}
    if days:
        inputs["decided_on"] = min(days)
        outcome = "approved" if min(days) <= one.start_on else "late"
    elif approved:
        return at.missing(one, one.start_on, "class_approvals.decided_on")
    elif one.start_on > at.as_of:
        outcome = "awaited"
    else:
        outcome = "refused" if any(row.status == "refused" for row in rows) else "lacking"
    return at.say(outcome, one, one.start_on, inputs)


@check("DR-14", over=TrainingClass, reads={Lesson: OF_CLASS})
def offline_share(at: At, one: TrainingClass) -> Results:
    """Compare whole minutes given, without rounding.

    Source: heilongjiang-2023-13/3.1.3/offline-60.
    """
    on = one.start_on
    given = [(row.mode, row.delivered_minutes) for row in at.view.many(Lesson, "class_id", one.id)]
    shares = [str(value) for _, value in at.parameters("ratio_min", on)]
    if not shares:
        return
    if not given:
        yield at.missing(one, on, "lessons")
        return
    if any(minutes is None for _, minutes in given):
        yield at.missing(one, on, "lessons.delivered_minutes")
        return
    total = sum(minutes or 0 for _, minutes in given)
    offline = sum(minutes or 0 for mode, minutes in given if mode == "offline")
    share = max(shares, key=Fraction)
    wanted = Fraction(share)
    inputs = {"offline": offline, "total": total, "share": share}
    ended = one.ended_on or one.completed_on
    if not total:
        yield at.missing(one, on, "lessons.delivered_minutes")
    elif offline * wanted.denominator >= wanted.numerator * total:
        yield at.say("enough", one, on, inputs)
    else:
        over = ended is not None and ended <= at.as_of
        yield at.say("short" if over else "short_so_far", one, on, inputs)


@check("DR-15", over=TrainingClass, reads={Lesson: OF_CLASS})
def both_modes_and_kinds(at: At, one: TrainingClass) -> Results:
    """Ask when a mode or a kind of lesson is not in the timetable at all.

    Source: national-2021-71/3.4/training-hours-content.
    """
    rows = at.view.many(Lesson, "class_id", one.id)
    if not rows:
        yield at.missing(one, one.start_on, "lessons")
        return
    held = [row for row in rows if row.delivered_minutes != 0]
    found = {row.mode for row in held} | {row.kind for row in held}
    lacking = [word for word in ("offline", "online", "theory", "practice") if word not in found]
    outcome = "one_sided" if lacking else "all_four"
    yield at.say(outcome, one, one.start_on, {"lacking": lacking})
