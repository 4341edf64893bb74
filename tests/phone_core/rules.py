"""What the rules say to the cases that the phone is asked too, as JSON."""

from typing import Any

from inspection_plans import checklist, completeness, sampling
from inspection_plans.checklist import Answer, ReasonMissing, UnknownItem, WrongAnswer
from inspection_plans.expressions import Known
from inspection_plans.sheets import Sheet


def judged(sheet: Sheet, told: dict[str, Any]) -> dict[str, Any]:
    """The verdict of one answer, or the code and place of what is wrong."""
    try:
        found = checklist.judge(sheet, Answer(**told))
    except (UnknownItem, WrongAnswer, ReasonMissing) as wrong:
        return {"code": wrong.code, "field": wrong.field}
    return {"item": found.item, "verdict": found.verdict.value, "failed": list(found.failed)}


def known(sheet: Sheet, told: list[dict[str, Any]], facts: dict[str, Any]) -> Known:
    """What is known by the answers that hold."""
    verdicts = {one["item"]: judged(sheet, one).get("verdict") for one in told}
    return Known(
        facts=facts,
        answers={
            one["item"]: one["value"]
            for one in told
            if verdicts[one["item"]] and one.get("value") is not None
        },
        verdicts={item: verdict for item, verdict in verdicts.items() if verdict},
    )


def complete(sheet: Sheet, case: dict[str, Any]) -> dict[str, Any]:
    """What a record asks for and lacks."""
    here = known(sheet, case["answers"], case["facts"])
    return {
        "relevant": list(completeness.relevant_items(sheet, here)),
        "items": list(completeness.missing_items(sheet, here)),
        "evidence": [
            {"item": one.item, "kind": one.kind, "wanted": one.wanted, "held": one.held}
            for one in completeness.missing_evidence(sheet, here, case["held"], case["excused"])
        ],
        "bounds": [
            {"item": one.item, "constraint": one.constraint}
            for one in completeness.broken_bounds(sheet, here)
        ],
    }


def sample(case: dict[str, Any]) -> list[str]:
    """Who is drawn of a population that is filed."""
    return list(sampling.sample(case["seed"], case["label"], case["population"], case["n"]))


def numbers(case: dict[str, Any]) -> list[int]:
    """Which numbers are drawn of a population that is counted."""
    return list(sampling.numbers(case["seed"], case["label"], case["size"], case["n"]))
