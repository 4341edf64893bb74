"""What the tests of computed answers share: a question as a caller writes it."""

import json
from typing import Any

from inspection_plans import loader
from inspection_plans.ask.table import answer_line
from inspection_plans.rulebook import Rulebook

RULES = loader.load_rulebook()


def ask(name: str, rules: Rulebook = RULES, /, **question: Any) -> dict[str, Any]:
    """Answer one question over JSON and back."""
    line = json.dumps({"ask": name, **question})
    found: dict[str, Any] = json.loads(answer_line(line, rules))
    return found


def refused(name: str, /, **question: Any) -> tuple[str, str | None]:
    """Return code and field of the error that a question gets."""
    error = ask(name, **question)["error"]
    assert error["message"]
    return error["code"], error["field"]
