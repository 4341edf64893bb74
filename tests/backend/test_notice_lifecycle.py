"""Any order of deeds on a notice: allowed ones follow the table, refused ones change nothing.

What was said stays said, numbers have no gap, and every effect has its one entry.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.services import (
    approvals,
    cases,
    clock_stops,
    findings,
    notices,
    replies,
    reply_decisions,
    reviews,
    service_proofs,
)
from backend.services.accounts import on_day
from backend.services.clock_stops import NewStop
from backend.services.errors import REFUSALS, Absent
from backend.services.notices import Notice, NotOpen
from backend.services.replies import Words
from backend.services.reply_decisions import NewDecision
from backend.services.reviews import Decision
from inspection_plans.loader import load
from inspection_plans.states import TRANSITIONS, NoticeWrongState, Noun
from inspection_plans.stops import Ground, Whose
from media.keys import ServerKey
from tests import casework
from tests.backend.histories import Arenas, settled
from tests.conftest import StillClock

pytestmark = pytest.mark.usefixtures("app")
KEY = ServerKey.from_seed(b"s" * 32)
NUMBERED = {
    "issued",
    "served",
    "answered",
    "under_review",
    "closed",
    "second_order",
    "case",
    "void",
}
HELD = """
select md5(string_agg(row, '|' order by row)) from (
  select n::text as row from notice n union all select f::text from finding f
  union all select nf::text from notice_finding nf union all select s::text from service_proof s
  union all select r::text from reply r union all select c::text from case_file c
  union all select q::text from number_sequence q
  union all select d::text from reply_decision d union all select k::text from clock_stop k
  union all select id::text from aud.entry) held
"""


# What the institution sent and what was decided of it, the oldest first: only ever longer.
SAID = """
select r.id::text, r.text, r.digest, r.receipt::text from reply r
where r.notice = $1 and r.state = 'submitted' order by r.submitted_at, r.id
"""
ENTRIES = "select count(*) from aud.entry where body -> 'object' ->> 'id' = $1"


@dataclass
class Play:
    """One notice, the people around it, and the clock."""

    matter: casework.Matter
    notice: Notice
    clock: StillClock

    @property
    def at(self) -> datetime:
        return self.clock()

    def by(self, who: str) -> Any:
        """A deed of a person of the office, or of the institution's user."""
        people = {name: getattr(self.matter.office, name) for name in ("author", "approver")}
        people |= {"other": self.matter.office.other, "legal": self.matter.office.legal}
        return people.get(who, self.matter.user).act(self.at)

    def decision(self, outcome: Any) -> Decision:
        """What the office says to the one finding."""
        return Decision(finding=self.matter.findings[0].id, outcome=outcome, reason="复查")


Deed = Callable[[Play], Awaitable[object]]


async def answered(play: Play) -> None:
    """The institution states its case."""
    act = play.by("user")
    words, reply = Words(kind="statement", text="申辩"), act.new_id()
    await replies.save(play.notice.id, reply, words, base=None, act=act)
    await replies.send(play.notice.id, (reply,), key=KEY, act=act)


async def asked(play: Play, kind: Any = "extension") -> None:
    """The institution asks for ten more days, or objects."""
    act = play.by("user")
    reply = act.new_id()
    day = on_day(play.at) + timedelta(days=20) if kind == "extension" else None
    words = Words(kind=kind, text="申请", wanted_on=day)
    await replies.save(play.notice.id, reply, words, base=None, act=act)
    await replies.send(play.notice.id, (reply,), key=KEY, act=act)


async def objected(play: Play) -> None:
    """The institution objects."""
    await asked(play, "objection")


async def decided(play: Play, kind: str) -> None:
    """Another person grants the first thing of its kind that was asked for."""
    act = play.by("approver")
    asks = [
        one.reply
        for one in await reply_decisions.waiting(act=act, limit=200)
        if (one.kind, one.notice) == (kind, play.notice.id)
    ]
    new = NewDecision(granted=True, reason="情况属实")
    await reply_decisions.decide(play.notice.id, (asks or [act.new_id()])[0], new, act=act)


async def stopped(play: Play) -> None:
    """The party's clock stands still for a hearing."""
    new = NewStop(
        whose=Whose.PARTY,
        ground=Ground.HEARING,
        first_on=on_day(play.at),
        reason="听证",
        paper="函1",
    )
    await clock_stops.begin(play.notice.id, new, act=play.by("author"))


async def resumed(play: Play) -> None:
    """It runs on."""
    await clock_stops.end(
        play.notice.id,
        Whose.PARTY,
        Ground.HEARING,
        last_on=on_day(play.at),
        reason="听证结束",
        act=play.by("author"),
    )


async def later(play: Play) -> None:
    """Nine days pass."""
    play.clock.tick(days=9)


async def edited(play: Play, *, back: int = 0) -> None:
    """The author writes other words; with ``back`` they had read an older revision."""
    words = play.matter.draft(days=5, text=f"第{next(casework.count)}稿")
    rev = play.notice.rev - back
    await notices.edit(play.notice.id, words, rev=rev, act=play.by("author"))


DEEDS: dict[str, Deed] = {
    "send_to_legal": lambda p: approvals.send_to_legal(
        p.notice.id, rev=p.notice.rev, act=p.by("author")
    ),
    "clear": lambda p: approvals.clear(
        p.notice.id, rev=p.notice.rev, opinion="合法", act=p.by("legal")
    ),
    "send_back": lambda p: approvals.send_back(
        p.notice.id, rev=p.notice.rev, reason="补正", act=p.by("approver")
    ),
    "approve": lambda p: approvals.approve(p.notice.id, rev=p.notice.rev, act=p.by("approver")),
    "approve own": lambda p: approvals.approve(p.notice.id, rev=p.notice.rev, act=p.by("author")),
    "issue": lambda p: approvals.issue(p.notice.id, act=p.by("author")),
    "serve": lambda p: service_proofs.serve(
        p.notice.id, casework.by_hand(p.at), act=p.by("author")
    ),
    "answer": answered,
    "begin": lambda p: reviews.begin(p.notice.id, rev=p.notice.rev, act=p.by("other")),
    "accept": lambda p: reviews.decide(
        p.notice.id, p.decision("accepted"), rev=p.notice.rev, act=p.by("other")
    ),
    "refuse": lambda p: reviews.decide(
        p.notice.id, p.decision("not_accepted"), rev=p.notice.rev, act=p.by("other")
    ),
    "return": lambda p: reviews.return_reply(
        p.notice.id, rev=p.notice.rev, days=5, act=p.by("other")
    ),
    "close": lambda p: reviews.close(p.notice.id, rev=p.notice.rev, act=p.by("approver")),
    "close own": lambda p: reviews.close(p.notice.id, rev=p.notice.rev, act=p.by("other")),
    "order again": lambda p: reviews.order_again(
        p.notice.id, p.matter.draft(days=5), rev=p.notice.rev, act=p.by("author")
    ),
    "escalate": lambda p: cases.open_from_notice(
        p.notice.id, rev=p.notice.rev, reason="逾期", act=p.by("author")
    ),
    "edit": edited,
    "edit stale": lambda p: edited(p, back=1),
    "stale": lambda p: approvals.approve(p.notice.id, rev=99, act=p.by("approver")),
    "void": lambda p: approvals.void(
        p.notice.id, rev=p.notice.rev, reason="错发", act=p.by("approver")
    ),
    "void own": lambda p: approvals.void(
        p.notice.id, rev=p.notice.rev, reason="错发", act=p.by("author")
    ),
    "ask for time": asked,
    "give time": lambda p: decided(p, "extension"),
    "object": objected,
    "uphold": lambda p: decided(p, "objection"),
    "stop": stopped,
    "go on": resumed,
    "later": later,
}
# The way to each end, so that chance begins anywhere on it.
WAY = (
    *("send_to_legal", "clear", "approve", "issue", "serve", "answer", "begin", "refuse"),
    *("return", "answer", "begin", "accept", "close"),
)


def holds(before: Notice, now: Notice, *, legal: bool) -> None:
    """What is true of a notice whatever was done to it."""
    if now.state != before.state:
        assert now.state in TRANSITIONS[Noun.NOTICE][before.state].values()
        assert now.rev > before.rev
    assert (now.number is not None) == (now.state in NUMBERED)
    if now.state != "void":  # one that was never served may be void too
        assert (now.served_on is not None) == (now.state in NUMBERED - {"issued"})
    if now.state in NUMBERED | {"approved"}:
        assert now.approved_by not in (None, now.author)
        assert (now.legal_by is not None) or not legal
    if now.state == "closed":
        assert {line.outcome for line in now.findings} <= {"accepted", "withdrawn"}
        assert {line.finding_state for line in now.findings} <= {"corrected", "dismissed"}
    if now.state in ("second_order", "case"):
        assert {line.finding_state for line in now.findings} <= {"open", "corrected", "dismissed"}


async def once(play: Play, deed: str, owner: asyncpg.Connection, *, legal: bool) -> None:
    """Try one deed and look at everything again."""
    held, before = await owner.fetchval(HELD), play.notice
    said = await owner.fetch(SAID, before.id)
    try:
        await DEEDS[deed](play)
    except REFUSALS:
        assert await owner.fetchval(HELD) == held, deed
        return
    play.notice = await notices.get(before.id, act=play.by("author"))
    holds(before, play.notice, legal=legal)
    assert (await owner.fetch(SAID, before.id))[: len(said)] == said
    assert deed == "edit" or play.notice.text == before.text
    assert await owner.fetchval(ENTRIES, str(before.id)) == play.notice.rev, deed


skips = st.integers(0, len(WAY))
items = st.sampled_from(["TI_01", "TI_02"])


@given(
    skip=skips, deeds=st.lists(st.sampled_from(sorted(DEEDS)), min_size=4, max_size=8), item=items
)
@settings(max_examples=60)
async def test_no_order_of_deeds_breaks_a_notice(
    arenas: Arenas[casework.Matter], clock: StillClock, skip: int, deeds: list[str], item: str
) -> None:
    await _play(arenas, clock, [*WAY[:skip], *deeds], item)


@pytest.mark.slow
@given(
    skip=skips, deeds=st.lists(st.sampled_from(sorted(DEEDS)), min_size=4, max_size=12), item=items
)
@settings(max_examples=4000)
async def test_no_order_of_deeds_breaks_a_notice_at_full_size(
    arenas: Arenas[casework.Matter], clock: StillClock, skip: int, deeds: list[str], item: str
) -> None:
    """With the cases and publications beside it: ten thousand histories."""
    await _play(arenas, clock, [*WAY[:skip], *deeds], item)


async def _play(
    arenas: Arenas[casework.Matter], clock: StillClock, deeds: list[str], item: str
) -> None:
    clock.set(casework.START + timedelta(seconds=next(casework.count)))
    matter = await casework.another(arenas.owner, await arenas.enter(), clock(), item)
    act = matter.office.author.act(clock())
    play = Play(matter, await notices.draft(matter.draft(days=5), act=act), clock)
    for deed in deeds:
        await once(play, deed, arenas.owner, legal=item == "TI_02")


@pytest.fixture
async def arenas(
    owner: asyncpg.Connection, wipe: str, clock: StillClock
) -> AsyncIterator[Arenas[casework.Matter]]:
    """Where the histories are played; the last of them is looked at, too."""
    yield Arenas(owner, wipe, lambda: casework.a_matter(owner, clock()))
    await settled(owner)


# The verb of the transition table that a deed needs; answering has states of its own.
VERBS = {
    "send_to_legal": "send_to_legal",
    "clear": "send_back",
    "send_back": "send_back",
    "approve": "approve",
    "issue": "issue",
    "serve": "serve",
    "begin": "review",
    "accept": "close",
    "refuse": "close",
    "return": "return_reply",
    "close": "close",
    "order again": "order_again",
    "escalate": "escalate",
    "void": "void",
}


async def test_every_illegal_transition_is_refused_and_changes_nothing(
    owner: asyncpg.Connection, clock: StillClock, office: casework.Matter
) -> None:
    notice = await notices.draft(office.draft(days=5), act=office.office.author.act(clock()))
    play = Play(office, notice, clock)
    for state, allowed in TRANSITIONS[Noun.NOTICE].items():
        await owner.execute(
            "update notice set state = $2, void_at = case when $2 = 'void' then now() end,"
            " void_by = case when $2 = 'void' then author end,"
            " void_reason = case when $2 = 'void' then 'x' end where id = $1",
            notice.id,
            state,
        )
        held = await owner.fetchval(HELD)
        for deed, verb in VERBS.items():
            if verb not in allowed:
                with pytest.raises(NoticeWrongState) as refused:
                    await DEEDS[deed](play)
                assert refused.value.facts["state"] == state
        if state not in ("served", "answered", "under_review"):
            with pytest.raises((Absent, NotOpen)):
                await answered(play)
        assert await owner.fetchval(HELD) == held


@pytest.fixture
async def office(owner: asyncpg.Connection, clock: StillClock) -> casework.Matter:
    """People and an institution for all examples."""
    return await casework.a_matter(owner, clock())


async def test_the_way_is_a_way(
    owner: asyncpg.Connection, clock: StillClock, office: casework.Matter
) -> None:
    """The path that chance starts from reaches its end: no deed on it is refused."""
    matter = await casework.another(owner, office, clock(), "TI_02")
    act = matter.office.author.act(clock())
    play = Play(matter, await notices.draft(matter.draft(days=15), act=act), clock)
    for deed in WAY:
        clock.tick(minutes=1)
        await DEEDS[deed](play)
        play.notice = await notices.get(play.notice.id, act=play.by("author"))
    assert play.notice.state == "closed"
    assert await findings.derive(matter.visit, act=act, rules=load()) == ()
