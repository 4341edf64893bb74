"""Replays a public record, frames to teams, and tells what does not hold (section 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .canon import canonical, digest
from .ceremony import LEVELS, Attempt, attempts, check_attempts
from .chain import check_chain, check_heads, check_year, entries
from .digest import hasher
from .errors import DrawRefusal
from .events import (
    check_exclusions,
    check_reserves,
    check_returned,
    check_substitutes,
    check_withdrawals,
)
from .merkle import frame_root
from .outcome import draw_days, sealed, send, written
from .select import select

_FIELDS = {
    "alg": str,
    "draw": str,
    "plan": dict,
    "objects": list,
    "inspectors": list,
    "blocked": list,
    "keys": dict,
    "log": list,
    "selection": list,
    "assignment": dict,
    "days": dict,
}
# What a record cannot prove about the world outside it.
UNCHECKED = (
    "signatures of the parties over the heads, and of a beacon over its value",
    "that the parties are independent of each other",
    "that dice and lottery numbers were read as they fell",
    "that the rows of the frames are true",
    "that the times of the log were those of the clock",
)
_BROKEN = (KeyError, TypeError, ValueError, AttributeError, IndexError, DrawRefusal)


class Failure(NamedTuple):
    """One thing that does not hold: the check's name and a sentence."""

    check: str
    text: str


class Report(NamedTuple):
    """`ok` only when everything held; `level` A-D, null when it cannot be told."""

    ok: bool
    level: str | None
    failures: list[Failure]
    unchecked: list[str]


def _run(check: str, texts: Callable[[], Iterable[str]]) -> list[Failure]:
    """Run a check; a record of the wrong shape fails it instead of ending the run."""
    failures = []
    try:
        for text in texts():
            failures.append(Failure(check, text))  # noqa: PERF401 - what came before a break counts
    except _BROKEN as broken:
        text = f"cannot be read: {type(broken).__name__} {broken}"
        failures.append(Failure(check, text[:200]))
    return failures


def _check_shape(record: Mapping[str, Any]) -> Iterator[str]:
    if not set(_FIELDS) <= set(record) <= set(_FIELDS) | {"profile", "countersigns"}:
        yield f"the record has other fields than {', '.join(_FIELDS)}"
    for name, kind in _FIELDS.items():
        if not isinstance(record[name], kind):
            yield f"the field {name} is not of type {kind.__name__}"
    hasher(record["alg"])
    if set(record["keys"]) != {"objects", "inspectors"}:
        yield "the record has other keys than objects and inspectors"


def _results(tries: Sequence[Attempt]) -> list[Attempt]:
    return [attempt for attempt in tries if attempt.result]


def _check_plan(record: Mapping[str, Any], tries: Sequence[Attempt]) -> Iterator[str]:
    right = digest(record["alg"], record["plan"])
    for attempt in tries:
        if any(body["digest"] != right for body in attempt.bodies("plan")):
            yield f"the plan is not the one that attempt {attempt.number} announced"


def _check_frames(record: Mapping[str, Any], tries: Sequence[Attempt]) -> Iterator[str]:
    done = _results(tries)
    if not done:
        return
    alg, keys = record["alg"], record["keys"]
    for name, attempt in (("objects", done[0]), ("inspectors", done[-1])):
        frame = {"root": frame_root(alg, keys[name], record[name]), "count": len(record[name])}
        # Canonical texts, because Python holds True and 1 for equal.
        if canonical(frame) != canonical(attempt.freeze[name]):
            yield f"the frame of {name} is not the one that was frozen"
    blocked = [list(pair) for pair in record["blocked"]]
    if blocked != sorted(blocked):
        yield "the blocked pairs are not in the order of their bytes"
    if digest(alg, blocked) != done[-1].freeze["blocked"]:
        yield "the blocked pairs are not those that were frozen"


def _check_result(record: Mapping[str, Any], tries: Sequence[Attempt]) -> Iterator[str]:
    done = _results(tries)
    if not done:
        yield "there is no result to replay"
        return
    alg, plan = record["alg"], record["plan"]
    first, last = done[0].seed(alg, plan), done[-1].seed(alg, plan)
    selection = select(alg, first, plan, record["objects"])
    right = {
        "selection": selection,
        "assignment": send(alg, last, plan, record, selection),
        "days": draw_days(alg, first, plan, record["objects"], selection),
    }
    stated = written(record)
    for name, value in written(right).items():
        if canonical(value) != canonical(stated[name]):
            yield f"the seed gives another {name}"
    noted = done[-1].result or {}
    for name, value in sealed(alg, last, right).items():
        if noted[name] != value:
            yield f"the log noted another {name} at the result"
    if len(done) > 1:
        noted, again = done[0].result or {}, sealed(alg, first, right)
        if any(noted[name] != again[name] for name in ("seed", "selection", "days")):
            yield "the first result noted another selection"


def _check_level(record: Mapping[str, Any], level: str | None) -> Iterator[str]:
    reason = record["plan"].get("level_d_accepted")
    if level == "D" and not (isinstance(reason, str) and reason):
        yield "one party with nothing but its own numbers, and the plan gives no reason for that"


def _level(tries: Sequence[Attempt]) -> str | None:
    try:
        return max((attempt.level() for attempt in _results(tries)), key=LEVELS.index)
    except _BROKEN:
        return None


def _unchecked(
    record: Mapping[str, Any], tries: Sequence[Attempt], heads: Sequence[str]
) -> list[str]:
    notes = list(UNCHECKED)
    if not heads:
        notes.append("that this is the log whose head was countersigned: no head was given")
    if len(_results(tries)) > 1:
        notes.append("the teams of the first sending: its frame was supplemented since")
    if "withdrawal_limit" not in record["plan"]:
        notes.append("the number of withdrawals: the plan names no limit")
    return notes


def verify(record: Mapping[str, Any], heads: Sequence[str] = ()) -> Report:
    """Check and replay a record of profile FULL; nothing in it is trusted.

    `heads` are log heads as witnesses hold them, or their first 16 digits as printed.
    Raises nothing, whatever the record holds.
    """
    failures = _run("shape", lambda: _check_shape(record))
    if failures:
        return Report(ok=False, level=None, failures=failures, unchecked=list(UNCHECKED))
    alg, log = record["alg"], record["log"]
    failures = _run("chain", lambda: check_chain(alg, log))
    try:
        tries = attempts(log, record["draw"])
    except _BROKEN:
        tries = []
        failures.append(Failure("attempts", "the attempts of the draw cannot be read"))
    level = _level(tries)
    checks: dict[str, Callable[[], Iterable[str]]] = {
        "heads": lambda: check_heads(log, heads),
        "year": lambda: check_year(log, record["draw"]),
        "attempts": lambda: check_attempts(alg, log, tries),
        "plan": lambda: _check_plan(record, tries),
        "frames": lambda: _check_frames(record, tries),
        "result": lambda: _check_result(record, tries),
        "level": lambda: _check_level(record, level),
        "exclusions": lambda: check_exclusions(record),
        "withdrawals": lambda: check_withdrawals(record),
        "returned": lambda: check_returned(record),
        "reserves": lambda: check_reserves(record),
    }
    for name, texts in checks.items():
        failures += _run(name, texts)
    if not failures and entries(log, "substitute", record["draw"]):
        seed = _results(tries)[-1].seed(alg, record["plan"])
        failures += _run("substitutes", lambda: check_substitutes(record, seed))
    return Report(
        ok=not failures,
        level=level,
        failures=failures,
        unchecked=_unchecked(record, tries, heads),
    )
