"""Choosing institutions: musts, certain ones, the random draw and its reserve (section 5)."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isqrt
from typing import Any

from .allot import check_plan, count, strata_of, targets
from .digest import Digest, hasher
from .frame import Group, group
from .seed import SPACE, marker, tagged, unhex

_SHIFT = 128


def pareto(ticket: int, w: int, places: int, total: int) -> int:
    """Give the key of a row of weight w where n' places are drawn from the pool's weight W."""
    if places > 0:
        return (ticket * (total - places * w) << _SHIFT) // ((SPACE - ticket) * w)
    return (ticket << _SHIFT) // w


class Urn:
    """What one stratum is drawn from, after musts and certain ones have left the pool.

    `open` is n' and `total` is W of draw.md section 5; a row's chance is open * w / total.
    """

    def __init__(self, group: Group, n: int) -> None:
        self.certain: list[str] = []
        self.pool = group.pool
        self.weights = group.weights
        self.given = group.weights
        self.open = n - len(group.must)
        self.total = len(group.pool) - len(group.weights) + sum(group.weights.values())
        while self.open > 0 and self._take_all():
            pass

    def weight(self, ident: str) -> int:
        return self.weights.get(ident, 1)

    def _take_all(self) -> bool:
        """Move everybody whose share would be a whole place or more; tell whether there were."""
        enough = -(-self.total // self.open)
        heaviest = max(self.weights.values(), default=1)
        if max(heaviest, 1) < enough:
            return False
        sure = [ident for ident in self.pool if self.weight(ident) >= enough]
        self.certain += sure
        self.open -= len(sure)
        self.total -= sum(map(self.weight, sure))
        self.pool = [ident for ident in self.pool if self.weight(ident) < enough]
        self.weights = {i: w for i, w in self.weights.items() if w < enough}
        return True

    def even(self) -> bool:
        """Tell whether all weights are equal, so that the ticket alone gives the order."""
        distinct = set(self.weights.values())
        return not distinct or (len(distinct) == 1 and len(self.weights) == len(self.pool))

    def key(self, ticket: int, ident: str) -> int:
        """Pareto key, an integer; the smallest are drawn."""
        return pareto(ticket, self.weight(ident), self.open, self.total)


def _below(start: Digest, ids: Iterable[str], cut: bytes) -> list[tuple[bytes, str]]:
    copy = start.copy
    found = []
    for ident in ids:
        state = copy()
        state.update(ident.encode())
        mark = state.digest()
        if mark <= cut:
            found.append((mark, ident))
    return found


def lowest(start: Digest, ids: Sequence[str], wanted: int, deviations: int = 6) -> list[str]:
    """Give the `wanted` ids of smallest ticket in order, by (ticket, id).

    `start` is the digest after tag and seed; `deviations` trades memory for a second pass.
    """
    if wanted <= 0 or not ids:
        return []
    # Tickets are even over the space: a few deviations above the wanted share nearly always
    # hold enough, and only these are kept and sorted; if not, everybody is.
    guess = wanted + deviations * isqrt(wanted) + 16
    if guess < len(ids):
        cut = SPACE * guess // len(ids)
        found = _below(start, ids, cut.to_bytes(32, "big"))
        if len(found) >= wanted:
            return [ident for _, ident in sorted(found)[:wanted]]
    return [ident for _, ident in sorted(_below(start, ids, b"\xff" * 32))[:wanted]]


def _keyed(start: Digest, urn: Urn) -> Iterator[tuple[int, int, str]]:
    copy = start.copy
    for ident in urn.pool:
        state = copy()
        state.update(ident.encode())
        ticket = int.from_bytes(state.digest(), "big")
        yield urn.key(ticket, ident), ticket, ident


def _draw(start: Digest, urn: Urn, wanted: int) -> list[str]:
    if urn.even():
        return lowest(start, urn.pool, wanted)
    return [ident for _, _, ident in heapq.nsmallest(wanted, _keyed(start, urn))]


def prepare(
    alg: str, seed: str, plan: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Group], dict[str, int]]:
    """Check everything; give groups and targets by stratum id in byte order."""
    strata = strata_of(plan)
    ids = [stratum["id"] for stratum in strata]
    groups = group(rows, ids)
    check_plan(plan, strata)
    return groups, targets(plan, strata, groups, marker(alg, seed, "ssj1.stratum"))


def _total(start: Digest, urn: Urn, part: Mapping[str, Any]) -> dict[str, Any]:
    """Give the stratum's figures with its threshold, the largest key that was drawn."""
    last = part["random"][-1] if part["random"] else None
    threshold = None
    if last is not None:
        state = start.copy()
        state.update(last.encode())
        threshold = str(urn.key(int.from_bytes(state.digest(), "big"), last))
    lists = ("must", "certain", "random", "reserve")
    figures = {name: part[name] for name in part if name not in lists}
    counts = {name: len(part[name]) for name in lists}
    certain = min((urn.given.get(ident, 1) for ident in urn.certain), default=None)
    # Texts, because two of them may be beyond the integers of canonical JSON.
    bounds = {"weight": str(urn.total), "threshold": threshold, "certain_from": certain}
    return {**figures, **counts, **bounds}


def select_with_totals(
    alg: str, seed: str, plan: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Draw institutions; give what `select` gives, and its totals by stratum (section 2.6).

    A total is {stratum, frame, eligible, target, n, shortfall}, the counts {must, certain,
    random, reserve}, and {weight: W and threshold: largest drawn key or null, both decimal
    texts; certain_from: least weight of the certain ones or null}.
    """
    groups, wanted = prepare(alg, seed, plan, rows)
    start = hasher(alg)(tagged("ssj1.ticket") + unhex(seed, "seed"))
    spare = count(plan, "reserve", 0)
    drawn, totals = [], []
    for ident, part in groups.items():
        target = wanted[ident]
        n = min(target, part.eligible)
        urn = Urn(part, n)
        order = _draw(start, urn, urn.open + spare)
        drawn.append(
            {
                "stratum": ident,
                "frame": part.rows,
                "eligible": part.eligible,
                "target": target,
                "n": n,
                "shortfall": target - n,
                "must": lowest(start, part.must, len(part.must)),
                "certain": lowest(start, urn.certain, len(urn.certain)),
                "random": order[: urn.open],
                "reserve": order[urn.open :],
            }
        )
        totals.append(_total(start, urn, drawn[-1]))
    return drawn, totals


def select(
    alg: str, seed: str, plan: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Draw institutions: one result per stratum in byte order; ids in drawn order.

    Raises: E_DUP_STRATUM; by row E_ID, E_CONTROL, E_SURROGATE, E_NFC, E_DUP_ID, E_STRATUM,
    E_WEIGHT, E_MUST_EXCL; then E_RATIO, E_MODE.  Source: draw.md sections 5 and 13.
    """
    return select_with_totals(alg, seed, plan, rows)[0]
