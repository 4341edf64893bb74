"""Due process of a major decision in a case: gates G5, G6, G7 and G12 asked together."""

from backend.piccolo_conf import DB
from backend.services import case_steps, cases
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.case_steps import last
from backend.services.cases import Case
from backend.services.errors import ServiceRefusal
from backend.services.records.case_steps import (
    About,
    CaseStep,
    Discussion,
    Investigation,
    LegalReview,
)
from inspection_plans import gates
from inspection_plans import policy as settings
from inspection_plans.errors import Family
from inspection_plans.loader import jurisdiction_of
from inspection_plans.states import Noun

# Everybody who inspected, verified, ordered, opened or investigated.
INVOLVED = """
select i.account as person from case_file c join finding f on f.id = any (c.findings)
  join assignment a on a.visit = f.visit join inspector i on i.id = a.inspector
  where c.id = $1 and i.account is not null
union select f.verified_by from case_file c join finding f on f.id = any (c.findings)
  where c.id = $1 and f.verified_by is not null
union select n.author from case_file c join notice n on n.id = c.notice where c.id = $1
union select opened_by from case_file where id = $1
union select by_account from case_step where case_file = $1 and kind = 'investigation'
"""


class NotInvestigated(ServiceRefusal):
    """The facts of the case are not recorded with their evidence."""

    code = "case.not_investigated"
    family = Family.GATE


async def outsider(case: Case, *, act: Act) -> None:
    """G6: the legal reviewer took no part in the matter.

    Raises: CaseReviewerInvolved ("case.legal_reviewer_involved").
    """
    involved = {row["person"] for row in await DB.connection.fetch(INVOLVED, case.id)}
    if act.by.id in involved:
        raise gates.CaseReviewerInvolved(field="legal_review", reviewer=str(act.by.id))


async def sound(
    case: Case, steps: tuple[CaseStep, ...], about: About, remedies: str, *, act: Act
) -> None:
    """Hold a major decision against G5, G6, G7 and G12, in the deed's transaction.

    Raises: NotInvestigated, PartyNotHeard, CaseReviewMissing, LegallyStopped, CaseSamePerson,
    DecisionUnfounded, Stayed.
    """
    today, place = on_day(act.at), jurisdiction_of(case.region)
    if last(steps, Investigation) is None:
        raise NotInvestigated(field="investigation")
    await cases.heard(case, act=act)
    found = last(steps, LegalReview)
    gates.legally_cleared(found.cleared if found else None)
    for author in {case.opened_by, *(s.by_account for s in steps if s.kind == "investigation")}:
        gates.second_person(Noun.CASE, author=author, approver=act.by.id)
    discussion = last(steps, Discussion)
    gates.major_decision(
        discussed_on=discussion.held_on if discussion else None,
        hearing_needed=settings.policy(f"hearing_for_{about}", place).value == "yes",
        hearing_offered=case_steps.hearing_offered(steps, about, region=case.region, today=today),
        remedies=remedies,
    )
    await case_steps.executable(case.id, today=today)
