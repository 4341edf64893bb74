"""Rules about the right to a subsidy: DR-24, DR-37, DR-43, DR-44, DR-53."""

from collections.abc import Iterator

from inspection_plans import jurisdictions
from inspection_plans.desk import grants
from inspection_plans.desk.frame import At, Result, Results, Route, check, via
from inspection_plans.desk.view import View
from inspection_plans.desk.ways import lies_in, standard_of
from inspection_plans.filings import Register, registers
from inspection_plans.filings.catalogue import Standard
from inspection_plans.filings.exams import Candidate, Certificate
from inspection_plans.filings.oversight import LocalCatalogueEntry, Payment
from inspection_plans.filings.training import (
    Attendance,
    Completion,
    Lesson,
    RealNameRecord,
    Trainee,
    TrainingClass,
)

_AROUND: dict[Register, Route] = {
    Payment: grants.near_grant,
    Trainee: grants.near_trainee,
    TrainingClass: grants.near_class,
}
_CERTIFIED: dict[Register, Route] = {
    Candidate: grants.near_candidate,
    Certificate: grants.near_certificate,
}


def _grants_of_lesson(view: View, row: Lesson) -> Iterator[Payment]:
    """From a lesson to the grants for everybody of its class."""
    for one in view.many(Trainee, "class_id", row.class_id):
        yield from grants.near_trainee(view, one)


def _grants_under(view: View, row: Standard | LocalCatalogueEntry) -> Iterator[Payment]:
    """From what applies to an occupation to the grants of its classes."""
    for group in view.many(TrainingClass, "occupation", row.occupation):
        yield from grants.near_class(view, group)


@check("DR-24", over=Payment, reads={**_AROUND, **_CERTIFIED})
def elsewhere(at: At, one: Payment) -> Results:
    """Look for certificates earned in another province; an approved exception is told.

    Source: shanxi-2024-27/6.3/no-subsidy-other-province (原则上).
    """
    on = one.granted_on
    if not at.view.known(Certificate):
        yield at.missing(one, on, "certificates")
        return
    province = jurisdictions.province_of(at.jurisdiction)
    found = grants.certificates_for(at.view, one)
    away = [
        held.id for held in found if held.issue_region and not lies_in(held.issue_region, province)
    ]
    if away:
        excused = one.override_reason and one.override_by
        yield at.say("excepted" if excused else "elsewhere", one, on, {"certificates": away})
    elif any(held.issue_region is None for held in found):
        yield at.missing(one, on, "certificates.issue_region")
    else:
        yield at.say("at_home", one, on, {"certificates": len(found)})


@check(
    "DR-37",
    over=Trainee,
    reads={
        TrainingClass: via("class_id"),
        RealNameRecord: via("id", "trainee_id"),
        Payment: grants.trainees_near,
        Trainee: via("person", "person"),
    },
)
def real_name(at: At, one: Trainee) -> Results:
    """Ask for all stages under one verified person before anything is paid.

    Source: shandong-2022-156/5.3 (实名制, 不进不补).
    """
    group = at.view.one(TrainingClass, one.class_id)
    paid = [
        grant
        for grant in grants.grants_for(at.view, one.person)
        if grant.amount_fen and one in grants.trainees_of(at.view, grant)
    ]
    if not paid and (group is None or group.subsidised is not True):
        return
    on = min((grant.granted_on for grant in paid), default=one.enrolled_on)
    if not at.view.known(RealNameRecord):
        yield at.missing(one, on, "real_name_records")
        return
    records = at.view.many(RealNameRecord, "trainee_id", one.id)
    others = sorted({row.stage for row in records if not row.verified or row.person != one.person})
    if others:
        yield at.say("other_person", one, on, {"stages": others})
        return
    held = {row.stage for row in records}
    asked = [
        at.rule.words[word] for _, told in at.parameters("stages", on) for word in _list(told)
    ]
    lacking = [stage for stage in dict.fromkeys(asked) if stage not in held]
    facts = {"lacking": lacking, "stages": len(held), "asked": len(dict.fromkeys(asked))}
    if not lacking:
        yield at.say("complete", one, on, facts)
    else:
        yield at.say("paid_without" if paid else "under_way", one, on, facts)


def _list(told: object) -> list[str]:
    return [str(word) for word in told] if isinstance(told, list) else [str(told)]


@check(
    "DR-43",
    over=TrainingClass,
    reads={
        LocalCatalogueEntry: via("institution_id", "institution_id"),
    },
)
def listed(at: At, one: TrainingClass) -> Results:
    """Look for the course in the local catalogue on the day the class starts.

    Source: national-2021-71/5.3/two-catalogues-one-system.
    """
    if one.subsidised is None:
        yield at.missing(one, one.start_on, "classes.subsidised")
    elif one.subsidised and not at.view.known(LocalCatalogueEntry):
        yield at.missing(one, one.start_on, "local_catalogues")
    elif one.subsidised:
        entries = _entries(at.view, one)
        facts = {"start_on": one.start_on, "entries": [entry.id for entry in entries]}
        yield at.say("listed" if entries else "not_listed", one, one.start_on, facts)


def _entries(view: View, one: TrainingClass) -> list[LocalCatalogueEntry]:
    """Return the entries of the course that are valid where and when the class starts."""
    return [
        entry
        for entry in view.many(LocalCatalogueEntry, "institution_id", one.institution_id)
        if entry.occupation == one.occupation
        and entry.level in (None, one.level)
        and entry.direction in (None, one.direction)
        and jurisdictions.inside(one.venue_region, entry.region)
        and entry.valid_from <= one.start_on
        and (entry.valid_until is None or one.start_on <= entry.valid_until)
    ]


@check(
    "DR-44",
    over=Payment,
    reads={
        **_AROUND,
        **_CERTIFIED,
        Completion: grants.of_trainee,
        LocalCatalogueEntry: _grants_under,
    },
)
def entitled(at: At, one: Payment) -> Results:
    """Ask for what the nearest paper makes the right depend on; the pack's words say what.

    Source: clause register K14.
    """
    on = one.granted_on
    known = [clause for clause in at.clauses(on) if clause in at.rule.words]
    if not known:
        return
    asked = at.rule.words[known[-1]]
    if asked == "institution":
        outcome = "entitled" if one.claimant == "institution" else "wrong_claimant"
        yield at.say(outcome, one, on, {"claimant": one.claimant}, clauses=known[-1:])
        return
    if one.claimant == "institution":
        yield at.say("wrong_claimant", one, on, {"claimant": one.claimant}, clauses=known[-1:])
        return
    trainees = grants.trainees_of(at.view, one)
    if not trainees:
        yield at.missing(one, on, "payments.trainee_id")
        return
    for trainee in trainees:
        lacking, missing = _proofs(at, one, trainee, asked)
        part = None if len(trainees) == 1 else trainee.id
        if missing:
            yield at.missing(one, on, *missing, part=part)
        else:
            outcome = "lacking" if lacking else "entitled"
            facts = {"claimant": one.claimant, "lacking": lacking}
            yield at.say(outcome, one, on, facts, clauses=known[-1:], part=part)


def _proofs(at: At, one: Payment, trainee: Trainee, asked: str) -> tuple[list[str], list[str]]:
    """Return what is not proved and what cannot be known, for one trainee."""
    view, group = at.view, at.view.one(TrainingClass, trainee.class_id)
    completion = view.one(Completion, trainee.id)
    trained = completion is not None and completion.certificate is not None
    held = grants.certificates_of(view, trainee)
    certified = any(row.issued_on <= one.granted_on for row in held)
    training = ("training_certificate", Completion, trained)
    level = ("level_certificate", Certificate, certified)
    planned = ("planned_class", TrainingClass, bool(group and group.subsidised))
    passed = ("passed", Completion, completion is not None and completion.passed is True)
    course = ("listed_course", LocalCatalogueEntry, bool(group and _entries(view, group)))
    either = ("certificate", Completion, trained or certified)
    needed: dict[str, tuple[tuple[str, Register, bool], ...]] = {
        "training_certificate": (training,),
        "planned_passed_certified": (planned, passed, either),
        "listed_and_level_certificate": (course, passed, level),
    }
    unknown = {register for _, register, _ in needed[asked] if not view.known(register)}
    missing = sorted(registers()[register] for register in unknown)
    return [name for name, _, proved in needed[asked] if not proved], missing


@check(
    "DR-53",
    over=Payment,
    reads={
        **_AROUND,
        Attendance: grants.of_trainee,
        Lesson: _grants_of_lesson,
        Standard: _grants_under,
    },
)
def cheated(at: At, one: Payment) -> Results:
    """Look for a grant without a trainee, without attendance, to a shared or closed account.

    Source: national-2021-71/6.3/illicit-claims (套取冒领).
    """
    on = one.granted_on
    if not at.view.known(Trainee):
        yield at.missing(one, on, "trainees")
        return
    suspicions = (*_roll(at, one), *_hours(at, one), *_account(at, one))
    yield from suspicions
    if not suspicions:
        yield at.say("regular", one, on)


def _roll(at: At, one: Payment) -> Iterator[Result | None]:
    trainees = grants.trainees_of(at.view, one)
    if (
        (one.person and not trainees and not at.view.many(Trainee, "person", one.person))
        or (one.trainee_id and not trainees)
        or (one.trainee_id and one.person and trainees[0].person != one.person)
    ):
        yield at.say("not_on_roll", one, one.granted_on, part="roll")
    elif one.heads is not None and one.class_id and one.heads > len(trainees):
        facts = {"heads": one.heads, "trainees": len(trainees)}
        yield at.say("more_heads", one, one.granted_on, facts, part="heads")


def _hours(at: At, one: Payment) -> Iterator[Result | None]:
    """Compare attended with required minutes, where both are known."""
    short = []
    for trainee in grants.trainees_of(at.view, one):
        row = at.view.one(Attendance, trainee.id)
        group = at.view.one(TrainingClass, trainee.class_id)
        standard = None if group is None else standard_of(at.view, group, group.start_on)
        if row is None or standard is None or standard.minutes_min is None:
            continue
        lessons = (at.view.one(Lesson, key) for key in set(row.attended))
        attended = sum(lesson.delivered_minutes or 0 for lesson in lessons if lesson is not None)
        if attended < standard.minutes_min:
            short.append((attended, standard.minutes_min))
    if short:
        attended, required = min(short)
        facts = {"persons": len(short), "attended": attended, "required": required}
        yield at.say("too_few_hours", one, one.granted_on, facts, part="attendance")


def _account(at: At, one: Payment) -> Iterator[Result | None]:
    if one.account_open is False:
        yield at.say("closed_account", one, one.granted_on, part="account")
    if one.account is None or one.claimant == "institution":
        return
    persons = set(grants.persons_of(at.view, one))
    others = sorted(
        other.id
        for other in at.view.many(Payment, "account", one.account)
        if other.id != one.id and not persons & set(grants.persons_of(at.view, other))
    )
    if others:
        yield at.say(
            "shared_account", one, one.granted_on, {"others": others}, part="account_shared"
        )
