"""What is disclosed beside the replay: exclusions, licences, rows opened alone (section 2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .allot import parse_ratio
from .ceremony import Attempt
from .chain import entries
from .events import Crew
from .findings import Finding, found
from .merkle import check_opening
from .sealing import happened
from .seed import person

EXCLUSIONS = (
    "CAP_REACHED",
    "COOLDOWN",
    "CLOSED",
    "TERM_OVER",
    "CASE_OPEN",
    "MOVED",
    "SCOPE",
    "MANUAL",
)
_OPENING = {"frame", "row", "salt", "index", "count", "path"}


def check_exclusions(record: Mapping[str, Any], first: Attempt) -> Iterator[Finding]:
    """Tell exclusions outside the closed list, miscounted, or too many by hand.

    Rows of the record tell them; in the sealed profile the counts of the freeze do.
    """
    noted = {item["code"]: item["count"] for item in first.freeze.get("exclusions", ())}
    counts = noted
    if "objects" in record:
        counts = dict(Counter(row["excl"] for row in record["objects"] if row.get("excl")))
        for row in record["objects"]:
            if row.get("excl") and row["excl"] not in EXCLUSIONS:
                yield found("exclusions.reason", object=row["id"], reason=row["excl"])
        if "exclusions" in first.freeze and noted != counts:
            yield found("exclusions.noted")
    by_hand, ceiling = counts.get("MANUAL", 0), record["plan"].get("manual_limit")
    if by_hand and ceiling is None:
        yield found("exclusions.no_ceiling", count=by_hand)
    elif by_hand:
        ratio = parse_ratio(ceiling)
        if by_hand * ratio.denominator > ratio.numerator * first.freeze["objects"]["count"]:
            yield found("exclusions.too_many", count=by_hand)


def check_persons(record: Mapping[str, Any]) -> Iterator[Finding]:
    """Tell licences opened of somebody not sent, or other than the frame committed to."""
    crew = Crew(record)
    for entry in happened(record["log"], record["draw"]):
        crew.follow(entry)
    rows = {row["id"]: row for row in crew.staff}
    for entry in entries(record["log"], "disclose", record["draw"]):
        for one in entry["body"].get("persons", ()):
            if one["id"] not in crew.sent:
                yield found("persons.unknown", inspector=one["id"])
            elif rows[one["id"]]["person"] != person(record["alg"], one["salt"], one["licence"]):
                yield found("persons.proof", inspector=one["id"])


def check_openings(record: Mapping[str, Any], done: Sequence[Attempt]) -> Iterator[Finding]:
    """Tell rows opened alone that do not stand in the frozen frame."""
    frozen = {
        "objects": done[0].freeze["objects"],
        "inspectors": done[-1].freeze["inspectors"],
    }
    order = []
    for proof in record.get("openings", ()):
        if set(proof) != _OPENING or proof["frame"] not in frozen:
            yield found("openings.form")
            continue
        frame = frozen[proof["frame"]]
        order.append((proof["frame"], proof["index"]))
        whole = type(proof["index"]) is int and proof["count"] == frame["count"]
        if not whole or not check_opening(record["alg"], frame["root"], proof):
            yield found("openings.proof", row=proof["row"].get("id"), frame=proof["frame"])
    if order != sorted(set(order)):
        yield found("openings.order")
