"""The ladder of ways: every failure proposes another way, and an announcement comes last."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import service
from inspection_plans.loader import load_calendar
from inspection_plans.service import Attempt, Outcome, Way, Why

attempts = st.lists(st.builds(Attempt, st.sampled_from(Way), st.sampled_from(Outcome)), max_size=8)


def climb(consented: bool, *outcomes: Outcome) -> list[Way | None]:
    """The ways proposed one after another, each failing as given."""
    tried: list[Attempt] = []
    ways: list[Way | None] = []
    for outcome in (*outcomes, None):
        way = service.propose(consented=consented, opened=False, attempts=tried).way
        ways.append(way)
        if way is None or outcome is None:
            break
        tried.append(Attempt(way, outcome))
    return ways


def test_the_usual_climbs() -> None:
    e, p, w, m, a = (
        Way.ELECTRONIC,
        Way.IN_PERSON,
        Way.LEFT_WITH_WITNESS,
        Way.POST,
        Way.ANNOUNCEMENT,
    )
    assert climb(True, Outcome.NOT_OPENED, Outcome.ABSENT, Outcome.RETURNED) == [e, p, m, a]
    assert climb(False, Outcome.REFUSED) == [p, w]
    assert climb(False, Outcome.ABSENT, Outcome.RETURNED) == [p, m, a]
    assert service.propose(consented=True, opened=True, attempts=[]).why is Why.OPENED


@given(st.booleans(), attempts)
def test_there_is_always_a_next_way_and_announcement_needs_the_post(
    consented: bool, tried: list[Attempt]
) -> None:
    found = service.propose(consented=consented, opened=False, attempts=tried)
    assert found.way is not None
    if found.way is Way.ANNOUNCEMENT:
        assert any(one.way is Way.POST for one in tried)
    else:
        assert found.way not in {one.way for one in tried}
    if found.way is Way.ELECTRONIC:
        assert consented


def test_waiting_to_be_opened_counts_working_days() -> None:
    friday = date(2026, 3, 6)
    for today, waited in ((date(2026, 3, 11), False), (date(2026, 3, 12), True)):
        assert (
            service.unopened(
                arrived_on=friday, working_days=3, today=today, calendar=load_calendar()
            )
            is waited
        )
