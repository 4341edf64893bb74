"""Any order of deeds on a case or a publication: allowed ones follow the table, others do nothing.

One audit entry an effect; what was recorded stays as it was recorded.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.services import case_deeds, case_steps, cases, publications
from backend.services.errors import REFUSALS
from backend.services.public_facts import Fact
from backend.services.publications import Content, Publication
from backend.services.records.case_steps import Decision, HandOver, Investigation, Receipt
from inspection_plans.loader import load
from inspection_plans.states import TRANSITIONS, Noun
from tests import casework
from tests.backend.histories import Arenas, settled
from tests.backend.test_case_deeds import Trial, a_trial
from tests.conftest import StillClock

pytestmark = pytest.mark.usefixtures("app")
CASE_HELD = """
select md5(string_agg(row, '|' order by row)) from (
  select c::text as row from case_file c union all select s::text from case_step s
  union all select q::text from number_sequence q union all select id::text from aud.entry) held
"""
PUBLICATION_HELD = """
select md5(string_agg(row, '|' order by row)) from (
  select p::text as row from publication p union all select id::text from aud.entry) held
"""
ENTRIES = "select count(*) from aud.entry where body -> 'object' ->> 'type' = $1"
CaseDeed = Callable[[Trial], Awaitable[object]]


def decision(trial: Trial) -> Decision:
    """What the project office wrote."""
    return Decision(
        removed=True, decided_on=trial.today, reference="3号", catalogue_version="2026-2"
    )


def letter(trial: Trial) -> HandOver:
    """A letter to another department."""
    return HandOver(receiver="市场监管", subject="线索", text="移交", handed_on=trial.today)


def closing(outcome: Any, who: str) -> CaseDeed:
    """Closing with an outcome."""
    return lambda t: case_deeds.close(t.case.id, outcome=outcome, reason="x", act=t.act(who))


CASE_DEEDS: dict[str, CaseDeed] = {
    "investigate": Trial.investigated,
    "discuss": Trial.discussed,
    "hear": lambda t: t.heard("removal"),
    "review": Trial.reviewed,
    "stop": lambda t: t.reviewed(cleared=False),
    "propose": Trial.propose,
    "propose own": lambda t: t.propose("author"),
    "decide": lambda t: case_deeds.decide(t.case.id, decision(t), act=t.act("author")),
    "hand over": lambda t: case_deeds.hand_over(t.case.id, letter(t), act=t.act("approver")),
    "receipt": lambda t: case_deeds.receipt(
        t.case.id, Receipt(received_on=t.today, reference="1"), act=t.act("author")
    ),
    "verify": lambda t: cases.verify(t.case.id, act=t.act("author")),
    "close none": closing("no_removal_proposed", "approver"),
    "close stopped": closing("stopped_by_legal_review", "approver"),
    "close removed": closing("removal_decided", "approver"),
    "close own": closing("no_removal_proposed", "author"),
    "foreign evidence": lambda t: t.record(Investigation(facts="x", evidence=(t.case.id,))),
}
CASE_WAY = (
    "investigate",
    "review",
    "discuss",
    "hear",
    "propose",
    "decide",
    "hand over",
    "receipt",
)


async def try_case(trial: Trial, deed: str, owner: asyncpg.Connection) -> None:
    """Try one deed and look at everything again."""
    held = await owner.fetchval(CASE_HELD)
    entries = await owner.fetchval(ENTRIES, "case")
    act = trial.act("author")
    before = await cases.get(trial.case.id, act=act)
    steps = await case_steps.of(trial.case.id, act=act)
    try:
        await CASE_DEEDS[deed](trial)
    except REFUSALS:
        assert await owner.fetchval(CASE_HELD) == held, deed
        return
    now = await cases.get(trial.case.id, act=act)
    after = await case_steps.of(trial.case.id, act=act)
    assert after[: len(steps)] == steps  # nothing recorded is lost or rewritten
    done = (len(after) - len(steps)) or 1
    assert await owner.fetchval(ENTRIES, "case") == entries + done, deed
    if now.state != before.state:
        assert now.state in TRANSITIONS[Noun.CASE][before.state].values()
    kinds = {one.kind for one in after}
    if "proposal" in kinds:
        assert kinds >= {"investigation", "legal_review", "discussion", "hearing_offer"}
    if now.state == "closed":
        assert now.closed_by not in (None, now.opened_by)


case_skips = st.integers(0, len(CASE_WAY))
case_deeds_of = st.sampled_from(sorted(CASE_DEEDS))


@given(skip=case_skips, deeds=st.lists(case_deeds_of, min_size=3, max_size=6))
@settings(max_examples=70)
async def test_no_order_of_deeds_breaks_a_case(
    trials: Arenas[Trial], clock: StillClock, skip: int, deeds: list[str]
) -> None:
    await _cases(trials, clock, [*CASE_WAY[:skip], *deeds])


@pytest.mark.slow
@given(skip=case_skips, deeds=st.lists(case_deeds_of, min_size=3, max_size=12))
@settings(max_examples=3000)
async def test_no_order_of_deeds_breaks_a_case_at_full_size(
    trials: Arenas[Trial], clock: StillClock, skip: int, deeds: list[str]
) -> None:
    await _cases(trials, clock, [*CASE_WAY[:skip], *deeds])


async def _cases(trials: Arenas[Trial], clock: StillClock, deeds: list[str]) -> None:
    clock.set(casework.START + timedelta(seconds=next(casework.count)))
    trial = await trials.enter()
    found = tuple(one.id for one in trial.matter.findings)
    case = await cases.open_critical(found, reason="x", act=trial.act("author"))
    fresh = Trial(trial.matter, case, trial.evidence, clock)
    await fresh.spoken()
    await cases.verify(case.id, act=fresh.act("author"))
    for deed in deeds:
        await try_case(fresh, deed, trials.owner)


@pytest.fixture
async def trials(
    owner: asyncpg.Connection, wipe: str, clock: StillClock
) -> AsyncIterator[Arenas[Trial]]:
    """Where histories of cases are played; the last of them is looked at, too."""
    yield Arenas(owner, wipe, lambda: a_trial(owner, clock))
    await settled(owner)


@pytest.fixture
async def trial(owner: asyncpg.Connection, clock: StillClock) -> Trial:
    """People and a finding for all examples."""
    return await a_trial(owner, clock)


async def test_the_way_of_a_case_is_a_way(
    owner: asyncpg.Connection, clock: StillClock, trial: Trial
) -> None:
    for deed in CASE_WAY:
        clock.tick(minutes=1)
        await CASE_DEEDS[deed](trial)
    assert await trial.state() == "handed_over"
    assert await owner.fetchval("select count(*) from case_step") == len(CASE_WAY) + 2


@dataclass
class Show:
    """One visit's result on its way to the public, and its texts as they were read."""

    matter: casework.Matter
    clock: StillClock
    now: Publication

    def by(self, who: str) -> Any:
        """A deed of a person of the office."""
        return getattr(self.matter.office, who).act(self.clock())

    def content(self, text: str) -> Content:
        """A result with one sentence."""
        fact = Fact(finding=self.matter.findings[0].id, text=text)
        return Content(wordings=("correction_ordered",), facts=(fact,))


async def later(show: Show) -> None:
    """Two years pass."""
    show.clock.tick(days=730)


ShowDeed = Callable[[Show], Awaitable[Any]]
SHOW_DEEDS: dict[str, ShowDeed] = {
    "revise": lambda s: publications.revise(
        s.now.id, s.content("改后"), digest=s.now.digest, rules=load(), act=s.by("author")
    ),
    "revise stale": lambda s: publications.revise(
        s.now.id, s.content("改后"), digest="0" * 64, rules=load(), act=s.by("author")
    ),
    "approve": lambda s: publications.approve(s.now.id, digest=s.now.digest, act=s.by("approver")),
    "approve own": lambda s: publications.approve(
        s.now.id, digest=s.now.digest, act=s.by("author")
    ),
    "publish": lambda s: publications.publish(s.now.id, act=s.by("author")),
    "correct": lambda s: publications.correct(
        s.now.id, s.content("更正"), reason="已改正", rules=load(), act=s.by("author")
    ),
    "prepare": lambda s: publications.prepare(
        "result", s.matter.visit, s.content("再次"), rules=load(), act=s.by("author")
    ),
    "later": later,
    "expire": lambda s: publications.expire(act=s.by("author")),
}
SHOW_WAY = ("revise", "approve", "publish", "correct", "approve", "publish")


async def try_show(show: Show, deed: str, owner: asyncpg.Connection) -> None:
    """Try one deed; every text that anybody may have read is still there."""
    held, entries = (
        await owner.fetchval(PUBLICATION_HELD),
        await owner.fetchval(ENTRIES, "publication"),
    )
    public = await owner.fetch(
        "select id, body::text from publication where state in ('published', 'corrected')"
    )
    try:
        made = await SHOW_DEEDS[deed](show)
    except REFUSALS:
        assert await owner.fetchval(PUBLICATION_HELD) == held, deed
        return
    changed = await owner.fetchval(PUBLICATION_HELD) != held
    assert (await owner.fetchval(ENTRIES, "publication") > entries) == changed
    for row in public:
        assert (
            await owner.fetchval("select body::text from publication where id = $1", row["id"])
            == row["body"]
        )
    before = show.now
    show.now = await publications.get(before.id, act=show.by("author"))
    if show.now.state != before.state:
        assert show.now.state in TRANSITIONS[Noun.PUBLICATION][before.state].values()
    if show.now.state in ("approved", "published", "corrected"):
        assert show.now.approved_by not in (None, show.now.prepared_by)
    if deed == "correct":
        show.now = made
    assert (
        await owner.fetchval(
            "select count(*) from publication where state = 'published' and subject = $1",
            show.matter.visit,
        )
        <= 1
    )


async def _show(arenas: Arenas[casework.Matter], clock: StillClock, deeds: list[str]) -> None:
    clock.set(casework.START + timedelta(seconds=next(casework.count)))
    mine = await casework.another(arenas.owner, await arenas.enter(), clock())
    await casework.served(mine, clock())
    await casework.concluded(arenas.owner, mine.visit, clock())
    fresh = Content(wordings=("correction_ordered",))
    first = await publications.prepare(
        "result", mine.visit, fresh, rules=load(), act=mine.office.author.act(clock())
    )
    show = Show(mine, clock, first)
    for deed in deeds:
        await try_show(show, deed, arenas.owner)


show_skips = st.integers(0, len(SHOW_WAY))
show_deeds = st.sampled_from(sorted(SHOW_DEEDS))


@given(skip=show_skips, deeds=st.lists(show_deeds, min_size=3, max_size=6))
@settings(max_examples=60)
async def test_no_order_of_deeds_breaks_a_publication(
    shows: Arenas[casework.Matter], clock: StillClock, skip: int, deeds: list[str]
) -> None:
    await _show(shows, clock, [*SHOW_WAY[:skip], *deeds])


@pytest.mark.slow
@given(skip=show_skips, deeds=st.lists(show_deeds, min_size=3, max_size=12))
@settings(max_examples=3000)
async def test_no_order_of_deeds_breaks_a_publication_at_full_size(
    shows: Arenas[casework.Matter], clock: StillClock, skip: int, deeds: list[str]
) -> None:
    await _show(shows, clock, [*SHOW_WAY[:skip], *deeds])


@pytest.fixture
async def shows(
    owner: asyncpg.Connection, wipe: str, clock: StillClock
) -> AsyncIterator[Arenas[casework.Matter]]:
    """Where histories of publications are played; the last of them is looked at, too."""
    yield Arenas(owner, wipe, lambda: casework.a_matter(owner, clock()))
    await settled(owner)
