"""Who fits which place and how loaded they are, kept in drawn order (draw.md section 6)."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

NOBODY = -1


class Shape(NamedTuple):
    """What the places of a visit ask: lead, skills in byte order, any."""

    area: str | None
    roles: tuple[str, ...]


class Inspector(NamedTuple):
    """An inspector after the checks; `roles` are those this person can fill."""

    id: str
    areas: frozenset[str]
    roles: frozenset[str]
    cap: int
    load: int


class Kind:
    """All places with one area and one role: who fits, and the free ones by load.

    Inspectors are numbers in drawn order; `levels` maps a load to the ascending numbers of
    those below their cap who have it, `loads` are its keys in order.
    """

    def __init__(self, area: str | None, role: str, staff: Sequence[Inspector]) -> None:
        self.members = [
            number
            for number, one in enumerate(staff)
            if (area is None or area in one.areas) and role in one.roles
        ]
        self.fits = bytearray(len(staff))
        self.levels: dict[int, list[int]] = {}
        self.loads: list[int] = []
        for number in self.members:
            self.fits[number] = 1

    def put(self, number: int, load: int) -> None:
        level = self.levels.get(load)
        if level:
            insort(level, number)
        else:
            self.levels[load] = [number]
            insort(self.loads, load)

    def take(self, number: int, load: int) -> None:
        level = self.levels[load]
        if len(level) > 1:
            del level[bisect_left(level, number)]
        else:
            del self.levels[load]
            self.loads.remove(load)

    def move(self, number: int, load: int, to: int) -> None:
        """Change a load; `NOBODY` on either side is one who is not free."""
        if load != NOBODY:
            self.take(number, load)
        if to != NOBODY:
            self.put(number, to)


class Free(NamedTuple):
    """The candidates for a place: the numbers of `level` but for those in `barred`."""

    level: list[int]
    barred: list[int]
    many: int

    def pick(self, at: int) -> int:
        """Give the candidate at this position, counted in drawn order."""
        for number in self.barred:
            if number > self.level[at]:
                break
            at += 1
        return self.level[at]


class Roster:
    """Visits and inspectors in drawn order, teams as numbers, `NOBODY` where a place is open."""

    def __init__(
        self,
        visits: Sequence[str],
        shapes: Sequence[Shape],
        staff: Sequence[Inspector],
        blocked: Sequence[list[int]],
    ) -> None:
        self.visits = visits
        self.labels = [visit.encode() for visit in visits]
        self.staff = staff
        self.blocked = blocked
        self.load = [one.load for one in staff]
        self.cap = [one.cap for one in staff]
        # The load of those below their cap, else NOBODY: one look tells "free at this level".
        self.level = [one.load if one.load < one.cap else NOBODY for one in staff]
        self._kinds: dict[tuple[str | None, str], Kind] = {}
        self.everybody = self.kind(None, "any")
        places = {
            shape: [self.kind(shape.area, role) for role in shape.roles] for shape in set(shapes)
        }
        self.places = [places[shape] for shape in shapes]
        self.teams = [[NOBODY] * len(kinds) for kinds in self.places]
        self.width = max(map(len, self.places), default=1)
        self._join()

    def kind(self, area: str | None, role: str) -> Kind:
        key = (area, role)
        if key not in self._kinds:
            self._kinds[key] = Kind(area, role, self.staff)
        return self._kinds[key]

    def kinds(self) -> Iterable[Kind]:
        return self._kinds.values()

    def _join(self) -> None:
        self.joined: list[list[Kind]] = [[] for _ in self.staff]
        for kind in self._kinds.values():
            for number in kind.members:
                self.joined[number].append(kind)
                if self.level[number] != NOBODY:
                    kind.put(number, self.level[number])

    def change(self, number: int, by: int) -> None:
        """Give or take a turn of this inspector."""
        before = self.level[number]
        load = self.load[number] = self.load[number] + by
        after = self.level[number] = load if load < self.cap[number] else NOBODY
        for kind in self.joined[number]:
            kind.move(number, before, after)

    def free(self, visit: int, kind: Kind, ceiling: int | None = None) -> Free | None:
        """Give those who fit, are not in the team and are below their cap, of least load.

        None when there are none, or none with a load up to `ceiling`.
        """
        fits, level_of = kind.fits, self.level
        for load in kind.loads:
            if ceiling is not None and load > ceiling:
                return None
            level = kind.levels[load]
            barred = [p for p in self.blocked[visit] if level_of[p] == load and fits[p]]
            for p in self.teams[visit]:
                if p != NOBODY and level_of[p] == load and fits[p]:
                    insort(barred, p)
            many = len(level) - len(barred)
            if many:
                return Free(level, barred, many)
        return None

    def label(self, place: int) -> bytes:
        """Give the label of a place numbered visit * width + j: visit id, zero byte, decimal j."""
        visit, j = divmod(place, self.width)
        return self.labels[visit] + b"\0%d" % j

    def slot(self, place: int) -> tuple[str, int]:
        visit, j = divmod(place, self.width)
        return self.visits[visit], j


def loads(roster: Roster) -> Mapping[str, Any]:
    """Inspector id -> prior and assigned turns, in drawn order."""
    return {one.id: roster.load[number] for number, one in enumerate(roster.staff)}
