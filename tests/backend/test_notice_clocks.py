"""Clocks of a notice: more time, objections, stops, reminders, ways of service, looking again."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from backend.piccolo_conf import DB
from backend.services import (
    approvals,
    clock_stops,
    consents,
    notices,
    reinspections,
    reminders,
    replies,
    reply_decisions,
    reviews,
    risk,
    service_proofs,
    terms,
)
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.clock_stops import NewStop
from backend.services.consents import NewAttempt, NewConsent
from backend.services.notices import Notice
from backend.services.replies import Words
from backend.services.reply_decisions import Decision, NewDecision
from backend.services.service_proofs import Announcement, Electronic, NoConsent, Post
from inspection_plans.gates import NoticeSamePerson, PartyNotHeard, Stayed
from inspection_plans.service import Outcome, Way, Why
from inspection_plans.stops import Ground, StopOpen, Whose
from media.keys import ServerKey
from tests import casework, world
from tests.conftest import StillClock

pytestmark = pytest.mark.usefixtures("app")
KEY = ServerKey.from_seed(b"s" * 32)
DAY = timedelta(days=1)


async def sent(matter: casework.Matter, notice: Notice, clock: StillClock, **said: Any) -> UUID:
    """A reply of the institution, sent."""
    act = matter.user.act(clock())
    reply = act.new_id()
    words = Words(**{"kind": "rectified", "text": "说明", **said})
    await replies.save(notice.id, reply, words, base=None, act=act)
    await replies.send(notice.id, (reply,), key=KEY, act=act)
    return reply


async def decided(
    matter: casework.Matter, notice: Notice, reply: UUID, clock: StillClock, **said: Any
) -> Decision:
    """The office's decision, by somebody other than the author."""
    new = NewDecision(**{"granted": True, "reason": "情况属实", **said})
    act = matter.office.approver.act(clock())
    return await reply_decisions.decide(notice.id, reply, new, act=act)


def approving(matter: casework.Matter, clock: StillClock) -> Act:
    """The author, had somebody made an approver of them too."""
    act = matter.office.author.act(clock())
    by = msgspec.structs.replace(act.by, roles=act.by.roles | {"approver"})
    return msgspec.structs.replace(act, by=by)


async def seen(matter: casework.Matter, notice: Notice, clock: StillClock) -> Notice:
    """The notice as the office sees it now."""
    return await notices.get(notice.id, act=matter.office.author.act(clock()))


async def test_more_time_is_decided_by_another_and_has_a_number(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    assert notice.due_on == date(2026, 3, 17)
    with pytest.raises(replies.DayMissing):
        await sent(matter, notice, clock, kind="extension")
    wanted = date(2026, 3, 28)  # a Saturday
    reply = await sent(matter, notice, clock, kind="extension", wanted_on=wanted)
    (asked,) = await reply_decisions.waiting(act=matter.office.author.act(clock()))
    assert (asked.reply, asked.wanted_on, asked.kind) == (reply, wanted, "extension")
    new = NewDecision(granted=True, reason="停电")
    other = matter.office.other
    with pytest.raises(NoticeSamePerson):
        await reply_decisions.decide(notice.id, reply, new, act=approving(matter, clock))
    done = await reply_decisions.decide(notice.id, reply, new, act=other.act(clock()))
    assert (done.number, done.due_before, done.due_on) == (
        "威人社延期字〔2026〕1号",
        date(2026, 3, 17),
        date(2026, 3, 30),  # rolled to the Monday
    )
    now = await seen(matter, notice, clock)
    assert (now.state, now.due_on, now.findings[0].extended) == ("served", date(2026, 3, 30), 1)
    assert now.findings[0].term is not None
    assert now.findings[0].term.setting == terms.EXTENSION
    with pytest.raises(reply_decisions.AlreadyDecided):
        await reply_decisions.decide(notice.id, reply, new, act=other.act(clock()))
    (theirs,) = await reply_decisions.of(notice.id, act=matter.user.act(clock()))
    assert (theirs.decided_by, theirs.number) == (None, done.number)


async def test_time_is_not_given_too_late_too_long_or_too_often(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    far = date(2026, 3, 17) + timedelta(days=31)
    reply = await sent(matter, notice, clock, kind="extension", wanted_on=far)
    with pytest.raises(terms.TooLong):
        await decided(matter, notice, reply, clock)
    with pytest.raises(reply_decisions.NotLater):
        await decided(matter, notice, reply, clock, due_on=date(2026, 3, 17))
    refused = await decided(matter, notice, reply, clock, granted=False)
    assert (refused.number, refused.due_on) == (None, None)
    for wanted in (date(2026, 3, 20), date(2026, 3, 25)):
        reply = await sent(matter, notice, clock, kind="extension", wanted_on=wanted)
        await decided(matter, notice, reply, clock)
    reply = await sent(matter, notice, clock, kind="extension", wanted_on=date(2026, 3, 30))
    with pytest.raises(reply_decisions.ExtendedOften):
        await decided(matter, notice, reply, clock)
    other = await casework.another(owner, matter, clock())
    late = await casework.served(other, clock())
    clock.tick(days=20)
    assert (await seen(matter, late, clock)).overdue
    reply = await sent(other, late, clock, kind="extension", wanted_on=date(2026, 4, 20))
    assert (await seen(matter, late, clock)).overdue  # a wish for time is no answer
    with pytest.raises(reply_decisions.AskedLate):
        await decided(other, late, reply, clock)


async def test_an_objection_upheld_withdraws_the_finding_for_good(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), "TI_01", "TI_02")
    notice = await casework.served(matter, clock())
    grave = next(one for one in matter.findings if one.severity == "critical")
    act = matter.office.approver.act(clock())
    before = await risk.standing(matter.institution, act=act)
    reply = await sent(matter, notice, clock, kind="objection", finding=grave.id)
    done = await decided(matter, notice, reply, clock)
    assert (done.kind, done.granted, done.number) == ("objection", True, None)
    now = await seen(matter, notice, clock)
    assert {(line.outcome, line.finding_state) for line in now.findings} == {
        ("withdrawn", "dismissed"),
        (None, "ordered"),
    }
    assert (await risk.standing(matter.institution, act=act)).grade.points < before.grade.points
    theirs = await notices.get(notice.id, act=matter.user.act(clock()))
    assert len(theirs.findings) == 2
    begun = await reviews.begin(notice.id, rev=now.rev, act=matter.office.other.act(clock()))
    accept = reviews.Decision(finding=grave.id, outcome="accepted", reason="")
    with pytest.raises(reviews.FindingSettled):
        await reviews.decide(
            notice.id, accept, rev=begun.rev, act=matter.office.other.act(clock())
        )
    (rest,) = [one for one in matter.findings if one.id != grave.id]
    accept = reviews.Decision(finding=rest.id, outcome="accepted", reason="")
    done_one = await reviews.decide(
        notice.id, accept, rev=begun.rev, act=matter.office.other.act(clock())
    )
    closed = await reviews.close(
        notice.id, rev=done_one.rev, act=matter.office.approver.act(clock())
    )
    assert closed.closing is not None
    assert [one["outcome"] for one in closed.closing["findings"]] == ["accepted", "withdrawn"]
    assert {line.finding_state for line in closed.findings} == {"corrected", "dismissed"}


async def test_a_stop_moves_the_partys_days_and_the_offices_own_does_not(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    act = matter.office.author.act
    served = on_day(clock())
    await sent(matter, notice, clock, kind="statement")
    review_term = (await seen(matter, notice, clock)).review_term
    assert review_term is not None

    def new(whose: Whose, ground: Ground) -> NewStop:
        return NewStop(
            whose=whose, ground=ground, first_on=on_day(clock()), reason="听证", paper="函1"
        )

    clock.tick(days=3)
    await clock_stops.begin(notice.id, new(Whose.OFFICE, Ground.OBJECTION), act=act(clock()))
    await clock_stops.begin(notice.id, new(Whose.PARTY, Ground.HEARING), act=act(clock()))
    with pytest.raises(StopOpen):
        await clock_stops.begin(notice.id, new(Whose.PARTY, Ground.HEARING), act=act(clock()))
    clock.tick(days=20)
    now = await seen(matter, notice, clock)
    assert {one.whose for one in now.stopped} == set(Whose)
    assert not now.overdue
    assert now.review_term is not None
    assert now.review_term.due_on > review_term.due_on
    last = served + 12 * DAY
    for whose, ground in ((Whose.OFFICE, Ground.OBJECTION), (Whose.PARTY, Ground.HEARING)):
        await clock_stops.end(
            notice.id, whose, ground, last_on=last, reason="结束", act=act(clock())
        )
        if whose is Whose.OFFICE:
            assert (await seen(matter, notice, clock)).due_on == notice.due_on
    after = await seen(matter, notice, clock)
    assert after.due_on == date(2026, 3, 27)  # ten stopped days after the 17th
    verbs = [
        row["verb"] for row in await owner.fetch("select body ->> 'verb' as verb from aud.entry")
    ]
    assert verbs.count("notice.clock_stopped") == verbs.count("notice.clock_resumed") == 2


async def test_a_stay_suspends_the_execution_and_keeps_the_party_unheard(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    act = matter.office.author.act
    clock.tick(days=20)
    begun = await reviews.begin(notice.id, rev=notice.rev, act=act(clock()))
    stay = NewStop(
        whose=Whose.OFFICE,
        ground=Ground.STAY,
        first_on=on_day(clock()),
        reason="复议机关决定中止执行",
        paper="复议通知书1号",
    )
    await clock_stops.begin(notice.id, stay, act=act(clock()))
    now = await seen(matter, notice, clock)
    assert now.stayed
    with pytest.raises(Stayed):
        await reviews.order_again(notice.id, matter.draft(), rev=now.rev, act=act(clock()))
    await clock_stops.end(
        notice.id,
        Whose.OFFICE,
        Ground.STAY,
        last_on=on_day(clock()),
        reason="恢复",
        act=act(clock()),
    )
    clock.tick(days=1)
    party = msgspec.structs.replace(stay, whose=Whose.PARTY, ground=Ground.HEARING)
    await clock_stops.begin(notice.id, party, act=act(clock()))
    now = await seen(matter, notice, clock)
    async with DB.transaction(matter.office.author.person.scope):
        with pytest.raises(PartyNotHeard):
            await reviews.heard(now, today=on_day(clock()))
    assert begun.state == "under_review"


async def test_terms_that_were_unsure_are_counted_anew_when_the_table_arrives(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    clock.set(clock().replace(month=12, day=10))
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock(), draft=matter.draft(days=30))
    assert notice.term is not None
    assert notice.term.provisional
    assert notice.due_on == date(2027, 1, 11)  # the 9th is a Saturday as far as anybody knows
    # What stood before the table of the year was there: another day.
    wrong = "2027-01-09"
    await owner.execute(
        "update notice_finding set due_on = $1,"
        " due_basis = jsonb_set(due_basis, '{due_on}', to_jsonb($2::text))",
        date.fromisoformat(wrong),
        wrong,
    )
    product = await world.the_product(clock())
    assert await clock_stops.recount_unsure(act=product) == 1
    now = await seen(matter, notice, clock)
    assert now.findings[0].due_on == date(2027, 1, 11)
    assert await clock_stops.recount_unsure(act=product) == 0
    last = await owner.fetchval("select body ->> 'verb' from aud.entry order by id desc limit 1")
    assert last == "notice.recounted"


async def test_each_step_reminds_once_a_day_and_two_runs_at_once_remind_once(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    told = []
    for _ in range(25):
        product = await world.the_product(clock())
        runs = await asyncio.gather(reminders.run(act=product), reminders.run(act=product))
        told += [(one.on_day.day, one.step.value) for run in runs for one in run]
        clock.tick(days=1)
    assert told == [(2, "served"), (10, "half"), (12, "three"), (16, "one"), (18, "overdue")]
    theirs = await reminders.of(notice.id, act=matter.user.act(clock()))
    assert [one.step.value for one in theirs] == [step for _, step in told]
    tasks = await owner.fetch("select payload from task where kind = 'message.write'")
    assert len(tasks) == len(told) - 1  # that it was served is told by its own event


async def test_electronic_service_rests_on_a_consent_and_counts_from_arrival(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.approved(matter, clock())
    act = matter.office.author.act
    await approvals.issue(notice.id, act=act(clock()))
    assert (await consents.next_way(notice.id, act=act(clock()))).way is Way.IN_PERSON
    today = on_day(clock())
    new = NewConsent(reference="确认书1", address="portal", receiver="王某", agreed_on=today)
    consent = await consents.record(matter.institution, new, act=act(clock()))
    with pytest.raises(consents.ConsentStands):
        await consents.record(matter.institution, new, act=act(clock()))
    assert (await consents.next_way(notice.id, act=act(clock()))).why is Why.CONSENTED
    for receiver, ident in (("李某", consent.id), ("王某", act(clock()).new_id())):
        way = Electronic(receiver=receiver, served_on=today, consent=ident)
        with pytest.raises(NoConsent):
            await service_proofs.serve(notice.id, way, act=act(clock()))
    way = Electronic(receiver="王某", served_on=today, consent=consent.id)
    served = await service_proofs.serve(notice.id, way, act=act(clock()))
    assert served.due_on == date(2026, 3, 17)
    (proof,) = await service_proofs.of(notice.id, act=act(clock()))
    assert (proof.arrived_at, proof.first_viewed_at) == (clock(), None)
    assert proof.details["consent_reference"] == "确认书1"
    assert (await consents.next_way(notice.id, act=act(clock()))).way is None
    clock.tick(days=4)
    ladder = await consents.next_way(notice.id, act=act(clock()))
    assert (ladder.way, ladder.why) == (Way.IN_PERSON, Why.NOT_OPENED)
    failed = NewAttempt(
        way=Way.IN_PERSON, outcome=Outcome.ABSENT, on_day=on_day(clock()), details="无人"
    )
    assert (await consents.attempt(notice.id, failed, act=act(clock()))).way is Way.POST
    post = Post(
        receiver="王某",
        served_on=on_day(clock()),
        tracking_number="EMS1",
        posted_on=on_day(clock()) - DAY,
    )
    await service_proofs.hand_over_again(notice.id, post, act=act(clock()))
    assert (await seen(matter, notice, clock)).due_on == served.due_on  # no clock moved
    assert len(await service_proofs.of(notice.id, act=act(clock()))) == 2
    ended = await consents.withdraw(matter.institution, reason="机构要求", act=act(clock()))
    assert ended.withdrawn_on == on_day(clock())


async def test_an_announcement_serves_when_its_days_are_over(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.approved(matter, clock())
    act = matter.office.author.act
    await approvals.issue(notice.id, act=act(clock()))
    announced = on_day(clock())
    clock.tick(days=30)
    way = Announcement(
        receiver="机构", served_on=announced + 29 * DAY, place="网站", announced_on=announced
    )
    with pytest.raises(service_proofs.ServedOutOfTime):
        await service_proofs.serve(notice.id, way, act=act(clock()))
    way = msgspec.structs.replace(way, served_on=announced + 30 * DAY)
    assert (await service_proofs.serve(notice.id, way, act=act(clock()))).state == "served"


async def test_to_look_again_makes_one_visit_and_waits_for_it(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), "TI_01", "TI_03")
    notice = await casework.served(matter, clock())
    await sent(matter, notice, clock)
    act = matter.office.other.act
    rev = (
        await reviews.begin(
            notice.id, rev=(await seen(matter, notice, clock)).rev, act=act(clock())
        )
    ).rev
    for finding in matter.findings:
        again = reviews.Decision(finding=finding.id, outcome="reinspection", reason="现场核对")
        rev = (await reviews.decide(notice.id, again, rev=rev, act=act(clock()))).rev
    rows = await owner.fetch("select * from reinspection")
    visit = await owner.fetchrow("select * from visit where origin_notice = $1", notice.id)
    assert len(rows) == 1
    assert set(rows[0]["findings"]) == {one.id for one in matter.findings}
    assert (visit["selection"], visit["state"], visit["unannounced"]) == (
        "reinspection",
        "drawn",
        True,
    )
    assert rows[0]["way"] == "open"  # nobody can be sent: a person assigns the team
    (shown,) = await reinspections.of(notice.id, act=act(clock()))
    assert shown.visit == visit["id"]
    accept = reviews.Decision(finding=matter.findings[0].id, outcome="accepted", reason="")
    with pytest.raises(reviews.ReinspectionOpen):
        await reviews.decide(notice.id, accept, rev=rev, act=act(clock()))
    await casework.concluded(owner, visit["id"], clock())
    await reviews.decide(notice.id, accept, rev=rev, act=act(clock()))


async def test_a_void_notice_keeps_its_number_and_frees_its_findings(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    with pytest.raises(NoticeSamePerson):
        await approvals.void(
            notice.id, rev=notice.rev, reason="错发", act=approving(matter, clock)
        )
    void = await approvals.void(
        notice.id, rev=notice.rev, reason="错发", act=matter.office.approver.act(clock())
    )
    assert (void.state, void.number, void.void_reason) == ("void", notice.number, "错发")
    theirs = await notices.get(notice.id, act=matter.user.act(clock()))
    assert (theirs.state, theirs.number) == ("void", notice.number)
    anew = await casework.served(matter, clock())
    assert anew.number == "威人社责改字〔2026〕2号"


async def test_decisions_stops_and_service_over_http(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    reply = await sent(matter, notice, clock, kind="extension", wanted_on=date(2026, 3, 20))
    author = await world.signed_in(client, matter.office.author)
    approver = await world.signed_in(client, matter.office.approver)
    user = await world.signed_in(client, matter.user)
    path = f"/api/v1/notices/{notice.id}"
    waiting = await client.get("/api/v1/replies/waiting", headers=author)
    assert [one["reply"] for one in waiting.json()] == [str(reply)]
    body = {"granted": True, "reason": "停电"}
    denied = await client.post(f"{path}/replies/{reply}/decision", headers=author, json=body)
    assert denied.status_code == 403
    done = await client.post(f"{path}/replies/{reply}/decision", headers=approver, json=body)
    assert (done.status_code, done.json()["due_on"]) == (201, "2026-03-20")
    stop = {
        "whose": "party",
        "ground": "stay",
        "first_on": "2026-03-02",
        "reason": "复议",
        "paper": "通知书",
    }
    begun = await client.post(f"{path}/stops", headers=author, json=stop)
    assert begun.status_code == 201, begun.text
    shown = (await client.get(path, headers=user)).json()
    assert (shown["stayed"], shown["stopped"][0]["whose"]) == (True, "party")
    end = {"whose": "party", "ground": "stay", "last_on": "2026-03-02", "reason": "恢复"}
    ended = await client.post(f"{path}/stops/end", headers=author, json=end)
    assert ended.status_code == 200, ended.text
    for part in ("decisions", "stops", "reminders", "service"):
        answer = await client.get(f"{path}/{part}", headers=user)
        assert answer.status_code == 200, answer.text
        assert "decided_by" not in answer.text or '"decided_by":null' in answer.text
    assert (await client.get(f"{path}/service/next", headers=user)).status_code == 403
    assert (await client.get(f"{path}/reinspections", headers=author)).json() == []
