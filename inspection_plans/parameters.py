"""Numbers of the law: how they are read from the parameters of clauses, and refused if broken."""

from collections.abc import Iterable
from fractions import Fraction
from typing import ClassVar

from inspection_plans.errors import RuleRefusal
from inspection_plans.vocabulary import Clause

FEN_PER_YUAN = 100


class BrokenParameter(RuleRefusal):
    """A parameter of a clause is not of the kind that is counted with."""

    code: ClassVar[str] = "packs.broken_parameter"


def giving(clauses: Iterable[Clause], concept: str, *names: str) -> tuple[Clause, ...]:
    """Return the clauses of a concept that give every named parameter, in the order given."""
    return tuple(
        clause
        for clause in clauses
        if clause.concept == concept
        and all(clause.parameters.get(name) is not None for name in names)
    )


def nearest(clauses: Iterable[Clause]) -> tuple[Clause, ...]:
    """Return the clauses of the last paper: an effective set has the nearest paper last."""
    found = tuple(clauses)
    return tuple(clause for clause in found if clause.pack == found[-1].pack)


def whole(clause: Clause, name: str) -> int:
    """Read a whole number that is not negative.

    Raises: BrokenParameter ("packs.broken_parameter").
    """
    value = clause.parameters.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BrokenParameter(field=name, clause=clause.id, value=value)
    return value


def fen(clause: Clause, name: str) -> int:
    """Read an amount of whole yuan 元 as fen 分.

    Raises: BrokenParameter ("packs.broken_parameter").
    """
    return whole(clause, name) * FEN_PER_YUAN


def share(clause: Clause, name: str) -> Fraction:
    """Read a share between 0 and 1, exactly, from its decimal text.

    Raises: BrokenParameter ("packs.broken_parameter").
    """
    value = clause.parameters.get(name)
    try:
        found = Fraction(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or not 0 <= found <= 1:
        raise BrokenParameter(field=name, clause=clause.id, value=value)
    return found


def words(clause: Clause, name: str) -> tuple[str, ...]:
    """Read a list of words; one word alone is a list of one.

    Raises: BrokenParameter ("packs.broken_parameter").
    """
    value = clause.parameters.get(name)
    found = tuple(value) if isinstance(value, list) else (value,)
    texts = tuple(word for word in found if isinstance(word, str))
    if len(texts) != len(found):
        raise BrokenParameter(field=name, clause=clause.id, value=value)
    return texts


def counts(clause: Clause, name: str) -> dict[str, int]:
    """Read whole numbers by name.

    Raises: BrokenParameter ("packs.broken_parameter").
    """
    value = clause.parameters.get(name)
    if not isinstance(value, dict):
        raise BrokenParameter(field=name, clause=clause.id, value=value)
    return dict(value)


def word(clause: Clause, name: str) -> str:
    """Read one word.

    Raises: BrokenParameter ("packs.broken_parameter").
    """
    found = words(clause, name)
    if len(found) != 1:
        raise BrokenParameter(field=name, clause=clause.id, value=list(found))
    return found[0]


def at_least(part: int, whole_part: int, minimum: Fraction, *, inclusive: bool) -> bool:
    """Say whether a part reaches a share of a whole: cross-multiplied, never rounded."""
    left, right = part * minimum.denominator, minimum.numerator * whole_part
    return left >= right if inclusive else left > right
