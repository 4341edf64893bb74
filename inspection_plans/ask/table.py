"""The dispatch table of questions, and the one way from JSON to an answer or a refusal."""

import importlib
import json
import pkgutil
from collections.abc import Mapping
from typing import Any

from inspection_plans import ask
from inspection_plans.ask.questions import Answer, Handler
from inspection_plans.ask.refusals import (
    MissingField,
    QuestionRefusal,
    TooMany,
    UnknownQuestion,
    Unreadable,
    WrongField,
)
from inspection_plans.errors import RuleRefusal
from inspection_plans.rulebook import Rulebook

MOST = 1000
_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _topics() -> Mapping[str, Handler[Any]]:
    """Put together the ``HANDLERS`` of all modules of this package."""
    found: dict[str, Handler[Any]] = {}
    for module in pkgutil.iter_modules(ask.__path__, f"{ask.__name__}."):
        if module.name not in (__name__, f"{ask.__name__}.__main__"):
            handlers = getattr(importlib.import_module(module.name), "HANDLERS", {})
            if twice := found.keys() & handlers.keys():
                raise TypeError(f"two answers to one question: {sorted(twice)}")
            found.update(handlers)
    return found


HANDLERS = _topics()


def answer(question: object, rules: Rulebook) -> Answer:
    """Answer one decoded question.

    Raises: QuestionRefusal ("question.*").
    """
    if not isinstance(question, Mapping):
        raise Unreadable("a question is a JSON object")
    if "ask" not in question:
        raise MissingField("what is asked?", field="ask")
    name = question["ask"]
    if not isinstance(name, str):
        raise WrongField("the name of a question is a text", field="ask")
    if name not in HANDLERS:
        raise UnknownQuestion(f"there are {', '.join(sorted(HANDLERS))}", field="ask")
    try:
        return HANDLERS[name](question, rules)
    except QuestionRefusal:
        raise
    except RuleRefusal as refusal:
        # A rule that was asked too much: the question is told so, by the rule's own code.
        raise QuestionRefusal(f"{refusal.code} {refusal.facts}", field=refusal.field) from refusal


def answer_body(body: bytes, rules: Rulebook) -> Answer | list[Answer]:
    """Answer one question, or a list of at most ``MOST`` each by itself, from exact JSON.

    Raises: QuestionRefusal ("question.*") for one question, and for a list that is too long.
    """
    asked = parse(body)
    if not isinstance(asked, list):
        return answer(asked, rules)
    if len(asked) > MOST:
        raise TooMany(f"at most {MOST} at once", most=MOST, asked=len(asked))
    return [told(question, rules) for question in asked]


def told(question: object, rules: Rulebook) -> Answer:
    """Answer one decoded question, or tell what is wrong with it as ``{"error": ...}``."""
    try:
        return answer(question, rules)
    except QuestionRefusal as refusal:
        return error(refusal)


def error(refusal: QuestionRefusal) -> Answer:
    """Write a refusal as ``{"error": {"code", "field", "message"}}``."""
    return {"error": {"code": refusal.code, "field": refusal.field, "message": refusal.message}}


def parse(text: str | bytes) -> Any:  # noqa: ANN401 - JSON
    """Read JSON without guessing: no key twice, no number that is none.

    Raises: Unreadable ("question.unreadable").
    """
    try:
        return _read(text if isinstance(text, str) else text.decode())
    except (ValueError, RecursionError) as wrong:
        raise Unreadable(f"no JSON: {wrong}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Unreadable("this key is said twice", field=twice)
    return found


def _no_number(word: str) -> None:
    raise Unreadable(f"{word} is no number")


_read = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number).decode


def answer_line(line: str | bytes, rules: Rulebook) -> bytes:
    """Answer one line of JSON with one line of JSON, UTF-8."""
    try:
        found = told(parse(line), rules)
    except Unreadable as refusal:
        found = error(refusal)
    text = _write(found)
    # A lone surrogate of the question is told back as the escape it was.
    return text.encode("utf-8", "backslashreplace")
