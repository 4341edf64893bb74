"""Checks of a sheet's own wiring: sections, conditions and what they refer to, points."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from inspection_plans import expressions, jurisdictions
from inspection_plans.expressions import Tree
from inspection_plans.reading import PackRefusal, Source
from inspection_plans.records import Path
from inspection_plans.sheets import (
    AnyPart,
    Choice,
    Count,
    Fact,
    Item,
    Location,
    MultiChoice,
    Ratio,
    Sample,
    Sheet,
    YesNo,
)
from inspection_plans.vocabulary import Verdict


class BrokenExpression(PackRefusal):
    """A condition without the form of one, too deep, too large, or true of nothing."""

    code: ClassVar[str] = "packs.broken_expression"


class UnknownReference(PackRefusal):
    """A condition asks for a fact, item, part, field or option that is not there everywhere."""

    code: ClassVar[str] = "packs.unknown_reference"


class CyclicConditions(PackRefusal):
    """Whether an item is asked depends, at the end, on itself."""

    code: ClassVar[str] = "packs.cyclic_conditions"


class UnknownSection(PackRefusal):
    """An item without a section of its sheet, or a section without an item."""

    code: ClassVar[str] = "packs.unknown_section"


class PointsUnfounded(PackRefusal):
    """Points in a sheet that names no basis for scoring, or a basis without points."""

    code: ClassVar[str] = "packs.points_unfounded"


def wiring(source: Source, sheet: Sheet) -> Iterator[PackRefusal]:
    """Yield everything wrong inside one sheet, in the order of its items."""
    yield from _sections(source, sheet)
    items = {item.code: item for item in sheet.items}
    for place, item in enumerate(sheet.items):
        path: Path = ("items", place)
        for where, tree in conditions(item):
            yield from _condition(source, (*path, *where), item, tree, items)
        if item.code in _needs(item.code, items):
            yield source.refuse(CyclicConditions, (*path, "relevant"), item.code)
        if item.points is not None and sheet.scoring is None:
            yield source.refuse(PointsUnfounded, (*path, "points"), item.code)
    if sheet.scoring is not None and all(item.points is None for item in sheet.items):
        yield source.refuse(PointsUnfounded, ("scoring",), sheet.id)


def conditions(item: Item) -> Iterator[tuple[Path, Tree]]:
    """Yield every expression of an item with its path inside it."""
    if item.relevant is not None:
        yield ("relevant",), item.relevant
    for place, bound in enumerate(item.constraints):
        yield ("constraints", place, "holds"), bound.holds
    for place, asked in enumerate(item.evidence):
        if asked.given is not None:
            yield ("evidence", place, "given"), asked.given


def _sections(source: Source, sheet: Sheet) -> Iterator[PackRefusal]:
    known = [section.id for section in sheet.sections]
    used = {item.section for item in sheet.items}
    for place, section in enumerate(known):
        if known.index(section) != place or section not in used:
            yield source.refuse(UnknownSection, ("sections", place), sheet.id, section=section)
    for place, item in enumerate(sheet.items):
        fine = item.section in known if known else item.section is None
        if not fine:
            where = ("items", place, "code" if item.section is None else "section")
            yield source.refuse(UnknownSection, where, item.code, section=item.section)


def _needs(code: str, items: Mapping[str, Item]) -> set[str]:
    """Every item on whose answer it depends whether this one is asked."""
    found: set[str] = set()
    waiting = [code]
    while waiting:
        item = items.get(waiting.pop())
        named = expressions.items(item.relevant) if item and item.relevant is not None else ()
        waiting += [one for one in named if one not in found]
        found.update(named)
    return found


def _condition(
    source: Source, path: Path, item: Item, tree: Tree, items: Mapping[str, Item]
) -> Iterator[PackRefusal]:
    wrong = False
    for where, expected in expressions.problems(tree):
        wrong = True
        yield source.refuse(BrokenExpression, (*path, *where), item.code, expected=expected)
    if wrong:
        return
    for where, kind, name in expressions.references(tree):
        if not _is_there(kind, name, item, items):
            yield source.refuse(UnknownReference, (*path, *where), item.code, name=name)
    for where, name, word in _compared(tree):
        part = _part(name, items)
        codes = {verdict.value for verdict in Verdict} if part is None else codes_of(part)
        if codes and word not in codes:
            yield source.refuse(UnknownReference, (*path, *where), item.code, name=word)


def _is_there(kind: str, name: str, asking: Item, items: Mapping[str, Item]) -> bool:
    """Whether a reference leads somewhere in every place where the asking item applies."""
    if kind == "fact":
        return name in {fact.value for fact in Fact}
    code, *inside = name.split(".")
    item = items.get(code)
    if item is None or not _covers(item.jurisdictions, asking):
        return False
    if kind == "verdict":
        return True
    part = _part(name, items)
    if part is None or not _covers(part.jurisdictions, asking):
        return False
    fields = fields_of(part)
    return (inside[1] in fields) if len(inside) > 1 else not fields


def _covers(places: tuple[str, ...], asking: Item) -> bool:
    return all(jurisdictions.covers(places, place) for place in asking.jurisdictions)


def _part(name: str, items: Mapping[str, Item]) -> AnyPart | None:
    code, *inside = name.split(".")
    parts = items[code].answer if code in items else ()
    return next((part for part in parts if inside and part.name == inside[0]), None)


def fields_of(part: AnyPart) -> frozenset[str]:
    """Return the names inside the value of a part; nothing where the value is plain."""
    match part:
        case Count():
            return frozenset(field.name for field in part.fields)
        case Ratio():
            return frozenset({"numerator", "denominator"})
        case Sample():
            return frozenset({"population", "checked", "failed"})
        case Location():
            return frozenset({"lat", "lon", "acc_cm", "crs"})
        case _:
            return frozenset()


def codes_of(part: AnyPart) -> frozenset[str]:
    """Return the words an answer may be, or may hold; nothing where any word is allowed."""
    if isinstance(part, YesNo):
        return frozenset({"yes", "no", "na"})
    if isinstance(part, Choice | MultiChoice):
        return frozenset(option.code for option in part.options)
    return frozenset()


def _compared(tree: Tree, path: Path = ()) -> Iterator[tuple[Path, str, str]]:
    """Yield words that a tree compares with an answer or a verdict: path, reference, word."""
    if isinstance(tree, list | tuple):
        for place, one in enumerate(tree):
            yield from _compared(one, (*path, place))
    if not isinstance(tree, Mapping):
        return
    for name, inside in tree.items():
        if name in ("eq", "in"):
            for place in (0, 1):
                word, other = inside[place], inside[1 - place]
                asked = other.get("answer", other.get("verdict")) if _is_tree(other) else None
                words = [word] if isinstance(word, str) else word
                if asked is not None and isinstance(words, list | tuple):
                    yield from (((*path, name, place), asked, one) for one in words)
        yield from _compared(inside, (*path, name))


def _is_tree(found: object) -> bool:
    return isinstance(found, Mapping)
