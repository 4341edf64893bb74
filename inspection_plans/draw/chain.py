"""What the log alone must show: the chain, its times, the year's draws (draw.md section 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .record import FIRST_PREV, TIME, TYPES, entry_hash

_KEYS = {"seq", "prev", "time", "type", "body", "hash"}
_PRINTED = 16  # hexadecimal digits of a head that a notice prints


def check_chain(alg: str, log: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Tell every broken link, wrong number, unknown type, missing key and backward time."""
    prev, before = FIRST_PREV, ""
    if not log:
        yield "the log is empty"
    for seq, entry in enumerate(log):
        if set(entry) != _KEYS:
            yield f"entry {seq} has other fields than a log entry"
        if type(entry["seq"]) is not int or entry["seq"] != seq:
            yield f"entry {seq} is numbered {entry['seq']}"
        if entry["prev"] != prev:
            yield f"entry {seq} does not follow the entry before it"
        if entry_hash(alg, entry) != entry["hash"]:
            yield f"entry {seq} was changed after it was written"
        if not TIME.fullmatch(entry["time"]) or entry["time"] < before:
            yield f"entry {seq} has a time before its predecessor's, or none"
        missing = [key for key in TYPES.get(entry["type"], ("type",)) if key not in entry["body"]]
        if missing:
            yield f"entry {seq} of type {entry['type']} lacks {', '.join(missing)}"
        prev, before = entry["hash"], entry["time"]


def check_heads(log: Sequence[Mapping[str, Any]], heads: Sequence[str]) -> Iterator[str]:
    """Tell every head, printed or kept by a witness, that the log does not contain."""
    for head in heads:
        found = len(head) >= _PRINTED and any(entry["hash"].startswith(head) for entry in log)
        if not found:
            yield f"the head {head} that was countersigned is not in this log"


def entries(
    log: Sequence[Mapping[str, Any]], kind: str, draw: str | None = None
) -> list[Mapping[str, Any]]:
    """Give the entries of a type, of one draw or of all, in order."""
    return [
        entry
        for entry in log
        if entry["type"] == kind and (draw is None or entry["body"]["draw"] == draw)
    ]


def check_year(log: Sequence[Mapping[str, Any]], draw: str) -> Iterator[str]:
    """Tell an unannounced draw, an omitted one, and one of whose result nothing is known."""
    planned = [(e["seq"], item) for e in entries(log, "plan_year") for item in e["body"]["draws"]]
    opened = entries(log, "attempt_open", draw)
    announced = [seq for seq, item in planned if item["draw"] == draw]
    if not announced:
        yield f"the draw {draw} is not among the draws announced for the year"
    elif opened and min(announced) > opened[0]["seq"]:
        yield f"the draw {draw} was announced after it began"
    names = [item["draw"] for _, item in planned]
    if len(set(names)) != len(names):
        yield "the year announces a draw twice"
    today = str(log[-1]["time"])[:10]
    for _, item in planned:
        if item["due"] < today and not entries(log, "result", item["draw"]):
            yield f"the draw {item['draw']} was due on {item['due']} and has no result"
