"""Seeded schedules hold; the checker sees each promise broken; a seed plays the same again."""

from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from litestar import Litestar

from backend.embedded.supervisor import Running
from backend.settings import Settings
from tests.conftest import StillClock, superuser
from tests.faults import mutants
from tests.faults.checker import Case, check
from tests.faults.history import History
from tests.faults.mutations import MUTATIONS
from tests.faults.schedule import cases, schedule
from tests.faults.stage import Stage, a_stage

SHORT, FULL = 200, 10_000
SHOWN = 5  # of many failures the first ones say enough


@pytest.fixture
async def stage(
    app: Litestar,
    clean: None,  # noqa: ARG001 - the log is rebuilt from its first entry
    owner: asyncpg.Connection,
    settings: Settings,
    clock: StillClock,
    stack: Running,
) -> AsyncIterator[Stage]:
    """An office on the servers of this run."""
    dsn = superuser(stack, settings.database.name)
    async with a_stage(app, owner, settings, clock, dsn) as made:
        yield made


async def held(stage: Stage, seeds: range) -> None:
    """Play seeds; say of the first that fail how to replay them."""
    failed = [one for seed in seeds if (one := await schedule(stage, seed)).wrong]
    told = "\n".join(str(one) for one in failed[:SHOWN])
    assert not failed, f"{len(failed)} of {len(seeds)} schedules failed\n{told}"


@pytest.mark.timeout(900)
async def test_the_first_schedules_hold(stage: Stage) -> None:
    await held(stage, range(1, SHORT + 1))


@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
async def test_ten_thousand_schedules_hold(stage: Stage) -> None:
    await held(stage, range(1, FULL + 1))


async def test_a_seed_plays_the_same_again(stage: Stage) -> None:
    """Ids differ by the label, steps do not."""
    first = [(await schedule(stage, seed, "one")).trace for seed in (3, 7)]
    again = [(await schedule(stage, seed, "two")).trace for seed in (3, 7)]
    assert first == again
    assert len(first[0]) > 5


def _applied(case: Case, kind: str = "certificate.shown") -> dict[str, Any]:
    found: dict[str, Any] = case.facts.of("op", status="applied", kind=kind)[0]
    return found


def _drop(case: Case, table: str, row: dict[str, Any]) -> None:
    case.facts.tables[table].remove(row)


def _lose_op(case: Case) -> None:
    _drop(case, "op", _applied(case))


def _lose_entry(case: Case) -> None:
    op_id = str(_applied(case)["op_id"])
    case.facts.entries[:] = [e for e in case.facts.entries if e["body"].get("op_id") != op_id]


def _double_entry(case: Case) -> None:
    op_id = str(_applied(case)["op_id"])
    twice = [e for e in case.facts.entries if e["body"].get("op_id") == op_id]
    case.facts.entries.extend(twice)


def _alter_body(case: Case) -> None:
    row = _applied(case)
    row["envelope"] = bytes(row["envelope"]).replace("校长".encode(), "班长".encode())


def _reuse_number(case: Case) -> None:
    first, second = case.facts.of("op", dev=_applied(case)["dev"])[:2]
    second["seq"] = first["seq"]


def _lose_event(case: Case) -> None:
    op_id = _applied(case)["op_id"]
    _drop(case, "visit_event", case.facts.of("visit_event", op_id=op_id)[0])


def _move_visit(case: Case) -> None:
    case.facts.of("visit")[0]["state"] = "started"


def _sealed(case: Case) -> dict[str, Any]:
    found: dict[str, Any] = case.facts.of("evidence", state="sealed")[0]
    return found


def _rot_original(case: Case) -> None:
    case.facts.blobs[str(_sealed(case)["id"])] = ("00" * 32, 1)


def _lose_original(case: Case) -> None:
    case.facts.blobs[str(_sealed(case)["id"])] = None


def _not_late(case: Case) -> None:
    row = _sealed(case)
    row["late"] = not row["late"]


def _no_proof(case: Case) -> None:
    ident = str(_sealed(case)["id"])
    case.facts.entries[:] = [
        e
        for e in case.facts.entries
        if (e["body"]["object"]["id"], e["body"]["verb"]) != (ident, "evidence.verified")
    ]


def _forged_receipt(case: Case) -> None:
    case.facts.receipts[0]["signature"] = bytes(64)


def _unknown_head(case: Case) -> None:
    case.notes.clear()


def _freed(case: Case) -> None:
    case.history.note("phone-1", "freed", evidence="x", receipt=b"")


def _lost_bytes(case: Case) -> None:
    kept = next(iter(case.phones[0].shelf.captures.values()))
    kept.raw = None
    case.facts.blobs[kept.id] = None


def _broken_promise(case: Case) -> None:
    case.history.note("phone-1", "promise_broken", evidence="x", promised=5, now=0)


def _seen(case: Case) -> None:
    case.history.note("stranger", "spy", path="/api/v1/visits", seen="a visit")


def _open_task(case: Case) -> None:
    case.facts.open_tasks.append({"kind": "x", "payload": {}, "last_error": None})


def _refused(case: Case) -> None:
    case.phones[0].shelf.letters[0].stand = "dead"


BROKEN: dict[str, tuple[Callable[[Case], None], str]] = {
    "lose_op": (_lose_op, "acknowledged_is_present"),
    "lose_entry": (_lose_entry, "exactly_once"),
    "double_entry": (_double_entry, "exactly_once"),
    "alter_body": (_alter_body, "operations_are_what_was_signed"),
    "reuse_number": (_reuse_number, "exactly_once"),
    "lose_event": (_lose_event, "effects_are_those_of_the_operations"),
    "move_visit": (_move_visit, "effects_are_those_of_the_operations"),
    "rot_original": (_rot_original, "evidence_is_what_was_signed"),
    "lose_original": (_lose_original, "complete_means_everything"),
    "not_late": (_not_late, "evidence_is_what_was_signed"),
    "no_proof": (_no_proof, "complete_means_everything"),
    "forged_receipt": (_forged_receipt, "receipts_are_truthful"),
    "unknown_head": (_unknown_head, "receipts_are_truthful"),
    "freed": (_freed, "no_bytes_are_lost"),
    "lost_bytes": (_lost_bytes, "no_bytes_are_lost"),
    "broken_promise": (_broken_promise, "promises_of_offsets_hold"),
    "seen": (_seen, "nothing_foreign_is_seen"),
    "open_task": (_open_task, "everything_is_drained"),
    "refused": (_refused, "nothing_honest_is_refused"),
}


def _rich(case: Case) -> bool:
    """Whether there is something to bend: proved captures of a complete visit."""
    visits = {row["id"] for row in case.facts.of("visit", state="complete")}
    claimed = {item["id"] for row in case.facts.of("claim") for item in row["items"]}
    return case.phones[0].shelf.captures != {} and any(
        row["visit"] in visits and str(row["id"]) in claimed
        for row in case.facts.of("evidence", state="sealed")
    )


def _copy(case: Case) -> Case:
    phones = [replace(phone, shelf=deepcopy(phone.shelf)) for phone in case.phones]
    facts, history = deepcopy(case.facts), History(list(case.history.events))
    return replace(case, facts=facts, history=history, phones=phones, notes=set(case.notes))


async def test_the_checker_sees_every_promise_broken(stage: Stage) -> None:
    """One good schedule; each of its facts bent in turn gives a sentence of the right rule."""
    seed = 1
    while not _rich(case := await cases(stage, seed, "bent")):
        seed += 1
    assert check(case) == []
    for name, (bend, rule) in BROKEN.items():
        bent = _copy(case)
        bend(bent)
        rules = {one.partition(":")[0] for one in check(bent)}
        assert rule in rules, (seed, name)


def test_an_empty_history_breaks_nothing() -> None:
    assert list(History().of("op")) == []


def test_mutations_have_names_of_their_own() -> None:
    assert len({one.name for one in MUTATIONS}) == len(MUTATIONS) >= 25


@pytest.mark.slow
@pytest.mark.timeout(3 * 3600)
def test_every_seeded_bug_is_found() -> None:
    found = list(mutants.gate((), first=1, count=mutants.WITHIN, clean=mutants.WITHIN))
    assert [mutants.line(one) for one in found if not one.passed] == []
