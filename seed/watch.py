"""Act 8: what reaches the office by itself: a tip without a sender, a word in a filed advert."""

from dataclasses import dataclass
from datetime import date

from backend.services import desk_hits, directories, filings, tip_desk, tips
from backend.services.desk_hits import Wanted
from backend.services.tips import Loan, NewTip
from backend.services.visitors import Visitor
from seed import people
from seed.casework import Matter
from seed.field import Field
from seed.stage import Stuck
from seed.world import SHANDONG, World

TOLD_ON, ANSWERED_ON = date(2026, 6, 17), date(2026, 6, 18)
TOLD_OF = "loan"  # whose contracts the inspectors found, too
TEXT = "签合同时才知道要办分期贷款，中途退学也不给退，共有十几名学员。（虚构）"
MORE = "补充：签约时在场的是咨询部老师。（虚构）"
ANSWER = "已安排核查：该机构已被责令解除贷款合同并退款，请留意退款通知。"
ADVERT = "零基础入学，一次包过，名额有限。（虚构）"
BANNED = "DR-28"


@dataclass
class Watched:
    """A tip's return code, to be read with it on the site, and what the desk review said."""

    tip_code: str = ""
    tips: int = 0
    hits: int = 0
    upheld: int = 0


async def watch(here: Field, world: World, matters: list[Matter]) -> Watched:
    """A tip is sent, answered and linked; an advert is filed, and a person takes its hit up."""
    done = Watched()
    here.stage.clock.move(TOLD_ON)
    await _tip(here, matters, done)
    await _advert(here, world, done)
    return done


def _visitor(here: Field) -> Visitor:
    """Somebody without an account."""
    stage = here.stage
    return Visitor(mark="0" * 32, at=stage.clock.tick(), new_id=stage.ids, token=stage.jobs.token)


async def _tip(here: Field, matters: list[Matter], done: Watched) -> None:
    stage = here.stage
    matter = next(one for one in matters if one.trip.fate == TOLD_OF)
    new = NewTip(
        category="loan",
        text=TEXT,
        about=matter.trip.institution.name,
        credit_code=matter.trip.institution.credit_code,
        loan=Loan(lender="示例消费金融（虚构）", principal_fen=1_280_000, instalments=12),
    )
    given = await tips.receive(new, visitor=_visitor(here), box=stage.jobs.keys.tips)
    await tips.add(given.code, MORE, visitor=_visitor(here))
    stage.clock.move(ANSWERED_ON)
    region = matter.trip.region
    (tip, *_) = await tip_desk.page(
        tip_desk.Wanted(), act=people.of(here.cast, region, "supervisor", stage)
    )
    institution = matter.trip.institution.id
    act = people.of(here.cast, region, "supervisor", stage)
    await tip_desk.triage(tip.id, act=act, institution=institution)
    act = people.of(here.cast, region, "supervisor", stage)
    await tip_desk.link(tip.id, "visit", matter.trip.visit, act=act)
    act = people.of(here.cast, region, "supervisor", stage)
    await tip_desk.answer(tip.id, ANSWER, act=act)
    done.tip_code, done.tips = given.code, 1


async def _advert(here: Field, world: World, done: Watched) -> None:
    """An institution of Shandong files what it advertised; the review finds the promise in it."""
    stage = here.stage
    classes = world.rows["classes"]
    row = next(one for one in classes if world.regions[one["credit_code"]] == SHANDONG)
    act = people.of(here.cast, SHANDONG, "supervisor", stage)
    found = await directories.institution_by_credit_code(row["credit_code"], act=act)
    user = await people.user_of(stage, here.cast, found)
    advert = {
        "id": "1",
        "published_on": stage.clock().date().isoformat(),
        "text": ADVERT,
        "channel": "门店海报",
    }
    payload = {"lists": {"adverts": [advert], "enrolment_notices": []}}
    rules = stage.jobs.rules
    filing = await filings.save(
        found.id, "R10", row["code"], payload, act=stage.act(user), rules=rules
    )
    await filings.submit(filing.id, act=stage.act(user), rules=rules, key=stage.jobs.keys.server)
    await stage.drain()
    wanted = Wanted(institution=found.id, rule=BANNED)
    hits = await desk_hits.page(wanted, act=people.of(here.cast, SHANDONG, "supervisor", stage))
    if not hits:
        raise Stuck("the review did not see the promise")
    await desk_hits.uphold(hits[0].id, act=people.of(here.cast, SHANDONG, "supervisor", stage))
    done.hits, done.upheld = len(hits), 1
