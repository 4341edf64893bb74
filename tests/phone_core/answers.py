"""Random answers to real sheets, right, failing and wrong, from one number."""

from random import Random
from typing import Any

from inspection_plans.completeness import Carrier
from inspection_plans.sheets import (
    AnyPart,
    Choice,
    Count,
    Item,
    Location,
    MultiChoice,
    Ratio,
    Sample,
    Scale,
    Sheet,
    Text,
    YesNo,
)

NUMBERS = (0, 1, 2, 3, 5, 10, 40, 59, 60, 100, 10**12)
GARBAGE = (None, True, -1, 1.5, "maybe", [], {}, ["none", "none"], [1], 10**12 + 1, "字" * 90)
REASONS = ("", "  ", "停电", "清点时间不同", "班次只有三人")
DATUMS = ("wgs84", "gcj02", "mars")
KINDS = ("class_session", "remote_class", "document_review")


def answer(rng: Random, item: Item) -> dict[str, Any]:
    """One answer as an operation carries it, one in six of them wrong."""
    made: dict[str, Any] = {"item": item.code}
    if rng.random() < 0.12:
        made["skip"] = rng.choice(("not_applicable", "could_not_check"))
    if rng.random() < 0.95 and ("skip" not in made or rng.random() < 0.1):
        made["value"] = {part.name: _value(rng, part) for part in item.answer}
        if rng.random() < 0.04:
            made["value"]["another"] = 1
        if rng.random() < 0.04:
            made["value"].pop(item.answer[0].name)
    if reason := rng.choice(REASONS):
        made["reason"] = reason
    return made


def _value(rng: Random, part: AnyPart) -> Any:  # noqa: C901, PLR0911 - one per type
    if rng.random() < 0.05:
        return rng.choice(GARBAGE)
    match part:
        case YesNo():
            return rng.choice(("yes", "yes", "no", "na"))
        case Choice():
            return rng.choice([option.code for option in part.options])
        case MultiChoice():
            codes = [option.code for option in part.options]
            return rng.sample(codes, rng.choice((1, 1, 2, len(codes), 0)))
        case Count():
            return {field.name: rng.choice(NUMBERS) for field in part.fields}
        case Ratio():
            return {"numerator": rng.choice(NUMBERS), "denominator": rng.choice(NUMBERS)}
        case Sample():
            there = rng.choice(NUMBERS)
            checked = min(part.n, there) if rng.random() < 0.6 else rng.randint(0, 6)
            failed = rng.choice((0, 0, 1, 2))
            return {"population": there, "checked": checked, "failed": failed}
        case Scale():
            return rng.randint(part.lowest - 1, part.highest + 1)
        case Text():
            return rng.choice(("配合", "", "𠮷野家"))
        case Location():
            lat = rng.choice((375000000, 900000000, 900000001))
            crs = rng.choice(DATUMS)
            return {"lat": lat, "lon": -1800000000, "acc_cm": rng.choice(NUMBERS), "crs": crs}


def record(rng: Random, sheet: Sheet) -> dict[str, Any]:
    """Answers of one device to some items, pieces of evidence, and what is known of the visit."""
    items = rng.sample(sheet.items, rng.randint(0, len(sheet.items)))
    kind = rng.choice(KINDS)
    kinds = rng.choice((["training"], ["evaluation"], ["evaluation", "training"], []))
    return {
        "answers": [answer(rng, item) for item in items],
        "facts": {"kind": kind, "remote": kind == "remote_class", "institution_kinds": kinds},
        "held": {
            item.code: {one.value: rng.randint(0, 3) for one in Carrier if rng.random() < 0.6}
            for item in items
            if rng.random() < 0.8
        },
        "excused": [item.code for item in items if rng.random() < 0.1],
    }
