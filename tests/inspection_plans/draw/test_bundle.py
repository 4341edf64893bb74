"""`verify_draw.py`, the one file: the same bytes everywhere, old Pythons, codes and exit codes."""

import ast
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inspection_plans.draw import bundle, record
from inspection_plans.draw.report import coded
from inspection_plans.draw.verify import verify
from tests.inspection_plans.draw.cases import Office, an_office
from tests.inspection_plans.draw.histories import eventful, external, second_attempt, with_a_chain

ROOT = Path(__file__).parents[3]
# Every interpreter here from 3.8 on that is not the one of this project.
OTHERS = sorted(Path.home().glob(".pyenv/versions/3.*/bin/python3"))
PYTHONS = [str(one) for one in OTHERS if int(one.parts[-3].split(".")[1]) >= 8]


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("citizen") / "verify_draw.py"
    path.write_text(bundle.verifier(), encoding="utf-8")
    return path


def run(
    tool: Path, *arguments: str, text: str = "", python: str = sys.executable, **env: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the file alone: isolated, without site packages, in its own folder."""
    return subprocess.run(
        [python, "-I", "-S", str(tool), *arguments],
        input=text.encode(),
        capture_output=True,
        cwd=tool.parent,
        env={"PATH": os.environ["PATH"], **env},
        check=False,
    )


def test_it_is_one_short_file_of_the_standard_library(tool: Path) -> None:
    text = tool.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 700
    assert max(map(len, text.splitlines())) < 100
    names = [
        alias.name
        for node in ast.walk(ast.parse(text, feature_version=(3, 8)))
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    assert set(names) <= sys.stdlib_module_names


def test_it_is_built_from_the_modules_that_the_engine_runs(tool: Path) -> None:
    parts = bundle.sources()
    for name, text in parts.items():
        file = ROOT / (name.replace(".", "/") + ".py")
        assert text.encode() == file.read_bytes()
        assert hashlib.sha256(file.read_bytes()).hexdigest() in tool.read_text(encoding="utf-8")
    told = run(tool, "--source").stdout.decode()
    assert all(text in told for text in parts.values())
    assert list(parts)[-1] == bundle.ENTRY
    assert "inspection_plans.draw.bundle" not in parts


@pytest.mark.parametrize("python", [sys.executable, *PYTHONS])
def test_the_same_bytes_come_out_of_every_python(tool: Path, python: str) -> None:
    if python != sys.executable and "/3.8" in python:
        return  # the engine is built by the project's Pythons; 3.8 only runs the file
    done = subprocess.run(
        [python, "-S", "-m", "inspection_plans.draw.bundle"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "7", "LC_ALL": "C"},
        capture_output=True,
        check=True,
    )
    assert done.stdout == tool.read_bytes()


@pytest.mark.parametrize("python", [sys.executable, *PYTHONS])
def test_every_python_from_3_8_on_gives_the_same_report(tool: Path, python: str) -> None:
    for made in (eventful(), with_a_chain(), an_office("sm3")):
        whole = made.record()
        done = run(tool, "--json", text=json.dumps(whole), python=python)
        assert done.stderr == b""
        assert json.loads(done.stdout) == coded(verify(whole))
        assert done.returncode == 0
    whole["blocked"].reverse()
    done = run(tool, "--json", text=json.dumps(whole), python=python)
    assert done.returncode == 1
    assert json.loads(done.stdout) == coded(verify(whole))


def test_a_locale_decides_nothing(tool: Path) -> None:
    text = json.dumps(eventful().record())
    answers = {
        run(tool, text=text, **env).stdout
        for env in ({}, {"LC_ALL": "C"}, {"LC_ALL": "zh_CN.UTF-8"}, {"PYTHONIOENCODING": "ascii"})
    }
    assert len(answers) == 1
    assert "验证通过" in answers.pop().decode()


def words(tool: Path, text: str, *arguments: str) -> tuple[int, str]:
    done = run(tool, *arguments, text=text)
    return done.returncode, (done.stdout + done.stderr).decode()


def test_what_is_wrong_is_said_in_both_languages(tool: Path) -> None:
    whole = an_office().record()
    whole["selection"][1]["random"].reverse()
    code, said = words(tool, json.dumps(whole))
    assert code == 1
    assert "the seed gives another selection" in said
    assert "按种子重新抽取得到不同的 selection" in said
    assert "[BAD] 按记录重新抽取  replay of the draw" in said
    assert "NOT verified" in said
    code, said = words(tool, json.dumps(whole), "--lang", "zh")
    assert "按种子" in said
    assert "the seed gives" not in said


def test_level_and_what_cannot_be_told_are_printed(tool: Path) -> None:
    code, said = words(tool, json.dumps(an_office().record()), "--lang", "en")
    assert code == 0
    assert "level: B (several parties)" in said
    for phrase in ("beacon", "rows of the frames are true", "times of the log", "no head was"):
        assert phrase in said


def test_heads_and_keys_from_elsewhere_are_held_against_the_record(tool: Path) -> None:
    office = an_office()
    text, head = json.dumps(office.record()), record.head(office.log)
    key = next(e["body"]["party_keys"][0]["key"] for e in office.log if e["type"] == "freeze")
    assert words(tool, text, "--head", head[:16].upper(), "--key", f"operator={key}")[0] == 0
    assert words(tool, text, "--head", "ab" * 8)[0] == 1
    assert words(tool, text, "--key", "operator=" + "ab" * 32)[0] == 1


def test_a_draw_made_elsewhere_is_labelled(tool: Path) -> None:
    code, said = words(tool, json.dumps(external()))
    assert code == 3
    assert "unverifiable" in said
    assert "无法验证" in said


def test_the_public_page_of_a_draw_is_read_too(tool: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.json"
    page.write_text(json.dumps({"draw": {}, "record": an_office().record()}), encoding="utf-8")
    assert run(tool, str(page)).returncode == 0
    code, said = words(tool, json.dumps({"draw": {}, "record": None}))
    assert code == 2
    assert "not disclosed yet" in said


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", "{", "\ud800", '{"a": 1, "a": 2}', '{"alg": 1.5}', "[" * 5000, "NaN"],
)
def test_what_is_no_record_is_told_apart(tool: Path, text: str) -> None:
    done = run(tool, text=text.encode("utf-8", "surrogatepass").decode("latin-1"))
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert run(tool, "missing.json").returncode == 2


def test_a_damaged_file_does_not_run(tool: Path, tmp_path: Path) -> None:
    text = tool.read_text(encoding="utf-8")
    name, known = next(iter(hash_lines(text).items()))
    other = tmp_path / "verify_draw.py"
    other.write_text(text.replace(known, "0" * 64), encoding="utf-8")
    done = run(other, text="{}")
    assert done.returncode == 1
    assert name in done.stderr.decode()


def hash_lines(text: str) -> dict[str, str]:
    tree = ast.parse(text)
    assigned = next(n for n in tree.body if isinstance(n, ast.Assign))
    modules: dict[str, str] = ast.literal_eval(assigned.value)
    return modules


def test_facts_cannot_steer_a_terminal(tool: Path) -> None:
    whole: dict[str, Any] = an_office().record()
    whole["\x1b[2J extra"] = 1
    _, said = words(tool, json.dumps(whole))
    assert "\x1b" not in said
    office = Office()
    office.draw = "2027-\u202e01"
    office.write("attempt_open", draw=office.draw, attempt=1, stage="draw")
    assert "\u202e" not in words(tool, json.dumps({**whole, "log": office.log}))[1]


def test_a_void_attempt_is_no_reason_to_fail(tool: Path) -> None:
    assert words(tool, json.dumps(second_attempt().record()))[0] == 0
