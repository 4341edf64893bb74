"""Rules about selection and standards: DR-41 conditions, DR-48 elements, DR-52 the way."""

from collections.abc import Iterator
from datetime import date

from inspection_plans import parameters
from inspection_plans.desk.frame import At, Result, Results, check
from inspection_plans.desk.view import View
from inspection_plans.desk.ways import standard_of
from inspection_plans.filings.catalogue import Application, Standard
from inspection_plans.filings.training import Trainee, TrainingClass

# Field of the application, concept of the clause that asks for it, parameter with the number.
_ASKED = (
    ("legal_person", "eligibility_legal_person", None),
    ("registered", "eligibility_registration", None),
    ("clean_record", "clean_record", None),
    ("years_active", "experience", "years_min"),
    ("person_times_per_year", "scale", "person_times_per_year_min"),
)
_STEPS = ("applied_on", "recommended_on", "reviewed_on", "audited_on", "decided_on")


@check("DR-41", over=Application)
def eligible(at: At, one: Application) -> Results:
    """Compare the application with every condition; a soft one is a question.

    Source: national-2021-71/4.2.
    """
    on = one.applied_on or at.as_of
    for field, concept, parameter in _ASKED:
        for clause in at.in_force(on, concept, one.side):
            given = getattr(one, field)
            if given is None:
                yield at.missing(one, on, f"applications.{field}", part=field)
                continue
            least = True if parameter is None else parameters.whole(clause, parameter)
            soft = clause.parameters.get("soft") is True
            outcome = "met" if given >= least else "soft" if soft else "unmet"
            facts = {"condition": field, "given": given, "least": least}
            yield at.say(outcome, one, on, facts, clauses=[clause.id], part=field)


@check("DR-52", over=Application)
def way(at: At, one: Application) -> Results:
    """Ask for every step up to the last one taken, in order.

    Source: national-2021-71/4.4/recommendation.
    """
    days = {step: getattr(one, step) for step in _STEPS}
    taken = [step for step in _STEPS if days[step] is not None]
    on = days[taken[-1]] if taken else at.as_of
    if not taken:
        yield at.missing(one, on, "applications.applied_on")
        return
    reached = _STEPS[: _STEPS.index(taken[-1]) + 1]
    skipped = [step for step in reached if days[step] is None]
    if one.recommended_on is not None and one.recommended_by is None:
        skipped.append("recommended_by")
    in_order = [days[step] for step in taken]
    facts = {"skipped": skipped, "steps": taken, "days": [str(day) for day in in_order]}
    if skipped:
        yield at.say("skipped", one, on, facts)
    else:
        yield at.say(
            "in_order" if in_order == sorted(in_order) else "out_of_order", one, on, facts
        )


def _classes_under(view: View, row: Standard) -> Iterator[TrainingClass]:
    """From a standard to the classes of its occupation."""
    yield from view.many(TrainingClass, "occupation", row.occupation)


def _trainees_under(view: View, row: Standard | TrainingClass) -> Iterator[Trainee]:
    """From a standard or a class to the trainees of the classes it is about."""
    groups = (row,) if isinstance(row, TrainingClass) else _classes_under(view, row)
    for group in groups:
        yield from view.many(Trainee, "class_id", group.id)


@check("DR-48", over=TrainingClass, reads={Standard: _classes_under})
def elements(at: At, one: TrainingClass) -> Results:
    """Compare teachers, hours and places of the filing with the loaded standard.

    Source: national-2021-71/3.1/standard-basis, shandong-2022-156/6.2/standard-elements.
    """
    on = one.start_on
    standard = standard_of(at.view, one, on)
    if standard is None:
        yield at.missing(one, on, "standards")
        return
    for element, given, least in (
        ("teachers", one.teachers, standard.teachers_min),
        ("planned_minutes", one.planned_minutes, standard.minutes_min),
        ("places", one.places, standard.places_min),
    ):
        if least is not None:
            yield _element(at, one, on, element, given, least)


@check("DR-48", over=Trainee, reads={TrainingClass: _trainees_under, Standard: _trainees_under})
def education(at: At, one: Trainee) -> Results:
    """Compare the education of a trainee with the loaded standard, where it asks for one.

    Source: national-2021-71/3.1/standard-basis.
    """
    group = at.view.one(TrainingClass, one.class_id)
    standard = None if group is None else standard_of(at.view, group, group.start_on)
    if standard is not None and standard.education_min is not None:
        on = one.enrolled_on
        yield _element(at, one, on, "education", one.education, standard.education_min)


def _element(
    at: At, one: TrainingClass | Trainee, on: date, element: str, given: int | None, least: int
) -> Result | None:
    if given is None:
        register = "classes" if isinstance(one, TrainingClass) else "trainees"
        return at.missing(one, on, f"{register}.{element}", part=element)
    facts = {"element": element, "given": given, "least": least}
    return at.say("fits" if given >= least else "short", one, on, facts, part=element)
