"""Rules about the people trained: DR-13 completion, DR-17 to DR-19 who may be a trainee."""

from collections.abc import Iterator
from datetime import date

from inspection_plans.desk.frame import At, Result, Results, check, via
from inspection_plans.desk.ways import (
    completions_of_class,
    completions_of_lesson,
    completions_under,
    lies_in,
    standard_of,
)
from inspection_plans.filings.catalogue import Standard
from inspection_plans.filings.training import (
    Attendance,
    Completion,
    Lesson,
    Trainee,
    TrainingClass,
)
from inspection_plans.vocabulary import ClauseId

GROUNDS = ("matching_graduate", "practitioner", "willing")


@check("DR-13", over=Completion)
def exam_passed(at: At, one: Completion) -> Results:
    """A training certificate says that the completion exam was passed.

    Source: national-2021-71/3.4/completion-exam, national-2021-71/3.4/training-certificate.
    """
    on = one.certified_on or one.examined_on or at.as_of
    cited = _cited(at, on, "completion_exam")
    if one.certificate is None:
        yield at.say("none", one, on, clauses=cited, part="exam")
    elif one.passed is None:
        yield at.missing(one, on, "completions.passed", clauses=cited, part="exam")
    else:
        outcome = "passed" if one.passed else "failed"
        yield at.say(outcome, one, on, clauses=cited, part="exam")


@check(
    "DR-13",
    over=Completion,
    reads={
        Trainee: via("trainee_id"),
        Attendance: via("trainee_id"),
        TrainingClass: completions_of_class,
        Lesson: completions_of_lesson,
        Standard: completions_under,
    },
)
def minutes_attended(at: At, one: Completion) -> Results:
    """Compare what was attended with what the standard asks, in delivered minutes.

    Source: national-2021-71/3.4/training-hours-content.
    """
    on = one.certified_on or one.examined_on or at.as_of
    cited = _cited(at, on, "training_hours_content")
    trainee = at.view.one(Trainee, one.trainee_id)
    if one.certificate is None:
        yield at.say("none", one, on, clauses=cited, part="minutes")
    elif trainee is None:
        yield at.missing(one, on, "trainees", clauses=cited, part="minutes")
    else:
        attended, lacking = _attended(at, trainee)
        required, unknown = _required(at, trainee)
        if lacking := lacking + unknown:
            yield at.missing(one, on, *lacking, clauses=cited, part="minutes")
        else:
            inputs = {"attended": attended, "required": required}
            outcome = "attended" if attended >= required else "short"
            yield at.say(outcome, one, on, inputs, clauses=cited, part="minutes")


def _cited(at: At, on: date, concept: str) -> tuple[ClauseId, ...]:
    return (*at.clauses(on, concept), *at.clauses(on, "training_certificate"))


def _attended(at: At, trainee: Trainee) -> tuple[int, list[str]]:
    """Add up the delivered minutes of the lessons of the class that were attended."""
    row = at.view.one(Attendance, trainee.id)
    if row is None:
        return 0, ["attendance"]
    total = 0
    for key in set(row.attended):
        lesson = at.view.one(Lesson, key)
        if lesson is None or lesson.class_id != trainee.class_id:
            return 0, ["lessons"]
        if lesson.delivered_minutes is None:
            return 0, ["lessons.delivered_minutes"]
        total += lesson.delivered_minutes
    return total, []


def _required(at: At, trainee: Trainee) -> tuple[int, list[str]]:
    group = at.view.one(TrainingClass, trainee.class_id)
    if group is None:
        return 0, ["classes"]
    standard = standard_of(at.view, group, group.start_on)
    if standard is None:
        return 0, ["standards"]
    if standard.minutes_min is None:
        return 0, ["standards.minutes_min"]
    return standard.minutes_min, []


@check("DR-17", over=Trainee, reads={TrainingClass: via("class_id")})
def retired(at: At, one: Trainee) -> Results:
    """Judge a filed day of retirement, never an age.

    Source: shandong-2022-156/2/retired-excluded.
    """
    group = at.view.one(TrainingClass, one.class_id)
    if group is None:
        yield at.missing(one, one.enrolled_on, "classes")
    elif one.retired_on is None:
        if one.retired is False:
            yield at.say("working", one, group.start_on)
        else:
            yield at.missing(one, group.start_on, "trainees.retired_on")
    else:
        days = {"retired_on": one.retired_on, "start_on": group.start_on}
        outcome = "retired" if one.retired_on <= group.start_on else "later"
        yield at.say(outcome, one, group.start_on, days)


@check("DR-18", over=Trainee)
def recent_graduate(at: At, one: Trainee) -> Results:
    """Ask, never find: the notice says two things about people at work.

    Source: shanxi-2024-27/3/eligible-trainees.
    """
    on = one.enrolled_on
    if one.ground in ("matching_graduate", "current_graduate"):
        yield at.say("graduate", one, on)
        return
    if one.employment in ("employed", "self_employed"):
        yield at.say("at_work", one, on, {"employment": one.employment})
        return
    lacking = [name for name in ("left_school_on", "employment") if getattr(one, name) is None]
    if one.left_school_on is None or lacking:
        yield at.missing(one, on, *(f"trainees.{name}" for name in lacking))
        return
    window = at.deadline("trainee_eligibility", one.left_school_on, on=on)
    if window is not None:
        days = {"left_school_on": one.left_school_on, "until": window.due, "enrolled_on": on}
        yield at.say("within" if on <= window.due else "too_long", one, on, days)


@check("DR-19", over=Trainee)
def target_group(at: At, one: Trainee) -> Results:
    """Compare the declared group, and the place where a notice names one.

    Source: weihai-2023-25/3/eligible-trainees, heilongjiang-2023-13/3.1.1/eligible-trainees.
    """
    on = one.enrolled_on
    if one.ground is None:
        yield at.missing(one, on, "trainees.ground")
    elif one.ground == "none":
        yield at.say("no_ground", one, on)
    elif one.ground not in GROUNDS:
        yield at.say("other_graduate", one, on)
    else:
        places = tuple(_places(at, one))
        yield from places
        if not places:
            yield at.say("eligible", one, on, {"ground": one.ground})


def _places(at: At, one: Trainee) -> Iterator[Result | None]:
    """Judge home and work against the place of every notice that names its own."""
    regions = {"home_region": one.home_region, "work_region": one.work_region}
    for clause in at.in_force(one.enrolled_on):
        outcome = at.rule.words.get(clause.id)
        if outcome is None:
            continue
        place = at.rules.library.packs[clause.pack].jurisdiction
        if any(region and lies_in(region, place) for region in regions.values()):
            continue
        if None in regions.values():
            unknown = [f"trainees.{name}" for name, region in regions.items() if region is None]
            yield at.missing(one, one.enrolled_on, *unknown)
        else:
            yield at.say(outcome, one, one.enrolled_on, regions, clauses=[clause.id])
