"""The phone evaluates the sheets' expressions as the rules do."""

import json
from random import Random
from typing import Any

import pytest

from inspection_plans.expressions import Known, evaluate
from tests.phone_core import make_vectors, trees
from tests.phone_core.node import call, vectors

RANDOM = 3000


def plain(value: object) -> Any:
    """A value as JSON carries it."""
    return json.loads(json.dumps(value))


def test_the_vectors_hold_here() -> None:
    for case in vectors("expressions")["cases"]:
        found = evaluate(case["tree"], Known(**case["known"]))
        assert plain(found) == case["value"], case["tree"]


def test_the_vectors_hold_on_the_phone() -> None:
    cases = vectors("expressions")["cases"]
    assert call("evaluate", cases) == [case["value"] for case in cases]


def test_the_vectors_say_something() -> None:
    values = [json.dumps(case["value"]) for case in vectors("expressions")["cases"]]
    assert len(values) == make_vectors.TREES
    counts = {value: values.count(value) for value in ("true", "false", "null")}
    assert min(counts.values()) > make_vectors.TREES // 16, counts


@pytest.mark.parametrize("name", sorted(make_vectors.MADE))
def test_the_files_are_todays(name: str) -> None:
    written = (make_vectors.HERE / f"{name}.json").read_text("utf-8")
    assert written == make_vectors.text(name)


def test_random_trees_agree() -> None:
    cases = []
    for number in range(RANDOM):
        rng = Random(f"agree {number}")
        cases.append({"tree": trees.tree(rng, 1 + number % 6), "known": trees.known(rng)})
    here = [plain(evaluate(case["tree"], Known(**case["known"]))) for case in cases]
    assert call("evaluate", cases) == here
    assert min(here.count(True), here.count(False)) > RANDOM // 20
