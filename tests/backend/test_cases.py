"""Cases: a ground, facts that hold, the party heard, and another person to close."""

import asyncpg
import httpx
import pytest

from backend.clock import new_id
from backend.services import case_deeds, cases
from backend.services.case_deeds import OutcomeContradicted
from backend.services.cases import NoGround
from backend.services.errors import Absent
from inspection_plans.gates import CaseSamePerson, FindingNotVerified, PartyNotHeard
from inspection_plans.states import TRANSITIONS, CaseWrongState, Noun
from tests import casework, world
from tests.conftest import StillClock

pytestmark = pytest.mark.usefixtures("app")


async def test_only_verified_critical_findings_of_one_institution_open_a_case(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    minor = await casework.a_matter(owner, clock())
    act = minor.office.author.act(clock())
    one = await casework.a_matter(owner, clock(), "TI_02", office=minor.office)
    two = await casework.a_matter(owner, clock(), "TI_02", office=minor.office)
    suspected = await casework.a_matter(
        owner, clock(), "TI_02", office=minor.office, verified=False
    )
    for findings in (
        (minor.findings[0].id,),
        (one.findings[0].id, two.findings[0].id),
    ):
        with pytest.raises(NoGround):
            await cases.open_critical(findings, reason="x", act=act)
    with pytest.raises(FindingNotVerified):
        await cases.open_critical((suspected.findings[0].id,), reason="x", act=act)
    with pytest.raises(Absent):
        await cases.open_critical((new_id(),), reason="x", act=act)
    assert await cases.page(act=act) == ()
    case = await cases.open_critical((one.findings[0].id,), reason="目录外开班", act=act)
    assert (case.state, case.institution, case.reason) == ("opened", one.institution, "目录外开班")


async def test_a_case_waits_for_the_party_and_is_closed_by_another(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), "TI_02")
    office = matter.office
    case = await cases.open_critical(
        (matter.findings[0].id,), reason="x", act=office.other.act(clock())
    )
    with pytest.raises(PartyNotHeard):  # nothing was served
        await cases.verify(case.id, act=office.author.act(clock()))
    await casework.served(matter, clock())
    with pytest.raises(PartyNotHeard):  # its term runs
        await cases.verify(case.id, act=office.author.act(clock()))
    with pytest.raises(CaseWrongState):
        await case_deeds.close(
            case.id,
            outcome="no_removal_proposed",
            reason="x",
            act=office.approver.act(clock()),
        )
    clock.tick(days=8)
    verified = await cases.verify(case.id, act=office.author.act(clock()))
    assert verified.state == "verified"
    with pytest.raises(CaseSamePerson):
        await case_deeds.close(
            case.id, outcome="no_removal_proposed", reason="x", act=office.other.act(clock())
        )
    with pytest.raises(OutcomeContradicted):  # nobody reviewed it
        await case_deeds.close(
            case.id,
            outcome="stopped_by_legal_review",
            reason="x",
            act=office.approver.act(clock()),
        )
    done = await case_deeds.close(
        case.id, outcome="no_removal_proposed", reason="x", act=office.approver.act(clock())
    )
    assert (done.state, done.outcome) == ("closed", "no_removal_proposed")
    assert (done.closed_by, done.closed_at) == (office.approver.person.id, clock())


async def test_cases_over_http_stay_in_their_region(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), "TI_02")
    author = await world.signed_in(client, matter.office.author)
    body = {"findings": [str(matter.findings[0].id)], "reason": "目录外开班"}
    opened = await client.post("/api/v1/cases", headers=author, json=body)
    assert opened.status_code == 201, opened.text
    path = f"/api/v1/cases/{opened.json()['id']}"
    assert (await client.get(path, headers=author)).json() == opened.json()
    assert len((await client.get("/api/v1/cases?state=opened", headers=author)).json()) == 1
    denied = await client.post(path + "/closing", headers=author, json={})
    assert (denied.status_code, denied.json()["code"]) == (403, "person.denied")
    early = await client.post(path + "/verification", headers=author)
    assert (early.status_code, early.json()["code"]) == (409, "case.party_not_heard")
    far = await casework.an_office(clock(), world.SHANXI, "晋人社")
    headers = await world.signed_in(client, far.author)
    assert (await client.get(path, headers=headers)).status_code == 404
    assert (await client.get("/api/v1/cases", headers=headers)).json() == []
    user = await world.signed_in(client, matter.user)
    assert (await client.get(path, headers=user)).status_code == 403


async def test_every_illegal_transition_is_refused_and_changes_nothing(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), "TI_02")
    office = matter.office
    case = await cases.open_critical(
        (matter.findings[0].id,), reason="x", act=office.author.act(clock())
    )
    for state, allowed in TRANSITIONS[Noun.CASE].items():
        await owner.execute("update case_file set state = $1", state)
        held = await owner.fetchval("select c::text from case_file c")
        if "verify" not in allowed:
            with pytest.raises(CaseWrongState):
                await cases.verify(case.id, act=office.author.act(clock()))
        if "close" not in allowed:
            with pytest.raises(CaseWrongState):
                await case_deeds.close(
                    case.id,
                    outcome="no_removal_proposed",
                    reason="x",
                    act=office.approver.act(clock()),
                )
        assert await owner.fetchval("select c::text from case_file c") == held
