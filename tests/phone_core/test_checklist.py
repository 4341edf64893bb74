"""The phone judges answers, misses items and draws samples as the rules do."""

import json
from datetime import date
from functools import cache
from random import Random
from typing import Any

import pytest

from inspection_plans import loader
from inspection_plans.records import decode, plain
from inspection_plans.sheets import Sheet
from tests.phone_core import answers, rules
from tests.phone_core.node import call, vectors

DAY = date(2024, 7, 1)
PLACES = ["national", "CN-37", "CN-3710", "CN-14", "CN-23"]
CODES = ["TI", "EI", "CV", "EX", "DC", "RC"]
ROUNDS = 4  # answers to every item of every sheet in every place


@cache
def real() -> dict[str, Sheet]:
    """Every sheet as it applies in every place."""
    library = loader.load()
    return {
        f"{code} {place}": library.sheet(code, place, DAY) for code in CODES for place in PLACES
    }


@cache
def documents() -> dict[str, dict[str, Any]]:
    return {name: plain(sheet) for name, sheet in real().items()}


@cache
def invented() -> Sheet:
    return decode(vectors("checklist")["sheets"][0], Sheet)


def without_sheet(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [case | {"sheet": "ZZ"} for case in cases]


def of_vectors(name: str, key: str) -> list[Any]:
    sheets = {"ZZ": vectors("checklist")["sheets"][0]}
    return call(name, without_sheet(vectors("checklist")[key]), sheets)


def test_the_vectors_hold_here() -> None:
    for case in vectors("checklist")["judged"]:
        assert rules.judged(invented(), case["answer"]) == case["judged"], case["answer"]
    for case in vectors("checklist")["records"]:
        assert rules.complete(invented(), case) == case["complete"]
    for case in vectors("samples")["filed"]:
        assert rules.sample(case) == case["chosen"]
    for case in vectors("samples")["counted"]:
        assert rules.numbers(case) == case["chosen"]


def test_the_vectors_hold_on_the_phone() -> None:
    held = vectors("checklist")
    assert of_vectors("judge", "judged") == [case["judged"] for case in held["judged"]]
    assert of_vectors("complete", "records") == [case["complete"] for case in held["records"]]
    for name, key in (("sample", "filed"), ("numbers", "counted")):
        cases = vectors("samples")[key]
        assert call(name, cases) == [case["chosen"] for case in cases]


def test_the_vectors_say_something() -> None:
    judged = [case["judged"] for case in vectors("checklist")["judged"]]
    said = [one.get("verdict", one.get("code")) for one in judged]
    assert min(said.count(word) for word in set(said)) >= 5
    assert len(set(said)) == 6, "every verdict and every fault but an unknown item"
    lacks = [case["complete"] for case in vectors("checklist")["records"]]
    assert all(any(one[key] for one in lacks) for key in ("items", "evidence", "bounds"))
    asked = {code for one in lacks for code in one["relevant"]}
    assert asked == {item.code for item in invented().items}
    assert any("ZZ-04" in one["relevant"] for one in lacks)
    assert any("ZZ-04" not in one["relevant"] for one in lacks)


def test_every_item_of_every_real_sheet_is_judged_alike() -> None:
    cases, here = [], []
    for name, sheet in real().items():
        for item in sheet.items:
            for turn in range(ROUNDS):
                told = answers.answer(Random(f"{name} {item.code} {turn}"), item)
                cases.append({"sheet": name, "answer": told})
                here.append(rules.judged(sheet, told))
    assert call("judge", cases, documents()) == here
    verdicts = [one.get("verdict", one.get("code")) for one in here]
    assert min(verdicts.count(one) for one in ("pass", "fail", "could_not_check")) > 100


def test_random_records_lack_the_same() -> None:
    cases, here = [], []
    for name, sheet in real().items():
        for turn in range(8):
            case = answers.record(Random(f"{name} {turn}"), sheet)
            cases.append(case | {"sheet": name})
            here.append(rules.complete(sheet, case))
    assert call("complete", cases, documents()) == here
    assert sum(bool(one["bounds"]) for one in here) > 20
    assert sum(bool(one["evidence"]) for one in here) > 60


def test_an_unknown_item_is_told_alike() -> None:
    told = {"item": "CV-99", "value": {"result": "yes"}}
    (there,) = call("judge", [{"sheet": "CV CN-37", "answer": told}], documents())
    assert there == rules.judged(real()["CV CN-37"], told)


@pytest.mark.parametrize("letter", ["字", "𠮷", "a"])
def test_the_length_of_a_text_is_counted_alike(letter: str) -> None:
    cases, here = [], []
    for length in (1999, 2000, 2001):
        told = {"item": "TI-38", "value": {"result": "cooperates", "account": letter * length}}
        cases.append({"sheet": "TI CN-37", "answer": told})
        here.append(rules.judged(real()["TI CN-37"], told))
    assert call("judge", cases, documents()) == here
    assert ["code" in one for one in here] == [False, False, True]


def test_random_samples_are_alike() -> None:
    cases = []
    for number in range(60):
        rng = Random(f"sample {number}")
        people = [f"{rng.getrandbits(64):x}" for _ in range(rng.randint(0, 60))]
        rng.shuffle(people)
        cases.append(
            {"seed": rng.randbytes(32).hex(), "label": "roster", "population": people, "n": 10}
        )
    assert call("sample", cases) == [rules.sample(case) for case in cases]


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("sample", {"seed": "AB" * 32, "label": "roster", "population": ["a"], "n": 1}),
        ("numbers", {"seed": "ab" * 32, "label": "roster", "size": 100_001, "n": 1}),
        ("numbers", {"seed": "ab" * 32, "label": "roster", "size": -1, "n": 1}),
    ],
)
def test_the_phone_refuses_what_the_rules_refuse(name: str, case: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match=r"sampling\."):
        call(name, [case])


def test_a_sheet_reads_the_same_with_its_defaults_written_out() -> None:
    sheet = invented()
    document = json.loads(json.dumps(plain(sheet)))
    for item in document["items"]:
        item.setdefault("required", True)
        item.setdefault("relevant", None)
        item.setdefault("constraints", [])
        for asked in item.setdefault("evidence", []):
            asked.setdefault("n", 1)
            asked.setdefault("by", "inspector")
            asked.setdefault("when", "always")
            asked.setdefault("given", None)
    cases = without_sheet(vectors("checklist")["records"])
    assert call("complete", cases, {"ZZ": document}) == [case["complete"] for case in cases]
