"""Long random histories of notices, cases and publications against the rules alone.

What the services put around them (rows, locks, numbers in the database) is played by
``tests/backend/test_notice_lifecycle.py`` and ``tests/backend/test_casework_lifecycles.py``.
"""

from datetime import date, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from inspection_plans import gates, states, stops
from inspection_plans.errors import RuleRefusal
from inspection_plans.loader import load_calendar
from inspection_plans.states import Noun
from inspection_plans.stops import Ground, Interval, Whose
from inspection_plans.workdays import Unit

CALENDAR = load_calendar()
PEOPLE = st.sampled_from(["author", "approver", "legal", "other"])
NOUNS = (Noun.NOTICE, Noun.CASE, Noun.PUBLICATION)
# Verbs that another person than the author does.
SECOND = {
    Noun.NOTICE: {"approve", "close", "void"},
    Noun.CASE: {"propose_delisting", "hand_over", "close"},
    Noun.PUBLICATION: {"approve"},
}
NUMBERED = {"issue": "order", "propose_delisting": "removal_proposal", "hand_over": "hand_over"}


class Casework(RuleBasedStateMachine):
    """One notice, one case and one publication at a time, and everything that was said of them."""

    def __init__(self) -> None:
        super().__init__()
        self.state = {noun: states.initial(noun) for noun in NOUNS}
        self.author = dict.fromkeys(NOUNS, "author")
        self.log: list[tuple[Noun, str]] = []
        self.effects = 0
        self.texts: dict[Noun, list[str]] = {noun: [] for noun in NOUNS}
        self.revision = dict.fromkeys(NOUNS, 0)
        self.numbers: dict[str, list[int]] = {}
        self.today = date(2026, 3, 2)
        self.served: date | None = None
        self.stated: date | None = None
        self.stops: list[Interval] = []
        self.cleared: bool | None = None
        self.discussed: date | None = None
        self.offered = False

    @property
    def term(self) -> date | None:
        """The last day for the party's words, with the stops of its own clock."""
        if self.served is None:
            return None
        own = stops.of(self.stops, Whose.PARTY, until=self.today)
        return CALENDAR.due(self.served, 5, Unit.WORKING_DAY, stops=own).on

    def _gates(self, noun: Noun, verb: str, who: str) -> None:
        if verb in SECOND[noun]:
            gates.second_person(noun, author=self.author[noun], approver=who)
        if noun is Noun.CASE and verb in ("verify", "propose_delisting"):
            gates.party_heard(stated_on=self.stated, term_ends_on=self.term, today=self.today)
        if verb == "propose_delisting":
            gates.legally_cleared(self.cleared)
            gates.major_decision(
                discussed_on=self.discussed,
                hearing_needed=True,
                hearing_offered=self.offered,
                remedies="复议",
            )
        if verb in ("propose_delisting", "decide", "hand_over", "order_again", "escalate"):
            gates.not_stayed(stops.suspends(self.stops, today=self.today))
        if verb == "decide":
            gates.removal_decided(decided_on=self.today, reference="3号")

    @rule(noun=st.sampled_from(NOUNS), verb=st.integers(0, 20), who=PEOPLE)
    def act(self, noun: Noun, verb: int, who: str) -> None:
        """Any verb of the tables in any state by anybody; a refusal leaves no trace."""
        verbs = sorted({v for row in states.TRANSITIONS[noun].values() for v in row})
        name = verbs[verb % len(verbs)]
        before = self.state[noun]
        try:
            after = states.require(noun, before, name)
            self._gates(noun, name, who)
        except RuleRefusal:
            return
        self.state[noun] = after
        self.effects += 1
        self.log.append((noun, name))
        assert after == states.TRANSITIONS[noun][before][name]
        if name in SECOND[noun]:
            assert who != self.author[noun]
        if name == "propose_delisting":
            assert self.cleared
            assert self.discussed
            assert self.offered
        if name in NUMBERED:
            taken = self.numbers.setdefault(NUMBERED[name], [])
            taken.append(len(taken) + 1)
        if (noun, name) == (Noun.NOTICE, "serve"):
            self.served = self.today

    @rule(noun=st.sampled_from(NOUNS), base=st.integers(0, 3), words=st.text(min_size=1))
    def write(self, noun: Noun, base: int, words: str) -> None:
        """Two write at once: who started from an older revision is told, and nothing is lost."""
        if base != self.revision[noun]:
            return
        self.texts[noun].append(words)
        self.revision[noun] = (base + 1) % 4

    @rule(noun=st.sampled_from(NOUNS))
    @precondition(lambda self: any(states.final(n, s) for n, s in self.state.items()))
    def another(self, noun: Noun) -> None:
        """What is over stays over; a new one begins where all begin."""
        if states.final(noun, self.state[noun]):
            self.state[noun] = states.initial(noun)

    @rule(days=st.integers(1, 12))
    def wait(self, days: int) -> None:
        """Days pass."""
        self.today += timedelta(days=days)

    @rule()
    def state_the_case(self) -> None:
        """The party speaks."""
        self.stated = self.today

    @rule(cleared=st.booleans())
    def review(self, *, cleared: bool) -> None:
        """The legal reviewer says something."""
        self.cleared = cleared

    @rule()
    def discuss(self) -> None:
        """They meet, and a hearing is offered."""
        self.discussed, self.offered = self.today, True

    @rule(whose=st.sampled_from(Whose), ground=st.sampled_from(Ground), back=st.integers(0, 5))
    @precondition(lambda self: self.served is not None)
    def stop(self, whose: Whose, ground: Ground, back: int) -> None:
        """A clock stands still, or the stop is refused."""
        assert self.served is not None
        before = self.term
        new = Interval(whose, ground, self.today - timedelta(days=back))
        try:
            stops.begin(new, self.stops, since=self.served, today=self.today)
        except RuleRefusal:
            return
        self.stops.append(new)
        if whose is Whose.OFFICE:
            assert self.term == before

    @rule(place=st.integers(0, 5))
    @precondition(lambda self: bool(self.stops))
    def resume(self, place: int) -> None:
        """A stop ends today."""
        one = self.stops[place % len(self.stops)]
        if one.last is None:
            ended = Interval(one.whose, one.ground, one.first, self.today)
            self.stops[place % len(self.stops)] = ended

    @invariant()
    def every_state_is_of_its_table(self) -> None:
        assert all(self.state[noun] in states.TRANSITIONS[noun] for noun in NOUNS)

    @invariant()
    def one_entry_an_effect(self) -> None:
        assert len(self.log) == self.effects

    @invariant()
    def numbers_have_no_gap(self) -> None:
        assert all(taken == list(range(1, len(taken) + 1)) for taken in self.numbers.values())

    @invariant()
    def a_term_never_ends_before_its_service(self) -> None:
        assert self.term is None or (self.served is not None and self.term > self.served)


TestCasework = Casework.TestCase
TestCasework.settings = settings(max_examples=500, stateful_step_count=25)


@pytest.mark.slow
class TestCaseworkAtFullSize(Casework.TestCase):  # type: ignore[valid-type,misc]
    """Ten thousand histories."""

    settings = settings(max_examples=10_000, stateful_step_count=50)
