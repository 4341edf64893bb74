"""What two persons may admit, and when a lock may be lifted."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import custody
from inspection_plans.errors import Family

DAY = datetime(2031, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("reason", ["revoked_key", "unknown_key"])
def test_a_missing_word_of_a_key_can_be_made_good(reason: str) -> None:
    custody.admission(reason)
    assert custody.admitted_flag(reason) == f"admitted_{reason}"


@given(st.text(max_size=30) | st.none())
def test_nothing_about_the_bytes_can(reason: str | None) -> None:
    if reason in custody.ADMISSIBLE:
        return
    with pytest.raises(custody.NotAdmissible) as refused:
        custody.admission(reason)
    assert refused.value.family is Family.GATE
    assert refused.value.facts["admissible"] == ["revoked_key", "unknown_key"]


@pytest.mark.parametrize(
    "reason", ["media.hash_mismatch", "media.type_mismatch", "media.malware", "seal.altered"]
)
def test_altered_or_hostile_bytes_are_never_admitted(reason: str) -> None:
    with pytest.raises(custody.NotAdmissible):
        custody.admission(reason)


@given(st.integers(-10_000, 10_000))
def test_a_lock_is_lifted_from_its_day_on(seconds: int) -> None:
    now = DAY + timedelta(seconds=seconds)
    if seconds >= 0:
        custody.lifting(retain_until=DAY, now=now)
        return
    with pytest.raises(custody.StillRetained):
        custody.lifting(retain_until=DAY, now=now)


def test_what_has_no_day_stays_locked() -> None:
    with pytest.raises(custody.StillRetained):
        custody.lifting(retain_until=None, now=DAY)
