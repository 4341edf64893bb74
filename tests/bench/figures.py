"""A figure with its target, and how figures are shown: a table, or JSON."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One measured number; ``target`` is the end it must not pass, None when it only informs."""

    name: str
    value: float
    unit: str
    target: float | None = None
    side: Literal["at least", "at most"] = "at most"
    note: str = ""

    @property
    def word(self) -> str:
        """PASS or MISS, or nothing where nothing was promised."""
        if self.target is None:
            return ""
        low = self.side == "at least"
        return (
            "PASS" if (self.value >= self.target if low else self.value <= self.target) else "MISS"
        )


def spread(values: Sequence[float]) -> str:
    """The least and the most of the rounds behind a median."""
    return f"{min(values):.3g}–{max(values):.3g} in {len(values)} rounds"


def median(name: str, values: Sequence[float], unit: str, **target: object) -> Figure:
    """The figure of several rounds: their median, with their spread as a note."""
    return Figure(name, statistics.median(values), unit, note=spread(values), **target)  # type: ignore[arg-type]  # keywords of Figure


def table(figures: Iterable[Figure]) -> str:
    """A line a figure: name, value, unit, target, PASS or MISS, note."""
    rows = [("figure", "value", "unit", "target", "", "")]
    for one in figures:
        wanted = "" if one.target is None else f"{one.side} {one.target:g}"
        rows.append((one.name, f"{one.value:.4g}", one.unit, wanted, one.word, one.note))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def as_json(figures: Iterable[Figure]) -> str:
    """The same as a list of objects."""
    return json.dumps(
        [asdict(one) | {"word": one.word} for one in figures], ensure_ascii=False, indent=1
    )
