"""What operators get wrong before a draw: each is refused with a code, nothing is half done."""

import copy
from typing import Any

import pytest

from inspection_plans.draw import errors, outcome, record
from inspection_plans.draw.errors import DrawRefusal
from inspection_plans.draw.freezing import check_frames
from tests.inspection_plans.draw.cases import KEYS, PLAN, Row, a_seed, frames

LICENCES = {f"p{i}": "2027-01-13" for i in range(6)}


def changed(path: tuple[Any, ...], value: Any) -> tuple[Row, Row, Row]:
    """Plan, frames and licences with one thing wrong."""
    whole = copy.deepcopy({"plan": PLAN, "frames": frames(), "licences": LICENCES})
    inner: Any = whole
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return whole["plan"], whole["frames"], whole["licences"]


def test_what_is_right_passes() -> None:
    check_frames(PLAN, frames(), LICENCES)
    check_frames({**PLAN, "days": None}, frames(), LICENCES)


STRATA = ("plan", "strata")
OBJECTS = ("frames", "objects")
STAFF = ("frames", "inspectors")


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ((*STRATA, 0, "ratio"), "５%", "E_RATIO"),
        ((*STRATA, 0, "ratio"), "5%", "E_RATIO"),
        ((*STRATA, 0, "ratio"), "０.０５", "E_RATIO"),
        ((*STRATA, 0, "ratio"), "1.01", "E_RATIO"),
        ((*STRATA, 0, "ratio"), None, "E_RATIO"),
        ((*STRATA, 0, "id"), "S2", "E_DUP_STRATUM"),
        (STRATA, [{"id": "S1", "ratio": "1/4"}], "E_STRATUM"),
        ((*OBJECTS, 0, "stratum"), "s1", "E_STRATUM"),
        ((*OBJECTS, 0, "id"), "91370001/T", "E_DUP_ID"),
        ((*OBJECTS, 0, "w"), 0, "E_WEIGHT"),
        ((*OBJECTS, 4, "excl"), "CLOSED", "E_MUST_EXCL"),
        (("plan", "mode"), "percent", "E_MODE"),
        (OBJECTS, [], "E_EMPTY"),
        (OBJECTS, [{"id": "a", "stratum": "S1", "excl": "CLOSED"}], "E_EMPTY"),
        (STAFF, [], "E_EMPTY"),
        ((*STAFF, 0, "id"), "p1", "E_DUP_INSPECTOR"),
        (("licences", "p3"), "2027-01-12", "E_LICENCE"),
        (("licences",), {}, "E_LICENCE"),
        (("plan", "days"), ["2027-01-12", "2027-01-11"], "E_DAYS"),
        ((*OBJECTS, 0, "days"), [], "E_DAYS"),
        ((*OBJECTS, 0, "days"), ["2027-02-01"], "E_LICENCE"),
        (("frames", "blocked", 0), ["p9", "91370001/T"], "E_BLOCK_REF"),
        (("frames", "blocked", 0), ["p0", "91379999/T"], "E_BLOCK_REF"),
        (("frames", "blocked", 0), ["p0"], "E_BLOCK_REF"),
        (("plan", "team"), {"size": 1}, "E_TEAM_SIZE"),
    ],
)
def test_each_mistake_is_refused(path: tuple[Any, ...], value: Any, code: str) -> None:
    plan, made, licences = changed(path, value)
    with pytest.raises(DrawRefusal, match=code):
        check_frames(plan, made, licences)
    assert code in errors.CODES


def test_people_without_a_turn_left_are_nobody() -> None:
    made = frames()
    made["inspectors"] = [{**one, "load": one["cap"]} for one in made["inspectors"]]
    with pytest.raises(DrawRefusal, match="E_EMPTY"):
        check_frames(PLAN, made, LICENCES)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*STRATA, 0, "ratio"), "５%"),
        (STRATA, [{"id": "S1", "ratio": "1/4"}]),
        ((*STAFF, 0, "id"), "p1"),
        (("plan", "days"), ["2027-01-12", "2027-01-11"]),
    ],
)
def test_nothing_is_drawn_of_a_plan_that_is_wrong(path: tuple[Any, ...], value: Any) -> None:
    """Whoever skips the check gets the refusal from the draw itself."""
    plan, made, _ = changed(path, value)
    with pytest.raises(DrawRefusal):
        outcome.draw("sha256", a_seed(1), plan, made)


def test_pairs_out_of_order_are_not_frozen() -> None:
    made = frames()
    with pytest.raises(DrawRefusal, match="E_BLOCK_REF"):
        record.frozen("sha256", {**made, "blocked": made["blocked"][::-1]}, KEYS)
