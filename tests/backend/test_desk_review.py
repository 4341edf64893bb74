"""Desk review on change: what is filed is judged, what changed is judged again, people decide."""

import random
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.services import (
    desk_hits,
    desk_review,
    directories,
    filings,
    findings,
    quarterly_forms,
)
from backend.services.act import SYSTEM_ID, Act
from backend.services.desk_hits import Hit, Wanted
from backend.services.errors import Denied
from inspection_plans import gates
from media.keys import ServerKey
from tests.backend.desk import Desk
from tests.backend.sheets import a_class, a_credit_code, a_trainee, an_institution
from tests.conftest import Work
from tests.world import WEIHAI, Login, a_person, signed_in, the_product

KEY = ServerKey.from_seed(bytes(range(32)))
RETIRED: dict[str, Any] = {
    "id": "1",
    "person": "p-0001",
    "enrolled_on": "2026-02-20",
    "retired": True,
    "retired_on": "2025-01-31",
    "employment": "none",
}
WORKING = RETIRED | {"retired": False, "retired_on": None, "employment": "employed"}
OF_NO_ROW = "classes/"


class School:
    """An institution of Weihai that files, and the worker that looks at it."""

    def __init__(self, desk: Desk, user: Login, institution: UUID, work: Work) -> None:
        self.desk, self.user, self.institution, self.work = desk, user, institution, work

    @property
    def act(self) -> Act:
        return self.user.act(self.desk.clock())

    async def file(self, register: str, period: str, payload: dict[str, Any]) -> filings.Filing:
        """Save, submit, and let the review look; what was handed in before is returned first."""
        rules, act = self.desk.rules, self.act
        held = await filings.filings(
            act=act, rules=rules, register=register, institution=self.institution
        )
        for one in held:
            if one.period == period and one.state == "submitted":
                await filings.send_back(one.id, "请更正", act=self.desk.act, rules=rules)
        saved = await filings.save(
            self.institution, register, period, payload, act=act, rules=rules
        )
        done = await filings.submit(saved.id, act=act, rules=rules, key=KEY)
        await self.work.drain()
        return done

    async def hits(self, *, gone: bool = False, rule: str | None = None) -> tuple[Hit, ...]:
        wanted = Wanted(institution=self.institution, gone=gone, rule=rule)
        return await desk_hits.page(wanted, act=self.desk.act, limit=200)

    async def said(self) -> set[tuple[str, str, str, str]]:
        """What stands now, whoever found it when."""
        return {(h.rule, h.about, h.verdict, repr(h.inputs)) for h in await self.hits()}

    async def whole(self) -> desk_review.Ran:
        """Look at everything anew."""
        act = await the_product(self.desk.clock())
        return await desk_review.review(
            self.institution, act=act, rules=self.desk.rules, whole=True
        )


async def a_school(desk: Desk, work: Work, number: int) -> School:
    region = str(WEIHAI)
    await desk.take("institutions", an_institution(number, region=region))
    await desk.take("classes", a_class(number, code="C001", region=region))
    await desk.take("rosters", a_trainee(number, class_code="C001", region=region))
    one = await directories.institution_by_credit_code(a_credit_code(number), act=desk.act)
    user = await a_person(desk.clock(), "institution_user", institution=one.id, region=one.region)
    return School(desk, user, one.id, work)


@pytest.fixture
async def school(desk: Desk, work: Work) -> School:
    return await a_school(desk, work, 1)


def a_roll(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"roster_rev": 1, "persons": 1, "lists": {"trainees": list(rows)}}


async def test_a_hit_says_rule_formula_inputs_and_clauses(school: School) -> None:
    """Retired persons are excluded: shandong-2022-156 and Weihai (DR-17)."""
    await school.file("R12", "C001", a_roll(RETIRED))
    (hit,) = await school.hits(rule="DR-17")
    assert hit.about == f"trainees/{a_credit_code()}:C001:1"
    assert hit.inputs == {"start_on": "2026-03-01", "retired_on": "2025-01-31"}
    assert "2025-01-31" in hit.explanation.zh
    assert hit.formula.zh
    assert hit.formula.en
    assert any(clause.startswith("weihai-2023-25/") for clause in hit.clauses)
    assert (hit.state, hit.verdict) == ("suspected", "finding")


async def test_a_correction_takes_the_hit_away(school: School) -> None:
    await school.file("R12", "C001", a_roll(RETIRED))
    before = await school.said()
    await school.file("R12", "C001", a_roll(WORKING))
    after = await school.said()
    assert {rule for rule, *_ in before - after} == {"DR-17"}
    (gone,) = await school.hits(rule="DR-17", gone=True)
    assert gone.gone_at == school.desk.clock()
    with pytest.raises(desk_hits.HitGone):
        await desk_hits.uphold(gone.id, act=school.desk.act)


async def test_only_what_looks_at_the_change_is_judged(school: School) -> None:
    await school.file("R12", "C001", a_roll(RETIRED))
    first = await desk_hits.last_run(school.institution, act=school.desk.act)
    await school.file("R06", "2026", {"items": [{"occupation": "ai", "persons": 10}]})
    second = await desk_hits.last_run(school.institution, act=school.desk.act)
    assert (first.whole, second.whole) == (True, False)
    assert second.judged < first.judged
    assert "charges" in second.lacking


async def test_a_person_judges_and_a_job_does_not(school: School) -> None:
    await school.file("R12", "C001", a_roll(RETIRED))
    (hit,) = await school.hits(rule="DR-17")
    for judge in (desk_hits.uphold,):
        with pytest.raises(Denied):
            await judge(hit.id, act=await the_product(school.desk.clock()))
    upheld = await desk_hits.uphold(hit.id, act=school.desk.act)
    with pytest.raises(desk_hits.AlreadyJudged):
        await desk_hits.dismiss(hit.id, reason="重复", act=school.desk.act)
    assert upheld.finding is not None
    found = await findings.get(upheld.finding, act=school.desk.act)
    assert (found.state, found.source, found.item, found.visit) == (
        "suspected",
        "desk",
        "DR-17",
        None,
    )
    assert found.clauses == hit.clauses


async def test_a_desk_finding_is_verified_by_what_was_filed(school: School) -> None:
    """Gate G4: a person names what the finding rests on; another institution's filing is none."""
    filed = await school.file("R12", "C001", a_roll(RETIRED))
    other = await a_school(school.desk, school.work, 2)
    foreign = await other.file("R12", "C001", a_roll(WORKING))
    (hit,) = await school.hits(rule="DR-17")
    finding = (await desk_hits.uphold(hit.id, act=school.desk.act)).finding
    assert finding is not None
    with pytest.raises(gates.VerificationUnfounded):
        await findings.verify(finding, evidence=(), act=school.desk.act)
    with pytest.raises(findings.EvidenceUnfit):
        await findings.verify(finding, evidence=(foreign.id,), act=school.desk.act)
    verified = await findings.verify(finding, evidence=(filed.id,), act=school.desk.act)
    assert (verified.state, verified.evidence) == ("verified", (filed.id,))


async def test_a_dismissal_holds_until_the_facts_change(school: School) -> None:
    await school.file("R12", "C001", a_roll(RETIRED))
    (hit,) = await school.hits(rule="DR-17")
    await desk_hits.dismiss(hit.id, reason="返聘，有文件", act=school.desk.act)
    await school.whole()
    (same,) = await school.hits(rule="DR-17")
    await school.file("R12", "C001", a_roll(RETIRED | {"retired_on": "2024-12-31"}))
    (other,) = await school.hits(rule="DR-17")
    assert (same.state, same.reason) == ("dismissed", "返聘，有文件")
    assert (other.id, other.state, other.reason) == (hit.id, "suspected", None)


async def test_changes_say_the_same_as_everything_anew(school: School) -> None:
    """Any order of filings and corrections: what stands is what a whole review says."""
    chance = random.Random(7)
    payloads: list[tuple[str, str, dict[str, Any]]] = [
        ("R12", "C001", a_roll(RETIRED)),
        ("R12", "C001", a_roll(WORKING, RETIRED | {"id": "2", "person": "p-0002"})),
        ("R06", "2026", {"items": [{"occupation": "ai", "persons": 10}]}),
        (
            "R15",
            "C001",
            {"ended_on": "2026-03-01", "trained": 1, "examined": 1, "passed": 1, "certificates": 1}
            | {"lists": {"completions": [{"trainee_id": "1", "passed": True}]}},
        ),
        (
            "R11",
            "2026",
            {"lists": {"charges": [{"id": "1", "trainee_id": "C001:1", "amount_fen": 100,
                                    "charged_on": "2026-02-21", "payer": "lender"}]}},
        ),
    ]  # fmt: skip
    for _ in range(2):
        chance.shuffle(payloads)
        for register, period, payload in payloads:
            await school.file(register, period, payload)
            said = await school.said()
            ran = await school.whole()
            assert (ran.told, ran.gone) == (0, 0)
            assert await school.said() == said


async def test_a_night_makes_a_term_run_out(school: School) -> None:
    """The list of trainees is due 30 days after completion (DR-08); the daily look says so."""
    done = {"ended_on": "2026-03-01", "trained": 1, "examined": 1, "passed": 1, "certificates": 0}
    await school.file("R15", "C001", done)
    before = await school.hits(rule="DR-08")
    school.desk.clock.tick(days=60)
    act = await the_product(school.desk.clock())
    assert await desk_review.order_whole(None, act=act) == 1
    await school.work.drain()
    after = await school.hits(rule="DR-08")
    assert [h.verdict for h in before] != [h.verdict for h in after]
    assert "finding" in {h.verdict for h in after}


async def test_rows_of_others_about_the_same_person_are_seen(school: School) -> None:
    """A change at one school has the other's rows judged again, and no hit changes hands."""
    other = await a_school(school.desk, school.work, 2)
    await school.file("R12", "C001", a_roll(WORKING))
    await other.file("R12", "C001", a_roll(WORKING))
    run = await desk_hits.last_run(school.institution, act=school.desk.act)
    assert run.whole
    for one in (school, other):
        code = await one.desk.owner.fetchval(
            "select credit_code from institution where id = $1", one.institution
        )
        assert all(code in hit.about for hit in await one.hits())


async def test_others_see_no_hit(school: School, client: httpx.AsyncClient) -> None:
    await school.file("R12", "C001", a_roll(RETIRED))
    (hit,) = await school.hits(rule="DR-17")
    people = [
        (school.user, 403),
        (await a_person(school.desk.clock(), "supervisor", region=140000), 404),
        (await a_person(school.desk.clock(), "inspector"), 403),
    ]
    for who, status in people:
        headers = await signed_in(client, who)
        answer = await client.get(f"/api/v1/desk-hits/{hit.id}", headers=headers)
        assert answer.status_code == status
    headers = await signed_in(client, school.desk.who)
    listed = await client.get("/api/v1/desk-hits?rule=DR-17", headers=headers)
    gone = await client.post(
        f"/api/v1/desk-hits/{hit.id}/dismissal", json={"reason": "返聘"}, headers=headers
    )
    assert [row["id"] for row in listed.json()] == [str(hit.id)]
    assert gone.json()["judged_by"] == str(school.desk.who.person.id) != str(SYSTEM_ID)


FORM: dict[str, Any] = {
    "unit": "虚构培训机构1",
    "filled_on": "2026-03-30",
    "filled_by": "虚构填表人",
    "phone": "0631-0000000",
    "rows": [
        {
            "name": "大数据",
            "classes": 2,
            "subsidised_classes": 0,
            "trained": 1,
            "certified": 0,
            "subsidised_persons": 0,
            "subsidy_fen": 0,
        }
    ],
}


async def test_the_quarterly_form_is_counted_and_compared(
    school: School, client: httpx.AsyncClient
) -> None:
    """Source: weihai-2023-25/annex/form-columns; one class of one trainee ended in the quarter."""
    await school.file("R12", "C001", a_roll(WORKING))
    done = {"ended_on": "2026-03-28", "trained": 1, "examined": 1, "passed": 1, "certificates": 1}
    await school.file("R15", "C001", done)
    rules = school.desk.rules
    alone = await quarterly_forms.counted(
        school.institution, "2026Q1", act=school.act, rules=rules
    )
    counted = {row.name: (row.classes, row.trained) for row in alone.rows}
    assert counted["大数据"] == (1, 1)
    assert list(counted)[:3] == ["智能制造", "大数据", "区块链"]
    assert alone.differences is None
    assert "certificates" in alone.lacking
    await school.file("R38", "2026Q1", FORM)
    headers = await signed_in(client, school.user)
    path = f"/api/v1/institutions/{school.institution}/quarterly-forms/2026Q1"
    held = (await client.get(path, headers=headers)).json()
    assert held["differences"] == [
        {"occupation": "大数据", "measure": "classes", "filed": 2, "counted": 1}
    ]
    await school.desk.owner.execute("update institution set region = 370100")
    with pytest.raises(quarterly_forms.NoForm):
        await quarterly_forms.counted(
            school.institution, "2026Q1", act=school.desk.act, rules=rules
        )


async def test_what_is_owed_and_by_when(school: School, client: httpx.AsyncClient) -> None:
    """Filed with a receipt, owed with its clause, late computed; versions are kept."""
    headers = await signed_in(client, school.user)
    path = f"/api/v1/institutions/{school.institution}/filings-owed"
    owed = {
        (o["register"], o["period"]): o for o in (await client.get(path, headers=headers)).json()
    }
    assert owed["R16", "C001"]["due_on"] == "2026-04-30"
    assert owed["R07", "C001"]["overdue"] is True
    assert owed["R38", "2025Q4"]["overdue"] is True
    assert owed["R38", "2026Q1"]["clauses"] == ["weihai-2023-25/6.2/quarterly-form"]
    assert owed["R06b", "2025"]["state"] is None
    filed = await school.file("R38", "2026Q1", FORM)
    assert filed.receipt is not None
    assert filed.receipt.digest == filings.digest(filed.payload)
    await filings.send_back(filed.id, "请核对", act=school.desk.act, rules=school.desk.rules)
    kept = await client.get(f"/api/v1/filings/{filed.id}/versions", headers=headers)
    assert [v["state"] for v in kept.json()] == ["submitted", "returned"]
    assert {v["sha256"] for v in kept.json()} == {filed.receipt.digest}
