"""Replies: saved at once, nothing overwritten, sent for good with a receipt anyone can check."""

import asyncio
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.clock import new_id
from backend.services import notices, replies, reviews
from backend.services.act import Act
from backend.services.errors import Absent, Changed, Denied
from backend.services.notices import Notice, NotOpen
from backend.services.replies import (
    AlreadySent,
    Empty,
    EvidenceUnfit,
    Reply,
    TooLarge,
    TooManyFiles,
    Words,
)
from backend.services.reviews import Decision, EvidencePending, ForeignFinding
from media import base64url, canon
from media.keys import ServerKey, verify_server
from tests import casework, world
from tests.conftest import StillClock

pytestmark = pytest.mark.usefixtures("app")
KEY = ServerKey.from_seed(b"r" * 32)
DONE = Words(kind="rectified", text="已经整改")


async def a_served_notice(
    owner: asyncpg.Connection, clock: StillClock, *, office: casework.Office | None = None
) -> tuple[casework.Matter, Notice]:
    """A notice the institution can answer."""
    matter = await casework.a_matter(owner, clock(), office=office)
    return matter, await casework.served(matter, clock())


async def saved(notice: Notice, words: Words, act: Act) -> Reply:
    """A new draft."""
    return await replies.save(notice.id, act.new_id(), words, base=None, act=act)


async def test_a_draft_is_kept_once_and_never_overwritten_unseen(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter, notice = await a_served_notice(owner, clock)
    act = matter.user.act(clock())
    first = await saved(notice, DONE, act)
    again = await replies.save(notice.id, first.id, DONE, base=None, act=act)
    assert again == first
    longer = Words(kind="rectified", text="已经整改,附照片")
    second = await replies.save(notice.id, first.id, longer, base=first.digest, act=act)
    with pytest.raises(Changed) as told:
        await replies.save(
            notice.id, first.id, Words(kind="rectified", text="另一人"), base=first.digest, act=act
        )
    assert told.value.facts == {"digest": second.digest}
    assert await replies.of(notice.id, act=act) == (second,)
    assert await replies.of(notice.id, act=matter.office.author.act(clock())) == ()


async def test_text_is_composed_before_it_is_hashed(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter, notice = await a_served_notice(owner, clock)
    act = matter.user.act(clock())
    kept = await saved(notice, Words(kind="statement", text="cafe\u0301"), act)
    assert kept.text == "caf\u00e9"


async def test_sending_is_final_and_signed(owner: asyncpg.Connection, clock: StillClock) -> None:
    matter, notice = await a_served_notice(owner, clock)
    act = matter.user.act(clock())
    piece = await casework.a_piece(owner, notice=notice.id, state="declared")
    words = Words(
        kind="rectified", text="见照片", finding=matter.findings[0].id, evidence=(piece,)
    )
    draft = await saved(notice, words, act)
    (sent,) = await replies.send(notice.id, (draft.id,), key=KEY, act=act)
    assert (sent.state, sent.submitted_at) == ("submitted", clock())
    assert sent.receipt is not None
    raw = base64url.decode(sent.receipt.raw)
    verify_server(
        KEY.public, b"MINGCHA-REPLY-V1\n" + raw, base64url.decode(sent.receipt.signature)
    )
    body = canon.canonical(raw)
    expected = {
        "kind": "rectified",
        "text": "见照片",
        "finding": str(matter.findings[0].id),
        "evidence": [{"id": str(piece), "sha256": sha256(piece.bytes).hexdigest()}],
    }
    assert body["digest"] == sha256(canon.encode(expected)).hexdigest() == sent.digest
    assert (body["reply"], body["addition"]) == (str(draft.id), False)
    clock.tick(minutes=5)
    (again,) = await replies.send(notice.id, (draft.id,), key=KEY, act=matter.user.act(clock()))
    assert again == sent
    with pytest.raises(AlreadySent):
        await replies.save(notice.id, draft.id, DONE, base=sent.digest, act=act)
    assert (await notices.get(notice.id, act=act)).state == "answered"
    office = await replies.of(notice.id, act=matter.office.author.act(clock()))
    assert office == (sent,)


async def test_what_comes_later_is_marked(owner: asyncpg.Connection, clock: StillClock) -> None:
    matter, notice = await a_served_notice(owner, clock)
    act = matter.user.act(clock())
    first, second = await saved(notice, DONE, act), await saved(notice, DONE, act)
    await replies.send(notice.id, (first.id,), key=KEY, act=act)
    (late,) = await replies.send(notice.id, (second.id,), key=KEY, act=act)
    assert late.receipt is not None
    assert late.receipt.addition is True


async def test_two_senders_at_once_send_one_reply(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter, notice = await a_served_notice(owner, clock)
    act = matter.user.act(clock())
    draft = await saved(notice, DONE, act)
    both = await asyncio.gather(
        replies.send(notice.id, (draft.id,), key=KEY, act=act),
        replies.send(notice.id, (draft.id,), key=KEY, act=act),
    )
    assert both[0] == both[1]
    count = await owner.fetchval(
        "select count(*) from aud.entry where body ->> 'verb' = 'reply.submitted'"
    )
    assert count == 1


async def test_evidence_is_of_this_notice_and_not_refused(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter, notice = await a_served_notice(owner, clock)
    act = matter.user.act(clock())
    other, their_notice = await a_served_notice(owner, clock, office=matter.office)
    unfit = [
        await casework.a_piece(owner, notice=their_notice.id),
        await casework.a_piece(owner, visit=matter.visit),
        await casework.a_piece(owner, notice=notice.id, state="quarantined"),
        await casework.a_piece(owner, notice=notice.id, state="withdrawn"),
        UUID(int=1),
    ]
    for piece in unfit:
        with pytest.raises(EvidenceUnfit) as refused:
            await saved(notice, Words(kind="rectified", text="x", evidence=(piece,)), act)
        assert refused.value.facts["ids"] == [str(piece)]
    many = tuple([await casework.a_piece(owner, notice=notice.id) for _ in range(21)])
    with pytest.raises(TooManyFiles):
        await saved(notice, Words(kind="rectified", text="x", evidence=many), act)
    huge = tuple(
        [await casework.a_piece(owner, notice=notice.id, size=300 * 1024 * 1024) for _ in range(2)]
    )
    with pytest.raises(TooLarge):
        await saved(notice, Words(kind="rectified", text="x", evidence=huge), act)
    with pytest.raises(ForeignFinding):
        await saved(notice, Words(kind="rectified", text="x", finding=other.findings[0].id), act)
    assert await replies.of(notice.id, act=act) == ()


async def test_an_empty_reply_is_not_sent(owner: asyncpg.Connection, clock: StillClock) -> None:
    matter, notice = await a_served_notice(owner, clock)
    act = matter.user.act(clock())
    empty = await saved(notice, Words(kind="rectified", text="  "), act)
    full = await saved(notice, DONE, act)
    with pytest.raises(Empty):
        await replies.send(notice.id, (full.id, empty.id), key=KEY, act=act)
    assert {reply.state for reply in await replies.of(notice.id, act=act)} == {"draft"}


async def test_another_institution_gets_the_answer_of_a_paper_that_never_was(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    matter, notice = await a_served_notice(owner, clock)
    draft = await saved(notice, DONE, matter.user.act(clock()))
    other, own = await a_served_notice(owner, clock, office=matter.office)
    act = other.user.act(clock())
    for deed in (
        replies.save(notice.id, act.new_id(), DONE, base=None, act=act),
        replies.save(own.id, draft.id, DONE, base=None, act=act),  # the id is taken elsewhere
        replies.send(own.id, (draft.id,), key=KEY, act=act),
        replies.of(notice.id, act=act),
        notices.get(notice.id, act=act),
    ):
        with pytest.raises(Absent):
            await deed
    headers = await world.signed_in(client, other.user)
    body = {"kind": "rectified", "text": "x"}
    answers = []
    for subject in (notice.id, new_id()):
        answers += [
            await client.get(f"/api/v1/notices/{subject}{path}", headers=headers)
            for path in ("", "/replies", "/service")
        ]
        put = f"/api/v1/notices/{subject}/replies/{new_id()}"
        answers.append(await client.put(put, headers=headers, json=body))
        post = f"/api/v1/notices/{subject}/replies/sending"
        sent = {"replies": [str(draft.id)]}
        answers.append(await client.post(post, headers=headers, json=sent))
    assert {answer.status_code for answer in answers} == {404}
    bodies = [{**a.json(), "request_id": ""} for a in answers]
    assert bodies == [bodies[0]] * len(bodies)
    assert (await replies.of(notice.id, act=matter.user.act(clock()))) == (draft,)


async def test_only_an_institution_replies_and_only_while_it_is_open(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter, notice = await a_served_notice(owner, clock)
    with pytest.raises(Denied):
        await saved(notice, DONE, matter.office.author.act(clock()))
    await owner.execute("update notice set state = 'closed' where id = $1", notice.id)
    with pytest.raises(NotOpen):
        await saved(notice, DONE, matter.user.act(clock()))
    with pytest.raises(NotOpen):
        await replies.send(notice.id, (notice.id,), key=KEY, act=matter.user.act(clock()))


async def test_nothing_is_accepted_on_bytes_nobody_verified(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter, notice = await a_served_notice(owner, clock)
    act, office = matter.user.act(clock()), matter.office.author.act(clock())
    piece = await casework.a_piece(owner, notice=notice.id, state="received")
    draft = await saved(notice, Words(kind="rectified", text="见", evidence=(piece,)), act)
    await replies.send(notice.id, (draft.id,), key=KEY, act=act)
    rev = (await notices.get(notice.id, act=office)).rev
    now = await reviews.begin(notice.id, rev=rev, act=office)
    accepted = Decision(finding=matter.findings[0].id, outcome="accepted", reason="")
    with pytest.raises(EvidencePending) as refused:
        await reviews.decide(notice.id, accepted, rev=now.rev, act=office)
    assert refused.value.facts["ids"] == [str(piece)]
    await owner.execute("update evidence set state = 'verified' where id = $1", piece)
    done = await reviews.decide(notice.id, accepted, rev=now.rev, act=office)
    assert done.findings[0].outcome == "accepted"


async def test_the_reply_over_http_bounds_its_fields(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    matter, notice = await a_served_notice(owner, clock)
    headers = await world.signed_in(client, matter.user)
    path = f"/api/v1/notices/{notice.id}/replies/{new_id()}"
    for body in (
        {"kind": "rumour", "text": "x"},
        {"kind": "rectified", "text": "x" * 20_001},
        {"kind": "rectified", "text": "x", "extra": 1},
        {"kind": "rectified", "text": "x", "base": "zz"},
        {"kind": "rectified"},
    ):
        answer = await client.put(path, headers=headers, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid"), body
    nul = await client.put(path, headers=headers, json={"kind": "rectified", "text": "a\0b"})
    assert nul.status_code == 400
    clock.set(clock() + timedelta(minutes=1))
    assert await replies.of(notice.id, act=matter.user.act(clock())) == ()
