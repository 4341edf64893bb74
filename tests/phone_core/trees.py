"""Random expression trees and what is known of a visit, from one number."""

from random import Random
from typing import Any

ITEMS = ("TI-01", "TI-02", "CV-03")
NUMBERS = (0, 1, 2, 3, 5, 59, 60, 100, -1, 2**53 - 1, -(2**53) + 1)
WORDS = ("yes", "no", "online", "offline", "fail", "pass", "培训", "")
FACTS = ("kind", "remote", "institution_kinds", "heads", "constructor", "__proto__")
PARTS = ("result", "counts", "ticked", "share")
FIELDS = ("present", "signed")
SHARES = ("0", "0.6", "0.5999", "1", "0.05", "2", "0.12345", "x", "1.0")


def tree(rng: Random, depth: int = 4) -> Any:
    """A condition of at most this depth; now and then something without the form."""
    if rng.random() < 0.08:
        return rng.choice([{"unheard_of": [1]}, {"eq": 5}, {}, None, "word", {"not": 1}])
    if depth <= 0 or rng.random() < 0.15:
        return _test(rng)
    below = [tree(rng, depth - 1) for _ in range(rng.randint(1, 3))]
    return rng.choice(
        [
            {"all": below},
            {"any": below},
            {"not": below[0]},
            {"eq": below},
            {"le": [rng.choice(NUMBERS), {"count": below}]},
            {"eq": [{"count": below}, rng.randint(0, 2)]},
        ]
    )


def _test(rng: Random) -> Any:
    """A comparison of things that are seldom of different kinds."""
    numbers = [_number(rng) for _ in range(rng.choice((2, 2, 2, 2, 1, 3)))]
    share = {"of": numbers[0], "in": numbers[-1], "least": rng.choice(SHARES)}
    return rng.choice(
        [
            {"lt": numbers},
            {"le": numbers},
            {"eq": numbers},
            {"lt": [{"sum": numbers}, _number(rng)]},
            {"eq": [_word(rng), rng.choice(WORDS)]},
            {"in": [_word(rng), rng.sample(WORDS, 4)]},
            {"in": [rng.choice(WORDS), _list(rng)]},
            {"eq": [_list(rng), _list(rng)]},
            {"lt": [{"size": _list(rng)}, rng.randint(0, 3)]},
            {"share": share},
            {"share": share},
            {"eq": [{"fact": "remote"}, rng.choice((True, False, 1))]},
            {"eq": [_word(rng), _number(rng)]},
            rng.choice((True, False)),
        ]
    )


def _number(rng: Random) -> Any:
    if rng.random() < 0.3:
        return {"answer": f"{rng.choice(ITEMS)}.counts.{rng.choice(FIELDS)}"}
    return rng.choice(NUMBERS)


def _word(rng: Random) -> Any:
    return rng.choice(
        [
            rng.choice(WORDS),
            {"fact": rng.choice(FACTS)},
            {"answer": f"{rng.choice(ITEMS)}.{rng.choice(PARTS)}"},
            {"verdict": rng.choice(ITEMS)},
            {"answer": "no reference"},
        ]
    )


def _list(rng: Random) -> Any:
    return rng.choice(
        [
            rng.sample(WORDS, 2),
            {"answer": f"{rng.choice(ITEMS)}.ticked"},
            {"fact": "institution_kinds"},
            [1, "yes"],
        ]
    )


def known(rng: Random) -> dict[str, Any]:
    """Facts, answers and verdicts, each there or missing."""
    values: dict[str, Any] = {
        "result": rng.choice(WORDS),
        "ticked": rng.sample(WORDS, rng.randint(0, 3)),
        "counts": {name: rng.choice(NUMBERS) for name in FIELDS if rng.random() < 0.8},
    }
    facts = {
        "kind": rng.choice(WORDS),
        "remote": rng.random() < 0.5,
        "institution_kinds": rng.sample(WORDS, 2),
        "heads": rng.choice(NUMBERS),
    }
    return {
        "facts": {name: value for name, value in facts.items() if rng.random() < 0.8},
        "answers": {
            item: {part: value for part, value in values.items() if rng.random() < 0.8}
            for item in ITEMS
            if rng.random() < 0.85
        },
        "verdicts": {
            item: rng.choice(("pass", "fail", "not_applicable", "could_not_check"))
            for item in ITEMS
            if rng.random() < 0.8
        },
    }
