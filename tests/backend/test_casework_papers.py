"""Documents that a step calls for: issued once by themselves, set, shown where the matter is."""

from hashlib import sha256
from uuid import UUID

import asyncpg
import pytest
from litestar import Litestar

from backend import jobs
from backend.clock import new_id
from backend.services import case_deeds, documents, notices, replies, reviews
from backend.services.act import SYSTEM_ID
from backend.services.replies import Words
from media.bucket import Bucket
from media.rooms import Room
from tests import casework
from tests.backend.rooms import at_the_desk
from tests.backend.test_case_deeds import a_trial
from tests.conftest import StillClock, Work

ACTORS = """
select distinct body -> 'actor' ->> 'id' as id from aud.entry
where body ->> 'verb' = 'document.issued'
"""


class Papers(Work):
    """Background work with the follower that orders documents, and with the press."""

    async def drain(self) -> None:
        await super().drain()
        while await jobs.issuer.once(self.context):
            await super().drain()
        while await jobs.printer.once(self.context):
            await super().drain()


@pytest.fixture
def papers(app: Litestar) -> Papers:
    return Papers(app.state.jobs)


async def kinds_of(owner: asyncpg.Connection) -> list[str]:
    """The kinds issued so far, by the instants they were issued at."""
    rows = await owner.fetch("select kind from document order by issued_at, kind")
    return [row["kind"] for row in rows]


async def to_the_end(
    matter: casework.Matter, notice: UUID, papers: Papers, clock: StillClock
) -> None:
    """The institution states its case, the office accepts, another person closes."""
    said, reply = Words(kind="statement", text="已改正"), new_id()
    party = matter.user.act(clock())
    await replies.save(notice, reply, said, base=None, act=party)
    await replies.send(notice, (reply,), key=papers.context.keys.server, act=party)
    clock.tick(minutes=1)
    await papers.drain()
    act = matter.office.other.act(clock())
    rev = (await notices.get(notice, act=act)).rev
    found = await reviews.begin(notice, rev=rev, act=act)
    accepted = reviews.Decision(finding=matter.findings[0].id, outcome="accepted", reason="")
    found = await reviews.decide(notice, accepted, rev=found.rev, act=act)
    await reviews.close(notice, rev=found.rev, act=matter.office.approver.act(clock()))
    clock.tick(minutes=1)
    await papers.drain()


async def test_a_notice_brings_its_papers_with_it(
    app: Litestar, papers: Papers, owner: asyncpg.Connection, clock: StillClock, s3: Bucket
) -> None:
    await papers.drain()
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    clock.tick(minutes=1)
    await papers.drain()
    assert await kinds_of(owner) == ["order", "proof_of_service"]
    order = await owner.fetchrow("select * from document where kind = 'order'")
    assert order["number"] == notice.number
    assert order["handed_at"] is not None  # it was served: the party has it
    assert order["issued_by"] == matter.office.author.person.id
    assert [row["id"] for row in await owner.fetch(ACTORS)] == [str(SYSTEM_ID)]
    raw = s3.fetch(Room.EXPORTS, order["object_key"], limit=5_000_000)
    assert sha256(raw).hexdigest() == order["sha256"]

    await to_the_end(matter, notice.id, papers, clock)
    assert (await kinds_of(owner))[2:] == ["statement_record", "closing_record"]
    assert await owner.fetchval("select count(*) from document where sha256 is null") == 0

    author = await at_the_desk(app, matter.office.author)
    page = await author.open(f"/desk/notices/{notice.id}")
    assert page.text.count('href="/papers/') == 4
    party = await at_the_desk(app, matter.user)
    page = await party.open(f"/portal/notices/{notice.id}")
    assert page.text.count('href="/papers/') == 1  # what was handed over
    path = f"/papers/{order['id']}"
    assert (await party.open(path, 303)).headers["location"].startswith("http")
    own = await owner.fetchval("select id from document where kind = 'proof_of_service'")
    await party.open(f"/papers/{own}", 404)

    await documents.void(own, reason="有误", act=matter.office.approver.act(clock()))
    await owner.execute("update follower set position = 0 where name = 'documents'")
    await papers.drain()  # read once more: nothing a second time, nor what was voided
    assert len(await kinds_of(owner)) == 4


async def test_the_file_of_a_case_comes_after_its_papers(
    app: Litestar, papers: Papers, owner: asyncpg.Connection, clock: StillClock
) -> None:
    await papers.drain()
    trial = await a_trial(owner, clock)
    await trial.ready()
    await trial.propose()
    await case_deeds.close(
        trial.case.id, outcome="closed", reason="结案", act=trial.act("approver")
    )
    for _ in range(3):  # the index waits until the others are set
        clock.tick(minutes=10)
        await papers.drain()
    assert await kinds_of(owner) == ["removal_proposal", "case_index"]
    whole = await owner.fetchrow("select * from document where kind = 'case_index'")
    assert whole["sha256"] is not None
    proposal = await owner.fetchval("select sha256 from document where kind = 'removal_proposal'")
    assert proposal.encode() in bytes(whole["facts"])
    desk = await at_the_desk(app, trial.matter.office.author)
    page = await desk.open(f"/desk/cases/{trial.case.id}")
    assert page.text.count('href="/papers/') == 2
