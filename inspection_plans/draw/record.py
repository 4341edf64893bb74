"""The public record and its chained log (draw.md section 9)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .canon import canonical, digest
from .digest import hexdigest
from .errors import DrawRefusal
from .merkle import frame_root
from .outcome import sealed
from .seed import tagged

FIRST_PREV = "0" * 64
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")

# What the body of each type holds at least. `draws` of a year are {draw, due ISO date}; roots
# are {root, count}; `stage` is "draw", or "assignment" when only the sending is tried anew.
TYPES: dict[str, tuple[str, ...]] = {
    "plan_year": ("year", "draws"),
    "attempt_open": ("draw", "attempt", "stage"),
    "plan": ("draw", "attempt", "digest"),
    "freeze": ("draw", "attempt", "objects", "inspectors", "blocked", "parties", "entropy"),
    "commit": ("draw", "attempt", "party", "commitment"),
    "entropy": ("draw", "attempt", "source", "ref", "value"),
    "reveal": ("draw", "attempt", "party", "digest", "countersigned"),
    "result": ("draw", "attempt", "status", "seed", "selection", "assignment", "days"),
    "void": ("draw", "attempt", "party", "reason"),
    "withdraw": ("draw", "object", "reason", "evidence", "by", "second"),
    "replace": ("draw", "stratum", "object", "withdrawn"),
    "substitute": ("draw", "visit", "place", "event", "released", "inspector"),
    "supplement": ("draw", "inspectors"),
    "disclose": ("draw", "attempt"),
    "opening": ("draw", "attempt", "party", "value"),
}


def entry_hash(alg: str, entry: Mapping[str, Any]) -> str:
    """Hash an entry without its own `hash`, 64 hexadecimal digits."""
    rest = {key: value for key, value in entry.items() if key != "hash"}
    return hexdigest(alg, tagged("ssj1.log") + canonical(rest).encode())


def head(log: Sequence[Mapping[str, Any]]) -> str:
    """Give the hash that stands for the whole log; 64 zeros for an empty one."""
    return str(log[-1]["hash"]) if log else FIRST_PREV


def append(
    log: Sequence[Mapping[str, Any]],
    kind: str,
    body: Mapping[str, Any],
    time: str,
    *,
    alg: str = "sha256",
) -> dict[str, Any]:
    """Make the entry that follows; of `log` only the last entry is read, nothing is changed.

    `time` is UTC to the second, as 2027-01-04T08:00:00Z.
    Raises: E_TYPE for an unknown type or another form of time, E_KEY for a body lacking a key.
    """
    if kind not in TYPES:
        raise DrawRefusal("E_TYPE", "type", type=kind)
    if not TIME.fullmatch(time):
        raise DrawRefusal("E_TYPE", "time", time=time)
    for key in TYPES[kind]:
        if key not in body:
            raise DrawRefusal("E_KEY", key, type=kind)
    entry = {
        "seq": int(log[-1]["seq"]) + 1 if log else 0,
        "prev": head(log),
        "time": time,
        "type": kind,
        "body": dict(body),
    }
    entry["hash"] = entry_hash(alg, entry)
    return entry


def frozen(
    alg: str, frames: Mapping[str, Sequence[Any]], keys: Mapping[str, str]
) -> dict[str, Any]:
    """Commit to frames {objects, inspectors, blocked}: the part of a freeze body they give."""
    blocked = sorted(list(pair) for pair in frames["blocked"])
    if blocked != [list(pair) for pair in frames["blocked"]]:
        raise DrawRefusal("E_BLOCK_REF", "blocked")
    roots = {
        name: {"root": frame_root(alg, keys[name], frames[name]), "count": len(frames[name])}
        for name in ("objects", "inspectors")
    }
    return {**roots, "blocked": digest(alg, blocked)}


def result_body(
    alg: str, draw: str, attempt: int, seed: str, outcome: Mapping[str, Any]
) -> dict[str, Any]:
    """Give the body of a `result` entry: digests alone, for the targets are still sealed."""
    return {"draw": draw, "attempt": attempt, **sealed(alg, seed, outcome)}


def build(
    alg: str,
    draw: str,
    plan: Mapping[str, Any],
    frames: Mapping[str, Sequence[Any]],
    *,
    keys: Mapping[str, str],
    log: Sequence[Mapping[str, Any]],
    outcome: Mapping[str, Any],
) -> dict[str, Any]:
    """Put the public record together, profile FULL (section 2.6): everybody can replay it.

    Disclosures, openings and withdrawals are entries of the log; they stand nowhere twice.
    """
    return {
        "alg": alg,
        "draw": draw,
        "plan": dict(plan),
        "objects": list(frames["objects"]),
        "inspectors": list(frames["inspectors"]),
        "blocked": list(frames["blocked"]),
        "keys": {"objects": keys["objects"], "inspectors": keys["inspectors"]},
        "log": list(log),
        "selection": list(outcome["selection"]),
        "assignment": dict(outcome["assignment"]),
        "days": dict(outcome["days"]),
    }
