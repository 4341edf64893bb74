"""Phases B and C: fill what stayed open, then even out the loads (draw.md section 6)."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from typing import Any

from .roster import NOBODY, Free, Kind, Roster


class Repair:
    """Breadth-first searches over places; a place is the number visit * width + j.

    `dead` places and `spent` inspectors are regions a failed search reached. They stay closed:
    nothing leads out of them, so no later path touches them and later searches skip them.
    """

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self.dead: set[int] = set()
        self.spent: set[int] = set()
        self.held: list[list[int]] = [[] for _ in roster.staff]
        for visit, team in enumerate(roster.teams):
            for j, number in enumerate(team):
                if number != NOBODY:
                    self.held[number].append(visit * roster.width + j)
        self._alive = {kind: kind.members for kind in roster.kinds()}
        self._parent: dict[int, int] = {}
        self._seen: set[int] = set()

    def search(
        self, roots: Sequence[int], ceiling: int | None, start: int = NOBODY
    ) -> tuple[int, Free] | None:
        """Find the first place somebody free can take; `start` counts as seen.

        None when there is none: then everything reached is closed for good.
        """
        roster = self.roster
        queue = [place for place in roots if place not in self.dead]
        self._parent = dict.fromkeys(queue, NOBODY)
        self._seen = {start} - {NOBODY}
        unseen: dict[Kind, list[int]] = {}
        for place in queue:
            visit, j = divmod(place, roster.width)
            kind = roster.places[visit][j]
            free = roster.free(visit, kind, ceiling)
            if free:
                return place, free
            self._spread(place, kind, unseen, queue)
        self._close()
        return None

    def _spread(
        self, place: int, kind: Kind, unseen: dict[Kind, list[int]], queue: list[int]
    ) -> None:
        """Put into the queue what the fitting inspectors hold, in drawn order."""
        visit = place // self.roster.width
        team, block = self.roster.teams[visit], self.roster.blocked[visit]
        left = unseen.get(kind, self._alive[kind])
        away = set(block).union(team)
        unseen[kind] = [p for p in left if p in away]
        mates = [p for p in team if p != NOBODY and kind.fits[p]]
        for number in sorted([p for p in left if p not in away] + mates):
            if number in mates:
                self._reach(visit * self.roster.width + team.index(number), place, queue)
            elif number not in self._seen:
                self._seen.add(number)
                for held in self.held[number]:
                    self._reach(held, place, queue)

    def _reach(self, place: int, parent: int, queue: list[int]) -> None:
        if place not in self._parent and place not in self.dead:
            self._parent[place] = parent
            queue.append(place)

    def _close(self) -> None:
        self.dead.update(self._parent)
        if self._seen - self.spent:
            self.spent |= self._seen
            for kind, alive in self._alive.items():
                self._alive[kind] = [p for p in alive if p not in self.spent]

    def shift(self, place: int, number: int) -> int:
        """Let the inspector take the place, each former holder the parent; give the last one."""
        width = self.roster.width
        while place != NOBODY:
            visit, j = divmod(place, width)
            former = self.roster.teams[visit][j]
            self.roster.teams[visit][j] = number
            insort(self.held[number], place)
            if former != NOBODY:
                held = self.held[former]
                del held[bisect_left(held, place)]
            number, place = former, self._parent[place]
        return number


def fill(repair: Repair, places: Sequence[int], choose: Callable[[bytes, int], int]) -> list[int]:
    """Phase B: fill open places by shifting others; give those that nobody can fill."""
    roster, unfilled = repair.roster, []
    for root in places:
        found = repair.search([root], None)
        if found is None:
            unfilled.append(root)
            continue
        place, free = found
        label = roster.label(root) + b"\0" + roster.label(place)
        number = free.pick(choose(label, free.many))
        repair.shift(place, number)
        roster.change(number, 1)
    return unfilled


def balance(repair: Repair, choose: Callable[[bytes, int], int]) -> int:
    """Phase C: take turns off the most loaded until no shift lowers the sum of squares.

    Gives the number of moves.
    """
    roster, moves = repair.roster, 0
    settled: set[int] = set()
    heap = [(-load, number) for number, load in enumerate(roster.load)]
    heapq.heapify(heap)
    while heap:
        load, first = -heap[0][0], heap[0][1]
        if first in settled or load != roster.load[first]:
            heapq.heappop(heap)
            continue
        lowest = roster.everybody.loads
        if not lowest or lowest[0] > load - 2:
            break
        found = repair.search(list(repair.held[first]), load - 2, first)
        if found is None:
            settled |= {first} | repair.spent
            continue
        place, free = found
        label = b"%d\0" % moves + roster.label(place)
        number = free.pick(choose(label, free.many))
        repair.shift(place, number)
        roster.change(number, 1)
        roster.change(first, -1)
        heapq.heappush(heap, (-roster.load[number], number))
        heapq.heappush(heap, (-roster.load[first], first))
        moves += 1
    return moves


def certificate(repair: Repair) -> dict[str, Any]:
    """Show why places stay open: need - supply is exactly their number, after phase B.

    Whoever fits a dead place and is not spent already stands in that visit's team.
    """
    roster = repair.roster
    supply = sum(max(0, roster.staff[p].cap - roster.staff[p].load) for p in repair.spent)
    beside: set[tuple[int, int]] = set()
    for place in repair.dead:
        visit, j = divmod(place, roster.width)
        fits = roster.places[visit][j].fits
        mates = [p for p in roster.teams[visit] if p != NOBODY and fits[p]]
        beside.update((visit, p) for p in mates if p not in repair.spent)
    return {
        "slots": [list(slot) for slot in sorted(map(roster.slot, repair.dead))],
        "inspectors": sorted(roster.staff[p].id for p in repair.spent),
        "need": len(repair.dead),
        "supply": supply + len(beside),
    }
