"""The draw runs alone: on Python 3.8, without this project's packages, in any environment."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.inspection_plans.draw.cases import a_seed

ROOT = Path(__file__).parents[3]
ROOM = ROOT / "inspection_plans" / "draw"
FACES = [ROOT / "inspection_plans" / name for name in ("replay.py", "verify_draw.py")]
MODULES = [*sorted(ROOM.glob("*.py")), *FACES]
# Not subscriptable before Python 3.9 where an expression is evaluated.
GENERICS = {"list", "dict", "tuple", "set", "frozenset", "type", "deque"}
SINCE_39 = {"removeprefix", "removesuffix", "bit_count", "pairwise", "nextafter"}

ASK = f"""
import hashlib, json
from inspection_plans.replay import answer
rows = [{{"id": f"\\u673a\\u6784{{i}}", "stratum": "S"}} for i in range(10)]
visits = [{{"id": f"v{{i}}", "skills": ["b", "a"], "area": "W"}} for i in range(5)]
staff = [{{"id": f"p{{i}}", "lead": i < 4, "skills": ["a", "b"], "areas": ["W", "X"], "cap": 3}}
         for i in range(6)]
base = {{"alg": "sha256", "seed": "{a_seed(1)}"}}
plan = {{"mode": "ratio", "reserve": 2, "strata": [{{"id": "S", "ratio": "1/2"}}]}}
lines = [
    {{"op": "merkle", "alg": "sm3", "salt_key": "{a_seed(2)}", "rows": rows}},
    {{**base, "op": "select", "plan": plan, "rows": rows}},
    {{**base, "op": "assign", "visits": visits, "inspectors": staff, "blocked": [["p0", "v1"]]}},
]
print(hashlib.sha256(json.dumps([answer(json.dumps(l)) for l in lines]).encode()).hexdigest())
"""


def ask(**environment: str) -> str:
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "SYSTEMROOT")}
    done = subprocess.run(
        [sys.executable, "-S", "-E" if not environment else "-S", "-c", ASK],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_neither_hash_seed_nor_locale_changes_a_byte() -> None:
    """`-S` hides every installed package, so this also shows that none is needed."""
    answers = {
        ask(PYTHONHASHSEED="0"),
        ask(PYTHONHASHSEED="1"),
        ask(PYTHONHASHSEED="12345", LC_ALL="C"),
        ask(LC_ALL="zh_CN.UTF-8", PYTHONUTF8="0"),
        ask(LC_ALL="tr_TR.UTF-8", TZ="Asia/Shanghai"),
        ask(PYTHONOPTIMIZE="2"),
    }
    assert len(answers) == 1
    assert len(answers.pop()) == 65


def evaluated(tree: ast.AST) -> list[ast.AST]:
    """Every node outside annotations, which `from __future__ import annotations` leaves alone."""
    found, left = [], [tree]
    while left:
        node = left.pop()
        found.append(node)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns"):
                continue
            items = value if isinstance(value, list) else [value]
            left += [item for item in items if isinstance(item, ast.AST)]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_syntax_is_that_of_python_3_8(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    aliases = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "collections.abc"
        for alias in node.names
    }
    for node in evaluated(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            assert node.value.id not in GENERICS | aliases, ast.dump(node)
        if isinstance(node, ast.Attribute):
            assert node.attr not in SINCE_39
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert not (node.func.id == "zip" and node.keywords), "zip(strict=) came with 3.10"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_only_the_standard_library_is_imported(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for name in names:
            inside = name.startswith("inspection_plans.draw")
            assert inside or name.split(".")[0] in sys.stdlib_module_names, name
