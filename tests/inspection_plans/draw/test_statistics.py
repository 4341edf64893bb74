"""Chances with fixed seeds, so that the figures never change; bounds at alpha = 1e-4."""

from collections import Counter
from itertools import combinations
from math import sqrt
from typing import Any

import pytest

from inspection_plans.draw.seed import chooser, ticket
from inspection_plans.draw.select import select
from inspection_plans.draw.send import assign
from tests.inspection_plans.draw.cases import Row, a_seed


def chi_square_limit(df: int) -> float:
    """Upper 1e-4 point by Wilson and Hilferty."""
    part = 2 / (9 * df)
    return df * (1 - part + 3.719 * sqrt(part)) ** 3


def even(counts: Counter[Any], cells: int, factor: float = 1.0) -> bool:
    mean = sum(counts.values()) / cells
    chi = sum((n - mean) ** 2 for n in counts.values()) + (cells - len(counts)) * mean**2
    return chi / mean / factor < chi_square_limit(cells - 1)


def draws(rows: list[Row], ratio: str, rounds: int) -> list[list[str]]:
    plan = {"mode": "ratio", "strata": [{"id": "S", "ratio": ratio}]}
    return [select("sha256", a_seed(i), plan, rows)[0]["random"] for i in range(rounds)]


def rows(weights: list[int]) -> list[Row]:
    return [{"id": f"{i:02d}", "stratum": "S", "w": w} for i, w in enumerate(weights)]


def test_everybody_is_drawn_as_often() -> None:
    drawn = draws(rows([1] * 50), "1/5", 4000)
    included = Counter(ident for one in drawn for ident in one)
    assert even(included, 50, factor=40 / 49)
    assert even(Counter(one[0] for one in drawn), 50)


def test_pairs_are_drawn_as_often() -> None:
    drawn = draws(rows([1] * 50), "1/5", 4000)
    pairs = Counter(pair for one in drawn for pair in combinations(sorted(one), 2))
    chance = 10 * 9 / (50 * 49)
    sd = sqrt(4000 * chance * (1 - chance))
    scores = [
        (pairs[pair] - 4000 * chance) / sd
        for pair in combinations([f"{i:02d}" for i in range(50)], 2)
    ]
    assert 0.9 < sqrt(sum(z * z for z in scores) / len(scores)) < 1.1
    assert max(map(abs, scores)) < 5


@pytest.mark.parametrize(("n", "limit"), [(3, 2), (7, 6), (10, 9), (1000, 999)])
def test_uniform_is_even(n: int, limit: int) -> None:
    choose = chooser("sha256", a_seed(77), "ssj1.pick")
    counts = Counter(choose(b"%d" % i, n) for i in range(20_000))
    mean = 20_000 / n
    chi = sum((counts[i] - mean) ** 2 / mean for i in range(n))
    assert chi < chi_square_limit(limit)


def test_weights_give_their_chance() -> None:
    """Pareto sampling: within 1 % of n w / W for 60 rows; the bound is five deviations."""
    weights = [1, 2, 3] * 20
    drawn = draws(rows(weights), "18/60", 5000)
    included = Counter(ident for one in drawn for ident in one)
    for weight in (1, 2, 3):
        total = sum(included[f"{i:02d}"] for i, w in enumerate(weights) if w == weight)
        chance = 18 * weight / 120
        sd = sqrt(5000 * 20 * chance * (1 - chance))
        assert abs(total - 5000 * 20 * chance) < 5 * sd
        assert abs(total / (5000 * 20 * chance) - 1) < 0.02


@pytest.mark.slow
@pytest.mark.parametrize(("size", "drawn", "kinds"), [(20, 6, [1, 2, 3]), (60, 18, [1, 2, 5])])
def test_weights_give_their_chance_within_one_per_cent(
    size: int, drawn: int, kinds: list[int]
) -> None:
    """30,000 draws: a class's share has a deviation of about half a per cent."""
    weights = [kinds[i % len(kinds)] for i in range(size)]
    included: Counter[str] = Counter()
    for one in draws(rows(weights), f"{drawn}/{size}", 30_000):
        included.update(one)
    for weight in kinds:
        members = [i for i, w in enumerate(weights) if w == weight]
        wanted = 30_000 * len(members) * drawn * weight / sum(weights)
        found = sum(included[f"{i:02d}"] for i in members)
        assert abs(found / wanted - 1) < 0.01


def test_tickets_do_not_follow_the_order_of_ids() -> None:
    size = 4000
    order = sorted(range(size), key=lambda i: ticket("sha256", a_seed(5), "t", b"%08d" % i))
    mean = (size - 1) / 2
    covariance = sum((at - mean) * (i - mean) for at, i in enumerate(order)) / size
    assert abs(covariance / ((size**2 - 1) / 12)) < 4 / sqrt(size)


def test_attempts_are_independent() -> None:
    drawn = draws(rows([1] * 40), "1/4", 2001)
    shared = [len(set(drawn[i]) & set(drawn[i + 1])) for i in range(2000)]
    # Hypergeometric: 10 of 40 twice, 2.5 in common, variance 10/4 * 3/4 * 30/39.
    assert abs(sum(shared) / 2000 - 2.5) < 4 * sqrt(1.4423 / 2000)


def test_alike_inspectors_are_sent_alike() -> None:
    staff = [{"id": f"p{i}", "lead": True, "skills": [], "areas": [], "cap": 9} for i in range(8)]
    visits = [{"id": f"v{i}"} for i in range(4)]
    met: Counter[tuple[str, str]] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for i in range(2000):
        for team in assign("sha256", a_seed(i), visits, staff, [])["teams"]:
            pairs[tuple(team["team"])] += 1
            met.update((p, team["visit"]) for p in team["team"])
    assert even(met, 32)
    assert even(pairs, 56)


def test_identical_inspectors_stay_alike_under_repair() -> None:
    """`a` and `b` differ in nothing; with id order instead of drawn order one would lead."""
    staff = [
        {"id": "a", "lead": True, "skills": [], "areas": ["A"], "cap": 1},
        {"id": "b", "lead": True, "skills": [], "areas": ["A"], "cap": 1},
        {"id": "c", "lead": True, "skills": [], "areas": ["A", "B"], "cap": 2},
        {"id": "d", "lead": False, "skills": [], "areas": ["B"], "cap": 1},
        {"id": "e", "lead": False, "skills": [], "areas": ["A"], "cap": 1},
    ]
    visits = [{"id": "v", "area": "A"}, {"id": "w", "area": "B"}]
    sent: Counter[str] = Counter()
    for i in range(3000):
        loads = assign("sha256", a_seed(i), visits, staff, [])["loads"]
        sent.update({who: loads[who] for who in ("a", "b")})
    total = sent["a"] + sent["b"]
    assert abs(sent["a"] - sent["b"]) < 4 * sqrt(total)
