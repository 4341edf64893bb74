"""Notices: two persons, gapless numbers, service before clock, review to the end."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from backend.clock import new_id
from backend.services import approvals, cases, notices, replies, reviews, service_proofs
from backend.services.errors import Absent, Changed
from backend.services.notices import (
    FindingsMixed,
    FindingTaken,
    NoOffice,
    NotAuthor,
    Wanted,
)
from backend.services.replies import Words
from backend.services.reviews import Decision
from backend.services.service_proofs import (
    Electronic,
    LeftWithWitness,
    NoConsent,
    Post,
    ServedOutOfTime,
)
from inspection_plans.gates import (
    FindingNotVerified,
    LegalReviewerInvolved,
    LegalReviewMissing,
    NoLawLevelBasis,
    NoticeSamePerson,
    PartyNotHeard,
)
from inspection_plans.policy import OutOfBounds
from inspection_plans.states import NoticeWrongState
from media.keys import ServerKey
from tests import casework, world
from tests.conftest import StillClock

KEY = ServerKey.from_seed(b"k" * 32)


pytestmark = pytest.mark.usefixtures("app")


async def test_a_draft_needs_verified_findings_of_one_institution(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    suspected = await casework.a_matter(owner, clock(), verified=False)
    act = suspected.office.author.act(clock())
    with pytest.raises(FindingNotVerified):
        await notices.draft(suspected.draft(), act=act)
    one = await casework.a_matter(owner, clock(), office=suspected.office)
    two = await casework.a_matter(owner, clock(), office=suspected.office)
    both = one.draft(demands=one.draft().demands + two.draft().demands)
    with pytest.raises(FindingsMixed):
        await notices.draft(both, act=act)
    with pytest.raises(OutOfBounds):
        await notices.draft(one.draft(days=181), act=act)
    loose = await world.a_person(clock(), "supervisor", region=one.office.region)
    with pytest.raises(NoOffice):
        await notices.draft(one.draft(), act=loose.act(clock()))
    assert await notices.page(Wanted(), act=act) == ()


async def test_an_order_needs_a_law_level_basis_and_advice_does_not(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    act = matter.office.author.act(clock())
    bare = await casework.an_item(matter.office, clock(), basis="")
    for item in (bare, None, "no-such-item"):
        with pytest.raises(NoLawLevelBasis):
            await notices.draft(matter.draft(inspection_item=item), act=act)
    advice = await notices.draft(matter.draft("advice", inspection_item=bare), act=act)
    assert (advice.kind, advice.basis, advice.state) == ("advice", None, "draft")


async def test_a_finding_stands_in_one_open_notice(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    act = matter.office.author.act(clock())
    # Eight at once, after eight connections stand: opening them would queue the drafts up.
    await asyncio.gather(*(notices.page(Wanted(), act=act) for _ in range(8)))
    every = await asyncio.gather(
        *(notices.draft(matter.draft(), act=act) for _ in range(8)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in every) == ["FindingTaken"] * 7 + ["Notice"]
    with pytest.raises(FindingTaken):
        await notices.draft(matter.draft(), act=act)


async def test_an_edit_wins_once_and_loses_no_text(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), "TI_01", "TI_03")
    act = matter.office.author.act(clock())
    first = await notices.draft(matter.draft(), act=act)
    fewer = matter.draft(text="只保留一项", demands=matter.draft().demands[:1])
    second = await notices.edit(first.id, fewer, rev=first.rev, act=act)
    assert (second.rev, len(second.findings), second.text) == (2, 1, "只保留一项")
    with pytest.raises(Changed) as told:
        await notices.edit(first.id, matter.draft(), rev=first.rev, act=act)
    assert told.value.facts == {"rev": 2, "state": "draft"}
    with pytest.raises(NotAuthor):
        await notices.edit(first.id, fewer, rev=2, act=matter.office.other.act(clock()))
    assert (await notices.get(first.id, act=act)) == second


async def test_nobody_approves_their_own_words_nor_what_they_have_not_read(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    own = await notices.draft(matter.draft(), act=matter.office.other.act(clock()))
    with pytest.raises(NoticeSamePerson):
        await approvals.approve(own.id, rev=own.rev, act=matter.office.other.act(clock()))
    edited = await notices.edit(
        own.id, matter.draft(text="改后"), rev=1, act=matter.office.other.act(clock())
    )
    with pytest.raises(Changed):
        await approvals.approve(own.id, rev=1, act=matter.office.approver.act(clock()))
    done = await approvals.approve(own.id, rev=edited.rev, act=matter.office.approver.act(clock()))
    assert (done.state, done.number) == ("approved", None)


async def test_a_critical_finding_needs_a_legal_reviewer_from_outside(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), casework.CRITICAL.replace("-", "_"))
    office = matter.office
    both = await world.a_person(
        clock(), "supervisor", "legal", region=office.region, office=office.id
    )
    draft = await notices.draft(matter.draft(), act=both.act(clock()))
    with pytest.raises(LegalReviewMissing):
        await approvals.approve(draft.id, rev=1, act=office.approver.act(clock()))
    sent = await approvals.send_to_legal(draft.id, rev=1, act=office.author.act(clock()))
    with pytest.raises(LegalReviewMissing):
        await approvals.approve(draft.id, rev=sent.rev, act=office.approver.act(clock()))
    with pytest.raises(LegalReviewerInvolved):
        await approvals.clear(draft.id, rev=sent.rev, opinion="合法", act=both.act(clock()))
    back = await approvals.send_back(
        draft.id, rev=sent.rev, reason="依据不清", act=office.legal.act(clock())
    )
    assert (back.state, back.legal_by, back.legal_reason) == ("draft", None, "依据不清")
    sent = await approvals.send_to_legal(draft.id, rev=back.rev, act=office.author.act(clock()))
    cleared = await approvals.clear(
        draft.id, rev=sent.rev, opinion="合法", act=office.legal.act(clock())
    )
    done = await approvals.approve(draft.id, rev=cleared.rev, act=office.approver.act(clock()))
    assert (done.state, done.legal_by) == ("approved", office.legal.person.id)


async def test_numbers_have_no_gap_among_sixty_four_issuers(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    office = await casework.an_office(clock())
    matter = await casework.a_matter(owner, clock(), office=office)
    drafts = [await casework.approved(matter, clock())]
    for _ in range(63):
        next_matter = await casework.another(owner, matter, clock())
        drafts.append(await casework.approved(next_matter, clock()))
    act = office.author.act(clock())
    issued = await asyncio.gather(*(approvals.issue(draft.id, act=act) for draft in drafts))
    numbers = sorted((notice.number or "" for notice in issued), key=len)
    assert {f"威人社责改字〔2026〕{seq}号" for seq in range(1, 65)} == set(numbers)
    with pytest.raises(NoticeWrongState):
        await approvals.issue(drafts[0].id, act=act)
    clock.set(clock() + timedelta(days=365))
    late = await casework.approved(await casework.another(owner, matter, clock()), clock())
    again = await approvals.issue(late.id, act=office.author.act(clock()))
    assert again.number == "威人社责改字〔2027〕1号"


async def test_terms_run_from_the_day_after_service(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), "TI_01", "TI_03")
    demands = matter.draft().demands
    draft = matter.draft(demands=(demands[0], msgspec.structs.replace(demands[1], days=5)))
    notice = await casework.served(matter, clock(), draft=draft)
    # served on Monday 2026-03-02: 15 calendar days end on the 17th, 5 on Saturday the 7th → Monday
    assert [line.due_on for line in notice.findings] == [date(2026, 3, 17), date(2026, 3, 9)]
    assert (notice.served_on, notice.due_on) == (date(2026, 3, 2), date(2026, 3, 17))
    assert [line.days_left for line in notice.findings] == [11, 5]
    assert notice.term is not None
    assert notice.statement_term is not None
    assert (notice.term.unit, notice.term.provisional) == ("day", False)
    assert notice.statement_term.due_on == date(2026, 3, 9)
    assert {line.finding_state for line in notice.findings} == {"ordered"}
    act = matter.office.author.act
    assert not (await notices.get(notice.id, act=act(clock()))).overdue
    clock.set(clock() + timedelta(days=8))
    seen = await notices.get(notice.id, act=act(clock()))
    assert [line.overdue for line in seen.findings] == [False, True]
    assert [n.id for n in await notices.page(Wanted(overdue=True), act=act(clock()))] == [
        notice.id
    ]


@pytest.mark.parametrize(
    ("way", "refusal"),
    [
        (casework.by_hand(casework.START - timedelta(days=1)), ServedOutOfTime),
        (casework.by_hand(casework.START + timedelta(days=1)), ServedOutOfTime),
        (
            Post(
                receiver="李某",
                served_on=date(2026, 3, 2),
                tracking_number="EMS1",
                posted_on=date(2026, 3, 3),
            ),
            ServedOutOfTime,
        ),
        (
            Electronic(
                receiver="李某",
                served_on=date(2026, 3, 2),
                consent=UUID(int=1),
            ),
            NoConsent,
        ),
    ],
)
async def test_a_service_out_of_time_is_refused(
    owner: asyncpg.Connection,
    clock: StillClock,
    way: service_proofs.AnyWay,
    refusal: type[Exception],
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.approved(matter, clock())
    act = matter.office.author.act(clock())
    with pytest.raises(NoticeWrongState):
        await service_proofs.serve(notice.id, casework.by_hand(clock()), act=act)
    await approvals.issue(notice.id, act=act)
    with pytest.raises(refusal):
        await service_proofs.serve(notice.id, way, act=act)
    assert (await notices.get(notice.id, act=act)).state == "issued"
    assert await service_proofs.of(notice.id, act=act) == ()


async def test_other_ways_of_service_and_the_first_view(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    day = date(2026, 3, 2)
    ways: list[service_proofs.AnyWay] = [
        LeftWithWitness(
            receiver="李某",
            served_on=day,
            witness="居委会",
            witness_title="主任",
            refusal_reason="拒收",
        ),
        Post(receiver="机构", served_on=day, tracking_number="EMS1", posted_on=day),
    ]
    office = await casework.an_office(clock())
    for way in ways:
        matter = await casework.a_matter(owner, clock(), office=office)
        notice = await casework.approved(matter, clock())
        act = office.author.act(clock())
        await approvals.issue(notice.id, act=act)
        with pytest.raises(Absent):  # not served: it is not there yet
            await notices.get(notice.id, act=matter.user.act(clock()))
        await service_proofs.serve(notice.id, way, act=act)
        (proof,) = await service_proofs.of(notice.id, act=act)
        assert (proof.first_viewed_at, proof.recorded_by) == (None, act.by.id)
        (cited,) = await owner.fetch(
            "select disclosed from evidence where visit = $1", matter.visit
        )
        assert cited["disclosed"] is True
        clock.tick(hours=1)
        shown = await notices.get(notice.id, act=matter.user.act(clock()))
        assert (shown.author, shown.approved_by, shown.number) == (None, None, shown.number)
        clock.tick(hours=1)
        await notices.get(notice.id, act=matter.user.act(clock()))
        (proof,) = await service_proofs.of(notice.id, act=matter.user.act(clock()))
        assert proof.first_viewed_at == clock() - timedelta(hours=1)


async def answer(matter: casework.Matter, notice: notices.Notice, clock: StillClock) -> None:
    """The institution answers the whole notice."""
    act = matter.user.act(clock())
    reply = act.new_id()
    words = Words(kind="rectified", text="已整改")
    await replies.save(notice.id, reply, words, base=None, act=act)
    await replies.send(notice.id, (reply,), key=KEY, act=act)


async def test_review_and_closing_by_another_person(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    office, finding = matter.office, matter.findings[0].id
    notice = await casework.served(matter, clock())
    act = office.other.act(clock())
    with pytest.raises(reviews.NotOverdue):
        await reviews.begin(notice.id, rev=notice.rev, act=act)
    await answer(matter, notice, clock)
    now = await notices.get(notice.id, act=act)
    assert now.state == "answered"
    now = await reviews.begin(notice.id, rev=now.rev, act=act)
    with pytest.raises(reviews.OutcomesOpen):
        await reviews.close(notice.id, rev=now.rev, act=office.approver.act(clock()))
    for outcome in ("not_accepted", "reinspection"):
        mute = Decision(finding=finding, outcome=outcome, reason=" ")
        with pytest.raises(reviews.ReasonMissing):
            await reviews.decide(notice.id, mute, rev=now.rev, act=act)
    stray = Decision(finding=notice.id, outcome="accepted", reason="")
    with pytest.raises(reviews.ForeignFinding):
        await reviews.decide(notice.id, stray, rev=now.rev, act=act)
    accepted = Decision(finding=finding, outcome="accepted", reason="")
    now = await reviews.decide(notice.id, accepted, rev=now.rev, act=act)
    with pytest.raises(NoticeSamePerson):  # who accepted does not close
        await reviews.close(notice.id, rev=now.rev, act=act)
    done = await reviews.close(notice.id, rev=now.rev, act=office.approver.act(clock()))
    assert (done.state, done.closed_at) == ("closed", clock())
    assert done.findings[0].finding_state == "corrected"


async def test_a_reply_goes_back_once_and_a_second_order_follows(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    finding = matter.findings[0].id
    notice = await casework.served(matter, clock())
    act = matter.office.author.act
    refused = Decision(finding=finding, outcome="not_accepted", reason="照片不清")
    await answer(matter, notice, clock)
    rev = (await notices.get(notice.id, act=act(clock()))).rev
    now = await reviews.begin(notice.id, rev=rev, act=act(clock()))
    with pytest.raises(reviews.NothingToReturn):
        await reviews.return_reply(notice.id, rev=now.rev, days=10, act=act(clock()))
    now = await reviews.decide(notice.id, refused, rev=now.rev, act=act(clock()))
    with pytest.raises(reviews.NotExhausted):
        await reviews.order_again(notice.id, matter.draft(), rev=now.rev, act=act(clock()))
    clock.tick(days=1)
    now = await reviews.return_reply(notice.id, rev=now.rev, days=10, act=act(clock()))
    assert (now.state, now.findings[0].due_on) == ("served", date(2026, 3, 13))
    clock.tick(hours=1)
    await answer(matter, notice, clock)
    rev = (await notices.get(notice.id, act=act(clock()))).rev
    now = await reviews.begin(notice.id, rev=rev, act=act(clock()))
    now = await reviews.decide(notice.id, refused, rev=now.rev, act=act(clock()))
    assert now.findings[0].refused_count == 2
    with pytest.raises(PartyNotHeard):  # rectified is no statement, and its term still runs
        await reviews.order_again(notice.id, matter.draft(), rev=now.rev, act=act(clock()))
    clock.set(clock() + timedelta(days=7))
    second = await reviews.order_again(notice.id, matter.draft(), rev=now.rev, act=act(clock()))
    assert (second.state, second.follows) == ("draft", notice.id)
    assert (await notices.get(notice.id, act=act(clock()))).state == "second_order"
    assert second.findings[0].finding_state == "open"


async def test_an_overdue_notice_becomes_a_case(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock(), draft=matter.draft(days=5))
    clock.tick(days=8)
    act = matter.office.author.act(clock())
    now = await reviews.begin(notice.id, rev=notice.rev, act=act)
    case = await cases.open_from_notice(notice.id, rev=now.rev, reason="逾期未改", act=act)
    assert (case.notice, case.findings) == (notice.id, (matter.findings[0].id,))
    assert (await notices.get(notice.id, act=act)).state == "case"


async def test_the_whole_way_over_http(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    office = matter.office
    author = await world.signed_in(client, office.author)
    approver = await world.signed_in(client, office.approver)
    user = await world.signed_in(client, matter.user)
    draft = msgspec.to_builtins(matter.draft())

    async def call(path: str, who: dict[str, str], body: object, status: int = 200) -> dict:  # type: ignore[type-arg]
        answer = await client.post(f"/api/v1/notices{path}", json=body, headers=who)
        assert answer.status_code == status, answer.text
        found: dict[str, object] = answer.json()
        return found

    notice = await call("", author, draft, 201)
    path = f"/{notice['id']}"
    assert (await call(path + "/approval", author, {"rev": 1}, 403))["code"] == "person.denied"
    assert (await call(path + "/approval", approver, {"rev": 9}, 409))["code"] == "thing.changed"
    await call(path + "/approval", approver, {"rev": 1})
    issued = await call(path + "/issue", author, None)
    assert issued["number"] == "威人社责改字〔2026〕1号"
    hidden = await client.get(f"/api/v1/notices{path}", headers=user)
    assert (hidden.status_code, hidden.json()["code"]) == (404, "thing.absent")
    service = {"way": "in_person", "receiver": "李某", "receiver_title": "校长"}
    unknown = {"service": {**service, "served_on": "2026-03-02", "extra": 1}}
    assert (await call(path + "/service", author, unknown, 422))["code"] == "request.invalid"
    await call(path + "/service", author, {"service": {**service, "served_on": "2026-03-02"}})
    seen = await client.get(f"/api/v1/notices{path}", headers=user)
    assert (seen.status_code, seen.json()["findings"][0]["demand"]) == (200, "限期改正")
    reply = str(new_id())
    kept = await client.put(
        f"/api/v1/notices{path}/replies/{reply}",
        headers=user,
        json={"kind": "rectified", "text": "已改", "finding": str(matter.findings[0].id)},
    )
    assert kept.status_code == 200, kept.text
    sent = await call(path + "/replies/sending", user, {"replies": [reply]})
    assert sent[0]["receipt"]["addition"] is False
    rev = (await client.get(f"/api/v1/notices{path}", headers=author)).json()["rev"]
    now = await call(path + "/review", author, {"rev": rev})
    finding = f"{path}/findings/{matter.findings[0].id}/outcome"
    now = await call(finding, author, {"rev": now["rev"], "outcome": "accepted"})
    done = await call(path + "/closing", approver, {"rev": now["rev"]})
    assert done["state"] == "closed"
    listed = await client.get("/api/v1/notices?state=closed", headers=user)
    assert [n["id"] for n in listed.json()] == [notice["id"]]
