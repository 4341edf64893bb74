"""Changes of a log as somebody makes them who rewrites it afterwards."""

import copy
from collections.abc import Callable
from typing import Any

from tests.inspection_plans.draw.cases import Row, rehash

Tamper = Callable[[list[Row]], list[Row]]


def edit(kind: str, **more: Any) -> Tamper:
    """Change the body of the first entry of a type."""

    def tamper(log: list[Row]) -> list[Row]:
        at = next(i for i, entry in enumerate(log) if entry["type"] == kind)
        entry = {**log[at], "body": {**log[at]["body"], **more}}
        return [*log[:at], entry, *log[at + 1 :]]

    return tamper


def drop(kind: str) -> Tamper:
    def tamper(log: list[Row]) -> list[Row]:
        at = next(i for i, entry in enumerate(log) if entry["type"] == kind)
        return [*log[:at], *log[at + 1 :]]

    return tamper


def late(kind: str, behind: str) -> Tamper:
    """Move the first entry of a type behind the last of another."""

    def tamper(log: list[Row]) -> list[Row]:
        moved = next(entry for entry in log if entry["type"] == kind)
        rest = [entry for entry in log if entry is not moved]
        at = max(i for i, entry in enumerate(rest) if entry["type"] == behind)
        return [*rest[: at + 1], moved, *rest[at + 1 :]]

    return tamper


def twice(kind: str) -> Tamper:
    def tamper(log: list[Row]) -> list[Row]:
        at = next(i for i, entry in enumerate(log) if entry["type"] == kind)
        return [*log[: at + 1], log[at], *log[at + 1 :]]

    return tamper


def rewritten(log: list[Row], tamper: Tamper) -> list[Row]:
    """The log after the change, numbers, times and hashes put right by the forger."""
    times = sorted(entry["time"] for entry in log) + [log[-1]["time"]] * 9
    moved = tamper(copy.deepcopy(log))
    return rehash(
        "sha256", [{**entry, "seq": i, "time": times[i]} for i, entry in enumerate(moved)]
    )
