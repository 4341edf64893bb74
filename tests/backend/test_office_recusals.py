"""An office that stepped aside does nothing about the institution; another one does."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import asyncpg
import httpx
import pytest

from backend.db.queries.frames import RELATIONS
from backend.piccolo_conf import DB
from backend.services import (
    approvals,
    assignments,
    cases,
    findings,
    notices,
    office_recusals,
    publications,
)
from backend.services.errors import Absent
from backend.services.office_recusals import AlreadyAside, NewOfficeRecusal, NotAside
from backend.services.publications import Content
from inspection_plans.gates import DeclaredRelation, OfficeRecused, OwnOffice
from inspection_plans.loader import jurisdiction_of, load
from tests import casework, drawing, world
from tests.casework import Matter, Office
from tests.conftest import StillClock

pytestmark = pytest.mark.usefixtures("app")


def aside(matter: Matter) -> NewOfficeRecusal:
    """The office of the matter runs the school."""
    return NewOfficeRecusal(
        office=matter.office.id,
        institution=matter.institution,
        ground="该校系本单位举办",
        paper="回避决定1号",
    )


@pytest.fixture
async def above(clock: StillClock) -> Office:
    """The province's office."""
    return await casework.an_office(clock(), world.SHANDONG, "鲁人社")


async def test_whoever_belongs_to_it_is_refused_and_the_office_above_acts(
    owner: asyncpg.Connection, clock: StillClock, above: Office
) -> None:
    matter = await casework.a_matter(owner, clock(), "TI_02")
    fresh = await casework.a_matter(owner, clock(), office=matter.office)
    late = await casework.another(owner, matter, clock())
    await casework.concluded(owner, late.visit, clock())
    begun = await notices.draft(matter.draft(), act=matter.office.author.act(clock()))
    own = matter.office.approver.act(clock())
    with pytest.raises(OwnOffice):
        await office_recusals.decide(aside(matter), act=own)
    found = await office_recusals.decide(aside(matter), act=above.approver.act(clock()))
    with pytest.raises(AlreadyAside):
        await office_recusals.decide(aside(matter), act=above.approver.act(clock()))
    act = matter.office.author.act(clock())
    held = await owner.fetchval("select count(*) from aud.entry")
    ids = tuple(one.id for one in matter.findings)
    wordings = Content(wordings=("further_handling",))
    tried: tuple[Awaitable[Any], ...] = (
        publications.prepare("result", late.visit, wordings, rules=load(), act=act),
        approvals.send_to_legal(begun.id, rev=begun.rev, act=act),
        notices.edit(begun.id, matter.draft(), rev=begun.rev, act=act),
        cases.open_critical(ids, reason="x", act=act),
        findings.waive(ids[0], reason="x", act=act),
    )
    for deed in tried:
        with pytest.raises(OfficeRecused):
            await deed
    assert await owner.fetchval("select count(*) from aud.entry") == held
    await notices.draft(fresh.draft(), act=act)  # another institution is the office's as before
    case = await cases.open_critical(ids, reason="目录外开班", act=above.author.act(clock()))
    assert case.opened_by == above.author.person.id
    item = await casework.an_item(above, clock())
    taken = replace(late, office=above, item=item)
    paper = await casework.approved(taken, clock())
    issued = await approvals.issue(paper.id, act=above.author.act(clock()))
    assert issued.number == "鲁人社责改字〔2026〕1号"

    await office_recusals.end(found.id, reason="已脱钩", act=above.approver.act(clock()))
    with pytest.raises(NotAside):
        await office_recusals.end(found.id, reason="x", act=above.approver.act(clock()))
    await approvals.send_to_legal(begun.id, rev=begun.rev, act=act)
    (seen,) = await office_recusals.of(matter.institution, act=act)
    assert (seen.ended_reason, seen.office_name) == ("已脱钩", f"{world.WEIHAI} 人社部门")


async def test_none_of_its_inspectors_is_drawn_or_sent(
    owner: asyncpg.Connection, clock: StillClock, above: Office
) -> None:
    matter = await casework.a_matter(owner, clock())
    act = above.author.act(clock())
    await drawing.inspectors(act, range(1, 4))
    staff = [
        row["id"] for row in await owner.fetch("select id from inspector order by staff_code")
    ]
    theirs = await world.a_person(
        clock(), "inspector", region=world.WEIHAI, office=matter.office.id
    )
    await owner.execute(
        "update inspector set account = $2 where id = $1", staff[0], theirs.person.id
    )
    await office_recusals.decide(aside(matter), act=above.approver.act(clock()))
    async with DB.transaction(act.by.scope):
        found = await DB.connection.fetch(RELATIONS, [matter.institution], staff)
        assert [(row["inspector"], row["until"]) for row in found] == [(staff[0], None)]
        with pytest.raises(DeclaredRelation):
            await assignments.sound(
                staff[:2],
                matter.institution,
                on=clock().date(),
                jurisdiction=jurisdiction_of(world.WEIHAI),
            )
        await assignments.sound(
            staff[1:],
            matter.institution,
            on=clock().date(),
            jurisdiction=jurisdiction_of(world.WEIHAI),
        )


async def test_over_http_and_unseen_by_other_provinces(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock, above: Office
) -> None:
    matter = await casework.a_matter(owner, clock())
    boss = await world.signed_in(client, above.approver)
    body = {
        "office": str(matter.office.id),
        "institution": str(matter.institution),
        "ground": "该校系本单位举办",
        "paper": "1号",
    }
    denied = await client.post(
        "/api/v1/office-recusals",
        json=body,
        headers=await world.signed_in(client, matter.office.approver),
    )
    assert (denied.status_code, denied.json()["code"]) == (403, "office.own_recusal")
    made = await client.post("/api/v1/office-recusals", json=body, headers=boss)
    assert made.status_code == 201, made.text
    path = f"/api/v1/institutions/{matter.institution}/office-recusals"
    assert [one["id"] for one in (await client.get(path, headers=boss)).json()] == [
        made.json()["id"]
    ]
    far = await casework.an_office(clock(), world.SHANXI, "晋人社")
    with pytest.raises(Absent):
        await office_recusals.of(matter.institution, act=far.author.act(clock()))
    with pytest.raises(Absent):
        await office_recusals.decide(aside(matter), act=far.approver.act(clock()))
    ended = await client.post(
        f"/api/v1/office-recusals/{made.json()['id']}/end", json={"reason": "脱钩"}, headers=boss
    )
    assert ended.json()["ended_reason"] == "脱钩"
