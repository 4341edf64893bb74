"""Choosing institutions: equal to the naive reading, and the properties of section 11."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.draw.digest import hasher
from inspection_plans.draw.errors import DrawRefusal
from inspection_plans.draw.seed import tagged
from inspection_plans.draw.select import lowest, select
from tests.inspection_plans.draw import naive
from tests.inspection_plans.draw.cases import Row, a_seed, random_frame, seeds

ONE = {"mode": "ratio", "strata": [{"id": "S", "ratio": "1/2"}]}


def rows(count: int, **more: Any) -> list[Row]:
    return [{"id": f"{i:03d}", "stratum": "S", **more} for i in range(count)]


def refused(plan: Any, frame: Sequence[Any]) -> str:
    try:
        select("sha256", a_seed(1), plan, frame)
    except DrawRefusal as refusal:
        return refusal.code
    return ""


def plan_of(**more: Any) -> Row:
    return {"mode": "ratio", "strata": [{"id": "S", "ratio": "1/2", **more}]}


@pytest.mark.parametrize("block", range(10))
def test_equals_the_naive_reading(block: int) -> None:
    for number in range(block * 60, block * 60 + 60):
        plan, frame = random_frame(number)
        drawn = select("sha256", a_seed(number), plan, frame)
        assert drawn == naive.select(a_seed(number), plan, frame), number


def test_the_random_frames_reach_every_corner() -> None:
    parts = [
        part
        for number in range(600)
        for part in select("sha256", a_seed(number), *random_frame(number))
    ]
    for name in ("must", "certain", "random", "reserve", "shortfall"):
        assert sum(1 for part in parts if part[name]) > 20, name


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_strata_does_not_matter(number: int, rng: random.Random) -> None:
    plan, frame = random_frame(number)
    mixed = [dict(reversed(row.items())) for row in frame]
    rng.shuffle(mixed)
    turned = {**plan, "strata": list(reversed(plan["strata"]))}
    seed = a_seed(number)
    assert select("sm3", seed, turned, mixed) == select("sm3", seed, plan, frame)


@given(st.integers(0, 10**6), st.integers(0, 40))
def test_reserve_never_changes_what_is_drawn(number: int, reserve: int) -> None:
    plan, frame = random_frame(number)
    seed = a_seed(number)
    plain = select("sha256", seed, {**plan, "reserve": 0}, frame)
    more = select("sha256", seed, {**plan, "reserve": reserve}, frame)
    assert [{**part, "reserve": []} for part in more] == plain


@given(seeds(), st.integers(0, 60), st.integers(0, 100), st.integers(0, 100))
def test_a_larger_ratio_only_adds(seed: str, count: int, one: int, other: int) -> None:
    small, large = sorted((one, other))
    frame = rows(count)
    parts = [
        select("sha256", seed, plan_of(ratio=f"{percent}/100"), frame)[0]
        for percent in (small, large)
    ]
    chosen = [part["certain"] + part["random"] for part in parts]
    assert set(chosen[0]) <= set(chosen[1])


@given(st.integers(0, 10**6))
def test_nobody_excluded_nobody_twice_everybody_must(number: int) -> None:
    plan, frame = random_frame(number)
    parts = select("sha256", a_seed(number), plan, frame)
    drawn = [i for part in parts for name in ("must", "certain", "random") for i in part[name]]
    spare = [i for part in parts for i in part["reserve"]]
    assert len(set(drawn + spare)) == len(drawn + spare)
    excluded = {row["id"] for row in frame if row.get("excl")}
    assert not excluded.intersection(drawn + spare)
    assert {row["id"] for row in frame if row.get("must")} <= set(drawn)
    assert sum(part["n"] for part in parts) == len(drawn)
    for part in parts:
        assert part["target"] - part["n"] == part["shortfall"] >= 0


def test_other_columns_of_a_row_do_not_matter() -> None:
    named = rows(40, name="x", area="W")
    assert select("sha256", a_seed(3), ONE, named) == select("sha256", a_seed(3), ONE, rows(40))


def test_a_large_frame_is_drawn_like_a_small_one() -> None:
    """Beyond a few hundred rows only tickets under an estimate are kept and sorted."""
    frame = rows(3000)
    plan = {**plan_of(ratio="0.02"), "reserve": 9}
    order = sorted(frame, key=lambda r: naive.ticket(a_seed(4), "ssj1.ticket", r["id"].encode()))
    ids = [row["id"] for row in order]
    [part] = select("sha256", a_seed(4), plan, frame)
    assert (part["random"], part["reserve"]) == (ids[:60], ids[60:69])


@pytest.mark.parametrize("deviations", [-9, -1, 0, 6])
def test_a_wrong_estimate_costs_a_second_pass_and_nothing_else(deviations: int) -> None:
    ids = [row["id"] for row in rows(900)]
    start = hasher("sha256")(tagged("ssj1.ticket") + bytes.fromhex(a_seed(6)))
    right = sorted(ids, key=lambda i: naive.ticket(a_seed(6), "ssj1.ticket", i.encode()))
    assert lowest(start, ids, 400, deviations) == right[:400]
    assert lowest(start, ids, 0) == lowest(start, [], 5) == []


def test_long_ids_in_chinese_are_rows_like_others() -> None:
    frame = [{"id": "机" * 40 + f"{i:03d}", "stratum": "S"} for i in range(8)]
    assert select("sha256", a_seed(1), ONE, frame) == naive.select(a_seed(1), ONE, frame)


def test_rows_that_are_no_rows_at_all() -> None:
    with pytest.raises(TypeError):
        select("sha256", a_seed(1), ONE, None)  # type: ignore[arg-type]


def test_rows_that_can_be_read_once_only_are_no_frame() -> None:
    with pytest.raises(TypeError):
        select("sha256", a_seed(1), ONE, iter(rows(3)))  # type: ignore[arg-type]  # the mistake


def test_an_empty_frame_draws_nothing() -> None:
    [part] = select("sha256", a_seed(1), plan_of(min=3), [])
    assert (part["n"], part["target"], part["shortfall"]) == (0, 3, 3)


@pytest.mark.parametrize(
    "ratio", ["0", "1", "1.0", "000.5", "1/1", "0/5", "999999999/999999999", "0.123456789"]
)
def test_ratios_that_are_well_written(ratio: str) -> None:
    assert refused(plan_of(ratio=ratio), rows(3)) == ""


@pytest.mark.parametrize(
    "ratio",
    ["５%", "5%", "", "1.5", "2", "3/2", "1/0", "0/0", ".5", "1.", "-0.5", "+1", " 1", "1 ", "1\n",
     "1e-1", "٠.٥", "１/２", "1/1234567890", "0.1234567890", "0000", None, 0.5, 1, True, ["1"]],
)  # fmt: skip
def test_ratios_that_are_refused(ratio: Any) -> None:
    assert refused(plan_of(ratio=ratio), rows(3)) == "E_RATIO"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"stratum": "S"}, "E_ID"),
        ({"id": 5, "stratum": "S"}, "E_ID"),
        ({"id": ["a"], "stratum": "S"}, "E_ID"),
        ({"id": "", "stratum": "S"}, "E_ID"),
        ({"id": "a" * 129, "stratum": "S"}, "E_ID"),
        ({"id": "机" * 43, "stratum": "S"}, "E_ID"),
        ("row", "E_ID"),
        (["a", "S"], "E_ID"),
        (None, "E_ID"),
        ({"id": "a\x00", "stratum": "S"}, "E_CONTROL"),
        ({"id": "a\ud800", "stratum": "S"}, "E_SURROGATE"),
        ({"id": "e\u0301", "stratum": "S"}, "E_NFC"),
        ({"id": "000", "stratum": "S"}, "E_DUP_ID"),
        ({"id": "a"}, "E_STRATUM"),
        ({"id": "a", "w": 1}, "E_STRATUM"),
        ({"id": "a", "stratum": "T"}, "E_STRATUM"),
        ({"id": "a", "stratum": ["S"]}, "E_STRATUM"),
        ({"id": "a", "stratum": "S", "w": 0}, "E_WEIGHT"),
        ({"id": "a", "stratum": "S", "w": 2**32 + 1}, "E_WEIGHT"),
        ({"id": "a", "stratum": "S", "w": True}, "E_WEIGHT"),
        ({"id": "a", "stratum": "S", "w": "1"}, "E_WEIGHT"),
        ({"id": "a", "stratum": "S", "w": None}, "E_WEIGHT"),
        ({"id": "a", "stratum": "S", "w": 1.0}, "E_WEIGHT"),
        ({"id": "a", "stratum": "S", "must": True, "excl": "CLOSED"}, "E_MUST_EXCL"),
        ({"id": "a", "stratum": "S", "w": 0, "must": True, "excl": "CLOSED"}, "E_WEIGHT"),
        ({"id": "a\x00", "stratum": "T", "w": 0}, "E_CONTROL"),
        ({"id": "000", "stratum": "T"}, "E_DUP_ID"),
    ],
)
def test_rows_that_are_refused(row: Any, code: str) -> None:
    assert refused(ONE, [*rows(2), row]) == code


def test_the_first_bad_row_decides() -> None:
    frame = [{"id": "a", "stratum": "T"}, {"id": "", "stratum": "S"}]
    assert refused(ONE, frame) == "E_STRATUM"
    assert refused(ONE, list(reversed(frame))) == "E_ID"


@pytest.mark.parametrize("excl", [None, "", False])
def test_what_does_not_exclude(excl: Any) -> None:
    [part] = select("sha256", a_seed(1), ONE, rows(4, excl=excl))
    assert part["eligible"] == 4


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        ({"mode": "ratio", "strata": [{"id": "S"}, {"id": "S"}]}, "E_DUP_STRATUM"),
        ({"mode": "ratio", "strata": [{"id": 1}]}, "E_STRATUM"),
        ({"mode": "ratio", "strata": ["S"]}, "E_STRATUM"),
        ({"mode": "ratio"}, "E_STRATUM"),
        ({"mode": "dice", "strata": [{"id": "S"}]}, "E_MODE"),
        ({"strata": [{"id": "S"}]}, "E_MODE"),
        ({"mode": "total", "strata": [{"id": "S"}]}, "E_MODE"),
        ({"mode": "total", "total": -1, "strata": [{"id": "S"}]}, "E_MODE"),
        ({"mode": "total", "total": True, "strata": [{"id": "S"}]}, "E_MODE"),
        ({**ONE, "base": "all"}, "E_MODE"),
        ({**ONE, "base": "all", "strata": [{"id": "S", "ratio": "2"}]}, "E_RATIO"),
        ({**ONE, "reserve": -1}, "E_MODE"),
        (plan_of(max=-1), "E_MODE"),
        (plan_of(min="1"), "E_MODE"),
    ],
)
def test_plans_that_are_refused(plan: Any, code: str) -> None:
    assert refused(plan, rows(2)) == code


def test_rows_are_judged_before_the_ratio() -> None:
    assert refused(plan_of(ratio="2"), [{"id": "", "stratum": "S"}]) == "E_ID"


@pytest.mark.parametrize(
    ("limits", "n"),
    [
        ({}, 5),
        ({"min": 7}, 7),
        ({"max": 3}, 3),
        ({"min": 7, "max": 3}, 3),
        ({"max": 0}, 1),
        ({"max": None}, 5),
        ({"min": 99}, 10),
    ],
)
def test_floors_and_caps(limits: Row, n: int) -> None:
    """`max` wins over `min`, musts win over `max`, the frame over everything."""
    frame = [*rows(9), {"id": "must", "stratum": "S", "must": True}]
    [part] = select("sha256", a_seed(1), plan_of(**limits), frame)
    assert part["n"] == n


def test_size_zero_gets_nothing_while_another_stratum_is_open() -> None:
    plan = {"mode": "total", "total": 3, "strata": [{"id": "S", "size": 0}, {"id": "T"}]}
    frame = [*rows(3), *({**row, "id": "t" + row["id"], "stratum": "T"} for row in rows(3))]
    assert [part["n"] for part in select("sha256", a_seed(1), plan, frame)] == [0, 3]
