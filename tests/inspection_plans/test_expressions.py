"""The sheets' expression tree: what it says, what it leaves unknown, what the loader refuses."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.expressions import (
    DEEPEST,
    LARGEST,
    MOST,
    Known,
    broken,
    evaluate,
    holds,
    items,
    problems,
    references,
)
from tests.phone_core import trees

HERE = Known(
    facts={"kind": "class_session", "remote": False, "institution_kinds": ["training"]},
    answers={
        "CV-03": {"counts": {"present": 30, "signed": 31, "enrolled": 40}},
        "CV-07": {"mode": "online", "form": "theory"},
        "TI-06": {"ticked": ["pass_guarantee", "job_guarantee"]},
        "TI-23": {"share": {"numerator": 60, "denominator": 100}},
    },
    verdicts={"CV-03": "fail", "CV-07": "pass"},
)
PRESENT, SIGNED = {"answer": "CV-03.counts.present"}, {"answer": "CV-03.counts.signed"}
MISSING = {"answer": "CV-13.counts.online"}


@pytest.mark.parametrize(
    ("tree", "value"),
    [
        (True, True),
        ("word", "word"),
        (7, 7),
        (["a", "b"], ("a", "b")),
        (None, None),
        (1.5, None),
        (MOST, MOST),
        (MOST + 1, None),
        ([1, 2], None),
        ({"fact": "kind"}, "class_session"),
        ({"fact": "nothing"}, None),
        ({"fact": "institution_kinds"}, ("training",)),
        (PRESENT, 30),
        ({"answer": "CV-03.counts"}, None),
        ({"answer": "CV-03.counts.absent"}, None),
        ({"answer": "CV-07.mode.deeper"}, None),
        ({"answer": "TI-06.ticked"}, ("pass_guarantee", "job_guarantee")),
        ({"verdict": "CV-03"}, "fail"),
        ({"verdict": "CV-04"}, None),
        ({"eq": [{"fact": "remote"}, False]}, True),
        ({"eq": [0, False]}, None),
        ({"eq": [1, True]}, None),
        ({"eq": ["1", 1]}, None),
        ({"eq": [{"answer": "TI-06.ticked"}, ["job_guarantee", "pass_guarantee"]]}, True),
        ({"lt": [PRESENT, SIGNED]}, True),
        ({"lt": [PRESENT, 30]}, False),
        ({"le": [PRESENT, 30]}, True),
        ({"le": [31, PRESENT]}, False),
        ({"le": [True, 2]}, None),
        ({"lt": ["a", "b"]}, None),
        ({"le": [MISSING, 5]}, None),
        ({"in": [{"fact": "kind"}, ["class_session", "remote_class"]]}, True),
        ({"in": ["training", {"fact": "institution_kinds"}]}, True),
        ({"in": ["evaluation", {"fact": "institution_kinds"}]}, False),
        ({"in": [7, ["7"]]}, None),
        ({"size": {"answer": "TI-06.ticked"}}, 2),
        ({"size": "word"}, None),
        ({"sum": [PRESENT, SIGNED, 1]}, 62),
        ({"sum": [PRESENT, MISSING]}, None),
        ({"sum": [MOST, 1]}, None),
        ({"sum": []}, None),
        ({"count": [{"eq": [1, 1]}, {"eq": [1, 2]}, True]}, 2),
        ({"count": [True, {"eq": [MISSING, 2]}]}, None),
        ({"count": []}, None),
        ({"all": [True, {"eq": [MISSING, 1]}]}, None),
        ({"all": [False, {"eq": [MISSING, 1]}]}, False),
        ({"all": [True, True]}, True),
        ({"all": []}, None),
        ({"any": [False, {"eq": [MISSING, 1]}]}, None),
        ({"any": [True, {"eq": [MISSING, 1]}]}, True),
        ({"any": [False, False]}, False),
        ({"any": []}, None),
        ({"not": True}, False),
        ({"not": {"eq": [MISSING, 1]}}, None),
        ({"not": 1}, None),
        ({"share": {"of": 60, "in": 100, "least": "0.6"}}, True),
        ({"share": {"of": 5999, "in": 10000, "least": "0.6"}}, False),
        ({"share": {"of": 2, "in": 3, "least": "0.6667"}}, False),
        ({"share": {"of": 0, "in": 0, "least": "0.6"}}, None),
        ({"share": {"of": -1, "in": 3, "least": "0"}}, None),
        ({"share": {"of": MOST, "in": MOST, "least": "1"}}, True),
        ({"share": {"of": MOST - 1, "in": MOST, "least": "1"}}, False),
        ({"share": {"of": 1, "in": 2, "least": "0.٦"}}, None),
        ({"eq": [1, 1], "not": True}, None),
        ({"unheard_of": 1}, None),
        ({}, None),
        ({"eq": [1]}, None),
        ({"eq": 5}, None),
        ({"answer": "CV-07"}, None),
        ({"answer": 5}, None),
        ({"share": "0.6"}, None),
        ({"fact": ["kind"]}, None),
    ],
)
def test_a_tree_has_one_value(tree: Any, value: Any) -> None:
    found = evaluate(tree, HERE)
    assert (type(found), found) == (type(value), value)


def test_unknown_neither_holds_nor_breaks() -> None:
    for tree, known, breaks in (
        ({"eq": [1, 1]}, True, False),
        ({"eq": [1, 2]}, False, True),
        ({"eq": [MISSING, 2]}, False, False),
        ("word", False, False),
    ):
        assert (holds(tree, HERE), broken(tree, HERE)) == (known, breaks)


@given(st.integers(0, 10**9))
def test_more_answers_change_nothing_that_was_known(number: int) -> None:
    rng = Random(number)
    tree, whole = trees.tree(rng), trees.known(rng)
    part: dict[str, Any] = {
        "facts": {name: v for name, v in whole["facts"].items() if rng.random() < 0.5},
        "answers": {name: v for name, v in whole["answers"].items() if rng.random() < 0.5},
        "verdicts": {name: v for name, v in whole["verdicts"].items() if rng.random() < 0.5},
    }
    before = evaluate(tree, Known(**part))
    assert before is None or before == evaluate(tree, Known(**whole))


@given(st.integers(0, 10**9))
def test_the_order_of_conditions_does_not_matter(number: int) -> None:
    rng = Random(number)
    known = Known(**trees.known(rng))
    inside = [trees.tree(rng, 2) for _ in range(4)]
    turned = rng.sample(inside, 4)
    for name in ("all", "any", "count", "sum"):
        assert evaluate({name: inside}, known) == evaluate({name: turned}, known)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(),
        lambda below: (
            st.lists(below, max_size=3)
            | st.dictionaries(
                st.sampled_from(["all", "eq", "share", "of", "in", "least", "answer", "x"]),
                below,
                max_size=2,
            )
        ),
        max_leaves=12,
    )
)
def test_anything_has_a_value_or_is_unknown(tree: Any) -> None:
    assert isinstance(evaluate(tree, HERE), bool | int | str | tuple | None)
    list(problems(tree))
    list(references(tree))


def test_a_tree_tells_what_it_asks_for() -> None:
    tree = {
        "all": [
            {"eq": [{"answer": "CV-07.mode"}, "online"]},
            {"share": {"of": PRESENT, "in": {"fact": "heads"}, "least": "0.5"}},
            {"not": {"eq": [{"verdict": "CV-01"}, "fail"]}},
        ]
    }
    assert list(references(tree)) == [
        (("all", 0, "eq", 0, "answer"), "answer", "CV-07.mode"),
        (("all", 1, "share", "of", "answer"), "answer", "CV-03.counts.present"),
        (("all", 1, "share", "in", "fact"), "fact", "heads"),
        (("all", 2, "not", "eq", 0, "verdict"), "verdict", "CV-01"),
    ]
    assert items(tree) == {"CV-01", "CV-03", "CV-07"}
    assert list(problems(tree)) == []


def deep(levels: int) -> Any:
    return {"not": deep(levels - 1)} if levels else True


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        ({"alll": [True]}, ()),
        ({}, ()),
        ({"all": [True], "any": [True]}, ()),
        ({"all": []}, ("all",)),
        ({"all": True}, ("all",)),
        ({"any": [{"eq": [1]}]}, ("any", 0, "eq")),
        ({"lt": [1, 2, 3]}, ("lt",)),
        ({"le": [1, {"answer": "CV-3.counts"}]}, ("le", 1, "answer")),
        ({"eq": [{"verdict": "CV-03.counts"}, "fail"]}, ("eq", 0, "verdict")),
        ({"fact": ""}, ("fact",)),
        ({"eq": [1, None]}, ("eq", 1)),
        ({"eq": [1, 0.5]}, ("eq", 1)),
        ({"share": {"of": 1, "in": 2}}, ("share",)),
        ({"share": {"of": 1, "in": 2, "least": "0.66667"}}, ("share",)),
        ({"share": {"of": {"x": 1}, "in": 2, "least": "0.6"}}, ("share", "of")),
        ({"all": [True] * LARGEST}, ()),
        (deep(DEEPEST + 1), ("not",) * (DEEPEST + 1)),
        (deep(500), ("not",) * (DEEPEST + 1)),
    ],
)
def test_what_has_not_the_form_is_told_with_its_place(tree: Any, path: tuple[Any, ...]) -> None:
    assert path in [place for place, _ in problems(tree)]


def test_the_bounds_themselves_are_allowed() -> None:
    assert list(problems(deep(DEEPEST))) == []
    assert list(problems({"all": [True] * (LARGEST - 1)})) == []
