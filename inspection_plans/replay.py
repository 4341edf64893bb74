"""Questions about `ssj1` as JSON lines on standard input, answers on standard output.

``python -m inspection_plans.replay``: one case a line, `{"ok": value}` or `{"error": code}` for
each. Source: draw.md section 12; needs the standard library alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from inspection_plans.draw import canon, digest, merkle, seed
from inspection_plans.draw.days import days
from inspection_plans.draw.errors import DrawRefusal
from inspection_plans.draw.report import coded
from inspection_plans.draw.select import select
from inspection_plans.draw.send import assign
from inspection_plans.draw.verify import verify


def _canon(case: Mapping[str, Any]) -> object:
    text = canon.canonical(canon.parse(case["input_json_ascii"]))
    if "alg" not in case:
        return text
    return {"canon": text, "digest": digest.hexdigest(case["alg"], text.encode())}


def _merkle(case: Mapping[str, Any]) -> object:
    return merkle.frame_root(case["alg"], case["salt_key"], case["rows"])


def _commitment(case: Mapping[str, Any]) -> object:
    return seed.commitment(
        case["alg"], case["draw"], case["attempt"], case["party"], case["secret"]
    )


def _seed(case: Mapping[str, Any]) -> object:
    return seed.seed(
        case["alg"],
        case["draw"],
        case["attempt"],
        plan=case["plan"],
        frames={"objects": case["frame_objects"], "inspectors": case["frame_inspectors"]},
        reveals=case["reveals"],
        entropy=case.get("entropy"),
    )


def _whole(text: object) -> int:
    # A longer number is out of range; int() refuses more than 4,300 digits.
    longest = len(str(seed.SPACE))
    if not isinstance(text, str) or not text.isascii() or not text.isdigit():
        raise DrawRefusal("E_NUMBER", "n_str")
    if len(text.lstrip("0")) > longest:
        raise DrawRefusal("E_NUMBER", "n_str")
    return int(text)


def _uniform(case: Mapping[str, Any]) -> object:
    n = _whole(case["n_str"]) if "n_str" in case else case["n"]
    label = case["label_utf8"].encode()
    return str(seed.uniform(case["alg"], case["seed"], case["tag"], label, n))


def _select(case: Mapping[str, Any]) -> object:
    return select(case["alg"], case["seed"], case["plan"], case["rows"])


def _assign(case: Mapping[str, Any]) -> object:
    return assign(
        case["alg"], case["seed"], case["visits"], case["inspectors"], case.get("blocked", [])
    )


def _days(case: Mapping[str, Any]) -> object:
    return days(case["alg"], case["seed"], case["visits"])


def _verify(case: Mapping[str, Any]) -> object:
    return coded(verify(case["record"], case.get("heads", ()), case.get("keys")))


_OPS: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "canon": _canon,
    "merkle": _merkle,
    "commitment": _commitment,
    "seed": _seed,
    "uniform": _uniform,
    "select": _select,
    "assign": _assign,
    "days": _days,
    "verify": _verify,
}


def _ask(case: Mapping[str, Any]) -> object:
    op = _OPS.get(str(case.get("op")))
    if op is None:
        raise DrawRefusal("E_OP", "op")
    return op(case)


def answer(line: str | bytes) -> dict[str, object]:
    """Answer one case: {"ok": value} or {"error": code}; a missing field is E_KEY."""
    try:
        return {"ok": _ask(json.loads(line))}
    except DrawRefusal as refusal:
        return {"error": refusal.code}
    except KeyError:
        return {"error": "E_KEY"}
    except (TypeError, ValueError, AttributeError, RecursionError):
        return {"error": "E_TYPE"}


def main() -> None:
    """Answer until the input ends; bytes in, so that no locale decides about the encoding."""
    for line in sys.stdin.buffer:
        if line.strip():
            print(json.dumps(answer(line), separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main()
