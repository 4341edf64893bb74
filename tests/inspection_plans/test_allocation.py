"""Shanxi's allocation of 2024, read from the clauses."""

from dataclasses import replace
from typing import Any

import pytest

from inspection_plans import allocation
from inspection_plans.parameters import BrokenParameter
from tests.inspection_plans.asking import RULES, ask, refused
from tests.inspection_plans.test_amounts import broken

SHANXI = RULES.in_force("CN-14")
TABLE = allocation.table(SHANXI, 2024)
LINE = {
    "jurisdiction": "CN-14",
    "year": 2024,
    "institution": "太原理工大学",
    "occupation": "大数据",
}


def test_the_table_of_2024_comes_to_five_hundred() -> None:
    assert sum(row.persons for row in TABLE.rows) == 500
    assert len(TABLE.rows) == 5
    assert TABLE.adds_up()
    found = ask("allocation", jurisdiction="CN-14", year=2024)
    assert (found["total"], found["adds_up"]) == (500, True)
    assert len(found["rows"]) == 5
    assert len(found["clauses"]) == 6


@pytest.mark.parametrize(
    ("ending", "change"),
    [
        ("taiyuan-ut-big-data", {"persons": 149}),
        ("allocation-total", {"persons_total": 501}),
        ("allocation-total", {"institutions": 4}),
        ("allocation-total", {"by_institution": {"山西大学": 500}}),
        ("taiyuan-ut-blockchain", {"institution": "山西大学"}),
    ],
)
def test_a_line_changed_does_not_add_up(ending: str, change: dict[str, Any]) -> None:
    assert not allocation.table(broken(SHANXI, ending, **change), 2024).adds_up()


@pytest.mark.parametrize(
    "change", [{"institution": ["a", "b"]}, {"persons": "100"}, {"occupation": 3}]
)
def test_a_line_that_is_none_is_told(change: dict[str, Any]) -> None:
    with pytest.raises(BrokenParameter):
        allocation.table(broken(SHANXI, "shanxi-university-ai", **change), 2024)
    with pytest.raises(BrokenParameter):
        allocation.table(broken(SHANXI, "allocation-total", by_institution=[1]), 2024)


@pytest.mark.parametrize(("enrolled", "verdict"), [(149, "ok"), (150, "ok"), (151, "finding")])
def test_enrolled_are_held_against_the_plan(enrolled: int, verdict: str) -> None:
    found = ask("allocation", **LINE, enrolled=enrolled)
    assert (found["planned"], found["verdict"]) == (150, verdict)
    assert found["clauses"] == ["shanxi-2024-27/annex/taiyuan-ut-big-data"]


def test_no_line_is_a_question_and_no_table_says_so() -> None:
    other = ask("allocation", **{**LINE, "occupation": "区块链工程"}, enrolled=1)
    assert (other["planned"], other["verdict"]) == (None, "question")
    assert other["why"]
    unasked = ask("allocation", **LINE)
    assert (unasked["planned"], unasked["verdict"]) == (150, "not_computable")
    for change in ({"year": 2025}, {"jurisdiction": "CN-37"}, {"on": "2024-05-22"}):
        found = ask("allocation", **{**LINE, **change}, enrolled=1)
        assert (found["planned"], found["verdict"], found["clauses"]) == (None, "question", [])
        assert found["why"] != other["why"]
        whole = ask("allocation", **{"jurisdiction": "CN-14", "year": 2024, **change})
        assert (whole["rows"], whole["total"]) == ([], None)


def test_half_a_line_is_asked_for() -> None:
    table = {"jurisdiction": "CN-14", "year": 2024}
    assert refused("allocation", **table, institution="山西大学") == (
        "question.missing_field",
        "occupation",
    )
    assert refused("allocation", **table, occupation="大数据") == (
        "question.missing_field",
        "institution",
    )
    assert refused("allocation", **table, enrolled=1) == ("question.missing_field", "institution")
    assert refused("allocation", jurisdiction="CN-14") == ("question.missing_field", "year")


def test_another_paper_brings_another_year() -> None:
    line = next(one for one in SHANXI if one.id.endswith("shanxi-university-ai"))
    later = replace(line, parameters={**line.parameters, "year": 2025, "persons": 7})
    table = allocation.table([*SHANXI, later], 2025)
    assert [row.persons for row in table.rows] == [7]
    assert table.totals == ()
    assert table.adds_up()
