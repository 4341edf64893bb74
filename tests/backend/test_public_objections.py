"""What the public sees beside a result: an objection that waits, and an end after its years."""

from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.jobs import casework as morning
from backend.jobs.context import Context
from backend.services import publications, replies, reply_decisions
from backend.services.publications import Content
from backend.services.replies import TooManyFiles, Words
from backend.services.reply_decisions import NewDecision
from backend.services.tasks import Task
from inspection_plans.gates import FindingNotVerified
from inspection_plans.loader import load
from media.keys import ServerKey
from tests import casework
from tests.conftest import StillClock, Work

pytestmark = pytest.mark.usefixtures("app")
KEY = ServerKey.from_seed(b"s" * 32)
ORDERED = Content(wordings=("correction_ordered",))


async def objected(matter: casework.Matter, clock: StillClock, notice: UUID) -> UUID:
    """The institution objects to its one finding."""
    act = matter.user.act(clock())
    ident = act.new_id()
    words = Words(kind="objection", text="不属实", finding=matter.findings[0].id)
    await replies.save(notice, ident, words, base=None, act=act)
    await replies.send(notice, (ident,), key=KEY, act=act)
    return ident


async def test_a_pending_objection_stands_beside_the_result_until_it_is_decided(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    office = matter.office
    notice = await casework.served(matter, clock())
    await casework.concluded(owner, matter.visit, clock())
    first = await publications.prepare(
        "result", matter.visit, ORDERED, rules=load(), act=office.author.act(clock())
    )
    await publications.approve(first.id, digest=first.digest, act=office.approver.act(clock()))
    await publications.publish(first.id, act=office.author.act(clock()))
    path = f"/api/v1/public/publications/{first.id}"
    before = await client.get(path)
    assert before.json()["objection_on"] is None
    reply = await objected(matter, clock, notice.id)
    told = await client.get(path)
    assert told.json()["objection_on"] == "2026-03-02"
    assert told.headers["etag"] != before.headers["etag"]  # a kept copy is asked for again
    assert told.json()["digest"] == first.digest  # the body itself stays what was approved
    granted = NewDecision(granted=True, reason="情况属实")
    await reply_decisions.decide(notice.id, reply, granted, act=office.approver.act(clock()))
    assert (await client.get(path)).json()["objection_on"] is None
    verbs = [r["verb"] for r in await owner.fetch("select body ->> 'verb' as verb from aud.entry")]
    assert verbs.count("publication.objected") == 1
    assert verbs.count("publication.objection_settled") == 1


async def test_what_was_withdrawn_after_the_approval_is_not_published(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    office = matter.office
    notice = await casework.served(matter, clock())
    await casework.concluded(owner, matter.visit, clock())
    first = await publications.prepare(
        "result", matter.visit, ORDERED, rules=load(), act=office.author.act(clock())
    )
    await publications.approve(first.id, digest=first.digest, act=office.approver.act(clock()))
    reply = await objected(matter, clock, notice.id)
    granted = NewDecision(granted=True, reason="情况属实")
    await reply_decisions.decide(notice.id, reply, granted, act=office.approver.act(clock()))
    with pytest.raises(FindingNotVerified):
        await publications.publish(first.id, act=office.author.act(clock()))


async def test_the_morning_takes_off_what_has_been_public_for_its_years(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock, work: Work
) -> None:
    matter = await casework.a_matter(owner, clock())
    office = matter.office
    await casework.served(matter, clock())
    await casework.concluded(owner, matter.visit, clock())
    first = await publications.prepare(
        "result", matter.visit, ORDERED, rules=load(), act=office.author.act(clock())
    )
    await publications.approve(first.id, digest=first.digest, act=office.approver.act(clock()))
    done = await publications.publish(first.id, act=office.author.act(clock()))
    context: Context = work.context
    task = Task(id=1, kind=morning.MORNING, region=100000, payload={}, attempts=1)
    await morning.morning(task, context)
    assert (await client.get(f"/api/v1/public/publications/{done.id}")).status_code == 200
    clock.tick(days=3 * 366)
    await morning.morning(task, context)
    assert (await client.get(f"/api/v1/public/publications/{done.id}")).status_code == 404
    state = await owner.fetchval("select state from publication where id = $1", done.id)
    assert state == "expired"


async def test_twenty_files_a_finding_however_they_are_spread_over_replies(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    files = [await casework.a_piece(owner, notice=notice.id) for _ in range(21)]
    act = matter.user.act(clock())
    finding = matter.findings[0].id
    first = Words(kind="rectified", text="x", finding=finding, evidence=tuple(files[:15]))
    await replies.save(notice.id, act.new_id(), first, base=None, act=act)
    more = Words(kind="rectified", text="补充", finding=finding, evidence=tuple(files[15:]))
    with pytest.raises(TooManyFiles) as refused:
        await replies.save(notice.id, act.new_id(), more, base=None, act=act)
    assert refused.value.facts == {"files": 21, "max": 20}
    fits = Words(kind="rectified", text="补充", finding=finding, evidence=tuple(files[14:20]))
    await replies.save(notice.id, act.new_id(), fits, base=None, act=act)  # one is named twice
