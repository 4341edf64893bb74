"""A concluded visit with what casework needs of it: people, answers, evidence, notices."""

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg

from backend.clock import new_id
from backend.piccolo_conf import DB
from backend.services import approvals, findings, notices, service_proofs, visits
from backend.services.credit_code import complete
from backend.services.findings import Finding
from backend.services.imports import take
from backend.services.notices import Demand, Draft, Notice
from backend.services.service_proofs import InPerson
from inspection_plans.loader import applied_sheet, jurisdiction_of, load
from tests import world

count = itertools.count(1)
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
ITEM = "TI-01"  # major
CRITICAL = "TI-02"


@dataclass(frozen=True)
class Office:
    """One office with a person of each role; nobody holds two."""

    id: UUID
    region: int
    author: world.Login
    approver: world.Login
    other: world.Login
    legal: world.Login


async def an_office(at: datetime, region: int = world.WEIHAI, name: str = "威人社") -> Office:
    """An office with its people, and one item with a law-level basis."""
    office = await world.an_office(at, region, name)

    async def person(*roles: str) -> world.Login:
        return await world.a_person(at, *roles, region=region, office=office)

    return Office(
        office,
        region,
        await person("supervisor"),
        await person("approver"),
        await person("approver", "supervisor"),
        await person("legal"),
    )


async def an_item(office: Office, at: datetime, *, basis: str = "《职业教育法》第十一条") -> str:
    """A published inspection item of the office; without ``basis`` it carries no order."""
    code = f"item-{next(count)}"
    row = {
        "code": code,
        "title": "培训机构检查",
        "region": str(office.region),
        "law_basis": basis,
        "competent_authority": "人社部门",
        "object_kind": "training_institution",
        "way": "on_site",
        "ratio": "1/10",
        "frequency_cap": "2",
    }
    await take("items", [row], act=office.author.act(at), rules=load())
    return code


async def an_institution(office: Office, at: datetime, name: str = "海岬职业培训学校") -> UUID:
    """A fictional training institution in the office's directory."""
    code = complete(f"91371000MA{next(count):07d}")
    row = {
        "credit_code": code,
        "name": f"{name}{next(count)}",
        "kinds": "training",
        "home_region": str(office.region),
        "region": str(office.region),
        "fictional": "yes",
    }
    act = office.author.act(at)
    await take("institutions", [row], act=act, rules=load())
    async with DB.transaction(act.by.scope):
        found: UUID = await DB.connection.fetchval(
            "select id from institution where credit_code = $1", code
        )
    return found


async def a_visit(office: Office, institution: UUID, at: datetime) -> UUID:
    """A visit drawn for the office, with nobody sent yet."""
    visit = new_id()
    act = office.author.act(at)
    place, day = jurisdiction_of(office.region), at.date()
    _, digest = applied_sheet("TI", place, day)
    new = visits.NewVisit(
        id=visit,
        region=office.region,
        institution=institution,
        code=f"V-{next(count)}",
        kind="training_site",
        unannounced=True,
        selection="random",
        sheet="TI",
        sheet_digest=digest,
        jurisdiction=place,
        on_date=day,
        sealed_until=at,
        team=(),
        chance="3/40",
    )
    async with DB.transaction(act.by.scope):
        await visits.create([new], act=act)
    return visit


async def answered(owner: asyncpg.Connection, visit: UUID, **verdicts: str) -> None:
    """Answers of one phone as they stand after its operation; TI_01 means item TI-01."""
    columns: dict[str, Any] = {
        "visit": visit,
        "dev": new_id(),
        "inspector": new_id(),
        "seq": 1,
        "reason": "现场核对不一致",
        "flags": [],
        "op_id": new_id(),
        "recorded_at": START,
    }
    for item, verdict in verdicts.items():
        await owner.execute(
            "insert into answer (visit, dev, item, region, institution, inspector, seq, value,"
            " verdict, failed, reason, flags, canon, op_id, recorded_at)"
            " select $1, $2, $3, v.region, v.institution, $4, $5, '{}', $6, '{}', $7, $8, '{}',"
            " $9, $10 from visit v where v.id = $1",
            columns["visit"],
            columns["dev"],
            item.replace("_", "-"),
            columns["inspector"],
            columns["seq"],
            verdict,
            columns["reason"],
            columns["flags"],
            columns["op_id"],
            columns["recorded_at"],
        )


async def a_piece(
    owner: asyncpg.Connection,
    *,
    visit: UUID | None = None,
    notice: UUID | None = None,
    state: str = "verified",
    size: int = 1000,
) -> UUID:
    """A piece of evidence as it stands after intake; its bytes are the evidence tests' matter."""
    piece = new_id()
    digest = sha256(piece.bytes).hexdigest()
    await owner.execute(
        "insert into evidence (id, region, institution, visit, notice, channel, manifest,"
        " manifest_sha256, sha256, size, mime, source, transport, state, flags, late, disclosed,"
        " declared_at) select $1, s.region, s.institution, $2, $3, $4, ''::bytea, $5, $5, $6,"
        " 'image/jpeg', 'file', '{}', $7, '{}', false, false, now() from"
        " (select id, region, institution from visit union all"
        " select id, region, institution from notice) s where s.id = $8",
        piece,
        visit,
        notice,
        "phone" if visit else "portal",
        digest,
        size,
        state,
        visit or notice,
    )
    return piece


async def concluded(owner: asyncpg.Connection, visit: UUID, at: datetime) -> None:
    """The visit as it stands after acceptance and conclusion."""
    await owner.execute(
        "update visit set state = 'concluded', concluded_at = $2 where id = $1", visit, at
    )


@dataclass(frozen=True)
class Matter:
    """A visit with verified findings, ready for a notice."""

    office: Office
    institution: UUID
    user: world.Login
    visit: UUID
    item: str
    findings: tuple[Finding, ...]

    def draft(self, kind: str = "order", days: int = 15, **change: Any) -> Draft:
        """A draft of all its findings."""
        fields: dict[str, Any] = {
            "kind": kind,
            "text": "经检查核实，责令限期改正。",
            "inspection_item": self.item,
            "demands": tuple(
                Demand(finding=finding.id, demand="限期改正", evidence_asked="整改照片", days=days)
                for finding in self.findings
            ),
        }
        return Draft(**{**fields, **change})


async def a_matter(
    owner: asyncpg.Connection,
    at: datetime,
    *items: str,
    office: Office | None = None,
    verified: bool = True,
) -> Matter:
    """A visit whose ``items`` failed, each finding verified on one piece of evidence."""
    office = office or await an_office(at)
    institution = await an_institution(office, at)
    user = await world.a_person(
        at, "institution_user", region=office.region, institution=institution
    )
    visit = await a_visit(office, institution, at)
    await answered(owner, visit, **dict.fromkeys(items or (ITEM,), "fail"))
    act = office.author.act(at)
    found = await findings.derive(visit, act=act, rules=load())
    if verified:
        piece = await a_piece(owner, visit=visit)
        for finding in found:
            await findings.verify(finding, evidence=(piece,), act=act)
    every = tuple([await findings.get(finding, act=act) for finding in found])
    return Matter(office, institution, user, visit, await an_item(office, at), every)


async def another(
    owner: asyncpg.Connection, matter: Matter, at: datetime, item: str = "TI_01"
) -> Matter:
    """Another visit of the same office and institution, with a verified finding of its own."""
    visit = await a_visit(matter.office, matter.institution, at)
    await answered(owner, visit, **{item: "fail"})
    act = matter.office.author.act(at)
    (found,) = await findings.derive(visit, act=act, rules=load())
    piece = await a_piece(owner, visit=visit)
    finding = await findings.verify(found, evidence=(piece,), act=act)
    return replace(matter, visit=visit, findings=(finding,))


async def approved(matter: Matter, at: datetime, *, draft: Draft | None = None) -> Notice:
    """A notice that went through legal review where needed, and approval."""
    notice = await notices.draft(draft or matter.draft(), act=matter.office.author.act(at))
    if any(line.severity == "critical" for line in notice.findings):
        notice = await approvals.send_to_legal(
            notice.id, rev=notice.rev, act=matter.office.author.act(at)
        )
        notice = await approvals.clear(
            notice.id, rev=notice.rev, opinion="合法", act=matter.office.legal.act(at)
        )
    return await approvals.approve(notice.id, rev=notice.rev, act=matter.office.approver.act(at))


async def served(matter: Matter, at: datetime, *, draft: Draft | None = None) -> Notice:
    """A notice issued and handed over the same day."""
    notice = await approved(matter, at, draft=draft)
    act = matter.office.author.act(at)
    await approvals.issue(notice.id, act=act)
    return await service_proofs.serve(notice.id, by_hand(at), act=act)


def by_hand(at: datetime) -> InPerson:
    """Service in person on the day of ``at``."""
    day = (at + timedelta(hours=8)).date()
    return InPerson(receiver="李某", receiver_title="校长", served_on=day)
