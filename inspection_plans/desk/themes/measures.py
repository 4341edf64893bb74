"""Rules about numbers of people: DR-16 the indicators, DR-25 the allocation, DR-42 the target."""

from collections.abc import Iterable, Iterator
from datetime import date
from fractions import Fraction

from inspection_plans import allocation, indicators, parameters, quarterly
from inspection_plans.desk.frame import At, Result, Results, check, everywhere, via
from inspection_plans.desk.view import View
from inspection_plans.filings import Register, registers
from inspection_plans.filings.catalogue import Target
from inspection_plans.filings.exams import Candidate, ExamBatch, Scores
from inspection_plans.filings.training import (
    Allocation,
    Attendance,
    Employment,
    Lesson,
    Trainee,
    TrainingClass,
)
from inspection_plans.filings.words import Filed

_NEEDED: dict[str, tuple[Register, ...]] = {
    "attendance": (Trainee, Lesson, Attendance),
    "employment_startup": (Trainee, Employment),
}


def _class_of_trainee(view: View, row: Attendance | Employment) -> Iterator[TrainingClass]:
    """From a row about one trainee to the class."""
    trainee = view.one(Trainee, row.trainee_id)
    group = None if trainee is None else view.one(TrainingClass, trainee.class_id)
    if group is not None:
        yield group


def _batch_of_scores(view: View, row: Scores) -> Iterator[ExamBatch]:
    """From a candidate's scores to the batch."""
    candidate = view.one(Candidate, row.candidate_id)
    batch = None if candidate is None else view.one(ExamBatch, candidate.batch_id)
    if batch is not None:
        yield batch


@check(
    "DR-16",
    over=TrainingClass,
    reads={
        Trainee: via("id", "class_id"),
        Lesson: via("id", "class_id"),
        Attendance: _class_of_trainee,
        Employment: _class_of_trainee,
    },
)
def of_class(at: At, one: TrainingClass) -> Results:
    """Count attendance, and who found work or started up, each person once.

    Source: national-2021-71/6.2/evaluation-mechanism.
    """
    trainees = at.view.many(Trainee, "class_id", one.id)
    for part, needed in _NEEDED.items():
        lacking = [registers()[register] for register in needed if not at.view.known(register)]
        if lacking:
            yield at.missing(one, at.as_of, *lacking, part=part)
            continue
        counts = _attended(at, one, trainees) if part == "attendance" else _working(at, trainees)
        yield _told(at, one, at.as_of, part, counts)


def _attended(at: At, one: TrainingClass, trainees: Iterable[Trainee]) -> tuple[int, int]:
    """Count person-lessons attended and due; a lesson that was not held is due to nobody."""
    held = frozenset(
        lesson.id
        for lesson in at.view.many(Lesson, "class_id", one.id)
        if lesson.delivered_minutes != 0
    )
    attended = due = 0
    for trainee in trainees:
        row = at.view.one(Attendance, trainee.id)
        own = held if row is None or row.due is None else held.intersection(row.due)
        due += len(own)
        attended += 0 if row is None else len(own.intersection(row.attended))
    return attended, due


def _working(at: At, trainees: Iterable[Trainee]) -> tuple[int, int]:
    persons = {one.person for one in trainees}
    found = {one.person for one in trainees if at.view.many(Employment, "trainee_id", one.id)}
    return len(found), len(persons)


@check(
    "DR-16",
    over=ExamBatch,
    reads={Candidate: via("id", "batch_id"), Scores: _batch_of_scores},
)
def of_batch(at: At, one: ExamBatch) -> Results:
    """Count who sat and who passed both examinations.

    Source: national-2021-71/6.2/evaluation-mechanism, national-2021-71/3.6/pass-score.
    """
    on = one.end_on or one.start_on
    needed: tuple[Register, ...] = (Candidate, Scores)
    lacking = [registers()[register] for register in needed if not at.view.known(register)]
    if lacking:
        yield at.missing(one, on, *lacking, part="pass_rate")
        return
    found = [at.view.one(Scores, row.id) for row in at.view.many(Candidate, "batch_id", one.id)]
    sat = [row for row in found if row is not None and (row.theory or row.ability) is not None]
    scored = parameters.giving(at.rules.in_force(at.jurisdiction, on), "pass_score", "combine")
    passed = sum(indicators.passed(scored, theory=row.theory, ability=row.ability) for row in sat)
    yield _told(at, one, on, "pass_rate", (passed, len(sat)))


def _told(at: At, one: Filed, on: date, name: str, counts: tuple[int, int]) -> Result | None:
    meant = at.rules.figures.indicators[name]
    found = indicators.share(*counts)
    facts: dict[str, object] = {
        "zh": meant.zh,
        "en": meant.en,
        "numerator": found.numerator,
        "denominator": found.denominator,
        "value": found.value,
    }
    least = at.setting(f"{name}_threshold").value
    if found.value is None:
        facts["missing"] = [meant.denominator.field]
        return at.say("nobody", one, on, facts, part=name)
    if least is None:
        return at.say("shown", one, on, facts, part=name)
    reached = parameters.at_least(*counts, Fraction(str(least)), inclusive=True)
    facts["threshold"] = least
    return at.say("reached" if reached else "below", one, on, facts, part=name)


def _same_plan(view: View, row: Allocation | TrainingClass) -> Iterator[TrainingClass]:
    """From a plan or a class to the classes of the institution."""
    yield from view.many(TrainingClass, "institution_id", row.institution_id)


def _same_plan_of_trainee(view: View, row: Trainee) -> Iterator[TrainingClass]:
    """From an enrolment to the classes of the institution."""
    group = view.one(TrainingClass, row.class_id)
    if group is not None:
        yield from _same_plan(view, group)


@check(
    "DR-25",
    over=TrainingClass,
    reads={
        TrainingClass: _same_plan,
        Allocation: _same_plan,
        Trainee: _same_plan_of_trainee,
    },
)
def within_plan(at: At, one: TrainingClass) -> Results:
    """Compare everybody enrolled with the plan; a line of the notice goes before a filed one.

    Source: shanxi-2024-27/4.1/annual-plan-based, shanxi-2024-27/annex.
    """
    year = one.start_on.year
    if not at.view.known(Trainee):
        yield at.missing(one, one.start_on, "trainees")
        return
    classes = [
        group
        for group in at.view.many(TrainingClass, "institution_id", one.institution_id)
        if (group.occupation, group.start_on.year) == (one.occupation, year)
    ]
    enrolled = sum(len(at.view.many(Trainee, "class_id", group.id)) for group in classes)
    planned = _planned(at, one)
    facts = {
        "year": year,
        "occupation": one.occupation,
        "classes": len(classes),
        "enrolled": enrolled,
        "planned": planned,
    }
    outcome = "no_line" if planned is None else "within" if enrolled <= planned else "over"
    yield at.say(outcome, one, one.start_on, facts)


def _planned(at: At, one: TrainingClass) -> int | None:
    year = one.start_on.year
    printed = allocation.table(at.in_force(one.start_on), year)
    row = printed.row(one.institution_id, one.occupation)
    if row is not None:
        return row.persons
    filed = [
        plan.persons
        for plan in at.view.many(Allocation, "institution_id", one.institution_id)
        if (plan.occupation, plan.year) == (one.occupation, year)
    ]
    return sum(filed) if filed else None


@check("DR-25", over=Allocation, reads={Allocation: via("year", "year")})
def adds_up(at: At, one: Allocation) -> Results:
    """Hold the filed table of a year against what the notice says it comes to; told once a year.

    Source: shanxi-2024-27/annex/allocation-total.
    """
    same = at.view.many(Allocation, "year", one.year)
    if one is not same[0]:
        return
    printed = allocation.table(at.in_force(at.as_of), one.year)
    total = sum(row.persons for row in same)
    for stated in printed.totals:
        facts = {"year": one.year, "total": total, "stated": stated.persons}
        outcome = "adds_up" if total == stated.persons else "other_total"
        yield at.say(outcome, one, at.as_of, facts, clauses=[stated.clause], part="total")


@check("DR-42", over=Target, reads={TrainingClass: everywhere, Trainee: everywhere})
def progress(at: At, one: Target) -> Results:
    """Show the year's trained beside the number the place's own paper names, which is about.

    Source: national-2021-71/1/annual-target, shandong-2022-156/1/annual-target,
    shanxi-2024-27/2/annual-target.
    """
    own = [
        clause
        for clause in parameters.giving(at.in_force(at.as_of), "annual_target", "persons_per_year")
        if at.rules.library.packs[clause.pack].jurisdiction == at.jurisdiction
        and _in_years(
            clause.parameters.get("from_year"), clause.parameters.get("to_year"), one.year
        )
    ]
    if not own:
        yield at.say("no_target", one, at.as_of, {"year": one.year})
        return
    trained = _trained(at.view, one)
    if trained is None:
        yield at.missing(one, at.as_of, "targets.trained")
        return
    for clause in own:
        wanted = parameters.whole(clause, "persons_per_year")
        facts = {"year": one.year, "trained": trained, "target": wanted}
        outcome = "reached" if trained >= wanted else "under_way"
        yield at.say(outcome, one, at.as_of, facts, clauses=[clause.id])


def _in_years(first: object, last: object, year: int) -> bool:
    after = not isinstance(first, int) or first <= year
    return after and (not isinstance(last, int) or year <= last)


def _trained(view: View, one: Target) -> int | None:
    """Return what is known from elsewhere, else who is enrolled in classes finished that year."""
    if one.trained is not None:
        return one.trained
    if not view.known(TrainingClass) or not view.known(Trainee):
        return None
    return sum(
        len(view.many(Trainee, "class_id", group.id))
        for group in view.all(TrainingClass)
        if (ended := quarterly.finished(group)) is not None and ended.year == one.year
    )
