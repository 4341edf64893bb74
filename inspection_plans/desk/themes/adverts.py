"""The rule about what advertisements promise: DR-28."""

from collections.abc import Iterator
from datetime import date

from inspection_plans.desk.frame import At, Results, check
from inspection_plans.desk.view import View
from inspection_plans.filings.catalogue import Advert
from inspection_plans.filings.training import EmployerApproval, TrainingClass

_BAN = "cross_province"
_EXCEPTION = "employer_request_approval"


def _of_school(view: View, row: TrainingClass) -> Iterator[Advert]:
    """From a class to what its institution advertised."""
    yield from view.many(Advert, "institution_id", row.institution_id)


def _of_approval(view: View, row: EmployerApproval) -> Iterator[Advert]:
    one = view.one(TrainingClass, row.class_id)
    if one is not None:
        yield from _of_school(view, one)


@check(
    "DR-28",
    over=Advert,
    reads={TrainingClass: _of_school, EmployerApproval: _of_approval},
)
def promises(at: At, one: Advert) -> Results:
    """Tell every place where a text promises what a paper in force forbids, for a person to judge.

    Another province's name beside a word of cooperation is no question where the paper has an
    exception and the institution's approval was there. Positions count code points of the text,
    the end exclusive.
    Source: national-2021-71/6.3/false-advertising and the bans beside it;
    shanxi-2024-27/6.3/employer-request-approval.
    """
    on = one.published_on
    in_force = at.rules.library.effective_set(at.jurisdiction, on)
    hits = at.rules.lexicon.scan(one.text, at.jurisdiction, in_force)
    approved = _approved_on(at, one) if any(hit.concept == _BAN for hit in hits) else None
    for hit in hits:
        inputs: dict[str, object] = {
            "concept": hit.concept,
            "term": hit.term,
            "start": hit.start,
            "end": hit.end,
            "text": one.text[hit.start : hit.end],
        }
        outcome = hit.mark.value
        if hit.concept == _BAN and approved is not None:
            outcome, inputs["approved_on"] = "approved", approved
        part = f"{hit.start}-{hit.end}/{hit.concept}"
        yield at.say(outcome, one, on, inputs, clauses=hit.clauses, part=part)
    if not hits:
        yield at.say("clean", one, on)


def _approved_on(at: At, one: Advert) -> date | None:
    """The earliest approval of a class of the institution that stood when it advertised."""
    on = one.published_on
    papers = at.rules.library.effective_set(at.jurisdiction, on)
    if not any(clause.concept == _EXCEPTION for clause in papers):
        return None
    rows = (
        row
        for school in at.view.many(TrainingClass, "institution_id", one.institution_id)
        for row in at.view.many(EmployerApproval, "class_id", school.id)
    )
    days = (row.approved_on for row in rows if row.requested_on and row.approved_on)
    return min((day for day in days if day <= on), default=None)
