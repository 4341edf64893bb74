"""One closed expression tree for sheets: conditions, bounds, evidence; total and three-valued.

Form: a constant, or an object with one key::

    true | false | 7 | "word" | ["a", "b"]
    {fact: kind}                        what is known of the visit
    {answer: TI-10.sample.checked}      item, part and, where the part has fields, the field
    {verdict: TI-10}                    pass, fail, not_applicable, could_not_check
    {all: [..]} {any: [..]} {not: x}    Kleene: what is unknown decides nothing by itself
    {eq: [a, b]} {lt: [a, b]} {le: [a, b]} {in: [a, list]}
    {count: [..]} {sum: [..]} {size: list}
    {share: {of: a, in: b, least: "0.6"}}   a : b is at least that, cross-multiplied

A value that is missing, of another kind than its neighbour, or a share of nothing is *unknown*
(``None``). A condition holds only when it is true; a bound is broken only when it is false. More
answers never change what was already known. ``backend/phone/src/core/expression.ts`` is its twin.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from typing import Any

from inspection_plans.vocabulary import Record

Value = bool | int | str | tuple[str, ...] | None
Tree = Any  # decoded YAML or JSON; ``problems`` says whether it has the form
Path = tuple[str | int, ...]

DEEPEST = 8
LARGEST = 64
MOST = 2**53 - 1
SHARE = re.compile(r"0(\.[0-9]{1,4})?|1")
ANSWER = re.compile(r"([A-Z]{2}-[0-9]{2})\.([a-z][a-z0-9_]{0,39})(?:\.([a-z][a-z0-9_]{0,39}))?")
VERDICT = re.compile(r"[A-Z]{2}-[0-9]{2}")
LISTS = frozenset({"all", "any", "count", "sum"})
PAIRS = frozenset({"eq", "lt", "le", "in"})
REFERENCES = frozenset({"fact", "answer", "verdict"})
_TOO_DEEP = object()
OPERATORS = LISTS | PAIRS | REFERENCES | {"not", "size", "share"}


class Known(Record, frozen=True, kw_only=True):
    """What is known of a visit: facts by name, values and verdicts by item code.

    ``answers`` holds the value of an item by part name; items without an answer are absent.
    """

    facts: Mapping[str, Any] = {}
    answers: Mapping[str, Mapping[str, Any]] = {}
    verdicts: Mapping[str, str] = {}


def holds(tree: Tree, known: Known) -> bool:
    """Say whether a condition is true; unknown does not hold."""
    return evaluate(tree, known) is True


def broken(tree: Tree, known: Known) -> bool:
    """Say whether a bound is certainly violated; unknown does not break it."""
    return evaluate(tree, known) is False


def evaluate(tree: Tree, known: Known) -> Value:
    """Return the value of a tree, ``None`` where it is unknown; never raises.

    A malformed tree is unknown too: the loader refuses it with file and line.
    """
    if isinstance(tree, Mapping):
        if len(tree) != 1:
            return None
        ((name, inside),) = tree.items()
        operator = _OPERATORS.get(name)
        return operator(inside, known) if operator else None
    return _value(tree)


def _value(found: object) -> Value:
    """Keep what the language knows: truth, safe integers, words and lists of words."""
    if isinstance(found, bool | str):
        return found
    if isinstance(found, int):
        return found if abs(found) <= MOST else None
    if isinstance(found, list | tuple) and all(isinstance(one, str) for one in found):
        return tuple(found)
    return None


def _each(inside: Tree, known: Known) -> list[Value]:
    return [evaluate(one, known) for one in inside] if isinstance(inside, list | tuple) else []


def _truths(inside: Tree, known: Known) -> list[bool | None]:
    return [one if isinstance(one, bool) else None for one in _each(inside, known)]


def _all(inside: Tree, known: Known) -> Value:
    truths = _truths(inside, known)
    if False in truths:
        return False
    return None if None in truths or not truths else True


def _any(inside: Tree, known: Known) -> Value:
    truths = _truths(inside, known)
    if True in truths:
        return True
    return None if None in truths or not truths else False


def _not(inside: Tree, known: Known) -> Value:
    found = evaluate(inside, known)
    return not found if isinstance(found, bool) else None


def _pair(inside: Tree, known: Known) -> tuple[Value, Value]:
    found = _each(inside, known)
    return (found[0], found[1]) if len(found) == 2 else (None, None)  # noqa: PLR2004 - a pair


def _eq(inside: Tree, known: Known) -> Value:
    one, other = _pair(inside, known)
    # ``type``: true is not 1, a word is not a list.
    if one is None or other is None or type(one) is not type(other):
        return None
    if isinstance(one, tuple) and isinstance(other, tuple):
        return set(one) == set(other)
    return one == other


def _numbers(inside: Tree, known: Known) -> list[int] | None:
    found = [one for one in _each(inside, known) if type(one) is int]
    listed = isinstance(inside, list | tuple) and len(found) == len(inside) > 0
    return found if listed else None


def _compare(inside: Tree, known: Known, test: Callable[[int, int], bool]) -> Value:
    found = _numbers(inside, known)
    return test(*found) if found is not None and len(found) == 2 else None  # noqa: PLR2004


def _lt(inside: Tree, known: Known) -> Value:
    return _compare(inside, known, lambda one, other: one < other)


def _le(inside: Tree, known: Known) -> Value:
    return _compare(inside, known, lambda one, other: one <= other)


def _in(inside: Tree, known: Known) -> Value:
    one, listed = _pair(inside, known)
    return one in listed if isinstance(one, str) and isinstance(listed, tuple) else None


def _count(inside: Tree, known: Known) -> Value:
    truths = _truths(inside, known)
    return None if None in truths or not truths else sum(one is True for one in truths)


def _sum(inside: Tree, known: Known) -> Value:
    found = _numbers(inside, known)
    return _value(sum(found)) if found is not None else None


def _size(inside: Tree, known: Known) -> Value:
    found = evaluate(inside, known)
    return len(found) if isinstance(found, tuple) else None


def _share(inside: Tree, known: Known) -> Value:
    if not isinstance(inside, Mapping) or not isinstance(inside.get("least"), str):
        return None
    found = _numbers([inside.get("of"), inside.get("in")], known)
    if found is None or found[0] < 0 or found[1] <= 0 or not SHARE.fullmatch(inside["least"]):
        return None
    least = Fraction(inside["least"])
    return found[0] * least.denominator >= least.numerator * found[1]


def _fact(inside: Tree, known: Known) -> Value:
    return _value(known.facts.get(inside)) if isinstance(inside, str) else None


def _answer(inside: Tree, known: Known) -> Value:
    named = ANSWER.fullmatch(inside) if isinstance(inside, str) else None
    if named is None:
        return None
    item, part, field = named.groups()
    found = known.answers.get(item, {}).get(part)
    if field is not None:
        found = found.get(field) if isinstance(found, Mapping) else None
    return _value(found)


def _verdict(inside: Tree, known: Known) -> Value:
    found = known.verdicts.get(inside) if isinstance(inside, str) else None
    return None if found is None else str(found)


_OPERATORS: Mapping[str, Callable[[Tree, Known], Value]] = {
    "all": _all,
    "any": _any,
    "not": _not,
    "eq": _eq,
    "lt": _lt,
    "le": _le,
    "in": _in,
    "count": _count,
    "sum": _sum,
    "size": _size,
    "share": _share,
    "fact": _fact,
    "answer": _answer,
    "verdict": _verdict,
}


def references(tree: Tree) -> Iterator[tuple[Path, str, str]]:
    """Yield every fact, answer and verdict a tree names: path, ``fact|answer|verdict``, name."""
    for path, node in _nodes(tree, ()):
        if isinstance(node, Mapping) and len(node) == 1:
            ((name, inside),) = node.items()
            if name in REFERENCES and isinstance(inside, str):
                yield (*path, name), name, inside


def items(tree: Tree) -> frozenset[str]:
    """Return the codes of the items whose answer or verdict a tree asks for."""
    named = [name for _, kind, name in references(tree) if kind != "fact"]
    return frozenset(name.partition(".")[0] for name in named)


def problems(tree: Tree) -> Iterator[tuple[Path, str]]:
    """Yield what is wrong with the form of a tree: path and what was expected there."""
    found = list(islice(_nodes(tree, ()), LARGEST + 1))
    if len(found) > LARGEST:
        yield (), f"at most {LARGEST} nodes"
    for path, node in found:
        yield from ((path + more, wanted) for more, wanted in _misshapen(node))


def _nodes(tree: Tree, path: Path, level: int = 0) -> Iterator[tuple[Path, Tree]]:
    """Walk a tree from above; nothing below the deepest level, which ``problems`` refuses."""
    if level > DEEPEST:
        yield path, _TOO_DEEP
        return
    yield path, tree
    if not isinstance(tree, Mapping):
        return
    for name, inside in tree.items():
        if name in REFERENCES:
            continue
        if name == "share" and isinstance(inside, Mapping):
            for key in ("of", "in"):
                yield from _nodes(inside.get(key), (*path, name, key), level + 1)
        elif isinstance(inside, list | tuple) and name in LISTS | PAIRS:
            for place, one in enumerate(inside):
                yield from _nodes(one, (*path, name, place), level + 1)
        else:
            yield from _nodes(inside, (*path, name), level + 1)


def _misshapen(node: Tree) -> Iterator[tuple[Path, str]]:
    if node is _TOO_DEEP:
        yield (), f"at most {DEEPEST} levels"
    elif not isinstance(node, Mapping):
        if _value(node) is None:
            yield (), "a truth, a whole number, a word or a list of words"
    elif len(node) != 1 or not set(node) <= OPERATORS:
        yield (), "one of " + ", ".join(sorted(OPERATORS))
    else:
        ((name, inside),) = node.items()
        if wanted := _wanted(name, inside):
            yield (name,), wanted


def _wanted(name: str, inside: Tree) -> str:
    """Say what an operator wants where it has something else, else nothing."""
    listed = len(inside) if isinstance(inside, list | tuple) else 0
    word = inside if isinstance(inside, str) else ""
    checks: Sequence[tuple[bool, bool, str]] = (
        (name in LISTS, listed > 0, "a list"),
        (name in PAIRS, listed == 2, "a list of two"),  # noqa: PLR2004 - a pair
        (name == "fact", word != "", "the name of a fact"),
        (name == "answer", ANSWER.fullmatch(word) is not None, "ITEM.part or ITEM.part.field"),
        (name == "verdict", VERDICT.fullmatch(word) is not None, "the code of an item"),
        (name == "share", _is_share(inside), "of, in and least, an exact decimal"),
    )
    return next((wanted for asked, fine, wanted in checks if asked and not fine), "")


def _is_share(inside: Tree) -> bool:
    return (
        isinstance(inside, Mapping)
        and set(inside) == {"of", "in", "least"}
        and isinstance(inside["least"], str)
        and bool(SHARE.fullmatch(inside["least"]))
    )
