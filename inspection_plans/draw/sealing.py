"""Events that would name a target: sealed in the log until the disclosure (sections 3.6 and 8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .canon import digest
from .findings import Finding, found

SEALABLE = ("withdraw", "replace", "substitute", "supplement")


def seal(alg: str, kind: str, body: Mapping[str, Any], salt: str) -> str:
    """Commit to an entry that will be written at the disclosure; salt of 32 bytes in hex.

    `body` is the entry's without the `opens` and `salt` by which it is opened. Without a salt
    the few possible targets could be tried out.
    """
    return digest(alg, {"body": dict(body), "kind": kind, "salt": salt})


def _opened(log: Sequence[Mapping[str, Any]], draw: str) -> dict[int, Mapping[str, Any]]:
    return {
        entry["body"]["opens"]: entry
        for entry in log
        if entry["body"].get("draw") == draw and "opens" in entry["body"]
    }


def happened(log: Sequence[Mapping[str, Any]], draw: str) -> list[Mapping[str, Any]]:
    """Give the log with the opened events of a draw where they were sealed, when they happened."""
    opened = _opened(log, draw)
    order: list[Mapping[str, Any]] = []
    for entry in log:
        body = entry["body"]
        if body.get("draw") == draw and "opens" in body:
            continue
        if entry["type"] == "sealed" and body["draw"] == draw and body["number"] in opened:
            when = {name: entry[name] for name in ("seq", "time")}
            order.append({**opened[body["number"]], **when})
        else:
            order.append(entry)
    return order


def check_sealed(record: Mapping[str, Any]) -> Iterator[Finding]:
    """Tell sealed events misnumbered, not opened, or opened as something else."""
    alg, log, draw = record["alg"], record["log"], record["draw"]
    sealed = [e for e in log if e["type"] == "sealed" and e["body"]["draw"] == draw]
    numbers = [entry["body"]["number"] for entry in sealed]
    opened = [e for e in log if e["body"].get("draw") == draw and "opens" in e["body"]]
    if numbers != list(range(len(sealed))) or [e["body"]["opens"] for e in opened] != numbers:
        yield found("sealed.numbers", numbers=numbers)
        return
    for i, entry in enumerate(opened):
        was = sealed[i]
        body = {k: v for k, v in entry["body"].items() if k not in ("opens", "salt")}
        right = seal(alg, entry["type"], body, entry["body"]["salt"])
        same = (entry["type"], right) == (was["body"]["kind"], was["body"]["digest"])
        if not same or entry["seq"] < was["seq"] or entry["type"] not in SEALABLE:
            yield found("sealed.other", number=was["body"]["number"])
