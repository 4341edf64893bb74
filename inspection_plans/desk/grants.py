"""Subsidies as the filings tell them: whom a grant covers, for what, and the ways back to it."""

from collections.abc import Iterator

from inspection_plans.desk.view import View
from inspection_plans.filings.exams import Candidate, Certificate
from inspection_plans.filings.oversight import Payment
from inspection_plans.filings.training import Trainee, TrainingClass


def trainees_of(view: View, grant: Payment) -> tuple[Trainee, ...]:
    """Return the enrolments a grant pays for: its trainee, its class, or one person of it."""
    if grant.trainee_id is not None:
        one = view.one(Trainee, grant.trainee_id)
        return () if one is None else (one,)
    if grant.class_id is None:
        return ()
    found = view.many(Trainee, "class_id", grant.class_id)
    return tuple(one for one in found if grant.person in (None, one.person))


def persons_of(view: View, grant: Payment) -> tuple[str, ...]:
    """Return the persons a grant is for, sorted; none when the filings do not say."""
    named = set() if grant.person is None else {grant.person}
    return tuple(sorted(named or {one.person for one in trainees_of(view, grant)}))


def grants_for(view: View, person: str) -> tuple[Payment, ...]:
    """Return every grant that covers a person, sorted by its key."""
    found = {grant.id: grant for grant in view.many(Payment, "person", person)}
    for one in view.many(Trainee, "person", person):
        own = view.many(Payment, "trainee_id", one.id)
        shared = (
            grant
            for grant in view.many(Payment, "class_id", one.class_id)
            if grant.trainee_id is None
        )
        found |= {grant.id: grant for grant in (*own, *shared) if grant.person in (None, person)}
    return tuple(found[key] for key in sorted(found))


def class_of(view: View, grant: Payment) -> TrainingClass | None:
    """Return the class a grant belongs to, its own or its trainee's."""
    if grant.class_id is not None:
        return view.one(TrainingClass, grant.class_id)
    trainee = view.one(Trainee, grant.trainee_id)
    return None if trainee is None else view.one(TrainingClass, trainee.class_id)


def taught(view: View, grant: Payment) -> tuple[str, str] | None:
    """Return occupation and level of a grant, where it does not say them those of its class."""
    group = class_of(view, grant)
    occupation = grant.occupation or (group.occupation if group else None)
    level = grant.level or (group.level if group else None)
    return None if occupation is None or level is None else (occupation, level)


def certificates_of(view: View, trainee: Trainee) -> Iterator[Certificate]:
    """Yield the level certificates that a trainee earned."""
    for candidate in view.many(Candidate, "trainee_id", trainee.id):
        yield from view.many(Certificate, "candidate_id", candidate.id)


def certificates_for(view: View, grant: Payment) -> tuple[Certificate, ...]:
    """Return the certificate a grant names, else those of everybody it pays for."""
    if grant.certificate_id is not None:
        one = view.one(Certificate, grant.certificate_id)
        return () if one is None else (one,)
    return tuple(
        found for trainee in trainees_of(view, grant) for found in certificates_of(view, trainee)
    )


def near_trainee(view: View, row: Trainee) -> Iterator[Payment]:
    """From an enrolment to every grant that covers it or its person."""
    yield from grants_for(view, row.person)
    yield from view.many(Payment, "trainee_id", row.id)
    yield from view.many(Payment, "class_id", row.class_id)


def near_class(view: View, row: TrainingClass) -> Iterator[Payment]:
    """From a class to the grants of it and of everybody in it."""
    yield from view.many(Payment, "class_id", row.id)
    for one in view.many(Trainee, "class_id", row.id):
        yield from near_trainee(view, one)


def near_grant(view: View, row: Payment) -> Iterator[Payment]:
    """From a grant to every grant that shares a person or a class with it."""
    yield row
    if row.class_id is not None:
        yield from view.many(Payment, "class_id", row.class_id)
    for person in persons_of(view, row):
        yield from grants_for(view, person)


def near_candidate(view: View, row: Candidate) -> Iterator[Payment]:
    """From a candidate to the grants of the trainee."""
    trainee = view.one(Trainee, row.trainee_id)
    if trainee is not None:
        yield from near_trainee(view, trainee)


def near_certificate(view: View, row: Certificate) -> Iterator[Payment]:
    """From a certificate to the grants that name it, and to those of who earned it."""
    for named in view.many(Payment, "certificate_id", row.id):
        yield from near_grant(view, named)
    candidate = view.one(Candidate, row.candidate_id)
    if candidate is not None:
        yield from near_candidate(view, candidate)


def trainees_near(view: View, row: Payment) -> Iterator[Trainee]:
    """From a grant to the enrolments it may pay for."""
    yield from trainees_of(view, row)
    for person in persons_of(view, row):
        yield from view.many(Trainee, "person", person)


def of_trainee(view: View, row: object) -> Iterator[Payment]:
    """From a row about one trainee to the grants that cover the person."""
    trainee = view.one(Trainee, getattr(row, "trainee_id", None))
    if trainee is not None:
        yield from near_trainee(view, trainee)
