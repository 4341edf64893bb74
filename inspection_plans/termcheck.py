"""Checks of deadlines, computed answers and advert words against clauses; pure over files."""

from collections.abc import Iterator, Mapping, Sequence

from inspection_plans.crosscheck import DanglingClause, DuplicateId, PackFiles, UnknownTerm
from inspection_plans.deadlines import BrokenTerm, Counting, term_of
from inspection_plans.lexicon.words import Entry
from inspection_plans.reading import Malformed, PackRefusal, Source
from inspection_plans.vocabulary import Clause, ClauseId, Computed, Terms


def countings(
    source: Source, rows: Sequence[Counting], clauses: Mapping[ClauseId, Clause], terms: Terms
) -> Iterator[PackRefusal]:
    """Yield concepts counted twice or unknown, parameters and basis clauses that are not there."""
    seen: set[str] = set()
    for place, row in enumerate(rows):
        if row.concept in seen:
            yield source.refuse(DuplicateId, (place, "concept"), row.concept)
        seen.add(row.concept)
        if row.concept not in terms.concepts:
            yield source.refuse(UnknownTerm, (place, "concept"), row.concept, word=row.concept)
        if row.amount is not None and row.amount not in terms.parameters:
            yield source.refuse(UnknownTerm, (place, "amount"), row.concept, word=row.amount)
        for position, clause in enumerate(row.basis.clauses):
            if clause not in clauses:
                where = (place, "basis", "clauses", position)
                yield source.refuse(DanglingClause, where, row.concept, missing=clause)


def computed(source: Source, rows: Sequence[Computed], terms: Terms) -> Iterator[PackRefusal]:
    """Yield questions that compute from a concept that is not there, or that stand twice."""
    seen: set[str] = set()
    for place, row in enumerate(rows):
        if row.question in seen:
            yield source.refuse(DuplicateId, (place, "question"), row.question)
        seen.add(row.question)
        for position, word in enumerate(row.concepts):
            if word not in terms.concepts:
                where = (place, "concepts", position)
                yield source.refuse(UnknownTerm, where, row.question, word=word)


def words(source: Source, rows: Sequence[Entry], terms: Terms) -> Iterator[PackRefusal]:
    """Yield words of advertisements under a concept that is not there."""
    for place, row in enumerate(rows):
        if row.concept not in terms.concepts:
            yield source.refuse(UnknownTerm, (place, "concept"), row.term, word=row.concept)


def numbers(files: Sequence[PackFiles], rows: Sequence[Counting]) -> Iterator[PackRefusal]:
    """Yield clauses whose number cannot be counted: no whole number, no unit of the clock."""
    counted = {row.concept: row for row in rows}
    for found in files:
        for source, written in found.clauses:
            for place, clause in enumerate(written):
                counting = counted.get(clause.concept)
                broken = None if counting is None else _broken(clause, counting)
                if broken is not None:
                    path = (place, "parameters", str(broken.field))
                    yield source.refuse(Malformed, path, clause.id, message=str(broken.facts))


def _broken(clause: Clause, counting: Counting) -> BrokenTerm | None:
    try:
        term_of(clause, counting)
    except BrokenTerm as broken:
        return broken
    return None
