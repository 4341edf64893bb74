"""Samples: drawn by the product, the same for the same population, fair to everybody."""

import hashlib
from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import loader
from inspection_plans.sampling import (
    PopulationOutOfRange,
    SeedMalformed,
    numbers,
    sample,
    samples,
)
from inspection_plans.sheets import LARGEST

DAY = date(2024, 7, 1)
SEED = hashlib.sha256(b"one visit").hexdigest()
seeds = st.binary(min_size=32, max_size=32).map(bytes.hex)
labels = st.sampled_from(["roster", "lessons", "TI-10.sample"])
people = st.lists(st.text("abc-0123456789", min_size=1, max_size=6), max_size=40)


def naive(seed: str, label: str, population: list[str], n: int) -> list[str]:
    """The definition, written out."""
    tag = b"mingcha.sample".ljust(32, b"\0")

    def ticket(one: str) -> tuple[bytes, str]:
        told = tag + bytes.fromhex(seed) + label.encode() + b"\0" + one.encode()
        return hashlib.sha256(told).digest(), one

    return sorted(set(population), key=ticket)[:n]


@given(seeds, labels, people, st.integers(0, 50))
def test_a_sample_is_the_smallest_tickets(
    seed: str, label: str, population: list[str], n: int
) -> None:
    assert list(sample(seed, label, population, n)) == naive(seed, label, population, n)


@given(seeds, labels, people, st.integers(0, 50), st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_matters(
    seed: str, label: str, population: list[str], n: int, rng: object
) -> None:
    turned = [*population, *population]
    rng.shuffle(turned)  # type: ignore[attr-defined]
    assert sample(seed, label, turned, n) == sample(seed, label, population, n)


@given(seeds, labels, people, st.integers(0, 30))
def test_a_second_sample_is_the_same_and_a_larger_one_begins_with_it(
    seed: str, label: str, population: list[str], n: int
) -> None:
    first = sample(seed, label, population, n)
    assert sample(seed, label, population, n) == first
    assert sample(seed, label, population, n + 5)[: len(first)] == first
    assert len(first) == min(n, len(set(population)))
    assert set(first) <= set(population)


@given(seeds, labels, people, st.integers(1, 10))
def test_who_leaves_is_replaced_and_nobody_else_is(
    seed: str, label: str, population: list[str], n: int
) -> None:
    first = sample(seed, label, population, n)
    if first:
        without = [one for one in population if one != first[0]]
        assert sample(seed, label, without, n)[: len(first) - 1] == first[1:]


def test_seed_and_label_decide() -> None:
    crowd = [str(n) for n in range(500)]
    first = sample(SEED, "roster", crowd, 10)
    assert sample(SEED, "lessons", crowd, 10) != first
    assert sample(hashlib.sha256(b"another").hexdigest(), "roster", crowd, 10) != first
    # A label and an id cannot be cut in another place to give the same ticket.
    assert sample(SEED, "roster1", ["2"], 1) == ("2",)
    assert naive(SEED, "roster", crowd, 10) == list(first)


def test_everybody_is_drawn_alike() -> None:
    drawn = Counter(
        number
        for visit in range(2000)
        for number in numbers(hashlib.sha256(b"%d" % visit).hexdigest(), "TI-10.sample", 20, 5)
    )
    # 500 expected of each; six deviations of a binomial with 2000 trials and a quarter are 116.
    assert set(drawn) == set(range(1, 21))
    assert all(abs(count - 500) < 116 for count in drawn.values()), drawn


def test_numbers_are_drawn_of_a_typed_population() -> None:
    assert numbers(SEED, "TI-10.sample", 0, 5) == ()
    assert sorted(numbers(SEED, "TI-10.sample", 3, 5)) == [1, 2, 3]
    drawn = numbers(SEED, "TI-10.sample", LARGEST, 5)
    assert len(set(drawn)) == 5
    assert all(1 <= one <= LARGEST for one in drawn)
    assert numbers(SEED, "TI-10.sample", LARGEST, 5) == drawn


@pytest.mark.parametrize("size", [-1, LARGEST + 1])
def test_a_population_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(PopulationOutOfRange):
        numbers(SEED, "TI-10.sample", size, 5)


@pytest.mark.parametrize("seed", ["", "ab" * 31, "AB" * 32, "zz" * 32, "ab" * 32 + "\n"])
def test_a_seed_of_another_form_is_refused(seed: str) -> None:
    with pytest.raises(SeedMalformed):
        sample(seed, "roster", ["a"], 1)


def test_items_about_the_roster_draw_the_same_people() -> None:
    drawn = {label: part.n for label, part in samples(loader.load().sheet("CV", "CN-37", DAY))}
    assert drawn == {"roster": 5}
    labels = [label for label, _ in samples(loader.load().sheet("DC", "CN-3710", DAY))]
    assert labels[:3] == ["roster", "DC-12.sample", "lessons"]
    assert len(labels) == len(set(labels)), "two typed populations are two draws"
