"""Serious cases to their end: due process before each deed, and what a bad record bars."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from backend.clock import new_id
from backend.piccolo_conf import DB
from backend.services import (
    bad_records,
    bars,
    case_deeds,
    case_steps,
    cases,
    clock_stops,
    consequences,
    due_process,
    recoveries,
)
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.bad_records import NewBadRecord
from backend.services.cases import Case
from backend.services.clock_stops import NewStop
from backend.services.imports import take
from backend.services.imports.refusals import ImportRefused
from backend.services.records.case_steps import (
    Decision,
    Discussion,
    HandOver,
    HearingHeld,
    HearingOffer,
    HearingWaived,
    Investigation,
    LegalReview,
    Part,
    Payment,
    Proposal,
    Receipt,
    Recovery,
    RecusalRequest,
    Statement,
)
from inspection_plans import gates
from inspection_plans.loader import load
from inspection_plans.recoveries import InstalmentsWrong, PaidTooMuch
from inspection_plans.states import CaseWrongState
from inspection_plans.stops import Ground, Whose
from tests import casework, world
from tests.conftest import StillClock

pytestmark = pytest.mark.usefixtures("app")
REMEDIES = "可以申请行政复议或者提起行政诉讼。"
TEXT = "建议退出目录。"


@dataclass
class Trial:
    """A verified case with its office, people and clock."""

    matter: casework.Matter
    case: Case
    evidence: UUID
    clock: StillClock

    def act(self, who: str) -> Act:
        login: world.Login = getattr(self.matter.office, who)
        return login.act(self.clock())

    @property
    def today(self) -> date:
        return on_day(self.clock())

    async def record(self, step: Any, who: str = "author") -> Any:
        """One step recorded by the office."""
        return await case_steps.record(self.case.id, step, act=self.act(who))

    async def spoken(self) -> None:
        """The party spoke to the case."""
        await self.record(
            Statement(text="已经停止", stated_on=self.today, stated_by="校长", paper="笔录1")
        )

    async def investigated(self) -> None:
        await self.record(Investigation(facts="经查属实", evidence=(self.evidence,)))

    async def reviewed(self, *, cleared: bool = True) -> None:
        review = LegalReview(cleared=cleared, opinion="事实清楚")
        await case_deeds.review(self.case.id, review, act=self.act("legal"))

    async def discussed(self) -> None:
        step = Discussion(held_on=self.today, present=5, conclusion="一致同意", paper="纪要1")
        await self.record(step)

    async def heard(self, about: Any) -> None:
        await self.record(HearingOffer(about=about, served_on=self.today, paper="告知书1"))
        await self.record(HearingWaived(about=about, waived_on=self.today, paper="声明1"))

    async def ready(self, about: Any = "removal") -> None:
        """Everything that a major decision asks for."""
        await self.investigated()
        await self.reviewed()
        await self.discussed()
        await self.heard(about)

    async def propose(self, who: str = "approver", remedies: str = REMEDIES) -> Any:
        new = Proposal(text=TEXT, remedies=remedies)
        return await case_deeds.propose(self.case.id, new, rules=load(), act=self.act(who))

    async def state(self) -> str:
        return (await cases.get(self.case.id, act=self.act("author"))).state


async def a_trial(
    owner: asyncpg.Connection,
    clock: StillClock,
    *items: str,
    region: int = world.WEIHAI,
    name: str = "威人社",
) -> Trial:
    """A case whose facts hold: a critical finding, and the party's words."""
    office = await casework.an_office(clock(), region, name)
    matter = await casework.a_matter(owner, clock(), *(items or ("TI_02",)), office=office)
    found = tuple(one.id for one in matter.findings)
    case = await cases.open_critical(found, reason="目录外开班", act=office.author.act(clock()))
    trial = Trial(matter, case, matter.findings[0].evidence[0], clock)
    await trial.spoken()
    await cases.verify(case.id, act=office.author.act(clock()))
    return trial


async def test_a_removal_is_proposed_decided_handed_over_and_closed(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    trial = await a_trial(owner, clock)
    await trial.ready()
    proposed = await trial.propose()
    assert proposed.number == "威人社退建字〔2026〕1号"
    assert "national-2021-71/6.3/exit-catalogue" in proposed.body.clauses
    assert await trial.state() == "delisting_proposed"
    clock.tick(days=5)
    decision = Decision(removed=True, decided_on=trial.today, reference="项目办〔2026〕3号")
    with pytest.raises(case_deeds.VersionMissing):
        await case_deeds.decide(trial.case.id, decision, act=trial.act("author"))
    early = msgspec.structs.replace(
        decision, decided_on=trial.today + timedelta(days=1), catalogue_version="2026-2"
    )
    with pytest.raises(case_steps.OutOfTime):
        await case_deeds.decide(trial.case.id, early, act=trial.act("author"))
    decision = msgspec.structs.replace(decision, catalogue_version="2026-2")
    await case_deeds.decide(trial.case.id, decision, act=trial.act("author"))
    letter = HandOver(
        receiver="市场监管部门", subject="虚假宣传", text="移交处理", handed_on=trial.today
    )
    receipt = Receipt(received_on=trial.today, reference="回执1")
    with pytest.raises(case_deeds.NotHandedOver):
        await case_deeds.receipt(trial.case.id, receipt, act=trial.act("author"))
    handed = await case_deeds.hand_over(trial.case.id, letter, act=trial.act("approver"))
    assert handed.number == "威人社移交字〔2026〕1号"
    await case_deeds.receipt(trial.case.id, receipt, act=trial.act("author"))
    with pytest.raises(case_deeds.OutcomeContradicted):
        await case_deeds.close(
            trial.case.id, outcome="removal_refused", reason="x", act=trial.act("approver")
        )
    done = await case_deeds.close(
        trial.case.id, outcome="handed_over", reason="已移交", act=trial.act("approver")
    )
    assert (done.state, done.outcome) == ("closed", "handed_over")
    kinds = [one.kind for one in await case_steps.of(trial.case.id, act=trial.act("author"))]
    entries = await owner.fetch(
        "select body ->> 'verb' as verb from aud.entry where body -> 'object' ->> 'id' = $1",
        str(trial.case.id),
    )
    told = [row["verb"] for row in entries]
    assert told == ["case.opened", "case.statement", "case.verified"] + [
        f"case.{kind}" for kind in kinds[1:]
    ] + ["case.closed"]


async def test_every_gate_of_a_proposal_is_asked(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    trial = await a_trial(owner, clock)
    with pytest.raises(due_process.NotInvestigated):
        await trial.propose()
    await trial.investigated()
    with pytest.raises(gates.CaseReviewMissing):  # G6
        await trial.propose()
    await trial.reviewed(cleared=False)
    with pytest.raises(gates.LegallyStopped):
        await trial.propose()
    await trial.reviewed()
    own = msgspec.structs.replace(
        trial.act("author"),
        by=msgspec.structs.replace(
            trial.matter.office.author.person, roles=frozenset({"approver"})
        ),
    )
    new = Proposal(text=TEXT, remedies=REMEDIES)
    with pytest.raises(gates.CaseSamePerson):  # G7: nobody proposes what they opened
        await case_deeds.propose(trial.case.id, new, rules=load(), act=own)
    missing: list[object] = []
    for step in (None, trial.discussed, None):
        if step:
            await step()
        with pytest.raises(gates.DecisionUnfounded) as refused:  # G12
            await trial.propose(remedies=REMEDIES if missing else " ")
        missing.append(refused.value.facts["missing"])
    assert missing == [["discussion", "hearing", "remedies"], ["hearing"], ["hearing"]]
    await trial.record(HearingOffer(about="removal", served_on=trial.today, paper="告知书1"))
    with pytest.raises(gates.DecisionUnfounded):  # its term runs
        await trial.propose()
    clock.tick(days=8)
    stay = NewStop(
        whose=Whose.OFFICE, ground=Ground.STAY, first_on=trial.today, reason="复议", paper="1"
    )
    await clock_stops.begin_case(trial.case.id, stay, act=trial.act("author"))
    with pytest.raises(gates.Stayed):
        await trial.propose()
    await clock_stops.end(
        trial.case.id, Whose.OFFICE, Ground.STAY, last_on=trial.today, reason="x",
        act=trial.act("author"),
    )  # fmt: skip
    with pytest.raises(gates.Stayed):  # its last day is stayed too
        await trial.propose()
    clock.tick(days=1)
    assert (await trial.propose()).kind == "proposal"


async def test_a_legal_review_from_within_is_none_and_one_that_stops_ends_the_case(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    trial = await a_trial(owner, clock)
    await trial.investigated()
    both = await world.a_person(
        clock(), "supervisor", "legal", region=world.WEIHAI, office=trial.matter.office.id
    )
    more = Investigation(facts="补充调查", evidence=(trial.evidence,))
    await case_steps.record(trial.case.id, more, act=both.act(clock()))
    review = LegalReview(cleared=True, opinion="同意")
    with pytest.raises(gates.CaseReviewerInvolved):
        await case_deeds.review(trial.case.id, review, act=both.act(clock()))
    await trial.reviewed(cleared=False)
    with pytest.raises(case_deeds.OutcomeContradicted):
        await case_deeds.close(
            trial.case.id, outcome="no_removal_proposed", reason="x", act=trial.act("approver")
        )
    done = await case_deeds.close(
        trial.case.id,
        outcome="stopped_by_legal_review",
        reason="依据不足",
        act=trial.act("approver"),
    )
    assert done.outcome == "stopped_by_legal_review"
    with pytest.raises(CaseWrongState):
        await trial.discussed()


async def test_consequences_come_from_the_papers_of_the_place(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    trial = await a_trial(owner, clock)
    found = await consequences.of_case(trial.case.id, rules=load(), act=trial.act("author"))
    assert {one.concept for f in found for one in f.consequences} >= {"exit_catalogue", "handover"}
    await trial.ready("recovery")
    wanted = Recovery(
        amount_fen=100,
        payee="财政专户",
        text="追缴",
        remedies=REMEDIES,
        instalments=(Part(due_on=trial.today + timedelta(days=30), amount_fen=100),),
    )
    with pytest.raises(consequences.NoneStated):  # Weihai's papers state no recovery
        await recoveries.order(trial.case.id, wanted, rules=load(), act=trial.act("approver"))
    new = NewBadRecord(reason="x", decided_on=trial.today, remedies=REMEDIES)
    with pytest.raises(consequences.NoneStated):
        await bad_records.enter(trial.case.id, new, rules=load(), act=trial.act("approver"))
    mild = await casework.another(owner, trial.matter, clock(), "TI_01")
    async with DB.transaction(trial.act("author").by.scope):
        (one,) = await consequences.of_findings([mild.findings[0].id], rules=load())
    assert one.none_stated == (one.consequences == ())


CLAIMS = "heilongjiang-2023-13/5.4/subsidy-cheating"


async def a_cheat(owner: asyncpg.Connection, clock: StillClock) -> Trial:
    """A case in Heilongjiang about money cheated for."""
    trial = await a_trial(owner, clock, region=world.HEILONGJIANG, name="黑人社")
    await owner.execute(
        "update finding set clauses = array_append(clauses, $2) where id = $1",
        trial.matter.findings[0].id,
        CLAIMS,
    )
    return trial


async def test_money_is_recovered_in_instalments_to_the_last_fen(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    trial = await a_cheat(owner, clock)
    await trial.ready("recovery")
    days = [trial.today + timedelta(days=30 * n) for n in (1, 2)]
    wanted = Recovery(
        amount_fen=150_000,
        payee="财政专户",
        text="追缴补贴",
        remedies=REMEDIES,
        instalments=tuple(Part(due_on=day, amount_fen=75_000) for day in days),
    )
    wrong = msgspec.structs.replace(wanted, amount_fen=150_001)
    with pytest.raises(InstalmentsWrong):
        await recoveries.order(trial.case.id, wrong, rules=load(), act=trial.act("approver"))
    order = await recoveries.order(trial.case.id, wanted, rules=load(), act=trial.act("approver"))
    assert order.number == "黑人社追缴字〔2026〕1号"
    assert isinstance(order.body, Recovery)
    assert order.body.clauses == ("heilongjiang-2023-13/5.4/recovery",)
    with pytest.raises(case_deeds.RecoveryOpen):
        await case_deeds.close(
            trial.case.id, outcome="no_removal_proposed", reason="x", act=trial.act("approver")
        )
    clock.tick(days=40)
    part = Payment(recovery=order.id, amount_fen=50_000, paid_on=trial.today, reference="回单1")
    await recoveries.pay(trial.case.id, part, act=trial.act("author"))
    (now,) = await recoveries.of(trial.case.id, act=trial.act("author"))
    assert (now.balance.left_fen, now.balance.overdue_fen) == (100_000, 25_000)
    much = msgspec.structs.replace(part, amount_fen=100_001)
    with pytest.raises(PaidTooMuch):
        await recoveries.pay(trial.case.id, much, act=trial.act("author"))
    rest = msgspec.structs.replace(part, amount_fen=100_000, reference="回单2")
    await recoveries.pay(trial.case.id, rest, act=trial.act("author"))
    done = await case_deeds.close(
        trial.case.id, outcome="no_removal_proposed", reason="x", act=trial.act("approver")
    )
    assert done.state == "closed"


async def test_a_bad_record_bars_new_classes_and_enrolments_for_its_years(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    trial = await a_cheat(owner, clock)
    await trial.ready("recovery")
    entered_on = trial.today
    new = NewBadRecord(reason="骗取补贴", decided_on=entered_on, remedies=REMEDIES)
    await bad_records.enter(trial.case.id, new, rules=load(), act=trial.act("approver"))
    with pytest.raises(bad_records.Entered):
        await bad_records.enter(trial.case.id, new, rules=load(), act=trial.act("approver"))
    (one,) = await bad_records.page(act=trial.matter.user.act(clock()))
    assert (one.entered_on, one.until_on, one.standing) == (entered_on, date(2029, 3, 2), True)
    assert one.case_file is None  # the case is the office's
    code = await owner.fetchval(
        "select credit_code from institution where id = $1", trial.matter.institution
    )

    async def a_class(name: str, starts_on: str) -> Any:
        row = {
            "credit_code": code,
            "code": name,
            "title": "人工智能训练师",
            "occupation": "人工智能",
            "level": "中级",
            "mode": "offline",
            "venue_region": "230100",
            "venue": "实训楼",
            "teacher": "教师",
            "starts_on": starts_on,
            "ends_on": starts_on,
        }
        return await take("classes", [row], act=trial.act("author"), rules=load())

    with pytest.raises(ImportRefused) as refused:
        await a_class("C1", "2026-05-04")
    told: Any = refused.value.facts["errors"]
    assert [cell["code"] for cell in told] == ["cell.barred"]
    await a_class("C2", "2029-03-02")  # the last day bars no more
    async with DB.transaction(trial.act("author").by.scope):
        with pytest.raises(bars.Barred) as stopped:
            await bars.free(trial.matter.institution, on=trial.today)
    assert stopped.value.facts["until_on"] == "2029-03-02"
    with pytest.raises(gates.CaseSamePerson):
        await bad_records.end(one.id, reason="更正", act=trial.act("approver"))
    ended = await bad_records.end(one.id, reason="更正", act=trial.act("other"))
    assert not ended.standing
    await a_class("C1", "2026-05-04")


async def test_who_is_recused_takes_no_further_part(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    trial = await a_trial(owner, clock)
    office = trial.matter.office
    asks = RecusalRequest(
        account=office.legal.person.id, ground="系校长亲属", asked_on=trial.today
    )
    asked = await trial.record(asks)
    with pytest.raises(case_steps.NothingToDecide):
        await case_steps.decide_recusal(
            trial.case.id, new_id(), granted=True, reason="x", act=trial.act("approver")
        )
    await case_steps.decide_recusal(
        trial.case.id, asked.id, granted=True, reason="属实", act=trial.act("approver")
    )
    with pytest.raises(gates.Recused):
        await trial.reviewed()


async def test_steps_that_do_not_fit_change_nothing(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    trial = await a_trial(owner, clock)
    foreign = await casework.a_matter(owner, clock(), "TI_02", office=trial.matter.office)
    held = await owner.fetchval("select count(*) from case_step")
    wrong = Investigation(facts="x", evidence=(foreign.findings[0].evidence[0],))
    with pytest.raises(case_steps.EvidenceUnfit):
        await trial.record(wrong)
    with pytest.raises(case_steps.NothingToDecide):
        await trial.record(HearingHeld(about="removal", held_on=trial.today, paper="1"))
    tomorrow = trial.today + timedelta(days=1)
    with pytest.raises(case_steps.OutOfTime):
        await trial.record(HearingOffer(about="removal", served_on=tomorrow, paper="1"))
    assert await owner.fetchval("select count(*) from case_step") == held


async def test_a_case_goes_its_way_over_http(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    trial = await a_trial(owner, clock)
    heads = {
        name: await world.signed_in(client, getattr(trial.matter.office, name))
        for name in ("author", "approver", "legal")
    }
    clock.tick(minutes=1)
    path, day = f"/api/v1/cases/{trial.case.id}", trial.today.isoformat()

    async def post(who: str, part: str, body: dict[str, Any], code: int = 201) -> dict[str, Any]:
        answer = await client.post(f"{path}/{part}", headers=heads[who], json=body)
        assert answer.status_code == code, answer.text
        found: dict[str, Any] = answer.json()
        return found

    for step in (
        {"kind": "investigation", "facts": "属实", "evidence": [str(trial.evidence)]},
        {"kind": "discussion", "held_on": day, "present": 3, "conclusion": "同意", "paper": "1"},
        {"kind": "hearing_offer", "about": "removal", "served_on": day, "paper": "1"},
        {"kind": "hearing_waived", "about": "removal", "waived_on": day, "paper": "1"},
    ):
        await post("author", "steps", {"step": step})
    await post("author", "steps", {"step": {"kind": "decision", "removed": True}}, 422)
    proposal = {"text": TEXT, "remedies": REMEDIES}
    missing = await post("approver", "proposal", proposal, 409)
    assert (missing["code"], missing["facts"]["gate"]) == ("case.legal_review_missing", "G6")
    await post("legal", "legal-review", {"cleared": True, "opinion": "同意"})
    await post("author", "proposal", proposal, 403)
    await post("approver", "proposal", proposal)
    refused = {"removed": False, "decided_on": day, "reference": "3号"}
    await post("author", "decision", refused)
    seen = await client.get(f"{path}/steps", headers=heads["author"])
    assert [one["kind"] for one in seen.json()][-1] == "decision"
    follows = await client.get(f"{path}/consequences", headers=heads["author"])
    assert follows.json()[0]["none_stated"] is False
    assert (await client.get(f"{path}/recoveries", headers=heads["author"])).json() == []
    closed = await post(
        "approver", "closing", {"outcome": "removal_refused", "reason": "不予退出"}, 200
    )
    assert closed["outcome"] == "removal_refused"
