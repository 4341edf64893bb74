"""Findings: suspected by rule, verified by a person on verified evidence, never the other way."""

import asyncio

import asyncpg
import httpx
import pytest

from backend.clock import new_id
from backend.services import findings
from backend.services.errors import Absent, Denied
from backend.services.findings import EvidenceUnfit, Wanted
from inspection_plans.gates import VerificationUnfounded
from inspection_plans.loader import load
from inspection_plans.states import FindingWrongState
from tests import casework, world
from tests.conftest import StillClock

pytestmark = pytest.mark.usefixtures("app")


async def test_only_failed_answers_are_suspected_once(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    office = await casework.an_office(clock())
    visit = await casework.a_visit(office, await casework.an_institution(office, clock()), clock())
    await casework.answered(owner, visit, TI_01="fail", TI_02="pass")
    await casework.answered(owner, visit, TI_01="pass", TI_03="fail")
    product = await world.the_product(clock())
    added = await findings.derive(visit, act=product, rules=load())
    found = await findings.page(Wanted(visit=visit), act=office.author.act(clock()))
    assert {f.item for f in found} == {"TI-01", "TI-03"}
    assert {f.id for f in found} == set(added)
    assert {(f.state, f.source, f.detail) for f in found} == {
        ("suspected", "checklist", "现场核对不一致")
    }
    first = next(f for f in found if f.item == "TI-01")
    assert (first.severity, first.clauses[0]) == ("major", "national-2021-71/4.2/legal-person")
    assert await findings.derive(visit, act=product, rules=load()) == ()


async def test_a_finding_cites_what_the_ticked_option_breaches_and_no_more(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    office = await casework.an_office(clock())
    visit = await casework.a_visit(office, await casework.an_institution(office, clock()), clock())
    await casework.answered(owner, visit, TI_02="fail")
    await owner.execute("update answer set failed = '{result:not_listed}' where visit = $1", visit)
    await findings.derive(visit, act=await world.the_product(clock()), rules=load())
    [found] = await findings.page(Wanted(visit=visit), act=office.author.act(clock()))
    assert {load().clause(clause).concept for clause in found.clauses} == {"outside_catalogue"}


async def test_two_workers_derive_at_once(owner: asyncpg.Connection, clock: StillClock) -> None:
    office = await casework.an_office(clock())
    visit = await casework.a_visit(office, await casework.an_institution(office, clock()), clock())
    await casework.answered(owner, visit, TI_01="fail", TI_02="fail")
    product = await world.the_product(clock())
    both = await asyncio.gather(
        findings.derive(visit, act=product, rules=load()),
        findings.derive(visit, act=product, rules=load()),
    )
    assert len(both[0] + both[1]) == len(set(both[0] + both[1])) == 2


async def test_verification_names_verified_evidence_of_the_visit(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), verified=False)
    act, finding = matter.office.author.act(clock()), matter.findings[0].id
    with pytest.raises(VerificationUnfounded):
        await findings.verify(finding, evidence=(), act=act)
    waiting = await casework.a_piece(owner, visit=matter.visit, state="received")
    other = await casework.a_matter(owner, clock(), office=matter.office)
    foreign = await casework.a_piece(owner, visit=other.visit)
    for piece in (waiting, foreign):
        with pytest.raises(EvidenceUnfit) as refused:
            await findings.verify(finding, evidence=(piece,), act=act)
        assert refused.value.facts["ids"] == [str(piece)]
    assert (await findings.get(finding, act=act)).state == "suspected"
    piece = await casework.a_piece(owner, visit=matter.visit, state="sealed")
    verified = await findings.verify(finding, evidence=(piece, piece), act=act)
    assert (verified.state, verified.evidence) == ("verified", (piece,))
    assert (verified.verified_by, verified.verified_at) == (act.by.id, clock())


async def test_a_job_cannot_verify(owner: asyncpg.Connection, clock: StillClock) -> None:
    matter = await casework.a_matter(owner, clock(), verified=False)
    piece = await casework.a_piece(owner, visit=matter.visit)
    with pytest.raises(Denied):
        await findings.verify(
            matter.findings[0].id, evidence=(piece,), act=await world.the_product(clock())
        )


async def test_settled_findings_stay(owner: asyncpg.Connection, clock: StillClock) -> None:
    matter = await casework.a_matter(owner, clock(), "TI_01", "TI_02", verified=False)
    act, piece = (
        matter.office.author.act(clock()),
        await casework.a_piece(owner, visit=matter.visit),
    )
    one, two = (finding.id for finding in matter.findings)
    assert (await findings.dismiss(one, reason="误判", act=act)).state == "dismissed"
    await findings.verify(two, evidence=(piece,), act=act)
    assert (await findings.waive(two, reason="当场改正", act=act)).reason == "当场改正"
    for finding in (one, two):
        with pytest.raises(FindingWrongState):
            await findings.verify(finding, evidence=(piece,), act=act)
        with pytest.raises(FindingWrongState):
            await findings.dismiss(finding, reason="x", act=act)
        with pytest.raises(FindingWrongState):
            await findings.waive(finding, reason="x", act=act)


async def test_another_region_and_the_institution_see_nothing(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    far = await casework.an_office(clock(), world.SHANXI, "晋人社")
    finding = matter.findings[0].id
    with pytest.raises(Absent):
        await findings.get(finding, act=far.author.act(clock()))
    assert await findings.page(Wanted(), act=far.author.act(clock())) == ()
    headers = await world.signed_in(client, far.author)
    foreign = await client.get(f"/api/v1/findings/{finding}", headers=headers)
    never = await client.get(f"/api/v1/findings/{new_id()}", headers=headers)
    strip = {"request_id"}
    assert foreign.status_code == never.status_code == 404
    assert {k: v for k, v in foreign.json().items() if k not in strip} == {
        k: v for k, v in never.json().items() if k not in strip
    }
    headers = await world.signed_in(client, matter.user)
    assert (await client.get("/api/v1/findings", headers=headers)).status_code == 403


async def test_the_api_pages_by_key(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), "TI_01", "TI_02", "TI_03", verified=False)
    headers = await world.signed_in(client, matter.office.author)
    first = (await client.get("/api/v1/findings?limit=2", headers=headers)).json()
    rest = await client.get(f"/api/v1/findings?after={first[-1]['id']}", headers=headers)
    ids = [finding["id"] for finding in (*first, *rest.json())]
    assert ids == sorted(map(str, (f.id for f in matter.findings)), reverse=True)
    wrong = await client.post(
        f"/api/v1/findings/{ids[0]}/dismissal", headers=headers, json={"reason": "  "}
    )
    assert (wrong.status_code, wrong.json()["code"]) == (422, "request.invalid")
    done = await client.post(
        f"/api/v1/findings/{ids[0]}/dismissal", headers=headers, json={"reason": "误判"}
    )
    assert (done.status_code, done.json()["state"]) == (200, "dismissed")
