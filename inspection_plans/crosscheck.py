"""Checks across pack files: ids, references, validity, parents, words; pure over decoded files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import ClassVar

from inspection_plans import jurisdictions, sheetcheck
from inspection_plans.bounds import within
from inspection_plans.reading import PackRefusal, Source, UnknownValue
from inspection_plans.records import Path
from inspection_plans.sheets import AnyPart, Count, Item, Ratio, Scale, Sheet
from inspection_plans.vocabulary import Clause, ClauseId, Gate, Pack, Setting, Terms


class DuplicateId(PackRefusal):
    """The same id stands twice."""

    code: ClassVar[str] = "packs.duplicate_id"


class DanglingClause(PackRefusal):
    """A reference to a clause that no pack holds."""

    code: ClassVar[str] = "packs.dangling_clause"


class ForeignId(PackRefusal):
    """The id of a clause starts with its pack, the id of a pack is its folder's name."""

    code: ClassVar[str] = "packs.foreign_id"


class UnknownParent(PackRefusal):
    """A parent that is no pack, or that does not cover the child's jurisdiction."""

    code: ClassVar[str] = "packs.unknown_parent"


class CyclicParents(PackRefusal):
    """A pack is its own ancestor."""

    code: ClassVar[str] = "packs.cyclic_parents"


class OverlappingValidity(PackRefusal):
    """Two versions of one notice are in force on the same day, or one ends before it starts."""

    code: ClassVar[str] = "packs.overlapping_validity"


class UnknownTerm(PackRefusal):
    """A word that ``terms.yaml`` does not list."""

    code: ClassVar[str] = "packs.unknown_term"


class BrokenAnswer(PackRefusal):
    """The parts of an item's answer contradict each other."""

    code: ClassVar[str] = "packs.broken_answer"


@dataclass(frozen=True)
class PackFiles:
    """One pack as read: the notice, its clause files in order, and where each came from."""

    pack: Pack
    notice: Source
    clauses: tuple[tuple[Source, tuple[Clause, ...]], ...]


def packs(files: Sequence[PackFiles], terms: Terms) -> Iterator[PackRefusal]:
    """Yield everything wrong with packs and clauses, in the order of the files."""
    known = {clause.id for found in files for _, rows in found.clauses for clause in rows}
    by_id = {found.pack.id: found.pack for found in files}
    seen: set[str] = set()
    for found in files:
        yield from _parents(found, by_id)
        if found.pack.valid_until is not None and found.pack.valid_until < found.pack.valid_from:
            yield found.notice.refuse(OverlappingValidity, ("valid_until",), found.pack.id)
        for source, rows in found.clauses:
            for place, clause in enumerate(rows):
                if clause.id in seen:
                    yield source.refuse(DuplicateId, (place, "id"), clause.id)
                seen.add(clause.id)
                if clause.pack != found.pack.id:
                    yield source.refuse(ForeignId, (place, "id"), clause.id)
                yield from _references(source, place, clause, known)
                yield from _words(source, place, clause, terms)
    for one, other in combinations(files, 2):
        if one.pack.number == other.pack.number and _overlap(one.pack, other.pack):
            yield other.notice.refuse(
                OverlappingValidity, ("valid_from",), other.pack.id, other=one.pack.id
            )


def _overlap(one: Pack, other: Pack) -> bool:
    ends = [pack.valid_until or date.max for pack in (one, other)]
    return max(one.valid_from, other.valid_from) <= min(ends)


def _parents(found: PackFiles, by_id: Mapping[str, Pack]) -> Iterator[PackRefusal]:
    pack = found.pack
    for place, name in enumerate(pack.parents):
        parent = by_id.get(name)
        lineage = jurisdictions.lineage(pack.jurisdiction)
        if parent is None or parent.jurisdiction not in lineage:
            yield found.notice.refuse(UnknownParent, ("parents", place), pack.id, parent=name)
    ancestors: set[str] = set()
    waiting = list(pack.parents)
    while waiting:
        name = waiting.pop()
        if name in by_id and name not in ancestors:
            ancestors.add(name)
            waiting.extend(by_id[name].parents)
    if pack.id in ancestors:
        yield found.notice.refuse(CyclicParents, ("parents",), pack.id)


def _references(
    source: Source, place: int, clause: Clause, known: set[ClauseId]
) -> Iterator[PackRefusal]:
    if clause.consequence is not None and clause.consequence not in known:
        yield source.refuse(
            DanglingClause, (place, "consequence"), clause.id, missing=clause.consequence
        )
    for field, ids in (
        ("also_consequences", clause.also_consequences),
        ("related", clause.related),
    ):
        for position, target in enumerate(ids):
            if target not in known:
                yield source.refuse(
                    DanglingClause, (place, field, position), clause.id, missing=target
                )


def _words(source: Source, place: int, clause: Clause, terms: Terms) -> Iterator[PackRefusal]:
    if clause.concept not in terms.concepts:
        yield source.refuse(UnknownTerm, (place, "concept"), clause.id, word=clause.concept)
    for field, words, allowed in (
        ("subject", clause.subject, terms.subjects),
        ("evidence", clause.evidence, terms.evidence),
        ("parameters", tuple(clause.parameters), terms.parameters),
    ):
        for position, word in enumerate(words):
            step: str | int = word if field == "parameters" else position
            if word not in allowed:
                yield source.refuse(UnknownTerm, (place, field, step), clause.id, word=word)


def sheets(
    found: Sequence[tuple[Source, Sheet]], clauses: Mapping[ClauseId, Clause], terms: Terms
) -> Iterator[PackRefusal]:
    """Yield everything wrong with the sheets: ids, clauses, evidence words, answers."""
    seen: set[str] = set()
    for source, sheet in found:
        if sheet.id in seen:
            yield source.refuse(DuplicateId, ("id",), sheet.id)
        seen.add(sheet.id)
        for place, item in enumerate(sheet.items):
            path: Path = ("items", place)
            if item.code in seen:
                yield source.refuse(DuplicateId, (*path, "code"), item.code)
            seen.add(item.code)
            if not item.code.startswith(sheet.id + "-"):
                yield source.refuse(ForeignId, (*path, "code"), item.code)
            for position, clause in enumerate(item.clauses):
                if clause not in clauses:
                    where = (*path, "clauses", position)
                    yield source.refuse(DanglingClause, where, item.code, missing=clause)
            for position, asked in enumerate(item.evidence):
                if asked.kind not in terms.evidence:
                    where = (*path, "evidence", position)
                    yield source.refuse(UnknownTerm, where, item.code, word=asked.kind)
            yield from _answer(source, path, item, clauses)
        yield from sheetcheck.wiring(source, sheet)


def _answer(
    source: Source, path: Path, item: Item, clauses: Mapping[ClauseId, Clause]
) -> Iterator[PackRefusal]:
    names = [part.name for part in item.answer]
    concepts = {clauses[clause].concept for clause in item.clauses if clause in clauses}
    for place, part in enumerate(item.answer):
        where = (*path, "answer", place)
        if names.index(part.name) != place:
            yield source.refuse(DuplicateId, where, item.code, part=part.name)
        yield from _codes(source, where, item, part)
        for position, option in enumerate(getattr(part, "options", ())):
            for word in sorted(set(option.concepts) - concepts):
                spot = (*where, "options", position)
                yield source.refuse(UnknownTerm, spot, item.code, part=part.name, word=word)
        if _contradicts_itself(part, clauses):
            yield source.refuse(BrokenAnswer, where, item.code, part=part.name)


def _contradicts_itself(part: AnyPart, clauses: Mapping[ClauseId, Clause]) -> bool:
    """Half a label, a comparison of fields that are not there, a share no clause gives."""
    if (part.zh is None) != (part.en is None):
        return True
    if isinstance(part, Count):
        compared = {name for pair in part.at_most for name in pair}
        return not compared <= {field.name for field in part.fields}
    if isinstance(part, Ratio) and part.min_from is not None:
        clause = clauses.get(part.min_from.clause)
        share = clause.parameters.get(part.min_from.parameter) if clause else None
        return part.min is not None or not isinstance(share, str)
    return isinstance(part, Scale) and part.lowest >= part.highest


def _codes(source: Source, where: Path, item: Item, part: AnyPart) -> Iterator[PackRefusal]:
    listed, key = ("fields", "name") if isinstance(part, Count) else ("options", "code")
    codes = [getattr(row, key) for row in getattr(part, listed, ())]
    for position, code in enumerate(codes):
        if codes.index(code) != position:
            spot = (*where, listed, position)
            yield source.refuse(DuplicateId, spot, item.code, part=part.name, id=code)


def bases(
    source: Source, records: Sequence[Gate | Setting], clauses: Mapping[ClauseId, Clause]
) -> Iterator[PackRefusal]:
    """Yield gates and settings whose basis names a clause that no pack holds."""
    for place, row in enumerate(records):
        name = row.id if isinstance(row, Gate) else row.name
        for position, clause in enumerate(row.basis.clauses):
            if clause not in clauses:
                where = (place, "basis", "clauses", position)
                yield source.refuse(DanglingClause, where, name, missing=clause)


def settings(found: Sequence[tuple[Source, tuple[Setting, ...]]]) -> Iterator[PackRefusal]:
    """Yield settings said twice for one jurisdiction, or outside their own bounds."""
    seen: set[tuple[str, str]] = set()
    for source, rows in found:
        for place, setting in enumerate(rows):
            key = (setting.name, setting.jurisdiction)
            if key in seen:
                yield source.refuse(DuplicateId, (place, "name"), setting.name)
            seen.add(key)
            if setting.value is not None and not within(setting, setting.value):
                yield source.refuse(UnknownValue, (place, "value"), setting.name)
