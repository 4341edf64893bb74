"""What the log alone must show: the chain, its times, the year's draws (draw.md section 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .days import check_days
from .findings import Finding, found
from .record import FIRST_PREV, TIME, TYPES, entry_hash

_ENTRY = {"seq", "prev", "time", "type", "body", "hash"}
_PRINTED = 16  # hexadecimal digits of a head that a notice prints


def check_chain(alg: str, log: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Tell every broken link, wrong number, unknown type, missing key and backward time."""
    prev, before = FIRST_PREV, ""
    if not log:
        yield found("chain.empty")
    for seq, entry in enumerate(log):
        if set(entry) != _ENTRY:
            yield found("chain.fields", seq=seq)
        if type(entry["seq"]) is not int or entry["seq"] != seq:
            yield found("chain.number", seq=seq, found=entry["seq"])
        if entry["prev"] != prev:
            yield found("chain.link", seq=seq)
        if entry_hash(alg, entry) != entry["hash"]:
            yield found("chain.hash", seq=seq)
        if not TIME.fullmatch(entry["time"]) or entry["time"] < before:
            yield found("chain.time", seq=seq)
        missing = [key for key in TYPES.get(entry["type"], ("type",)) if key not in entry["body"]]
        if missing:
            yield found("chain.body", seq=seq, type=entry["type"], missing=missing)
        prev, before = entry["hash"], entry["time"]


def check_heads(log: Sequence[Mapping[str, Any]], heads: Sequence[str]) -> Iterator[Finding]:
    """Tell every head, printed or kept by a witness, that the log does not contain."""
    for head in heads:
        known = len(head) >= _PRINTED and any(entry["hash"].startswith(head) for entry in log)
        if not known:
            yield found("heads.missing", head=head)


def entries(
    log: Sequence[Mapping[str, Any]], kind: str, draw: str | None = None
) -> list[Mapping[str, Any]]:
    """Give the entries of a type, of one draw or of all, in order."""
    return [
        entry
        for entry in log
        if entry["type"] == kind and (draw is None or entry["body"]["draw"] == draw)
    ]


def check_year(log: Sequence[Mapping[str, Any]], draw: str) -> Iterator[Finding]:
    """Tell draws unannounced, omitted, misnumbered, without result, or drawing one plan twice."""
    planned = [(e["seq"], item) for e in entries(log, "plan_year") for item in e["body"]["draws"]]
    begun: dict[str, int] = {}
    for entry in entries(log, "attempt_open"):
        begun.setdefault(entry["body"]["draw"], entry["seq"])
    announced: dict[str, int] = {}
    for seq, item in planned:
        if announced.setdefault(item["draw"], seq) != seq:
            yield found("year.twice")
    for name in dict.fromkeys([draw, *begun]):
        if name not in announced:
            yield found("year.unannounced", draw=name)
        elif announced[name] > begun.get(name, len(log)):
            yield found("year.late", draw=name)
    if len(announced) != len(planned):
        yield found("year.twice")
    numbers = [item["number"] for _, item in planned if "number" in item]
    if numbers and numbers != list(range(1, len(planned) + 1)):
        yield found("year.numbers", numbers=numbers)
    yield from _overdue(log, [item for _, item in planned])
    yield from _plans(log)


def _overdue(log: Sequence[Mapping[str, Any]], planned: Sequence[Any]) -> Iterator[Finding]:
    today = str(log[-1]["time"])[:10]
    for item in planned:
        due = check_days([item["due"]])[0]
        if due < today and not entries(log, "result", item["draw"]):
            yield found("year.overdue", draw=item["draw"], due=due)


def _plans(log: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """One plan under two names would be two results to choose from."""
    owners: dict[str, set[str]] = {}
    for entry in entries(log, "plan"):
        owners.setdefault(entry["body"]["digest"], set()).add(entry["body"]["draw"])
    for draws in owners.values():
        if len(draws) > 1:
            yield found("year.same_plan", draws=sorted(draws))
