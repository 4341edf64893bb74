"""The reference interface: the worked cases of the specification, and errors that are codes."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inspection_plans.replay import answer
from tests.inspection_plans.draw import naive
from tests.inspection_plans.draw.cases import a_seed, random_crew, random_frame

HERE = Path(__file__).parent
SAMPLES = json.loads((HERE / "draw" / "samples.json").read_text(encoding="utf-8"))
BASE = {"alg": "sha256", "seed": a_seed(1)}


def ask(case: Any) -> dict[str, Any]:
    return answer(json.dumps(case))


@pytest.mark.parametrize("number", range(len(SAMPLES)))
def test_worked_cases(number: int) -> None:
    assert ask(SAMPLES[number]) == SAMPLES[number]["expect"]


def test_the_command_answers_line_by_line() -> None:
    plan, rows = random_frame(5)
    crew = random_crew(5)
    cases = [
        *SAMPLES,
        {**BASE, "op": "select", "plan": plan, "rows": rows},
        {**BASE, "op": "assign", **crew},
    ]
    lines = [json.dumps(case, ensure_ascii=bool(i % 2)) for i, case in enumerate(cases)]
    done = subprocess.run(
        [sys.executable, "-m", "inspection_plans.replay"],
        input=("\n\n".join([*lines, "nonsense"]) + "\n").encode(),
        cwd=HERE.parents[1],
        env={"LC_ALL": "C", "PYTHONUTF8": "0"},
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    got = [json.loads(line) for line in done.stdout.splitlines()]
    assert got == [
        *(case["expect"] for case in SAMPLES),
        {"ok": naive.select(a_seed(1), plan, rows)},
        {"ok": naive.assign(a_seed(1), crew)},
        {"error": "E_TYPE"},
    ]


def test_canon_with_a_digest() -> None:
    text = '{"a":1}'
    case = {"op": "canon", "input_json_ascii": ' {"a" : 1}', "alg": "sha256"}
    assert ask(case) == {
        "ok": {"canon": text, "digest": hashlib.sha256(text.encode()).hexdigest()}
    }


def test_days() -> None:
    days = ["2027-01-11", "2027-01-12", "2027-01-13"]
    at = naive.uniform(a_seed(1), "ssj1.day", "机构".encode(), 3)
    case = {**BASE, "op": "days", "visits": [{"id": "机构", "days": days}]}
    assert ask(case) == {"ok": {"机构": days[at]}}
    assert ask({**BASE, "op": "days", "visits": [{"id": "v", "days": []}]}) == {"error": "E_DAYS"}


def test_uniform_takes_numbers_as_text() -> None:
    case = {**BASE, "op": "uniform", "tag": "ssj1.pick", "label_utf8": "机\0" + "1"}
    n = 2**255 + 1
    right = str(naive.uniform(a_seed(1), "ssj1.pick", "机\0001".encode(), n))
    assert ask({**case, "n_str": str(n)}) == {"ok": right}
    assert ask({**case, "n": n}) == {"ok": right}
    for bad in ("0", "-1", "1.5", "", " 1", "１", "9" * 5000, str(2**256 + 1), 7):
        assert ask({**case, "n_str": bad}) == {"error": "E_NUMBER"}, bad
    assert ask({**case, "n_str": "0" * 100 + "1"}) == {"ok": "0"}


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ({"op": "redraw"}, "E_OP"),
        ({}, "E_OP"),
        ({"op": None}, "E_OP"),
        ({"op": ["select"]}, "E_OP"),
        ([], "E_TYPE"),
        (None, "E_TYPE"),
        ({"op": "select"}, "E_KEY"),
        ({"op": "canon", "input_json_ascii": 3}, "E_TYPE"),
        ({"op": "canon", "input_json_ascii": "1", "alg": "md5"}, "E_ALG"),
        ({"op": "merkle", "alg": "md5", "salt_key": a_seed(1), "rows": []}, "E_ALG"),
        ({"op": "merkle", "alg": "sm3", "salt_key": "0", "rows": []}, "E_TYPE"),
        ({"op": "days", "alg": "sm4", "seed": a_seed(1), "visits": []}, "E_ALG"),
        ({**BASE, "op": "assign", "visits": [], "inspectors": 3, "blocked": []}, "E_TYPE"),
        ({**BASE, "op": "select", "plan": 3, "rows": []}, "E_TYPE"),
        ({**BASE, "op": "assign", "seed": "x", "visits": [], "inspectors": []}, "E_TYPE"),
    ],
)
def test_every_mistake_is_a_code(case: Any, code: str) -> None:
    assert ask(case) == {"error": code}


def test_lines_that_are_no_json() -> None:
    assert answer("{") == {"error": "E_TYPE"}
    assert answer(b"\xff\xfe") == {"error": "E_TYPE"}
    assert answer("[" * 100_000) == {"error": "E_TYPE"}
