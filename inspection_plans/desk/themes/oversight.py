"""Rules about the supervisors' own work: DR-49 the ledger, DR-50 what follows, DR-51 look-up."""

from collections.abc import Iterator
from typing import get_args, get_type_hints

from inspection_plans.desk.frame import At, Results, check, via
from inspection_plans.desk.view import View
from inspection_plans.filings.catalogue import PublicLookup
from inspection_plans.filings.oversight import BadRecord, Case, Inspection
from inspection_plans.vocabulary import ClauseId

_DRAWN = ("plan", "seed", "objects_drawn", "inspectors_drawn", "results_public_on")
# Concept of the clause that asks for a step, and the fields of the case that prove it.
_STEPS = (
    ("exit_catalogue", ("proposed_removal_on",)),
    ("handover", ("handed_over_on", "receiver")),
)
_AFTER_CHEATING = (
    ("subsidy_recovery", ("recovered_on",)),
    ("accountability", ("held_liable_on",)),
    ("bad_record", ("bad_record_id",)),
)
_STATISTICS = ("training_certificates", "level_certificates")


@check("DR-49", over=Inspection, reads={Inspection: via("kind", "kind")})
def ledger(at: At, one: Inspection) -> Results:
    """Ask of a draw for all its parts, and of the others what was called for or visited.

    Every kind is counted apart, within its year.
    Source: national-2021-71/6.2/double-random, shandong-2022-156/3.2; clause register K17.
    """
    same = at.view.many(Inspection, "kind", one.kind)
    facts = {"kind": one.kind, "year": one.held_on.year}
    facts["count"] = sum(other.held_on.year == one.held_on.year for other in same)
    if one.kind == "random":
        lacking = [name for name in _DRAWN if getattr(one, name) in (None, 0)]
        outcome = "incomplete" if lacking else "complete"
        yield at.say(outcome, one, one.held_on, {**facts, "lacking": lacking})
        return
    unknown = [name for name in ("papers_called", "visited") if getattr(one, name) is None]
    if unknown:
        yield at.missing(one, one.held_on, *(f"inspections.{name}" for name in unknown))
        return
    done = [name for name in ("papers_called", "visited") if getattr(one, name)]
    yield at.say("recorded" if done else "nothing_done", one, one.held_on, {**facts, "done": done})


def _cases_naming(view: View, row: BadRecord) -> Iterator[Case]:
    """From a bad record to the cases that name it."""
    yield from view.many(Case, "bad_record_id", row.id)


@check("DR-50", over=Case, reads={BadRecord: _cases_naming})
def closed_loop(at: At, one: Case) -> Results:
    """Ask of a critical case for every step that a paper in force wants.

    Source: national-2021-71/6.3, heilongjiang-2023-13/5.4; clause register K09.
    """
    on = one.verified_on
    if one.severity != "critical":
        return
    steps = [*_STEPS]
    if at.in_force(on, _AFTER_CHEATING[0][0]):
        if one.subsidy_cheated is None:
            yield at.missing(one, on, "cases.subsidy_cheated")
            return
        steps += _AFTER_CHEATING if one.subsidy_cheated else ()
    lacking: list[str] = []
    cited: list[ClauseId] = []
    for concept, fields in steps:
        clauses = at.clauses(on, concept)
        cited += clauses
        if clauses:
            lacking += [name for name in fields if getattr(one, name) is None]
    register_known = at.view.known(BadRecord)
    if one.bad_record_id and register_known and at.view.one(BadRecord, one.bad_record_id) is None:
        lacking.append("bad_record_id")
    facts = {"verified_on": on, "lacking": lacking}
    yield at.say("open" if lacking else "complete", one, on, facts, clauses=cited)


@check("DR-51", over=PublicLookup)
def look_up(at: At, one: PublicLookup) -> Results:
    """Ask for all items in the public look-up, still true, with both statistics and the hours.

    Source: national-2021-71/6.1/query-service, national-2021-71/5/talent-statistics.
    """
    on = one.seen_on
    unknown = [name for name in ("statistics", "credit_hours") if getattr(one, name) is None]
    if unknown:
        yield at.missing(
            one, on, *(f"public_lookups.{name}" for name in unknown), part="statistics"
        )
    lacking = [item for item in _items() if item not in one.items]
    lacking += [name for name in _STATISTICS if name not in (one.statistics or _STATISTICS)]
    lacking += ["credit_hours"] if one.credit_hours is False else []
    facts = {"lacking": lacking, "stale": one.stale}
    yield at.say("lacking" if lacking or one.stale else "complete", one, on, facts)


def _items() -> tuple[str, ...]:
    """Return the items of the look-up, as the register of the filings names them."""
    words, _ = get_args(get_type_hints(PublicLookup)["items"])
    return tuple(str(word) for word in get_args(words))
