"""Settings: every one has a basis and bounds; the nearest jurisdiction wins."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import loader
from inspection_plans.bounds import exact, within
from inspection_plans.policy import OutOfBounds, UnknownSetting, nearest, number, override, policy
from inspection_plans.vocabulary import (
    NATIONAL,
    Basis,
    BasisKind,
    Bounds,
    Jurisdiction,
    Measure,
    Setting,
)


def test_the_team_is_two_by_law_and_not_less() -> None:
    setting = policy("team_size", "CN-3710")
    assert (setting.value, setting.basis.kind) == (2, BasisKind.LAW)
    assert override("team_size", "CN-3710", 3).value == 3
    with pytest.raises(OutOfBounds) as refused:
        override("team_size", "CN-37", 1)
    assert refused.value.facts["min"] == 2


def test_results_are_published_within_twenty_working_days() -> None:
    setting = policy("days_to_publish", "CN-14")
    assert (setting.value, setting.unit) == (20, Measure.WORKING_DAY)
    assert setting.basis.kind is BasisKind.HOUSE_DEFAULT
    assert number("days_to_publish", "national") == 20


@pytest.mark.parametrize("key", sorted(loader.load_settings()))
def test_every_setting_lies_in_its_bounds_and_shows_its_basis(
    key: tuple[str, Jurisdiction],
) -> None:
    setting = loader.load_settings()[key]
    assert setting.basis.zh
    assert setting.basis.en
    assert setting.value is None or within(setting, setting.value)
    if setting.unit is Measure.SHARE:
        assert setting.value is None or 0 <= Fraction(setting.value) <= 1
    if setting.unit is Measure.WORD:
        assert setting.value in setting.bounds.options
        return
    for end in (setting.bounds.min, setting.bounds.max):
        assert exact(end) is not None


def test_what_nobody_set_is_refused() -> None:
    for name in ("team_sise", ""):
        with pytest.raises(UnknownSetting):
            policy(name, "CN-37")
    with pytest.raises(UnknownSetting):
        number("attendance_threshold", "CN-37")
    with pytest.raises(UnknownSetting):
        number("sampling_share", "CN-37")


def test_the_nearest_jurisdiction_wins() -> None:
    national = policy("geofence_m", "national")
    local = setting_of(300, Bounds(min=1, max=900), Jurisdiction("CN-37"))
    settings = {**loader.load_settings(), ("geofence_m", Jurisdiction("CN-37")): local}
    assert nearest(settings, "geofence_m", "CN-3710") == local
    assert nearest(settings, "geofence_m", "CN-14") == national


def setting_of(value: int | str, bounds: Bounds, jurisdiction: Jurisdiction = NATIONAL) -> Setting:
    basis = Basis(kind=BasisKind.HOUSE_DEFAULT, zh="默认", en="default")
    return Setting(
        name="geofence_m",
        zh="距离",
        en="distance",
        value=value,
        unit=Measure.METRE,
        jurisdiction=jurisdiction,
        bounds=bounds,
        basis=basis,
    )


@given(st.integers(-5, 15), st.integers(0, 5), st.integers(5, 10))
def test_bounds_include_both_ends(value: int, low: int, high: int) -> None:
    assert within(setting_of(0, Bounds(min=low, max=high)), value) == (low <= value <= high)


def test_an_open_end_is_open() -> None:
    assert within(setting_of(0, Bounds(min=0)), 10**9)
    assert not within(setting_of(0, Bounds(max=5)), 6)


@pytest.mark.parametrize(
    ("value", "inside"), [("0.1", True), ("0.10", True), ("0.100001", False), ("x", False)]
)
def test_shares_are_compared_exactly(value: str, inside: bool) -> None:
    assert within(setting_of("0", Bounds(min="0", max="0.1")), value) == inside


def test_a_word_must_be_one_of_the_options() -> None:
    setting = setting_of("rolling", Bounds(options=("rolling", "calendar")))
    assert within(setting, "calendar")
    assert not within(setting, "never")
