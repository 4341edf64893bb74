"""Writes the shared vectors anew: ``python -m tests.phone_core.make_vectors``.

They hold the phone to the rules: what a tree is worth and what a sheet still asks for, once for
both languages. A test compares the files with what the rules say today.
"""

import json
from pathlib import Path
from random import Random
from typing import Any

import yaml

from inspection_plans.expressions import Known, evaluate
from inspection_plans.records import decode, plain
from inspection_plans.sheets import Sheet
from tests.phone_core import answers, rules, trees

HERE = Path(__file__).parent / "vectors"
SHEET = HERE / "sheet.yaml"
TREES, JUDGED, RECORDS, SAMPLES = 400, 300, 60, 40
SEARCHED, END = 1000, "ZZ-09"


def expressions() -> dict[str, Any]:
    """Trees, what is known, and their values; ``value`` null means unknown."""
    cases = []
    for number in range(TREES):
        rng = Random(number)
        tree, known = trees.tree(rng, depth=1 + number % 4), trees.known(rng)
        cases.append({"tree": tree, "known": known, "value": evaluate(tree, Known(**known))})
    return {"cases": cases}


def checklist() -> dict[str, Any]:
    """One invented sheet with a part of every type, answers to it, and whole records."""
    sheet = decode(yaml.safe_load(SHEET.read_text("utf-8")), Sheet)
    judged, records = [], []
    for number in range(JUDGED):
        told = answers.answer(Random(number), sheet.items[number % len(sheet.items)])
        judged.append({"answer": told, "judged": rules.judged(sheet, told)})
    for number in range(SEARCHED):
        case = answers.record(Random(number), sheet)
        complete = rules.complete(sheet, case)
        # The end of the chain of conditions is seldom reached.
        if number < RECORDS or END in complete["relevant"]:
            records.append(case | {"complete": complete})
    return {"sheets": [plain(sheet)], "judged": judged, "records": records}


def samples() -> dict[str, Any]:
    """Seeds and populations, and who is drawn of them."""
    filed, counted = [], []
    for number in range(SAMPLES):
        rng = Random(number)
        case: dict[str, Any] = {"seed": rng.randbytes(32).hex(), "n": rng.randint(0, 12)}
        case["label"] = rng.choice(("roster", "lessons", "TI-10.sample", "抽查"))
        people = [rng.choice("甲乙丙abc") + str(rng.randint(1, 40)) for _ in range(number % 30)]
        crowd = case | {"population": people}
        filed.append(crowd | {"chosen": rules.sample(crowd)})
        crowd = case | {"size": rng.choice((0, 1, 5, 40, 300))}
        counted.append(crowd | {"chosen": rules.numbers(crowd)})
    return {"filed": filed, "counted": counted}


MADE = {"expressions": expressions, "checklist": checklist, "samples": samples}


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
