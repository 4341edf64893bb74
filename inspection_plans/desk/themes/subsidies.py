"""Rules about amounts: DR-20 twice, DR-21 lower after higher, DR-22 and DR-23 how much."""

from collections.abc import Iterator
from datetime import date

from inspection_plans import amounts, jurisdictions, windows
from inspection_plans.amounts import PersonRates
from inspection_plans.desk import grants
from inspection_plans.desk.frame import At, Result, Results, Route, check
from inspection_plans.desk.ways import lies_in
from inspection_plans.filings import Register
from inspection_plans.filings.exams import Candidate, Certificate
from inspection_plans.filings.oversight import Payment
from inspection_plans.filings.training import (
    Completion,
    Employment,
    Lesson,
    Trainee,
    TrainingClass,
)
from inspection_plans.windows import Grant, Order, Repeated

_AROUND: dict[Register, Route] = {
    Payment: grants.near_grant,
    Trainee: grants.near_trainee,
    TrainingClass: grants.near_class,
    Candidate: grants.near_candidate,
    Certificate: grants.near_certificate,
}


@check("DR-20", over=Payment, reads=_AROUND)
def repeated(at: At, one: Payment) -> Results:
    """Look for earlier grants of the same person, occupation and level in the window.

    Payments of one class to its institution are stages of one grant.
    Source: shandong-2022-156/5.4/no-duplicate-1y, heilongjiang-2023-13/4.3/once-a-year; K15.
    """
    on = one.granted_on
    said = grants.taught(at.view, one)
    persons = grants.persons_of(at.view, one)
    day = _opened(at, one)
    if said is None or not persons or day is None:
        lacking = {"payments.occupation": said, "payments.person": persons, "payments.day": day}
        yield at.missing(one, on, *(name for name, known in lacking.items() if not known))
        return
    times = max((int(str(told)) for _, told in at.parameters("times", on)), default=1)
    found = [again for person in persons if (again := _again(at, one, person, times))]
    told = {"occupation": said[0], "level": said[1], "persons": len(persons)}
    if not found:
        yield at.say("once", one, on, told)
        return
    earlier = sorted({grant.id for again in found for grant in again.earlier})
    until = max(again.until for again in found)
    yield at.say(
        "repeated", one, on, {**told, "repeated": len(found), "earlier": earlier, "until": until}
    )


def _opened(at: At, one: Payment) -> date | None:
    """Return the day the window of a grant opens, by the setting of the place."""
    start = at.setting("subsidy_window_start").value
    if start == "payment_day":
        return one.paid_on
    if start == "certificate_day":
        days = [found.issued_on for found in grants.certificates_for(at.view, one)]
        return max(days, default=None)
    return one.granted_on


def _again(at: At, one: Payment, person: str, times: int) -> Repeated | None:
    known = [
        grant
        for other in grants.grants_for(at.view, person)
        if other.id == one.id or not _stages(one, other)
        if (grant := _grant(at, other, person)) is not None
    ]

    def window(start: date) -> date | None:
        found = at.deadline("no_duplicate_subsidy", start, on=one.granted_on)
        return None if found is None else found.due

    for again in windows.repeated(known, window, times=times):
        if again.grant.id == one.id:
            return again
    return None


def _stages(one: Payment, other: Payment) -> bool:
    same = one.class_id is not None and one.class_id == other.class_id
    return same and one.claimant == other.claimant == "institution"


def _grant(at: At, one: Payment, person: str) -> Grant | None:
    said, day = grants.taught(at.view, one), _opened(at, one)
    if said is None or day is None:
        return None
    return Grant(id=one.id, person=person, occupation=said[0], level=said[1], on=day)


@check("DR-21", over=Payment, reads=_AROUND)
def lowered(at: At, one: Payment) -> Results:
    """Look for a higher grant of the same person and occupation before this one.

    Source: heilongjiang-2023-13/4.3/no-lower-after-higher.
    """
    on = one.granted_on
    said, persons = grants.taught(at.view, one), grants.persons_of(at.view, one)
    if said is None or not persons:
        lacking = {"payments.level": said, "payments.person": persons}
        yield at.missing(one, on, *(name for name, known in lacking.items() if not known))
        return
    ranks = {level: rank for rank, level in enumerate(at.rules.figures.levels)}
    found = [
        lower
        for person in persons
        for lower in windows.lowered(_granted(at, person), ranks)
        if lower.grant.id == one.id
    ]
    if not found:
        yield at.say("in_order", one, on, {"level": said[1]})
        return
    after = [lower for lower in found if lower.order is Order.AFTER]
    first = (after or found)[0]
    facts = {"level": said[1], "higher": first.higher.level, "higher_on": first.higher.on}
    yield at.say("lowered" if after else "same_day", one, on, {**facts, "other": first.higher.id})


def _granted(at: At, person: str) -> Iterator[Grant]:
    """Yield a person's grants on the days they were granted."""
    for other in grants.grants_for(at.view, person):
        said = grants.taught(at.view, other)
        if said is not None:
            yield Grant(
                id=other.id,
                person=person,
                occupation=said[0],
                level=said[1],
                on=other.granted_on,
            )


@check(
    "DR-22",
    over=Payment,
    reads={**_AROUND, Completion: grants.of_trainee, Employment: grants.of_trainee},
)
def person_amount(at: At, one: Payment) -> Results:
    """Compute what the person may claim on the day of the grant; what was granted must equal it.

    Source: heilongjiang-2023-13/4.3.
    """
    on = one.granted_on
    rates = amounts.person_rates(at.in_force(on))
    said, trainees = grants.taught(at.view, one), grants.trainees_of(at.view, one)
    if rates is None or one.claimant == "institution":
        return
    if said is None or len(trainees) != 1:
        lacking = {"payments.level": said is None, "payments.trainee_id": len(trainees) != 1}
        yield at.missing(one, on, *(name for name, lacks in lacking.items() if lacks))
        return
    trainee = trainees[0]
    registers: dict[str, Register] = {
        "completions": Completion,
        "employments": Employment,
        "certificates": Certificate,
    }
    lacking_registers = [name for name, kind in registers.items() if not at.view.known(kind)]
    unclear = _unclear(at, trainee, on)
    if lacking_registers or unclear:
        yield at.missing(one, on, *lacking_registers, *unclear)
        return
    yield _compared(at, one, rates, trainee, said[1])


def _contracts(at: At, trainee: Trainee, on: date) -> list[Employment]:
    """Return employments on a day, under a contract in the province or in an unknown place."""
    province = jurisdictions.province_of(at.jurisdiction)
    return [
        job
        for job in at.view.many(Employment, "trainee_id", trainee.id)
        if job.kind == "employed"
        and job.since <= on
        and (job.contract_region is None or lies_in(job.contract_region, province))
    ]


def _unclear(at: At, trainee: Trainee, on: date) -> list[str]:
    jobs = _contracts(at, trainee, on)
    sure = [job for job in jobs if job.contract_region and job.insured_months is not None]
    if sure or not jobs:
        return []
    names = ("contract_region", "insured_months")
    return [f"employments.{name}" for name in names if any(getattr(j, name) is None for j in jobs)]


def _compared(
    at: At, one: Payment, rates: PersonRates, trainee: Trainee, level: str
) -> Result | None:
    on = one.granted_on
    completion = at.view.one(Completion, trainee.id)
    jobs = [job for job in _contracts(at, trainee, on) if job.contract_region]
    certified = any(
        found.level == level and found.issued_on <= on
        for found in grants.certificates_for(at.view, one)
    )
    months = max((job.insured_months or 0 for job in jobs), default=0)
    found = amounts.entitlement(
        rates,
        at.rules.figures.levels[level].zh,
        training_certificate=completion is not None and completion.certificate is not None,
        contract_in_province=bool(jobs),
        insured_months=months,
        level_certificate=certified,
    )
    facts = {
        "level": level,
        "insured_months": months,
        "level_certificate": certified,
        "unmet": found.unmet,
        "expected_fen": found.amount_fen,
        "granted_fen": one.amount_fen,
    }
    if found.unmet:
        return at.say("unmet" if one.amount_fen else "nothing", one, on, facts)
    equal = found.amount_fen == one.amount_fen
    return at.say("equal" if equal else "differs", one, on, facts, clauses=found.clauses)


@check(
    "DR-23",
    over=Payment,
    reads={
        **_AROUND,
        Employment: grants.of_trainee,
        Lesson: lambda view, row: view.many(Payment, "class_id", row.class_id),
    },
)
def class_amount(at: At, one: Payment) -> Results:
    """Compute what the class is worth; all stages of it up to this one must not exceed that.

    Source: shanxi-2024-27/5.4.
    """
    on = one.granted_on
    rates = amounts.batch_rates(at.in_force(on)) if one.claimant == "institution" else None
    if rates is None:
        return
    group = at.view.one(TrainingClass, one.class_id)
    days = _days(at, one)
    lacking = [
        name
        for name, lacks in (
            ("payments.class_id", group is None),
            ("trainees", not at.view.known(Trainee)),
            ("employments", not at.view.known(Employment)),
            ("lessons", days is None),
        )
        if lacks
    ]
    if group is None or days is None or lacking:
        yield at.missing(one, on, *lacking)
        return
    trainees = at.view.many(Trainee, "class_id", group.id)
    employed = sum(_employed(at, trainee, on) for trainee in trainees)
    worth = amounts.batch(rates, days=days, trained=len(trainees), employed=employed)
    stages = [
        stage
        for stage in at.view.many(Payment, "class_id", group.id)
        if stage.claimant == "institution" and (stage.granted_on, stage.id) <= (on, one.id)
    ]
    granted = sum(stage.amount_fen for stage in stages)
    facts = {
        "days": days,
        "trained": len(trainees),
        "employed": employed,
        "heads": worth.heads,
        "per_head_fen": worth.per_head_fen,
        "expected_fen": worth.total_fen,
        "granted_fen": granted,
        "stages": len(stages),
    }
    if one.heads is not None and one.heads > worth.heads:
        yield at.say("too_many_heads", one, on, {**facts, "claimed_heads": one.heads})
    elif granted > worth.total_fen:
        yield at.say("too_much", one, on, facts)
    else:
        yield at.say("equal" if granted == worth.total_fen else "less", one, on, facts)


def _days(at: At, one: Payment) -> int | None:
    """Return the days claimed, never more than the days with a lesson where these are known."""
    held = (
        len(
            {
                lesson.held_on
                for lesson in at.view.many(Lesson, "class_id", one.class_id)
                if lesson.delivered_minutes != 0
            }
        )
        if at.view.known(Lesson)
        else None
    )
    if one.days is None or held is None:
        return held if one.days is None else one.days
    return min(one.days, held)


def _employed(at: At, trainee: Trainee, on: date) -> bool:
    """Say whether a trainee is in work: 就业 alone, without start-ups (K30)."""
    return any(
        job.kind == "employed" and job.since <= on
        for job in at.view.many(Employment, "trainee_id", trainee.id)
    )
