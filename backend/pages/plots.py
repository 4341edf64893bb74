"""Plots as SVG: the geometry here, the drawing in ``parts/plot.html``, a table and CSV beside."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

WIDTH, BAR, GAP, LABEL = 640, 22, 8, 160
HEIGHT, MARGIN = 240, 40
# Beside a line stands its name; two names need this much between them.
NAMED, APART = 140, 16
SIZE, EDGE = 320, 30
RINGS = (25, 50, 100, 250, 500, 1000, 2500, 5000, 25_000, 100_000, 1_000_000)


class Bar(msgspec.Struct, frozen=True):
    """One bar, in units of the drawing."""

    label: str
    shown: str
    y: int
    length: int


class Bars(msgspec.Struct, frozen=True):
    """Lying bars from a zero line, each with its label and figure."""

    bars: tuple[Bar, ...]
    height: int
    width: int = WIDTH
    zero: int = LABEL
    thick: int = BAR


def bars(rows: Sequence[tuple[str, int, str]]) -> Bars:
    """Bars of (label, value >= 0, figure as shown), in the order given."""
    most = max([value for _, value, _ in rows], default=0) or 1
    room = WIDTH - LABEL - 90
    drawn = tuple(
        Bar(label, shown, GAP + place * (BAR + GAP), value * room // most)
        for place, (label, value, shown) in enumerate(rows)
    )
    return Bars(drawn, GAP + len(rows) * (BAR + GAP))


class Dot(msgspec.Struct, frozen=True):
    """One point of a line, in units of the drawing; ``y`` grows downwards."""

    x: int
    y: int
    label: str
    shown: str


class Line(msgspec.Struct, frozen=True):
    """One series with its name at its end, as high as ``name_y``."""

    name: str
    points: str
    dots: tuple[Dot, ...]
    name_y: int


class Lines(msgspec.Struct, frozen=True):
    """Up to four series over the same steps, above a zero line."""

    lines: tuple[Line, ...]
    ticks: tuple[tuple[int, str], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = MARGIN
    floor: int = HEIGHT - MARGIN
    right: int = WIDTH - NAMED


def _apart(ends: Sequence[int]) -> list[int]:
    """Heights of names at the ends of lines, moved until none stands on another."""
    found = list(ends)
    order = sorted(range(len(ends)), key=lambda one: ends[one])
    for upper, lower in reversed(list(pairwise(order))):
        found[upper] = min(found[upper], found[lower] - APART)
    least = APART
    for one in order:
        found[one] = max(found[one], least)
        least = found[one] + APART
    return found


def lines(steps: Sequence[str], series: Sequence[tuple[str, Sequence[tuple[int, str]]]]) -> Lines:
    """Lines of (name, ((value >= 0, figure as shown), ...)), one value a step."""
    most = max([value for _, values in series for value, _ in values], default=0) or 1
    room, floor = WIDTH - MARGIN - NAMED, HEIGHT - MARGIN
    places = [MARGIN + room * place // max(1, len(steps) - 1) for place in range(len(steps))]
    dotted = [
        tuple(
            Dot(x, floor - value * (floor - MARGIN // 2) // most, step, shown)
            for x, step, (value, shown) in zip(places, steps, values, strict=True)
        )
        for _, values in series
    ]
    high = _apart([dots[-1].y if dots else floor for dots in dotted])
    drawn = tuple(
        Line(name, " ".join(f"{dot.x},{dot.y}" for dot in dots), dots, name_y)
        for (name, _), dots, name_y in zip(series, dotted, high, strict=True)
    )
    return Lines(drawn, tuple(zip(places, steps, strict=True)))


class Mark(msgspec.Struct, frozen=True):
    """One place on a plan without a map, in units of the drawing."""

    x: int
    y: int
    radius: int
    label: str
    strong: bool


class Plan(msgspec.Struct, frozen=True):
    """Marks around a middle, with rings at round distances: (radius in units, words)."""

    marks: tuple[Mark, ...]
    rings: tuple[tuple[int, str], ...]
    size: int = SIZE

    @property
    def middle(self) -> int:
        return self.size // 2


def around(places: Sequence[tuple[int, int, int, str, bool]]) -> Plan:
    """Marks of (metres east, metres north, accuracy in metres, label, strong)."""
    reach = max([abs(m) for east, north, _, _, _ in places for m in (east, north)], default=0)
    ring = next((step for step in RINGS if step * 2 >= reach), RINGS[-1])
    scale = max(ring * 2, reach)
    room = SIZE // 2 - EDGE
    marks = tuple(
        Mark(
            SIZE // 2 + east * room // scale,
            SIZE // 2 - north * room // scale,
            min(accuracy * room // scale, room),
            label,
            strong,
        )
        for east, north, accuracy, label, strong in places
    )
    shown = tuple((ring * n * room // scale, f"{ring * n} m") for n in (1, 2))
    return Plan(marks, shown)
