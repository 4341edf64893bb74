"""What happened after the draw: withdrawals, reserves, substitutes (draw.md section 8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .activities import next_session
from .canon import canonical
from .ceremony import Attempt
from .chain import entries
from .findings import Finding, found
from .outcome import blocks_of, drawn, visits_of
from .replace import (
    REASONS,
    SESSION_REASONS,
    next_hidden_reserve,
    next_link,
    next_reserve,
    replacement_seed,
    substitute,
)
from .sealing import happened


def check_withdrawals(record: Mapping[str, Any]) -> Iterator[Finding]:
    """Tell withdrawals without listed reason, second person or evidence, or beyond the limit."""
    present = set(drawn(record["selection"]))
    log, free = happened(record["log"], record["draw"]), 0
    replaced = {e["body"]["object"] for e in entries(log, "replace", record["draw"])}
    classes = {row["id"] for row in record["objects"] if "class" in row}
    seen: set[str] = set()
    for entry in entries(log, "withdraw", record["draw"]):
        body, gone = entry["body"], entry["body"]["object"]
        if gone not in present | replaced or gone in seen:
            yield found("withdrawals.not_drawn", object=gone)
        seen.add(gone)
        reasons = REASONS + SESSION_REASONS if gone in classes else REASONS
        free += body["reason"] in SESSION_REASONS
        if body["reason"] not in reasons:
            yield found("withdrawals.reason", object=gone, reason=body["reason"])
        if not body["by"] or not body["second"] or body["by"] == body["second"]:
            yield found("withdrawals.second", object=gone)
        if not body["evidence"]:
            yield found("withdrawals.evidence", object=gone)
    limit = record["plan"].get("withdrawal_limit")
    count = len(seen) - free  # nobody chooses that a filed session does not take place
    if limit is not None and count > limit:
        yield found("withdrawals.too_many", count=count, limit=limit)


def check_returned(record: Mapping[str, Any]) -> Iterator[Finding]:
    """Tell who was withdrawn from the draw before, is in this frame and is not a must.

    One excluded by rule cannot be: it may be closed by now. An exclusion by hand is no rule.
    """
    order = list(dict.fromkeys(e["body"]["draw"] for e in entries(record["log"], "result")))
    if record["draw"] not in order[1:]:
        return
    before = order[order.index(record["draw"]) - 1]
    start = entries(record["log"], "freeze", record["draw"])[0]["seq"]
    due = {
        entry["body"]["object"]
        for entry in entries(happened(record["log"], before), "withdraw", before)
        if entry["seq"] < start and entry["body"]["reason"] not in SESSION_REASONS
    }
    for row in record["objects"]:
        if row["id"] in due and not row.get("must") and row.get("excl") in (None, "MANUAL"):
            yield found("returned.missing", object=row["id"], before=before)


class Replacements:
    """Follows the log and tells whom each replacement should have named."""

    def __init__(self, record: Mapping[str, Any], first: Attempt, seed: str) -> None:
        self.record = record
        self.seed = seed
        self.link = first.freeze.get("replacement_tip")
        self.strata = {row["id"]: row["stratum"] for row in record["objects"]}
        self.used = drawn(record["selection"])
        self.gone: dict[str, str] = {}

    def check(self) -> Iterator[Finding]:
        """Tell replacements out of order, or for nobody who was withdrawn."""
        for entry in happened(self.record["log"], self.record["draw"]):
            body = entry["body"]
            if body.get("draw") != self.record["draw"]:
                continue
            if entry["type"] == "withdraw":
                self.gone[body["object"]] = body["reason"]
            if entry["type"] == "replace":
                yield from self._one(body)
                self.used.append(body["object"])

    def _one(self, body: Mapping[str, Any]) -> Iterator[Finding]:
        away, stratum, object_ = body["withdrawn"], body["stratum"], body["object"]
        reason = self.gone.pop(away, None)
        if reason is None or self.strata[away] != stratum:
            yield found("reserves.nobody", object=object_, away=away)
        if reason in SESSION_REASONS:
            if object_ != next_session(self.record["objects"], away, self.used):
                yield found("reserves.session", object=object_, away=away)
            return
        if self.link is not None and next_link(self.record["alg"], body["link"]) != self.link:
            yield found("reserves.link", away=away)
        if object_ != self._next(body):
            yield found("reserves.order", object=object_)
        self.link = body["link"] if self.link is not None else None

    def _next(self, body: Mapping[str, Any]) -> str | None:
        alg, selection, stratum = self.record["alg"], self.record["selection"], body["stratum"]
        if self.link is None:
            return next_reserve(selection, stratum, self.used)
        order = replacement_seed(alg, self.seed, body["link"])
        return next_hidden_reserve(alg, order, selection, stratum, self.used)


def check_supplements(record: Mapping[str, Any], tries: list[Attempt]) -> Iterator[Finding]:
    """Tell frames of inspectors that changed between sendings otherwise than the log says."""
    done = [attempt for attempt in tries if attempt.result]
    rows = {row["id"]: row for row in record["inspectors"]}
    for i in range(1, len(done)):
        before, after = done[i - 1], done[i]
        low, high = before.all("result")[0]["seq"], after.all("freeze")[0]["seq"]
        added = [
            row
            for entry in entries(
                happened(record["log"], record["draw"]), "supplement", record["draw"]
            )
            if low < entry["seq"] < high
            for row in entry["body"]["inspectors"]
        ]
        if before.freeze["inspectors"] != after.freeze["inspectors"] and not added:
            yield found("supplements.missing", attempt=after.number)
        grown = after.freeze["inspectors"]["count"] - before.freeze["inspectors"]["count"]
        if grown != len(added):
            yield found("supplements.count", found=grown, added=len(added))
        for row in added if after is done[-1] else ():
            if canonical(row) != canonical(rows.get(row["id"])):
                yield found("supplements.rows", inspector=row["id"])


class Crew:
    """The teams as events change them; `now` has the shape that `substitute` asks for."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.record = record
        self.teams: dict[str, list[str | None]] = {
            team["visit"]: list(team["team"]) for team in record["assignment"]["teams"]
        }
        self.staff = list(record["inspectors"])
        self.barred: list[tuple[str, str]] = []
        self.sent = {one for team in self.teams.values() for one in team if one is not None}

    def now(self) -> dict[str, Any]:
        visits = visits_of(self.record["plan"], self.record["objects"], self.teams)
        blocks = blocks_of([*self.record["blocked"], *self.barred], visits)
        return {
            "visits": visits,
            "inspectors": self.staff,
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
        if entry["type"] == "supplement":
            known = {row["id"] for row in self.staff}
            self.staff += [row for row in body["inspectors"] if row["id"] not in known]
            self.barred += [(one, visit) for one, visit in body["blocked"]]
        if entry["type"] == "substitute":
            self.teams[body["visit"]][body["place"]] = body["inspector"]
            self.sent.add(body["inspector"])
            if body["released"] is not None:
                self.barred.append((body["released"], body["visit"]))


def check_substitutes(record: Mapping[str, Any], seed: str) -> Iterator[Finding]:
    """Tell substitutions that the seed does not give; their events count from 0."""
    crew, event = Crew(record), 0
    for entry in happened(record["log"], record["draw"]):
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
                yield found("substitutes.other", event=event, visit=body["visit"])
            event += 1
        crew.follow(entry)
