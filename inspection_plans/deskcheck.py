"""Checks of desk rules against each other and the packs; pure over decoded files."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from inspection_plans.crosscheck import DanglingClause, DuplicateId, UnknownTerm
from inspection_plans.desk.rules import DeskRule
from inspection_plans.reading import PackRefusal, Source
from inspection_plans.vocabulary import Clause, ClauseId


def rules(
    found: Sequence[tuple[Source, tuple[DeskRule, ...]]],
    clauses: Mapping[ClauseId, Clause],
    settings: Collection[str],
) -> Iterator[PackRefusal]:
    """Yield rules said twice, clauses and settings that are not there, languages that differ."""
    seen: set[str] = set()
    for source, rows in found:
        for place, rule in enumerate(rows):
            if rule.id in seen:
                yield source.refuse(DuplicateId, (place, "id"), rule.id)
            seen.add(rule.id)
            for position, clause in enumerate(rule.clauses):
                if clause not in clauses:
                    where = (place, "clauses", position)
                    yield source.refuse(DanglingClause, where, rule.id, missing=clause)
            for position, name in enumerate(rule.settings):
                if name not in settings:
                    where = (place, "settings", position)
                    yield source.refuse(UnknownTerm, where, rule.id, word=name)
