"""Writes the shared vectors anew: ``python -m tests.phone_core.make_vectors``.

They hold the phone to the rules: what a tree is worth and what a sheet still asks for, once for
both languages. A test compares the files with what the rules say today.
"""

import json
from pathlib import Path
from random import Random
from typing import Any

from inspection_plans.expressions import Known, evaluate
from tests.phone_core import trees

HERE = Path(__file__).parent / "vectors"
TREES = 400


def expressions() -> dict[str, Any]:
    """Trees, what is known, and their values; ``value`` null means unknown."""
    cases = []
    for number in range(TREES):
        rng = Random(number)
        tree, known = trees.tree(rng, depth=1 + number % 5), trees.known(rng)
        cases.append({"tree": tree, "known": known, "value": evaluate(tree, Known(**known))})
    return {"cases": cases}


MADE = {"expressions": expressions}


def text(name: str) -> str:
    """One file of vectors: a case a line, so that a change reads well."""
    made = MADE[name]()
    lines = [
        json.dumps(key) + ": [\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in rows)
        for key, rows in made.items()
    ]
    return "{" + "\n],\n".join(lines) + "\n]}\n"


if __name__ == "__main__":
    for name in MADE:
        (HERE / f"{name}.json").write_text(text(name), "utf-8")
