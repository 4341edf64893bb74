"""Shares: passes, the offline share, the indicators; exact on both sides of every number."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.indicators import (
    PartExceedsWhole,
    ShareVerdict,
    offline_share,
    passed,
    share,
)
from inspection_plans.parameters import BrokenParameter
from tests.inspection_plans.asking import RULES, ask, refused
from tests.inspection_plans.test_amounts import broken

NATION = RULES.in_force("national")


@pytest.mark.parametrize(
    ("numerator", "denominator", "value"),
    [
        (744, 800, "0.93"),
        (0, 3, "0"),
        (3, 3, "1"),
        (1, 3, "0.3333"),
        (2, 3, "0.6667"),
        (1, 20_000, "0.0001"),
        (1, 20_001, "0"),
        (19_999, 20_000, "1"),
        (1, 2, "0.5"),
        (0, 0, None),
    ],
)
def test_a_share_has_at_most_four_decimals_half_up(
    numerator: int, denominator: int, value: str | None
) -> None:
    assert share(numerator, denominator).value == value


@given(st.integers(1, 10**12), st.data())
def test_a_share_is_that_of_decimal_arithmetic(denominator: int, data: st.DataObject) -> None:
    numerator = data.draw(st.integers(0, denominator))
    value = share(numerator, denominator).value
    assert value is not None
    # 40 digits: enough that the quotient is on the right side of every half.
    exact = Decimal(numerator) / Decimal(denominator)
    assert Decimal(value) == exact.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    assert not value.endswith(".")
    assert value in ("0", "1") or not value.endswith("0")


@pytest.mark.parametrize("counts", [(2, 1), (-1, 1), (0, -1)])
def test_a_part_larger_than_the_whole_is_refused(counts: tuple[int, int]) -> None:
    with pytest.raises(PartExceedsWhole):
        share(*counts)


@pytest.mark.parametrize("place", ["national", "CN-37", "CN-3710", "CN-14", "CN-23"])
@pytest.mark.parametrize(
    ("theory", "ability", "found"),
    [
        ("60", "60", True),
        ("60.0", "60.0000", True),
        ("59.9", "60", False),
        ("60", "59.9", False),
        ("59.9999", "100", False),
        ("59." + "9" * 30, "60", False),
        ("60", "60." + "0" * 29 + "1", True),
        ("100", "0", False),
        (None, "60", False),
        ("60", None, False),
        (None, None, False),
    ],
)
def test_a_pass_needs_both_scores(
    place: str, theory: str | None, ability: str | None, found: bool
) -> None:
    told = ask("pass", theory=theory, ability=ability, jurisdiction=place)
    assert told["pass"] is found
    assert "national-2021-71/3.6/pass-score" in told["clauses"]
    assert ("weihai-2023-25/4.3/both-pass" in told["clauses"]) == (place == "CN-3710")


cents = st.integers(0, 1_000_000)


@given(cents, cents)
def test_a_pass_is_that_of_counting_in_ten_thousandths(theory: int, ability: int) -> None:
    texts = [f"{score // 10_000}.{score % 10_000:04d}" for score in (theory, ability)]
    assert ask("pass", theory=texts[0], ability=texts[1])["pass"] == (
        theory >= 600_000 and ability >= 600_000
    )


def test_what_binds_comes_from_the_clause() -> None:
    exclusive = broken(NATION, "3.6/pass-score", inclusive=False)
    assert not passed(exclusive, theory="60", ability="61")
    higher = broken(NATION, "3.6/pass-score", ability_min=70)
    assert not passed(higher, theory="60", ability="69.9")
    with pytest.raises(BrokenParameter):
        passed(broken(NATION, "3.6/pass-score", combine="any"), theory="60", ability="60")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"theory": 60}, "question.wrong_field", "theory"),
        ({"theory": "sixty"}, "question.wrong_field", "theory"),
        ({"theory": "-1"}, "question.wrong_field", "theory"),
        ({"theory": "6e1"}, "question.wrong_field", "theory"),
        ({"theory": "060"}, "question.wrong_field", "theory"),
        ({"theory": ""}, "question.wrong_field", "theory"),
        ({"scores": "60"}, "question.unknown_field", "scores"),
    ],
)
def test_a_score_that_is_none_is_refused(change: dict[str, Any], code: str, field: str) -> None:
    assert refused("pass", **{"theory": "60", "ability": "60", **change}) == (code, field)
    assert refused("pass", theory="60") == ("question.missing_field", "ability")


@pytest.mark.parametrize(
    ("place", "offline", "verdict"),
    [
        ("CN-23", 2880, "ok"),
        ("CN-23", 2879, "finding"),
        ("CN-23", 4800, "ok"),
        ("CN-23", 0, "finding"),
        ("CN-37", 0, "question"),
        ("CN-37", 1, "ok"),
        ("CN-37", 4799, "ok"),
        ("CN-37", 4800, "question"),
        ("CN-3710", 0, "question"),
        ("CN-14", 4800, "question"),
        ("national", 2400, "ok"),
    ],
)
def test_the_offline_share_binds_only_where_a_paper_gives_one(
    place: str, offline: int, verdict: str
) -> None:
    found = ask("offline_share", jurisdiction=place, offline_minutes=offline, total_minutes=4800)
    assert found["verdict"] == verdict
    bound = "heilongjiang-2023-13/3.1.3/offline-60"
    assert found["clauses"]
    assert (found["clauses"] == [bound]) == (place == "CN-23")


@given(st.integers(1, 10**9), st.data())
def test_sixty_per_cent_is_cross_multiplied(total: int, data: st.DataObject) -> None:
    offline = data.draw(st.integers(0, total))
    verdict, _ = offline_share(RULES.in_force("CN-23"), offline=offline, total=total)
    assert (verdict is ShareVerdict.OK) == (offline * 100 >= 60 * total)


def test_without_minutes_or_papers_no_share_is_judged() -> None:
    minutes = {"jurisdiction": "CN-23", "offline_minutes": 0, "total_minutes": 0}
    found = ask("offline_share", **minutes)
    assert (found["verdict"], found["value"]) == ("not_computable", None)
    before = ask("offline_share", **{**minutes, "total_minutes": 1}, on="2021-01-01")
    assert (before["verdict"], before["clauses"]) == ("not_computable", [])
    assert found["why"] != before["why"]
    assert refused("offline_share", **{**minutes, "offline_minutes": 1}) == (
        "question.wrong_field",
        "offline_minutes",
    )
    with pytest.raises(PartExceedsWhole):
        offline_share((), offline=1, total=0)


@pytest.mark.parametrize(
    ("name", "part", "whole"),
    [
        ("attendance", "attended", "due"),
        ("pass_rate", "passed", "sat"),
        ("employment_startup", "employed_or_started", "trained"),
    ],
)
def test_each_indicator_is_asked_by_its_own_numbers(name: str, part: str, whole: str) -> None:
    own = ask("indicator", name=name, **{part: 744, whole: 800})
    assert (own["numerator"], own["denominator"], own["value"]) == (744, 800, "0.93")
    assert ask("indicator", name=name, numerator=744, denominator=800) == own
    assert own["clauses"] == ["national-2021-71/6.2/evaluation-mechanism"]
    assert own["basis"][0]["value"] is None
    local = ask("indicator", name=name, jurisdiction="CN-23", **{part: 744, whole: 800})
    assert "heilongjiang-2023-13/5.2/evaluation-mechanism" in local["clauses"]
    nobody = ask("indicator", name=name, **{part: 0, whole: 0})
    assert nobody["value"] is None
    assert nobody["why"]
    assert refused("indicator", name=name, **{part: 801, whole: 800}) == (
        "question.wrong_field",
        part,
    )
    assert refused("indicator", name=name, **{part: 1}) == ("question.missing_field", whole)


def test_the_employment_rate_is_another_share_than_success() -> None:
    rate = {"name": "employment_rate", "employed": 40, "trained": 50}
    shanxi = ask("indicator", **rate, jurisdiction="CN-14")
    assert shanxi["value"] == "0.8"
    assert all("shanxi" in clause for clause in shanxi["clauses"])
    success = ask("indicator", name="employment_startup", employed_or_started=40, trained=50)
    assert success["definition"] != shanxi["definition"]
    assert not set(success["clauses"]) & set(shanxi["clauses"])
    elsewhere = ask("indicator", **rate, jurisdiction="CN-37")
    assert (elsewhere["value"], elsewhere["clauses"]) == (None, [])
    assert elsewhere["why"]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"name": "happiness"}, "question.unknown_value", "name"),
        ({"sat": 3}, "question.unknown_field", "sat"),
        ({"numerator": 1}, "question.unknown_field", "numerator"),
        ({"due": -1}, "question.wrong_field", "due"),
        ({"due": None, "attended": None}, "question.missing_field", "attended"),
    ],
)
def test_an_indicator_is_not_guessed(change: dict[str, Any], code: str, field: str) -> None:
    question = {"name": "attendance", "attended": 1, "due": 2, **change}
    assert refused("indicator", **question) == (code, field)
