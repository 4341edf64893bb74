"""Signals of time: a phone's clock that is off, captures that came too fast.

Source: evidence spec 2 (time is an interval), 10.
"""

from collections.abc import Sequence
from itertools import pairwise

from inspection_plans.records import Record
from inspection_plans.signals.found import Found, Strength, score
from inspection_plans.signals.limits import Limits

SECOND_MS = 1000


class Shot(Record, frozen=True, kw_only=True):
    """One capture of a device: ``wall_ms`` by its clock, ``at_ms`` by token and monotonic clock.

    ``proved`` says that the token is the server's and the monotonic clock ran on.
    """

    evidence: str
    device: str
    item: str
    wall_ms: int
    at_ms: int
    proved: bool


def clock(shots: Sequence[Shot], limits: Limits) -> Found | None:
    """The clock of one device was off against the server's anchor; zones do not matter here."""
    off = [
        (abs(shot.wall_ms - shot.at_ms), shot)
        for shot in shots
        if shot.proved and abs(shot.wall_ms - shot.at_ms) > limits.clock_s * SECOND_MS
    ]
    if not off:
        return None
    worst, shot = max(off, key=lambda one: (one[0], one[1].evidence))
    seconds = worst // SECOND_MS
    return Found(
        kind="clock",
        subject=shot.device,
        strength=Strength.MODERATE,
        score=score(Strength.MODERATE, seconds - limits.clock_s, limits.clock_s),
        facts={
            "seconds": seconds,
            "limit": limits.clock_s,
            "count": len(off),
            "way": "ahead" if shot.wall_ms > shot.at_ms else "behind",
        },
        evidence=tuple(one.evidence for _, one in off),
    )


def _proved(shots: Sequence[Shot]) -> list[Shot]:
    return sorted(
        (shot for shot in shots if shot.proved), key=lambda shot: (shot.at_ms, shot.evidence)
    )


def burst(shots: Sequence[Shot], limits: Limits) -> Found | None:
    """One device took more captures in a moment than a hand can: files handed over, not taken."""
    ordered, most = _proved(shots), 0
    best: list[Shot] = []
    for start, first in enumerate(ordered):
        end = first.at_ms + limits.burst_window_s * SECOND_MS
        inside = [shot for shot in ordered[start:] if shot.at_ms <= end]
        if len(inside) > most:
            most, best = len(inside), inside
    if most <= limits.burst_captures:
        return None
    return Found(
        kind="burst",
        subject=best[0].device,
        strength=Strength.MODERATE,
        score=score(Strength.MODERATE, most - limits.burst_captures, limits.burst_captures),
        facts={
            "count": most,
            "seconds": limits.burst_window_s,
            "limit": limits.burst_captures,
        },
        evidence=tuple(shot.evidence for shot in best),
    )


def hurry(shots: Sequence[Shot], limits: Limits) -> Found | None:
    """Every item of one device's checklist was captured within seconds of the one before."""
    ordered = _proved(shots)
    turns = [
        later.at_ms - earlier.at_ms
        for earlier, later in pairwise(ordered)
        if later.item != earlier.item
    ]
    items = len({shot.item for shot in ordered})
    if items < limits.hurry_items or any(gap >= limits.hurry_gap_s * SECOND_MS for gap in turns):
        return None
    return Found(
        kind="hurry",
        subject=ordered[0].device,
        strength=Strength.MODERATE,
        score=score(Strength.MODERATE, items - limits.hurry_items, limits.hurry_items),
        facts={"items": items, "limit": limits.hurry_gap_s},
        evidence=tuple(shot.evidence for shot in ordered),
    )
