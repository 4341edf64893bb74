"""What happened after the draw: withdrawals, reserves, substitutes (draw.md section 8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .allot import parse_ratio
from .chain import entries
from .outcome import blocks_of, drawn, visits_of
from .replace import REASONS, next_reserve, substitute

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


def check_exclusions(record: Mapping[str, Any]) -> Iterator[str]:
    """Tell exclusions outside the closed list, and more by hand than the plan's ceiling."""
    by_hand = 0
    for row in record["objects"]:
        reason = row.get("excl")
        if reason and reason not in EXCLUSIONS:
            yield f"{row['id']} is excluded for {reason}, which is no listed reason"
        by_hand += reason == "MANUAL"
    ceiling = record["plan"].get("manual_limit")
    if by_hand and ceiling is None:
        yield f"{by_hand} rows are excluded by hand and the plan names no ceiling"
    elif by_hand:
        ratio = parse_ratio(ceiling)
        if by_hand * ratio.denominator > ratio.numerator * len(record["objects"]):
            yield f"{by_hand} rows are excluded by hand, more than the plan allows"


def check_withdrawals(record: Mapping[str, Any]) -> Iterator[str]:
    """Tell withdrawals without listed reason, second person or evidence, or beyond the limit."""
    present = set(drawn(record["selection"]))
    replaced = {e["body"]["object"] for e in entries(record["log"], "replace", record["draw"])}
    seen: set[str] = set()
    for entry in entries(record["log"], "withdraw", record["draw"]):
        body = entry["body"]
        if body["object"] not in present | replaced or body["object"] in seen:
            yield f"{body['object']} was withdrawn and was not drawn, or twice"
        seen.add(body["object"])
        if body["reason"] not in REASONS:
            yield f"{body['object']} was withdrawn for {body['reason']}, no listed reason"
        if not body["by"] or not body["second"] or body["by"] == body["second"]:
            yield f"{body['object']} was withdrawn without a second person"
        if not body["evidence"]:
            yield f"{body['object']} was withdrawn without evidence"
    limit = record["plan"].get("withdrawal_limit")
    if limit is not None and len(seen) > limit:
        yield f"{len(seen)} objects were withdrawn, the plan allows {limit}"


def check_returned(record: Mapping[str, Any]) -> Iterator[str]:
    """Tell who was withdrawn from the draw before, is in this frame and is not a must."""
    order: list[str] = []
    for entry in entries(record["log"], "result"):
        if entry["body"]["draw"] not in order:
            order.append(entry["body"]["draw"])
    if record["draw"] not in order[1:]:
        return
    before = order[order.index(record["draw"]) - 1]
    start = entries(record["log"], "freeze", record["draw"])[0]["seq"]
    due = {
        entry["body"]["object"]
        for entry in entries(record["log"], "withdraw", before)
        if entry["seq"] < start
    }
    for row in record["objects"]:
        if row["id"] in due and not row.get("must"):
            yield f"{row['id']} was withdrawn from {before} and had to be drawn this time"


def check_reserves(record: Mapping[str, Any]) -> Iterator[str]:
    """Tell replacements out of the reserve's order, or for nobody who was withdrawn."""
    strata = {row["id"]: row["stratum"] for row in record["objects"]}
    used: list[str] = []
    answered: set[str] = set()
    gone: set[str] = set()
    for entry in record["log"]:
        body = entry["body"]
        if body.get("draw") != record["draw"]:
            continue
        if entry["type"] == "withdraw":
            gone.add(body["object"])
        if entry["type"] != "replace":
            continue
        away, stratum = body["withdrawn"], body["stratum"]
        if away not in gone - answered or strata[away] != stratum:
            yield f"{body['object']} replaces {away}, who was not withdrawn from its stratum"
        answered.add(away)
        if body["object"] != next_reserve(record["selection"], stratum, used):
            yield f"{body['object']} is not the next of the reserve"
        used.append(body["object"])


class Crew:
    """The teams as events change them; `now` has the shape that `substitute` asks for."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.record = record
        self.teams: dict[str, list[str | None]] = {
            team["visit"]: list(team["team"]) for team in record["assignment"]["teams"]
        }
        self.barred: list[tuple[str, str]] = []

    def now(self) -> dict[str, Any]:
        visits = visits_of(self.record["plan"], self.record["objects"], self.teams)
        blocks = blocks_of([*self.record["blocked"], *self.barred], visits)
        return {
            "visits": visits,
            "inspectors": self.record["inspectors"],
            "blocked": blocks,
            "teams": [{"visit": visit, "team": team} for visit, team in self.teams.items()],
        }

    def follow(self, entry: Mapping[str, Any]) -> None:
        """Change as an entry of the log says; a reserve's places are open until substituted."""
        body = entry["body"]
        if body.get("draw") != self.record["draw"]:
            return
        if entry["type"] == "replace":
            self.teams[body["object"]] = [None] * len(self.teams.pop(body["withdrawn"]))
        if entry["type"] == "substitute":
            self.teams[body["visit"]][body["place"]] = body["inspector"]
            if body["released"] is not None:
                self.barred.append((body["released"], body["visit"]))


def check_substitutes(record: Mapping[str, Any], seed: str) -> Iterator[str]:
    """Tell substitutions that the seed does not give; their events count from 0."""
    crew, event = Crew(record), 0
    for entry in record["log"]:
        body = entry["body"]
        if entry["type"] == "substitute" and body["draw"] == record["draw"]:
            right = substitute(
                record["alg"],
                seed,
                crew.now(),
                visit=body["visit"],
                place=body["place"],
                event=event,
            )
            names = ("visit", "place", "released", "inspector")
            if body["event"] != event or any(body[name] != right[name] for name in names):
                yield f"substitution {event} at {body['visit']} is not the one the seed gives"
            event += 1
        crew.follow(entry)
