"""Every gate G1 to G12, tried through each way in: the API, a job, an import, the rows themselves.

A gate holds when what is refused names it and nothing has changed.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.clock import new_id
from backend.piccolo_conf import DB
from backend.services import (
    approvals,
    assignments,
    case_deeds,
    cases,
    findings,
    notices,
    publications,
    reviews,
    service_proofs,
)
from backend.services.act import Act
from backend.services.errors import REFUSALS, Denied
from backend.services.imports import take
from backend.services.publications import Content
from backend.services.records.case_steps import Decision, Proposal
from backend.services.visits import NewAssignment
from inspection_plans.loader import load
from tests import casework, world
from tests.backend.test_case_deeds import REMEDIES, Trial, a_trial
from tests.conftest import StillClock

pytestmark = pytest.mark.usefixtures("app")
HELD = """
select md5(string_agg(row, '|' order by row)) from (
  select n::text as row from notice n union all select f::text from finding f
  union all select c::text from case_file c union all select s::text from case_step s
  union all select p::text from publication p union all select v::text from visit v
  union all select a::text from assignment a union all select e::text from catalogue_entry e
  union all select id::text from aud.entry) held
"""


@dataclass
class Ways:
    """A matter, a trial and the callers by which a gate is tried."""

    owner: asyncpg.Connection
    http: httpx.AsyncClient
    clock: StillClock
    trial: Trial
    matter: casework.Matter
    heads: dict[str, dict[str, str]]
    product: Act

    def by(self, who: str) -> Act:
        """A deed of a person of the office."""
        login: world.Login = getattr(self.matter.office, who)
        return login.act(self.clock())

    async def refused(self, who: str, path: str, body: Any, gate: str) -> None:
        """The API says no, names the gate, and nothing has changed."""
        held = await self.owner.fetchval(HELD)
        answer = await self.http.post(f"/api/v1{path}", headers=self.heads[who], json=body)
        assert answer.status_code in (403, 409), answer.text
        assert answer.json()["facts"]["gate"] == gate, answer.text
        assert await self.owner.fetchval(HELD) == held

    async def no_job(self, deed: Callable[[Act], Awaitable[object]]) -> None:
        """The product itself, with every region in scope, may not do it."""
        held = await self.owner.fetchval(HELD)
        with pytest.raises(Denied):
            await deed(self.product)
        assert await self.owner.fetchval(HELD) == held

    async def no_row(self, query: str, *values: object) -> None:
        """The database itself says no to the product's own role."""
        held = await self.owner.fetchval(HELD)
        async with DB.transaction(self.product.by.scope):
            with pytest.raises((asyncpg.PostgresError,)):
                async with DB.transaction():
                    await DB.connection.execute(query, *values)
        assert await self.owner.fetchval(HELD) == held


@pytest.fixture
async def ways(owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock) -> Ways:
    """A case whose facts hold and a drafted notice of another visit, with everybody signed in."""
    trial = await a_trial(owner, clock)
    matter = await casework.another(owner, trial.matter, clock())
    office = matter.office
    people = {name: getattr(office, name) for name in ("author", "approver", "legal", "other")}
    heads = {name: await world.signed_in(client, who) for name, who in people.items()}
    return Ways(owner, client, clock, trial, matter, heads, await world.the_product(clock()))


async def test_g1_who_may_inspect(ways: Ways) -> None:
    row = {
        "staff_code": "WH01",
        "name": "甲",
        "department": "hr",
        "unit": "威海市人社局",
        "licence_no": "3710000001",
        "licence_until": "2026-03-01",
        "lead": "yes",
        "skills": "",
        "areas": "371000",
        "cap": "10",
        "available": "yes",
    }
    held = await ways.owner.fetchval(HELD)
    with pytest.raises(REFUSALS) as refused:  # an expired certificate does not come in
        await take("inspectors", [row], act=ways.by("author"), rules=load())
    assert "cell.licence_expired" in str(refused.value.args)
    await take(
        "inspectors", [row | {"licence_until": "2027-03-01"}], act=ways.by("author"), rules=load()
    )
    one = await ways.owner.fetchval("select id from inspector where licence_no = '3710000001'")
    team = (NewAssignment(inspector=one, place=1, lead=True),)
    before = await ways.owner.fetchval(HELD)
    with pytest.raises(REFUSALS) as small:
        await assignments.reassign(ways.matter.visit, team, "x", act=ways.by("author"))
    assert "G1" in str(small.value.args)
    await ways.no_job(lambda act: assignments.reassign(ways.matter.visit, team, "x", act=act))
    body = {"team": [{"inspector": str(one), "lead": True}], "reason": "调换"}
    await ways.refused("author", f"/visits/{ways.matter.visit}/assignments", body, "G1")
    assert await ways.owner.fetchval(HELD) == before
    assert held != before  # the certificate that holds did come in


async def test_g2_and_g3_the_record_before_the_conclusion(ways: Ways) -> None:
    """No certificate shown, no signature: the predicate of the database says what is missing."""
    rows = await ways.owner.fetch("select what from visit_missing($1)", ways.matter.visit)
    assert {"certificate_shown", "inspector_signatures", "party_signature"} <= {
        row["what"] for row in rows
    }
    held = await ways.owner.fetchval(HELD)
    for verb in ("acceptance", "conclusion"):
        answer = await ways.http.post(
            f"/api/v1/visits/{ways.matter.visit}/{verb}", headers=ways.heads["author"]
        )
        assert answer.status_code in (404, 409), answer.text
    assert await ways.owner.fetchval(HELD) == held


async def test_g4_only_a_person_verifies_and_nothing_rests_on_a_suspicion(ways: Ways) -> None:
    suspected = await casework.a_matter(
        ways.owner, ways.clock(), "TI_02", office=ways.matter.office, verified=False
    )
    finding = suspected.findings[0].id
    draft = {
        "kind": "advice",
        "text": "x",
        "demands": [{"finding": str(finding), "demand": "x", "evidence_asked": "x", "days": 15}],
    }
    await ways.refused("author", "/notices", draft, "G4")
    await ways.refused("author", "/cases", {"findings": [str(finding)], "reason": "x"}, "G4")
    await casework.concluded(ways.owner, suspected.visit, ways.clock())
    body = {"kind": "result", "subject": str(suspected.visit), "wordings": ["further_handling"]}
    await ways.refused("author", "/publications", body, "G4")
    await ways.no_job(lambda act: findings.verify(finding, evidence=(new_id(),), act=act))
    await ways.no_job(lambda act: cases.open_critical((finding,), reason="x", act=act))


async def test_g5_the_party_is_heard_first(ways: Ways) -> None:
    trial = ways.trial
    found = tuple(one.id for one in trial.matter.findings)
    case = await cases.open_critical(found, reason="x", act=ways.by("author"))
    await ways.refused("author", f"/cases/{case.id}/verification", {}, "G5")
    await ways.no_job(lambda act: cases.verify(case.id, act=act))
    notice = await casework.served(ways.matter, ways.clock(), draft=ways.matter.draft(days=1))
    ways.clock.tick(days=4)  # overdue, while the term for the statement runs
    begun = await reviews.begin(notice.id, rev=notice.rev, act=ways.by("author"))
    ways.heads["author"] = await world.signed_in(ways.http, ways.matter.office.author)
    body = {"rev": begun.rev, "reason": "逾期"}
    await ways.refused("author", f"/notices/{notice.id}/case", body, "G5")
    await ways.no_job(
        lambda act: cases.open_from_notice(notice.id, rev=begun.rev, reason="x", act=act)
    )


async def test_g6_a_legal_reviewer_from_outside(ways: Ways) -> None:
    grave = await casework.another(ways.owner, ways.matter, ways.clock(), "TI_02")
    notice = await notices.draft(grave.draft(), act=ways.by("author"))
    await ways.refused("approver", f"/notices/{notice.id}/approval", {"rev": 1}, "G6")
    await ways.no_job(lambda act: approvals.approve(notice.id, rev=1, act=act))
    await ways.no_job(lambda act: approvals.clear(notice.id, rev=1, opinion="x", act=act))
    await ways.no_row("update notice set state = 'approved', approved_by = author")
    await ways.trial.investigated()
    proposal = {"text": "x", "remedies": REMEDIES}
    await ways.refused("approver", f"/cases/{ways.trial.case.id}/proposal", proposal, "G6")


async def test_g7_a_second_person(ways: Ways) -> None:
    own = await notices.draft(ways.matter.draft(), act=ways.by("other"))
    await ways.refused("other", f"/notices/{own.id}/approval", {"rev": 1}, "G7")
    await ways.no_row("update notice set approved_by = author where id = $1", own.id)
    await ways.no_row("update case_file set closed_by = opened_by")
    case = await cases.open_critical(
        tuple(one.id for one in ways.trial.matter.findings), reason="x", act=ways.by("other")
    )
    await ways.owner.execute("update case_file set state = 'verified' where id = $1", case.id)
    body = {"outcome": "no_removal_proposed", "reason": "x"}
    await ways.refused("other", f"/cases/{case.id}/closing", body, "G7")
    await ways.no_job(
        lambda act: case_deeds.close(case.id, outcome="no_removal_proposed", reason="x", act=act)
    )


async def test_g8_service_before_the_clock(ways: Ways) -> None:
    notice = await casework.approved(ways.matter, ways.clock())
    await approvals.issue(notice.id, act=ways.by("author"))
    ways.clock.tick(days=400)
    seen = await notices.get(notice.id, act=ways.by("author"))
    assert (seen.due_on, seen.overdue, seen.term) == (None, False, None)
    stop = {
        "whose": "party",
        "ground": "hearing",
        "first_on": "2026-03-02",
        "reason": "x",
        "paper": "x",
    }
    ways.heads["author"] = await world.signed_in(ways.http, ways.matter.office.author)
    await ways.refused("author", f"/notices/{notice.id}/stops", stop, "G8")
    way = casework.by_hand(ways.clock())
    await ways.no_job(lambda act: service_proofs.serve(notice.id, way, act=act))


async def test_g9_standard_words_and_no_names(ways: Ways) -> None:
    await casework.served(ways.matter, ways.clock())
    await casework.concluded(ways.owner, ways.matter.visit, ways.clock())
    name = await ways.owner.fetchval("select display_name from account limit 1")
    finding = str(ways.matter.findings[0].id)
    body: dict[str, Any] = {"kind": "result", "subject": str(ways.matter.visit)}
    await ways.refused("author", "/publications", body | {"wordings": ["all_fine"]}, "G9")
    fact = {"finding": finding, "text": f"由{name}检查"}
    words = {"wordings": ["correction_ordered"], "facts": [fact]}
    await ways.refused("author", "/publications", body | words, "G9")
    preview = await publications.prepare(
        "result",
        ways.matter.visit,
        Content(wordings=("correction_ordered",)),
        rules=load(),
        act=ways.by("author"),
    )
    await ways.no_job(lambda act: publications.approve(preview.id, digest=preview.digest, act=act))
    await ways.no_job(lambda act: publications.publish(preview.id, act=act))
    await ways.no_row("update publication set approved_by = prepared_by")


async def test_g10_nobody_but_the_project_office_removes(ways: Ways) -> None:
    trial = ways.trial
    await trial.ready()
    await trial.propose()
    day = trial.today.isoformat()
    answer = await ways.http.post(
        f"/api/v1/cases/{trial.case.id}/decision",
        headers=ways.heads["author"],
        json={"removed": True, "decided_on": day, "reference": " ", "catalogue_version": "1"},
    )
    assert answer.status_code == 422
    decision = Decision(removed=True, decided_on=trial.today, reference=" ", catalogue_version="1")
    with pytest.raises(REFUSALS) as refused:
        await case_deeds.decide(trial.case.id, decision, act=ways.by("author"))
    assert "G10" in str(refused.value.args)
    await ways.no_job(lambda act: case_deeds.decide(trial.case.id, decision, act=act))
    before = await ways.owner.fetchval(
        "select count(*) from catalogue_entry where delisted_on is not null"
    )
    real = Decision(
        removed=True, decided_on=trial.today, reference="3号", catalogue_version="2026-2"
    )
    await case_deeds.decide(trial.case.id, real, act=ways.by("author"))
    after = await ways.owner.fetchval(
        "select count(*) from catalogue_entry where delisted_on is not null"
    )
    assert (before, after) == (0, 0)  # the platform itself takes nobody off


async def test_g11_an_order_names_its_law(ways: Ways) -> None:
    bare = await casework.an_item(ways.matter.office, ways.clock(), basis="")
    demand = {
        "finding": str(ways.matter.findings[0].id),
        "demand": "x",
        "evidence_asked": "x",
        "days": 15,
    }
    for item in (bare, None, "nowhere"):
        body: dict[str, Any] = {"kind": "order", "text": "x", "demands": [demand]}
        body |= {"inspection_item": item} if item else {}
        await ways.refused("author", "/notices", body, "G11")
    advice = {"kind": "advice", "text": "x", "demands": [demand]}
    made = await ways.http.post("/api/v1/notices", headers=ways.heads["author"], json=advice)
    assert made.status_code == 201, made.text  # the way that is left
    ident = UUID(made.json()["id"])
    await ways.no_row(
        "update notice set kind = 'order', state = 'legal_review' where id = $1", ident
    )


async def test_g12_discussion_hearing_remedies_and_stays(ways: Ways) -> None:
    trial = ways.trial
    await trial.investigated()
    await trial.reviewed()
    path, body = f"/cases/{trial.case.id}/proposal", {"text": "x", "remedies": REMEDIES}
    await ways.refused("approver", path, body, "G12")
    await trial.discussed()
    await ways.refused("approver", path, body, "G12")
    await trial.heard("removal")
    new = Proposal(text="x", remedies=REMEDIES)
    await ways.no_job(lambda act: case_deeds.propose(trial.case.id, new, rules=load(), act=act))
    stay = {
        "whose": "office",
        "ground": "stay",
        "first_on": trial.today.isoformat(),
        "reason": "复议",
        "paper": "1",
    }
    begun = await ways.http.post(
        f"/api/v1/cases/{trial.case.id}/stops", headers=ways.heads["approver"], json=stay
    )
    assert begun.status_code == 201, begun.text
    await ways.refused("approver", path, body, "G12")
    await ways.no_row("update case_step set body = '{}'")  # what was recorded stays


async def test_no_import_brings_a_finding_a_notice_a_case_or_a_publication(ways: Ways) -> None:
    held = await ways.owner.fetchval(HELD)
    for kind in ("findings", "notices", "cases", "publications", "visits", "draws"):
        with pytest.raises((KeyError, *REFUSALS)):
            await take(kind, [{}], act=ways.by("author"), rules=load())
    assert await ways.owner.fetchval(HELD) == held
