"""Subsidies: what the notices give a rate for, to the fen, and nothing where they give none."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import amounts
from inspection_plans.amounts import (
    BatchRates,
    HeadsDisagree,
    NoRateOfLevel,
    PersonRates,
    batch,
    batch_rates,
    entitlement,
    per_head_fen,
    person_rates,
)
from inspection_plans.parameters import BrokenParameter
from inspection_plans.vocabulary import Clause
from tests.inspection_plans.asking import RULES, ask, refused

SHANXI = RULES.in_force("CN-14")
HEILONGJIANG = RULES.in_force("CN-23")


def batch_of(clauses: Sequence[Clause] = SHANXI) -> BatchRates:
    rates = batch_rates(clauses)
    assert rates is not None
    return rates


def person_of(clauses: Sequence[Clause] = HEILONGJIANG) -> PersonRates:
    rates = person_rates(clauses)
    assert rates is not None
    return rates


BATCH = batch_of()
PERSON = person_of()
CLASS = {"jurisdiction": "CN-14", "days": 30, "trained": 50, "employed": 40}
PROVED = {
    "jurisdiction": "CN-23",
    "level": "junior",
    "training_certificate": True,
    "contract_in_province": True,
    "insured_months": 6,
    "level_certificate": False,
}


def test_the_examples_of_the_question_interface() -> None:
    found = ask("subsidy_batch", **CLASS)
    assert (found["heads"], found["per_head_fen"], found["total_fen"]) == (50, 350_000, 17_500_000)
    assert found["claimants"] == ["training_institution"]
    assert "shanxi-2024-27/5.4/cap-5000" in found["clauses"]
    assert found["basis"] == []
    found = ask("subsidy_person", **PROVED)
    assert (found["amount_fen"], found["claimants"]) == (400_000, ["trainee"])
    assert found["clauses"] == [
        "heilongjiang-2023-13/4.3/subsidy-junior",
        "heilongjiang-2023-13/4.3/subsidy-conditions",
    ]


@pytest.mark.parametrize(
    ("days", "yuan"),
    [(0, 0), (1, 150), (9, 1350), (10, 1500), (11, 1600), (44, 4900), (45, 5000), (46, 5000)],
)
def test_a_head_is_worth_its_days_up_to_the_cap(days: int, yuan: int) -> None:
    assert per_head_fen(BATCH, days) == yuan * 100
    assert batch(BATCH, days=days, trained=1, employed=1).capped == (days > 45)


@given(st.integers(0, 400))
def test_a_head_is_worth_what_day_by_day_adds_up_to(days: int) -> None:
    slow = sum(15_000 if day <= 10 else 10_000 for day in range(1, days + 1))
    assert per_head_fen(BATCH, days) == min(slow, 500_000)
    assert per_head_fen(BATCH, days) <= per_head_fen(BATCH, days + 1)


@given(st.integers(0, 2000), st.data())
def test_all_heads_count_from_four_in_five_on(trained: int, data: st.DataObject) -> None:
    employed = data.draw(st.integers(0, trained))
    found = batch(BATCH, days=7, trained=trained, employed=employed)
    full = employed * 100 >= 80 * trained
    assert (found.heads, found.all_trained) == (trained if full else employed, full)
    assert found.total_fen == found.heads * 105_000
    if employed < trained:
        more = batch(BATCH, days=7, trained=trained, employed=employed + 1)
        assert more.total_fen >= found.total_fen


def test_a_rate_just_below_is_below() -> None:
    # 799999 of 999999 is 0.79999980000020: rounded to four decimals it would be 0.8.
    assert batch(BATCH, days=1, trained=999_999, employed=799_999).heads == 799_999
    assert batch(BATCH, days=1, trained=1_000_000, employed=800_000).heads == 1_000_000


@pytest.mark.parametrize("counts", [(1, 2, 1), (1, -1, 1), (-1, -1, 1), (1, 1, -1)])
def test_heads_that_disagree_are_refused(counts: tuple[int, int, int]) -> None:
    trained, employed, days = counts
    with pytest.raises(HeadsDisagree):
        batch(BATCH, days=days, trained=trained, employed=employed)


@pytest.mark.parametrize("place", ["national", "CN-37", "CN-3710", "CN-11", "CN-23"])
def test_without_a_rate_for_classes_there_is_no_amount(place: str) -> None:
    found = ask("subsidy_batch", **{**CLASS, "jurisdiction": place})
    assert (found["heads"], found["per_head_fen"], found["total_fen"]) == (None, None, None)
    assert found["why"]
    assert found["why_zh"]
    assert "national-2021-71/5.3/training-subsidy" in found["clauses"]


@pytest.mark.parametrize("place", ["national", "CN-37", "CN-3710", "CN-11", "CN-14"])
def test_without_a_rate_for_persons_there_is_no_amount(place: str) -> None:
    found = ask("subsidy_person", **{**PROVED, "jurisdiction": place})
    assert found["amount_fen"] is None
    assert found["why"]
    assert found["why_zh"]


def test_a_rate_applies_from_the_first_day_of_its_paper() -> None:
    assert ask("subsidy_batch", **CLASS, on="2024-05-23")["total_fen"] == 17_500_000
    assert ask("subsidy_batch", **CLASS, on="2024-05-22")["total_fen"] is None


@pytest.mark.parametrize(
    ("level", "base", "extra"),
    [("junior", 4000, 500), ("middle", 5000, 500), ("senior", 6000, 1000)],
)
def test_a_person_is_paid_by_level(level: str, base: int, extra: int) -> None:
    plain = ask("subsidy_person", **{**PROVED, "level": level})
    assert plain["amount_fen"] == plain["base_fen"] == base * 100
    both = ask("subsidy_person", **{**PROVED, "level": level, "level_certificate": True})
    assert (both["amount_fen"], both["extra_fen"]) == ((base + extra) * 100, extra * 100)
    assert both["extra_once"] is True
    assert len(both["clauses"]) == len(plain["clauses"]) + 1


@given(st.booleans(), st.booleans(), st.integers(0, 24), st.booleans())
def test_nothing_is_due_until_every_condition_is_met(
    certificate: bool, contract: bool, months: int, level_certificate: bool
) -> None:
    found = entitlement(
        PERSON,
        "高级",
        training_certificate=certificate,
        contract_in_province=contract,
        insured_months=months,
        level_certificate=level_certificate,
    )
    entitled = certificate and contract and months >= 6
    assert found.amount_fen == ((700_000 if level_certificate else 600_000) if entitled else 0)
    assert (found.unmet == ()) == entitled


def test_zero_says_why_in_both_languages() -> None:
    found = ask("subsidy_person", **{**PROVED, "insured_months": 5, "contract_in_province": False})
    assert found["amount_fen"] == 0
    assert found["unmet"] == ["contract_with", "social_insurance_months_min"]
    assert found["why"].count(";") == found["why_zh"].count("；") == 1


def test_a_level_without_a_rate_is_refused() -> None:
    with pytest.raises(NoRateOfLevel):
        entitlement(
            PERSON,
            "特级",
            training_certificate=True,
            contract_in_province=True,
            insured_months=6,
            level_certificate=False,
        )


@pytest.mark.parametrize(
    ("name", "change", "code", "field"),
    [
        ("subsidy_batch", {"employed": 51}, "question.wrong_field", "employed"),
        ("subsidy_batch", {"days": -1}, "question.wrong_field", "days"),
        ("subsidy_batch", {"days": 1.5}, "question.wrong_field", "days"),
        ("subsidy_batch", {"days": True}, "question.wrong_field", "days"),
        ("subsidy_batch", {"days": "30"}, "question.wrong_field", "days"),
        ("subsidy_batch", {"on": "2024-02-30"}, "question.wrong_field", "on"),
        ("subsidy_batch", {"jurisdiction": "CN-99"}, "question.unknown_value", "jurisdiction"),
        ("subsidy_batch", {"heads": 3}, "question.unknown_field", "heads"),
        ("subsidy_person", {"level": "master"}, "question.unknown_value", "level"),
        ("subsidy_person", {"insured_months": -1}, "question.wrong_field", "insured_months"),
        ("subsidy_person", {"level_certificate": 1}, "question.wrong_field", "level_certificate"),
        (
            "subsidy_person",
            {"training_certificate": None},
            "question.wrong_field",
            "training_certificate",
        ),
    ],
)
def test_a_wrong_question_is_not_guessed(
    name: str, change: dict[str, Any], code: str, field: str
) -> None:
    question = CLASS if name == "subsidy_batch" else PROVED
    assert refused(name, **{**question, **change}) == (code, field)


@pytest.mark.parametrize("field", ["days", "trained", "employed", "jurisdiction"])
def test_a_missing_number_is_asked_for(field: str) -> None:
    question = {name: value for name, value in CLASS.items() if name != field}
    assert refused("subsidy_batch", **question) == ("question.missing_field", field)


def broken(clauses: Sequence[Clause], ending: str, **change: Any) -> list[Clause]:
    """The same clauses, one of them with other parameters."""
    return [
        replace(one, parameters={**one.parameters, **change}) if one.id.endswith(ending) else one
        for one in clauses
    ]


@pytest.mark.parametrize(
    ("ending", "change"),
    [
        ("cap-5000", {"cap_yuan_per_person": "5000"}),
        ("cap-5000", {"reached_at_day": 44}),
        ("cap-5000", {"reached_at_day": 46}),
        ("employment-80-full", {"rate_min": "1.2"}),
        ("employment-80-full", {"rate_min": "most"}),
        ("employment-80-full", {"base": "everybody"}),
        ("below-80-actual", {"base": "everybody"}),
        ("rate-first-10-days", {"days": -1}),
        ("rate-first-10-days", {"yuan_per_day": True}),
        ("subsidy-claim-mode", {"claimant": 3}),
    ],
)
def test_a_broken_parameter_of_a_class_is_told(ending: str, change: dict[str, Any]) -> None:
    with pytest.raises(BrokenParameter):
        batch_rates(broken(SHANXI, ending, **change))


def test_a_rate_without_its_cap_is_told() -> None:
    for ending in ("cap-5000", "employment-80-full", "below-80-actual"):
        with pytest.raises(BrokenParameter):
            batch_rates([one for one in SHANXI if not one.id.endswith(ending)])


@pytest.mark.parametrize(
    ("ending", "change"),
    [
        ("subsidy-conditions", {"contract_with": "anybody"}),
        ("subsidy-conditions", {"social_insurance_months_min": "6"}),
        ("subsidy-junior", {"yuan_per_person_time": -1}),
        ("evaluation-bonus-senior", {"levels": [1]}),
    ],
)
def test_a_broken_parameter_of_a_person_is_told(ending: str, change: dict[str, Any]) -> None:
    with pytest.raises(BrokenParameter):
        entitlement(
            person_of(broken(HEILONGJIANG, ending, **change)),
            "初级",
            training_certificate=True,
            contract_in_province=True,
            insured_months=6,
            level_certificate=True,
        )


def test_an_exclusive_threshold_needs_more() -> None:
    rates = replace(BATCH, inclusive=False)
    assert batch(rates, days=1, trained=5, employed=4).heads == 4
    assert (
        batch(replace(rates, full_from=Fraction(1, 2)), days=1, trained=5, employed=3).heads == 5
    )
    assert amounts.batch_rates(()) is None
