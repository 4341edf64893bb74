"""Rules about what trainees are charged: DR-29 who pays whom, DR-30 how much."""

from collections.abc import Iterator

from inspection_plans.desk.frame import At, Result, Results, check, via
from inspection_plans.desk.view import View
from inspection_plans.filings.catalogue import FeeNotice, Institution
from inspection_plans.filings.oversight import Charge
from inspection_plans.filings.training import EnrolmentNotice, Trainee, TrainingClass
from inspection_plans.filings.words import within

LOAN = ("training_loan",)
HANDED_ON = ("subcontract", "transfer")


def _charges_of_class(view: View, row: TrainingClass) -> Iterator[Charge]:
    for one in view.many(Trainee, "class_id", row.id):
        yield from view.many(Charge, "trainee_id", one.id)


@check("DR-29", over=Charge)
def paid_by(at: At, one: Charge) -> Results:
    """A lender who pays is suspected; instalments are asked about.

    Source: national-2021-71/6.3/loan.
    """
    on = one.charged_on
    cited = at.clauses(on, "training_loan")
    if one.payer == "lender":
        yield at.say("lender", one, on, {"payer": one.payer}, clauses=cited, part="payer")
        return
    asked = {"charges.payer": one.payer, "charges.instalments": one.instalments}
    if one.instalments is not None and one.instalments > 1:
        inputs = {"payer": one.payer, "instalments": one.instalments}
        yield at.say("instalments", one, on, inputs, clauses=cited, part="payer")
    elif None in asked.values():
        unknown = [name for name, value in asked.items() if value is None]
        yield at.missing(one, on, *unknown, clauses=cited, part="payer")
    else:
        inputs = {"payer": one.payer, "instalments": one.instalments}
        yield at.say("paid_at_once", one, on, inputs, clauses=cited, part="payer")


@check(
    "DR-29",
    over=Charge,
    reads={Trainee: via("trainee_id"), TrainingClass: _charges_of_class},
)
def paid_to(at: At, one: Charge) -> Results:
    """Whoever else is paid is suspected to do the training.

    Source: national-2021-71/6.3/subcontract, national-2021-71/6.3/transfer.
    """
    on = one.charged_on
    cited = tuple(clause for concept in HANDED_ON for clause in at.clauses(on, concept))
    group = _class_of(at.view, at.view.one(Trainee, one.trainee_id))
    if one.payee_id is None or group is None:
        what = "charges.payee_id" if group is not None else "classes"
        yield at.missing(one, on, what, clauses=cited, part="payee")
        return
    inputs = {"payee": one.payee_id, "institution": group.institution_id}
    outcome = "payee_fits" if one.payee_id == group.institution_id else "foreign_payee"
    yield at.say(outcome, one, on, inputs, clauses=cited, part="payee")


def _class_of(view: View, trainee: Trainee | None) -> TrainingClass | None:
    return None if trainee is None else view.one(TrainingClass, trainee.class_id)


def _trainees_under(view: View, row: FeeNotice) -> Iterator[Trainee]:
    for group in view.many(TrainingClass, "institution_id", row.institution_id):
        yield from view.many(Trainee, "class_id", group.id)


@check(
    "DR-30",
    over=Trainee,
    reads={
        Charge: via("id", "trainee_id"),
        TrainingClass: via("class_id"),
        FeeNotice: _trainees_under,
    },
)
def charged_as_published(at: At, one: Trainee) -> Results:
    """Compare all that was charged for one trainee with the fee published on the enrolment day.

    Source: national-2021-71/4.6.4/fee-publication.
    """
    charges = at.view.many(Charge, "trainee_id", one.id)
    if charges:
        yield _charged(at, one, sum(row.amount_fen for row in charges))


def _charged(at: At, one: Trainee, charged: int) -> Result | None:
    on = one.enrolled_on
    group = at.view.one(TrainingClass, one.class_id)
    lacking = at.lacking(FeeNotice) + (["classes"] if group is None else [])
    if group is None or lacking:
        return at.missing(one, on, *lacking, part="fee")
    notice = _notice(at.view, group, one)
    inputs: dict[str, object] = {"charged_fen": charged, "enrolled_on": on}
    if notice is None:
        return at.say("unpublished", one, on, inputs, part="fee")
    inputs |= {"published_fen": notice.amount_fen, "notice": notice.id}
    outcome = "above" if charged > notice.amount_fen else "as_published"
    return at.say(outcome, one, on, inputs, part="fee")


def _notice(view: View, group: TrainingClass, one: Trainee) -> FeeNotice | None:
    """Return the fee published that day; one for occupation and level goes before a general one.

    Of several alike the lowest counts: a filer who published two fees is bound by the less.
    """
    found = [
        row
        for row in view.many(FeeNotice, "institution_id", group.institution_id)
        if row.side == "training"
        and within(row.valid_from, row.valid_until, one.enrolled_on)
        and row.occupation in (None, group.occupation)
        and row.level in (None, group.level)
    ]
    found.sort(key=lambda row: (row.occupation is None, row.level is None, row.amount_fen, row.id))
    return found[0] if found else None


@check("DR-30", over=EnrolmentNotice)
def fee_stated(at: At, one: EnrolmentNotice) -> Results:
    """Ask when an announcement is silent about the fee.

    Source: national-2021-71/4.6.4/fee-publication.
    """
    on = one.published_on or one.opens_on or at.as_of
    cited = at.clauses(on, "fee_publication")
    outcome = "fee_stated" if (one.fee or "").strip() else "fee_unstated"
    yield at.say(outcome, one, on, clauses=cited)


@check("DR-30", over=FeeNotice, reads={Institution: via("institution_id")})
def at_cost(at: At, one: FeeNotice) -> Results:
    """Bases of continuing education charge cost; where a paper says so, everybody does.

    Source: national-2021-71/4.6.4/base-public-benefit, shanxi-2024-27/5.8/fee-principle.
    """
    on = one.valid_from
    bound = at.in_force(on, "fee_public_benefit")
    subject = f"{one.side}_institution"
    for_all = tuple(clause.id for clause in bound if subject in clause.subject)
    institution = at.view.one(Institution, one.institution_id)
    if not for_all and (institution is None or institution.base is None):
        what = "institutions" if institution is None else "institutions.base"
        yield at.missing(one, on, what, clauses=[clause.id for clause in bound])
        return
    base = institution is not None and bool(institution.base)
    cited = tuple(clause.id for clause in bound) if base else for_all
    inputs = {"amount_fen": one.amount_fen, "cost_fen": one.cost_fen, "base": base}
    if not cited:
        yield at.say("free_to_set", one, on, clauses=[clause.id for clause in bound])
    elif one.cost_fen is None:
        yield at.missing(one, on, "fee_notices.cost_fen", clauses=cited)
    else:
        outcome = "above_cost" if one.amount_fen > one.cost_fen else "at_cost"
        yield at.say(outcome, one, on, inputs, clauses=cited)
