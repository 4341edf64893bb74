"""What checks each clause: items of sheets, desk rules, deadlines, computed answers."""

from collections.abc import Collection, Iterator, Mapping

from inspection_plans import jurisdictions
from inspection_plans.deadlines import term_of
from inspection_plans.library import Library
from inspection_plans.sheets import Ratio
from inspection_plans.vocabulary import CheckMode, Clause, ClauseId, Computed

Checks = dict[ClauseId, tuple[str, ...]]


def coverage(library: Library, desk: Mapping[str, Collection[str]]) -> Checks:
    """Return what checks each clause, by clause in the order of the papers; () where nothing does.

    ``desk``: the clauses of each desk rule by its id. Each check is written like "item TI-08",
    "rule DR-08", "deadline trainee_list_report", "answer subsidy_batch".
    Source: clause register, "check_mode".
    """
    found: dict[str, list[str]] = {clause: [] for clause in library.clauses}
    for clause, check in _checks(library, desk):
        if clause in found and check not in found[clause]:
            found[clause].append(check)
    return {ClauseId(clause): tuple(checks) for clause, checks in found.items()}


def unchecked(library: Library, checks: Checks) -> tuple[Clause, ...]:
    """Return the clauses that nothing checks although the register says they can be checked."""
    return tuple(
        clause
        for clause in library.clauses.values()
        if clause.check_mode is not CheckMode.INFORMATIONAL and not checks[clause.id]
    )


def _checks(library: Library, desk: Mapping[str, Collection[str]]) -> Iterator[tuple[str, str]]:
    for sheet in library.sheets.values():
        for item in sheet.items:
            yield from ((clause, f"item {item.code}") for clause in item.clauses)
            for part in item.answer:
                if isinstance(part, Ratio) and part.min_from is not None:
                    yield part.min_from.clause, f"item {item.code}"
    for rule, clauses in desk.items():
        yield from ((clause, f"rule {rule}") for clause in clauses)
    for clause in library.clauses.values():
        counting = library.deadlines.get(clause.concept)
        if counting is not None and term_of(clause, counting) is not None:
            yield clause.id, f"deadline {clause.concept}"
        for row in library.computed:
            if _computes(row, clause, library):
                yield clause.id, f"answer {row.question}"


def _computes(row: Computed, clause: Clause, library: Library) -> bool:
    place = library.packs[clause.pack].jurisdiction
    return clause.concept in row.concepts and jurisdictions.covers(row.jurisdictions, place)
