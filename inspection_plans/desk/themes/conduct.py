"""Rules about conduct: DR-39 the bar, DR-40 two places at once, DR-45 the place of teaching."""

from collections.abc import Iterator
from datetime import date

from inspection_plans import jurisdictions
from inspection_plans.desk.frame import At, Result, Results, check, via
from inspection_plans.desk.view import View
from inspection_plans.filings.oversight import BadRecord
from inspection_plans.filings.training import (
    Attendance,
    Completion,
    Lesson,
    Photo,
    Trainee,
    TrainingClass,
)
from inspection_plans.filings.words import Filed


def _classes_of_barred(view: View, row: BadRecord) -> Iterator[TrainingClass]:
    """From a bad record to the classes of the institution."""
    yield from view.many(TrainingClass, "institution_id", row.subject_id)


def _trainees_of_barred(view: View, row: BadRecord) -> Iterator[Trainee]:
    """From a bad record to the enrolments of the person."""
    yield from view.many(Trainee, "person", row.subject_id)


@check("DR-39", over=TrainingClass, reads={BadRecord: _classes_of_barred})
def institution_barred(at: At, one: TrainingClass) -> Results:
    """Look for a bar of the institution on the day the class starts.

    Source: heilongjiang-2023-13/5.4/ban-3y.
    """
    yield _barred(at, one, one.start_on, "institution", one.institution_id)


@check(
    "DR-39", over=Trainee, reads={BadRecord: _trainees_of_barred, TrainingClass: via("class_id")}
)
def person_barred(at: At, one: Trainee) -> Results:
    """Look for a bar of the person on the day the class starts, else of the enrolment.

    Source: heilongjiang-2023-13/5.4/ban-3y.
    """
    group = at.view.one(TrainingClass, one.class_id)
    on = one.enrolled_on if group is None else group.start_on
    yield _barred(at, one, on, "person", one.person)


def _barred(at: At, one: Filed, on: date, subject: str, key: str) -> Result | None:
    """Compare the start with every bar; from the same date on that it ends, none is broken."""
    if not at.view.known(BadRecord):
        return at.missing(one, on, "bad_records")
    by_entry = at.setting("bad_record_start").value == "entry_day"
    for record in at.view.many(BadRecord, "subject_id", key):
        if record.subject != subject:
            continue
        start = record.entered_on if by_entry else record.decided_on
        if start is None:
            return at.missing(one, on, "bad_records.decided_on")
        term = at.deadline("bad_record_ban", start, on=on)
        if term is not None and start <= on < term.due:
            facts = {"record": record.id, "since": start, "until": term.due, "start_on": on}
            return at.say("barred", one, on, facts)
    return at.say("free", one, on, {"start_on": on})


@check("DR-40", over=Lesson, reads={Lesson: via("teacher", "teacher")})
def teacher_twice(at: At, one: Lesson) -> Results:
    """Look for another lesson of the teacher at the same time.

    Source: national-2021-71/6.3/fraud (弄虚作假).
    """
    if one.teacher is None:
        return
    others = [
        other.id
        for other in at.view.many(Lesson, "teacher", one.teacher)
        if other.held_on == one.held_on and other.id != one.id and _overlap(one, other)
    ]
    facts = {"held_on": one.held_on, "others": others}
    yield at.say("teacher_twice" if others else "teacher_once", one, one.held_on, facts)


def _overlap(one: Lesson, other: Lesson) -> bool:
    """Say whether two lessons of one day share a minute; one that was not held shares none."""
    held = one.delivered_minutes != 0 and other.delivered_minutes != 0
    return held and one.starts_at < other.ends_at and other.starts_at < one.ends_at


def _same_person(view: View, row: Attendance) -> Iterator[Trainee]:
    """From an attendance to every enrolment of the person."""
    trainee = view.one(Trainee, row.trainee_id)
    if trainee is not None:
        yield from view.many(Trainee, "person", trainee.person)


def _attending(view: View, row: Lesson) -> Iterator[Trainee]:
    """From a lesson to every enrolment of the persons of its class."""
    for one in view.many(Trainee, "class_id", row.class_id):
        yield from view.many(Trainee, "person", one.person)


@check(
    "DR-40",
    over=Trainee,
    reads={Trainee: via("person", "person"), Attendance: _same_person, Lesson: _attending},
)
def person_twice(at: At, one: Trainee) -> Results:
    """Look for a lesson of another enrolment attended at the same time.

    Source: national-2021-71/6.3/fraud (弄虚作假).
    """
    same = at.view.many(Trainee, "person", one.person)
    if len(same) == 1:
        yield at.say("person_once", one, one.enrolled_on)
        return
    own = _attended(at.view, one)
    clashes = sorted(
        {
            f"{lesson.id}/{other.id}"
            for sister in same
            if sister.id != one.id
            for other in _attended(at.view, sister)
            for lesson in own
            if lesson.held_on == other.held_on
            and lesson.id != other.id
            and _overlap(lesson, other)
        }
    )
    on = one.enrolled_on
    yield at.say("person_twice" if clashes else "person_once", one, on, {"lessons": clashes})


def _attended(view: View, one: Trainee) -> list[Lesson]:
    """Return the lessons of the own class that a trainee attended."""
    row = view.one(Attendance, one.id)
    found = (view.one(Lesson, key) for key in (row.attended if row else ()))
    return [lesson for lesson in found if lesson is not None and lesson.class_id == one.class_id]


@check("DR-40", over=Photo, reads={Photo: via("sha256", "sha256")})
def photo_twice(at: At, one: Photo) -> Results:
    """Look for the same picture in another class.

    Source: national-2021-71/6.3/fraud (弄虚作假).
    """
    others = [
        other.id
        for other in at.view.many(Photo, "sha256", one.sha256)
        if other.class_id != one.class_id
    ]
    yield at.say("photo_twice" if others else "photo_once", one, at.as_of, {"others": others})


def _attendance_of_class(view: View, row: TrainingClass | Lesson) -> Iterator[Attendance]:
    """From a class or one of its lessons to the attendance of its trainees."""
    key = row.id if isinstance(row, TrainingClass) else row.class_id
    for one in view.many(Trainee, "class_id", key):
        found = view.one(Attendance, one.id)
        if found is not None:
            yield found


@check(
    "DR-40",
    over=Attendance,
    reads={
        Trainee: via("trainee_id"),
        TrainingClass: _attendance_of_class,
        Lesson: _attendance_of_class,
        Completion: via("trainee_id", "trainee_id"),
    },
)
def outside_class(at: At, one: Attendance) -> Results:
    """Look for attendance before the class started or after the completion exam.

    Source: national-2021-71/6.3/fraud (弄虚作假).
    """
    trainee = at.view.one(Trainee, one.trainee_id)
    group = None if trainee is None else at.view.one(TrainingClass, trainee.class_id)
    if trainee is None or group is None:
        yield at.missing(one, at.as_of, "trainees" if trainee is None else "classes")
        return
    completion = at.view.one(Completion, one.trainee_id)
    examined = completion.examined_on if completion else None
    odd = sorted(
        lesson.id
        for lesson in _attended(at.view, trainee)
        if lesson.held_on < group.start_on or (examined is not None and lesson.held_on > examined)
    )
    facts = {"start_on": group.start_on, "examined_on": examined, "lessons": odd}
    yield at.say("outside" if odd else "inside", one, group.start_on, facts)


@check("DR-45", over=TrainingClass)
def place(at: At, one: TrainingClass) -> Results:
    """Ask about a venue outside the city that the notice names.

    Source: heilongjiang-2023-13/3.1.1/place-harbin; clause register K31.
    """
    on = one.start_on
    for clause, city in at.parameters("gbt2260", on):
        inside = jurisdictions.inside(one.venue_region, int(str(city)))
        facts = {"venue_region": one.venue_region, "city": city}
        yield at.say("in_place" if inside else "other_place", one, on, facts, clauses=[clause])
