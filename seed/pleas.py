"""What institutions ask for: more time, a finding taken back; and a case that is stopped."""

from datetime import date

from backend.services import case_deeds, case_steps, replies, reply_decisions, reviews
from backend.services.cases import Case
from backend.services.records.case_steps import Investigation, LegalReview
from backend.services.replies import Words
from backend.services.reply_decisions import NewDecision
from seed import people
from seed.casework import Matter, again
from seed.field import Field

ASKS_TIME = "job_guarantee"  # the landlord takes the posters down later
OBJECTS = "high_pass_rate"  # the figure it advertised is the one that was filed
WANTED_ON = date(2026, 6, 22)


async def _say(here: Field, matter: Matter, words: Words) -> None:
    """The institution's user writes one reply without files and sends it."""
    stage, ident = here.stage, here.stage.ids()
    user = await people.user_of(stage, here.cast, matter.trip.institution)
    await replies.save(matter.notice.id, ident, words, base=None, act=stage.act(user))
    key = stage.jobs.keys.server
    await replies.send(matter.notice.id, (ident,), key=key, act=stage.act(user))
    act = people.of(here.cast, matter.trip.region, "approver", stage)
    granted = NewDecision(granted=True, reason="情况属实，同意")
    await reply_decisions.decide(matter.notice.id, ident, granted, act=act)
    matter.stand(await again(here, matter, matter.notice.id))


async def more_time(here: Field, matter: Matter) -> None:
    """A request for an extension, decided by the approver, with its number."""
    words = Words(kind="extension", text="广告位由出租方拆除，需延期完成。", wanted_on=WANTED_ON)
    await _say(here, matter, words)


async def objection(here: Field, matter: Matter) -> None:
    """An objection that is upheld: the finding is withdrawn, and nothing is left to mend."""
    words = Words(kind="objection", text="所公示通过率与备案数据一致，附查询说明。")
    await _say(here, matter, words)
    act = people.of(here.cast, matter.trip.region, "supervisor", here.stage)
    notice = matter.notice
    matter.stand(await reviews.begin(notice.id, rev=notice.rev, act=act))


async def stopped(here: Field, matter: Matter, case: Case) -> Case:
    """A removal that was to be proposed, and that the legal review stops: the case ends so."""
    stage, region = here.stage, case.region
    evidence = tuple(sorted({one for found in matter.findings for one in found.evidence}))
    facts = Investigation(facts="以联盟名义在省外招生，已全部停止并退费。", evidence=evidence)
    await case_steps.record(case.id, facts, act=people.of(here.cast, region, "supervisor", stage))
    opinion = LegalReview(cleared=False, opinion="已经改正，未造成后果，退出目录的依据不足。")
    await case_deeds.review(case.id, opinion, act=people.of(here.cast, region, "legal", stage))
    return await case_deeds.close(
        case.id,
        outcome="stopped_by_legal_review",
        reason="法制审核不予通过，不再提出退出目录建议",
        act=people.of(here.cast, region, "approver", stage),
    )
