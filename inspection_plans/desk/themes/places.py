"""Rules about where a class is held: DR-26 approval of the exception, DR-27 across provinces."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from inspection_plans.desk.frame import At, Result, Results, check, via
from inspection_plans.desk.view import View
from inspection_plans.desk.ways import lies_in, province
from inspection_plans.filings.catalogue import CatalogueEntry, Institution
from inspection_plans.filings.exams import ExamBatch
from inspection_plans.filings.training import EmployerApproval, Photo, Trainee, TrainingClass
from inspection_plans.filings.words import Side, within
from inspection_plans.vocabulary import ClauseId

_BAN = "cross_province"
_EXCEPTION = "employer_request_approval"
OF_CLASS = via("id", "class_id")
OF_INSTITUTION = via("institution_id")


def _classes_of(view: View, row: CatalogueEntry) -> Iterator[TrainingClass]:
    """From an entry to the classes of its occupations, by whomever they are held."""
    for occupation in sorted(row.occupations):
        yield from view.many(TrainingClass, "occupation", occupation)


def _classes_opened_by(view: View, row: Institution) -> Iterator[TrainingClass]:
    for entry in view.many(CatalogueEntry, "institution_id", row.id):
        yield from _classes_of(view, entry)


@check(
    "DR-26",
    over=TrainingClass,
    reads={
        EmployerApproval: OF_CLASS,
        CatalogueEntry: _classes_of,
        Institution: _classes_opened_by,
    },
)
def exception_approved(at: At, one: TrainingClass) -> Results:
    """Outside the province, or in an occupation not open there, only as the paper allows.

    Source: shanxi-2024-27/6.3/employer-request-approval.
    """
    on = one.start_on
    if lacking := at.lacking(CatalogueEntry, Institution):
        yield at.missing(one, on, *lacking)
        return
    reasons = []
    if not lies_in(one.venue_region, at.jurisdiction):
        reasons.append("venue_outside")
    if not _open_here(at, one.occupation, on):
        reasons.append("occupation_not_open")
    inputs: dict[str, object] = {"occupation": one.occupation, "reasons": reasons}
    if not reasons:
        yield at.say("ordinary", one, on, inputs)
    elif not at.view.known(EmployerApproval):
        yield at.missing(one, on, "employer_approvals")
    else:
        yield _exception(at, one, inputs)


def _exception(at: At, one: TrainingClass, inputs: dict[str, object]) -> Result | None:
    row = _approval(at.view, one)
    if row is None or row.approved_on is None:
        return at.say("lacking", one, one.start_on, inputs)
    inputs |= {"requested_on": row.requested_on, "approved_on": row.approved_on}
    inputs["start_on"] = one.start_on
    outcome = "late" if row.approved_on > one.start_on else "approved"
    return at.say(outcome, one, one.start_on, inputs)


def _open_here(at: At, occupation: str, on: date) -> bool:
    """Say whether an institution at home in the place was listed to train the occupation."""
    for row in at.view.many(CatalogueEntry, "occupations", occupation):
        if row.side == "training" and within(row.valid_from, row.valid_until, on):
            home = at.view.one(Institution, row.institution_id)
            if home is not None and lies_in(home.home_region, at.jurisdiction):
                return True
    return False


def _approval(view: View, one: TrainingClass) -> EmployerApproval | None:
    """Return the earliest approval that has both a request and a decision."""
    rows = view.many(EmployerApproval, "class_id", one.id)
    whole = [row for row in rows if row.requested_on and row.approved_on]
    return min(whole, key=lambda row: (row.approved_on or date.max, row.id), default=None)


@check(
    "DR-27",
    over=TrainingClass,
    reads={Institution: OF_INSTITUTION, EmployerApproval: OF_CLASS},
)
def class_across(at: At, one: TrainingClass) -> Results:
    """Compare the province of the venue with the institution's own.

    Source: shandong-2022-156/6.2/cross-province, shanxi-2024-27/6.2/cross-province,
    heilongjiang-2023-13/5.3/cross-province.
    """
    approval = _approval(at.view, one)
    cleared = None
    if approval is not None and _has(at, at.jurisdiction, one.start_on, _EXCEPTION):
        cleared = approval.approved_on
    yield _across(at, one, "training", cleared)


@check("DR-27", over=ExamBatch, reads={Institution: OF_INSTITUTION})
def batch_across(at: At, one: ExamBatch) -> Results:
    """Compare the same of an exam, where the ban binds evaluators too.

    Source: heilongjiang-2023-13/5.3/cross-province.
    """
    yield _across(at, one, "evaluation", None)


def _across(
    at: At, one: TrainingClass | ExamBatch, side: Side, cleared: date | None
) -> Result | None:
    on = one.start_on
    cited = _banned(at, on, side)
    institution = at.view.one(Institution, one.institution_id)
    if institution is None:
        return at.missing(one, on, "institutions", clauses=cited, part="venue")
    venue, home = province(one.venue_region), province(institution.home_region)
    inputs: dict[str, object] = {"venue": venue, "home": home}
    if venue == home:
        return at.say("at_home", one, on, inputs, clauses=cited, part="venue")
    inputs["ban_at"] = [place for place in (home, venue) if _has(at, place, on, _BAN, side)]
    if cleared is not None and cleared <= on:
        inputs["approved_on"] = cleared
        return at.say("approved", one, on, inputs, clauses=cited, part="venue")
    return at.say("across", one, on, inputs, clauses=cited, part="venue")


def _banned(at: At, on: date, side: Side) -> tuple[ClauseId, ...]:
    """Return the bans that bind this side, with what rests on them; nothing where none does."""
    found = at.in_force(on, side=side)
    binding = any(f"{side}_institution" in clause.subject for clause in found)
    return tuple(clause.id for clause in found) if binding else ()


def _has(at: At, place: str, on: date, concept: str, side: Side | None = None) -> bool:
    """Say whether a paper in force at a place speaks of something, to one side if named."""
    found = at.rules.library.effective_set(
        place, on, None if side is None else f"{side}_institution"
    )
    return any(clause.concept == concept for clause in found)


@check("DR-27", over=TrainingClass, reads={Photo: OF_CLASS})
def photos_taken_elsewhere(at: At, one: TrainingClass) -> Results:
    """Ask when a photograph filed for a class was taken in another province than its venue.

    Source: shandong-2022-156/6.2/cross-province.
    """
    venue = province(one.venue_region)
    rows = at.view.many(Photo, "class_id", one.id)
    taken = {province(row.region) for row in rows if row.region is not None}
    if elsewhere := sorted(taken - {venue}):
        inputs = {"venue": venue, "photos": elsewhere}
        cited = _banned(at, one.start_on, "training")
        yield at.say("photos_elsewhere", one, one.start_on, inputs, clauses=cited, part="photos")


def _classes_at(view: View, row: Institution) -> tuple[TrainingClass, ...]:
    return view.many(TrainingClass, "institution_id", row.id)


@check("DR-27", over=TrainingClass, reads={Trainee: OF_CLASS, Institution: _classes_at})
def trainees_from_elsewhere(at: At, one: TrainingClass) -> Results:
    """Ask when more than a share of the known homes lies outside the institution's province.

    Source: shandong-2022-156/6.2/cross-province; the share is a setting.
    """
    on = one.start_on
    cited = _banned(at, on, "training")
    institution = at.view.one(Institution, one.institution_id)
    rows = at.view.many(Trainee, "class_id", one.id)
    homes = [province(row.home_region) for row in rows if row.home_region is not None]
    if institution is None or not homes:
        what = "institutions" if institution is None else "trainees.home_region"
        yield at.missing(one, on, what, clauses=cited, part="homes")
        return
    outside = sum(home != province(institution.home_region) for home in homes)
    share = str(at.setting("outside_trainee_share").value)
    wanted = Fraction(share)
    inputs = {"known": len(homes), "outside": outside, "share": share}
    more = outside * wanted.denominator > wanted.numerator * len(homes)
    outcome = "homes_elsewhere" if more else "homes_here"
    yield at.say(outcome, one, on, inputs, clauses=cited, part="homes")
