"""Filings: typed, submitted by one side and decided by the other, overdue by computation."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.services import directories, filing_terms, filings, payloads, registers
from backend.services.act import Act
from inspection_plans import gates, states
from inspection_plans.loader import load, load_rulebook
from media.keys import ServerKey
from tests.backend.desk import Desk
from tests.backend.sheets import a_credit_code, a_trainee, an_institution
from tests.world import JINAN, SHANDONG, SHANXI, WEIHAI, Login, a_person, signed_in

ROW: dict[str, Any] = {
    "name": "智能制造",
    "classes": 3,
    "subsidised_classes": 1,
    "trained": 90,
    "certified": 60,
    "subsidised_persons": 20,
    "subsidy_fen": 1_234_500,
}
FORM: dict[str, Any] = {
    "unit": "虚构培训机构1",
    "filled_on": "2026-03-30",
    "filled_by": "虚构填表人",
    "phone": "0631-0000000",
    "rows": [ROW],
}
LESSON: dict[str, Any] = {
    "session": "L01",
    "online": False,
    "practice": True,
    "minutes": 150,
    "enrolled": 40,
    "present": 38,
    "means": "签到表",
}
KEY = ServerKey.from_seed(bytes(range(32)))
ITEMS = [{"occupation": "ai", "persons": 100}]
# One good payload a register, with a period it is filed for.
GOOD: dict[str, tuple[str, dict[str, Any]]] = {
    "R06": ("2026", {"items": ITEMS}),
    "R07": (
        "C009",
        {
            "title": "人工智能初级班",
            "occupation": "ai",
            "level": "junior",
            "starts_on": "2026-04-01",
            "ends_on": "2026-04-30",
            "venue_region": 371000,
            "venue": "威海市虚构路1号",
            "teachers": ["虚构教师"],
            "persons": 40,
            "exam_plan": "结业后由虚构评价机构考核",
        },
    ),
    "R12": ("C001", {"roster_rev": 1, "persons": 1}),
    "R13": ("C001", {"lessons": [LESSON]}),
    "R15": (
        "C001",
        {
            "ended_on": "2026-03-31",
            "trained": 40,
            "examined": 39,
            "passed": 30,
            "certificates": 30,
        },
    ),
    "R19": (
        "B001",
        {
            "occupation": "ai",
            "level": "junior",
            "examined_on": "2026-03-31",
            "candidates": 30,
            "passed_theory": 25,
            "passed_ability": 24,
            "passed": 20,
            "rooms": ["一号考场"],
        },
    ),
    "R38": ("2026Q1", FORM),
}


class Parties:
    """An institution of Weihai with its user, and the desk that decides."""

    def __init__(self, desk: Desk, user: Login, institution: UUID) -> None:
        self.desk, self.user, self.institution = desk, user, institution

    @property
    def act(self) -> Act:
        return self.user.act(self.desk.clock())

    async def save(self, register: str, act: Act | None = None, **changed: Any) -> filings.Filing:
        period, payload = GOOD.get(register, ("2026", {"items": ITEMS, "source": "省级计划"}))
        return await filings.save(
            self.institution,
            register,
            changed.pop("period", period),
            payload | changed,
            act=act or self.act,
            rules=self.desk.rules,
        )

    async def submit(self, filing_id: UUID, act: Act | None = None) -> filings.Filing:
        return await filings.submit(filing_id, act=act or self.act, rules=self.desk.rules, key=KEY)

    async def accept(self, filing_id: UUID) -> filings.Filing:
        return await filings.accept(filing_id, act=self.desk.act, rules=self.desk.rules)


@pytest.fixture
async def parties(desk: Desk) -> Parties:
    """A class with a roster is there too."""
    await desk.fill()
    await desk.owner.execute("update institution set region = $1", WEIHAI)
    one = await directories.institution_by_credit_code(a_credit_code(), act=desk.act)
    user = await a_person(desk.clock(), "institution_user", institution=one.id, region=one.region)
    return Parties(desk, user, one.id)


@pytest.mark.parametrize("register", list(GOOD))
async def test_a_filing_goes_its_way(parties: Parties, register: str) -> None:
    draft = await parties.save(register)
    submitted = await parties.submit(draft.id)
    returned = await filings.send_back(
        draft.id, "人数与名册不符", act=parties.desk.act, rules=parties.desk.rules
    )
    again = await parties.save(register)
    await parties.submit(draft.id)
    accepted = await parties.accept(draft.id)
    path = [draft.state, submitted.state, returned.state, again.state, accepted.state]
    assert path == ["draft", "submitted", "returned", "returned", "accepted"]
    assert (returned.reason, accepted.reason, accepted.rev) == ("人数与名册不符", None, 6)
    assert accepted.decided_by == parties.desk.act.by.id
    assert accepted.payload == draft.payload
    verbs = await parties.desk.owner.fetch(
        "select body ->> 'verb' as verb from aud.entry where body -> 'object' ->> 'id' = $1"
        " order by id",
        str(draft.id),
    )
    assert [row["verb"].removeprefix("filing.") for row in verbs] == [
        "saved",
        "submitted",
        "returned",
        "saved",
        "submitted",
        "accepted",
    ]


WRONG_PAYLOADS: list[tuple[str, dict[str, Any], str]] = [
    ("R06", {"items": []}, "payload.items"),
    ("R06", {"colour": "red"}, "payload"),
    ("R07", {"level": "初级"}, "payload.level"),
    ("R07", {"ends_on": "2026-03-31"}, "payload"),
    ("R12", {"persons": 1, "grounds": [{"ground": "失业", "persons": 2}]}, "payload"),
    ("R13", {"lessons": [LESSON | {"present": 41}]}, "payload.lessons[0]"),
    ("R13", {"lessons": [LESSON | {"minutes": 0}]}, "payload.lessons[0].minutes"),
    ("R15", {"passed": 40}, "payload"),
    ("R15", {"certificates": 31}, "payload"),
    ("R19", {"passed": 25}, "payload"),
    ("R38", {"rows": [ROW, ROW]}, "payload"),
    ("R38", {"rows": [ROW | {"classes": "三"}]}, "payload.rows[0].classes"),
    ("R38", {"rows": [ROW | {"subsidised_classes": 4}]}, "payload.rows[0]"),
]


@pytest.mark.parametrize(("register", "changed", "field"), WRONG_PAYLOADS)
async def test_a_wrong_payload_names_its_field(
    parties: Parties, register: str, changed: dict[str, Any], field: str
) -> None:
    with pytest.raises(registers.PayloadInvalid) as refused:
        await parties.save(register, **changed)
    assert refused.value.field == field
    assert (await parties.desk.held())["filing"] == 0


@pytest.mark.parametrize(
    ("register", "period"),
    [("R06", "26"), ("R06", "2026Q1"), ("R38", "2026"), ("R38", "2026Q5"), ("R07", "C 1")],
)
async def test_a_wrong_period(parties: Parties, register: str, period: str) -> None:
    with pytest.raises(registers.PeriodMalformed):
        await parties.save(register, period=period)


async def test_an_unknown_register(parties: Parties) -> None:
    with pytest.raises(registers.RegisterUnknown):
        await parties.save("R99")
    with pytest.raises(registers.RegisterUnknown):
        registers.read("R99", "2026", {})


async def test_a_filing_about_a_class_needs_the_class_and_its_roster(parties: Parties) -> None:
    with pytest.raises(filings.ClassUnknown):
        await parties.save("R13", period="C404")
    with pytest.raises(filings.RosterDiffers):
        await parties.save("R12", roster_rev=2)
    await parties.desk.take("rosters", a_trainee(roster_no=2))
    with pytest.raises(filings.RosterDiffers):
        await parties.save("R12", roster_rev=2, persons=1)
    filed = await parties.save("R12", roster_rev=2, persons=2)
    assert filed.payload["roster_rev"] == 2


async def test_each_side_files_its_own(parties: Parties) -> None:
    with pytest.raises(filings.WrongFiler):
        await parties.save("R38", act=parties.desk.act)
    with pytest.raises(filings.WrongFiler):
        await parties.save("R09")
    allotted = await parties.save("R09", act=parties.desk.act)
    with pytest.raises(filings.WrongFiler):
        await parties.submit(allotted.id)
    await parties.submit(allotted.id, act=parties.desk.act)
    with pytest.raises(gates.SamePerson):
        await parties.accept(allotted.id)
    other = await a_person(parties.desk.clock(), "supervisor")
    accepted = await filings.accept(
        allotted.id, act=other.act(parties.desk.clock()), rules=parties.desk.rules
    )
    assert accepted.state == "accepted"


async def test_an_office_files_about_itself(parties: Parties) -> None:
    """No institution stands in it, none sees it, and the other way round it is refused."""
    desk = parties.desk
    payload = {"lists": {"targets": [{"id": "2026", "year": 2026, "trained": 5200}]}}

    async def save(institution: UUID | None, register: str) -> filings.Filing:
        return await filings.save(
            institution, register, "2026", payload, act=desk.act, rules=desk.rules
        )

    first, again = await save(None, "R41"), await save(None, "R41")
    for institution, register in ((parties.institution, "R41"), (None, "R27")):
        with pytest.raises((filings.WrongSubject, registers.PayloadInvalid)):
            await save(institution, register)
    await parties.submit(first.id, act=desk.act)
    assert (first.id, again.rev, first.institution, first.region) == (again.id, 2, None, SHANDONG)
    assert await filings.filings(act=parties.act, rules=desk.rules) == ()


async def test_what_is_handed_in_is_not_rewritten(parties: Parties) -> None:
    draft = await parties.save("R06")
    with pytest.raises(states.FilingWrongState):
        await parties.accept(draft.id)
    await parties.submit(draft.id)
    with pytest.raises(filings.NotOpen):
        await parties.save("R06")
    with pytest.raises(states.FilingWrongState):
        await parties.submit(draft.id)


async def test_overdue_and_late_are_computed(parties: Parties) -> None:
    """Source: weihai-2023-25/6.2/quarterly-form, due on the last day of the quarter."""
    clock, rules = parties.desk.clock, parties.desk.rules
    draft = await parties.save("R38")
    assert (str(draft.due_on), draft.overdue, draft.late) == ("2026-03-31", False, False)
    clock.set(datetime(2026, 3, 31, 15, 59, tzinfo=UTC))  # the last minute in Shanghai
    on_time = await filings.filing(draft.id, act=parties.act, rules=rules)
    clock.set(datetime(2026, 3, 31, 16, 0, tzinfo=UTC))
    after = await filings.filing(draft.id, act=parties.act, rules=rules)
    submitted = await parties.submit(draft.id)
    assert (on_time.overdue, after.overdue) == (False, True)
    assert (submitted.overdue, submitted.late) == (False, True)


async def test_who_has_not_filed(parties: Parties) -> None:
    """Only where a clause in force asks: Jinan has no quarterly form."""
    desk = parties.desk
    await desk.take(
        "institutions",
        an_institution(2, region=str(WEIHAI)),
        an_institution(3, region=str(JINAN)),
        an_institution(4, region=str(WEIHAI), kinds="评价机构"),
        an_institution(5, region=str(WEIHAI), status="注销"),
    )

    async def owing(period: str) -> list[str]:
        found = await filing_terms.missing("R38", period, act=desk.act, rules=desk.rules)
        return sorted(row.name for row in found)

    assert await owing("2026Q1") == []
    filed = await parties.save("R38")
    desk.clock.set(datetime(2026, 4, 1, 1, tzinfo=UTC))
    assert await owing("2026Q1") == ["虚构培训机构1", "虚构培训机构2"]
    await parties.submit(filed.id)
    assert await owing("2026Q1") == ["虚构培训机构2"]
    with pytest.raises(filing_terms.NotDue):
        await filing_terms.missing("R06", "2025", act=desk.act, rules=desk.rules)


async def test_filings_over_http(parties: Parties, client: httpx.AsyncClient) -> None:
    desk = parties.desk
    institution, office = await signed_in(client, parties.user), await signed_in(client, desk.who)
    body = {
        "institution": str(parties.institution),
        "register": "R38",
        "period": "2026Q1",
        "payload": FORM,
    }
    saved = await client.put("/api/v1/filings", json=body, headers=institution)
    filing = saved.json()
    path = f"/api/v1/filings/{filing['id']}"
    stale = await client.put("/api/v1/filings", json=body | {"rev": 7}, headers=institution)
    unsure = await client.post(f"{path}/acceptance", headers=institution)
    handed = await client.post(f"{path}/submission", headers=institution)
    reason = {"reason": "请补充经验做法"}
    returned = await client.post(f"{path}/return", json=reason, headers=office)
    listed = await client.get("/api/v1/filings?register=R38&state=returned", headers=office)
    codes = [(a.status_code, a.json().get("code")) for a in (saved, stale, unsure, handed)]
    assert codes == [
        (200, None),
        (409, "thing.changed"),
        (403, "person.denied"),
        (201, None),
    ]
    assert filing["due_on"] == "2026-03-31"
    assert returned.json()["reason"] == reason["reason"]
    assert listed.json() == [(await client.get(path, headers=institution)).json()]
    desk.clock.set(datetime(2026, 4, 1, 1, tzinfo=UTC))
    office = await signed_in(client, desk.who)
    owing = await client.get("/api/v1/registers/R38/periods/2026Q1/missing", headers=office)
    assert [row["institution"] for row in owing.json()] == [str(parties.institution)]


async def test_others_see_no_filing(parties: Parties, client: httpx.AsyncClient) -> None:
    desk = parties.desk
    draft = await parties.save("R06")
    await desk.take("institutions", an_institution(2))
    second = await directories.institution_by_credit_code(a_credit_code(2), act=desk.act)
    others = [
        await a_person(desk.clock(), "institution_user", institution=second.id),
        await a_person(desk.clock(), "supervisor", region=SHANXI),
    ]
    for other in others:
        headers = await signed_in(client, other)
        one = await client.get(f"/api/v1/filings/{draft.id}", headers=headers)
        sent = await client.post(f"/api/v1/filings/{draft.id}/submission", headers=headers)
        listed = await client.get("/api/v1/filings", headers=headers)
        assert [one.json()["code"], sent.json()["code"]] == ["thing.absent"] * 2
        assert listed.json() == []
    body = {
        "institution": str(parties.institution),
        "register": "R06",
        "period": "2026",
        "payload": {"items": ITEMS},
    }
    headers = await signed_in(client, others[0])
    foreign = await client.put("/api/v1/filings", json=body, headers=headers)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "thing.absent")


def test_every_register_has_a_payload_or_rows_and_a_clause() -> None:
    rules, clock = load(), load_rulebook().clock
    known, listed = registers.registers(), registers.records()
    assert set(payloads.PAYLOADS) <= set(known)
    for code, register in known.items():
        assert rules.clause(register.clause)
        assert register.lists or code in payloads.PAYLOADS
        assert set(register.lists) <= set(listed)
        if register.due:
            asks = clock.counting(register.due.concept).asks
            assert asks == (register.period if register.due.trigger == "period" else "day")
    assert set(GOOD) <= {code for code, found in known.items() if found.filer == "institution"}


@given(st.integers(2000, 2099), st.integers(1, 4))
def test_a_quarter_ends_the_day_before_the_next(year: int, quarter: int) -> None:
    last = registers.period_end(f"{year}Q{quarter}")
    following = last.toordinal() + 1
    first = last.fromordinal(following)
    assert (first.day, first.month) == (1, quarter % 4 * 3 + 1)
    assert last.year == year
