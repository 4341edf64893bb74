"""Sending inspectors: everybody the least loaded first, then repairs (draw.md section 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .crew import Blocked, muster
from .repair import Repair, balance, certificate, fill
from .roster import NOBODY, Roster, loads
from .seed import chooser


def _greedy(roster: Roster, alg: str, seed: str) -> list[int]:
    """Phase A: place by place the least loaded, evenly among equals; give the open places."""
    choose = chooser(alg, seed, "ssj1.pick")
    unfilled = []
    for j in range(roster.width):
        suffix = b"\0%d" % j
        for visit, kinds in enumerate(roster.places):
            if j >= len(kinds):
                continue
            free = roster.free(visit, kinds[j])
            if free is None:
                unfilled.append(visit * roster.width + j)
                continue
            number = free.pick(choose(roster.labels[visit] + suffix, free.many))
            roster.teams[visit][j] = number
            roster.change(number, 1)
    return unfilled


def assign(
    alg: str,
    seed: str,
    visits: Sequence[Mapping[str, Any]],
    inspectors: Sequence[Mapping[str, Any]],
    blocked: Blocked,
) -> dict[str, Any]:
    """Send teams: {status, teams, open, certificate, moves, loads} as in section 12.

    `blocked` is pairs of (inspector id, visit id), or visit id -> inspector ids.
    Complete exactly when a complete sending exists; the sum of squared loads is least.
    Raises: E_DUP_VISIT, E_DUP_INSPECTOR, E_BLOCK_REF, E_TEAM_SIZE, the errors of ids, E_TYPE.
    """
    roster = muster(alg, seed, visits, inspectors, blocked)
    unfilled = _greedy(roster, alg, seed)
    repair = Repair(roster)
    unfilled = fill(repair, unfilled, chooser(alg, seed, "ssj1.aug"))
    proof = certificate(repair) if unfilled else None
    moves = balance(repair, chooser(alg, seed, "ssj1.bal"))
    names = [one.id for one in roster.staff]
    return {
        "status": "infeasible" if unfilled else "complete",
        "teams": [
            {
                "visit": visit,
                "team": [names[p] if p != NOBODY else None for p in roster.teams[at]],
            }
            for at, visit in enumerate(roster.visits)
        ],
        "open": [list(slot) for slot in sorted(map(roster.slot, unfilled))],
        "certificate": proof,
        "moves": moves,
        "loads": loads(roster),
    }
