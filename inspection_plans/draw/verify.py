"""Replays a public record, frames to teams, and tells what does not hold (section 9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from .canon import canonical, digest
from .ceremony import LEVELS, attempts, check_attempts
from .chain import check_chain, check_heads, check_year, entries
from .digest import hasher
from .disclosed import check_exclusions, check_openings, check_persons
from .errors import DrawRefusal
from .events import (
    Replacements,
    check_returned,
    check_substitutes,
    check_supplements,
    check_withdrawals,
)
from .findings import Finding, found
from .merkle import frame_root
from .outcome import draw_days, sealed, sealed_seed, send, written
from .sealing import check_sealed
from .select import select_with_totals
from .signatures import Heads, check_keys
from .totals import check_totals, fate

_BASE: dict[str, type] = {
    "profile": str,
    "alg": str,
    "draw": str,
    "plan": dict,
    "log": list,
    "countersigns": list,
}
_PROFILES: dict[str, dict[str, type]] = {
    "full": {
        "objects": list,
        "inspectors": list,
        "blocked": list,
        "keys": dict,
        "selection": list,
        "assignment": dict,
        "days": dict,
    },
    "sealed": {"totals": list},
    "external": {"visits": list},
}
_ALWAYS = ("note.beacon", "note.independent", "note.facts", "note.times")
_BROKEN = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    IndexError,
    ArithmeticError,
    MemoryError,
    RuntimeError,
    DrawRefusal,
)


class Check(Protocol):
    """One check: what it finds, as it finds it."""

    def __call__(self) -> Iterable[Finding]: ...


class Report(NamedTuple):
    """What the verifier says.

    `verdict` is verified, failed or unverifiable, `level` A-D or null; `checks` is check ->
    ok, bad or skipped in order; `standings` is opened row -> what became of it.
    """

    verdict: str
    level: str | None
    failures: list[Finding]
    notes: list[Finding]
    checks: dict[str, str]
    standings: dict[str, str]

    @property
    def ok(self) -> bool:
        return self.verdict == "verified"

    @property
    def unchecked(self) -> list[str]:
        return [note.text for note in self.notes]


def _run(check: str, findings: Check) -> list[Finding]:
    """Run a check; a record of the wrong shape fails it instead of ending the run."""
    failures = []
    try:
        for finding in findings():
            failures.append(finding)  # noqa: PERF402 - what came before a break counts
    except _BROKEN as broken:
        failures.append(found(check + ".unreadable", why=f"{type(broken).__name__} {broken}"))
    return failures


def _check_shape(record: Mapping[str, Any]) -> Iterator[Finding]:
    profile = record.get("profile")
    fields = {**_BASE, **_PROFILES.get(profile if isinstance(profile, str) else "", {})}
    if profile not in _PROFILES:
        yield found("shape.field", field="profile")
    for name, kind in fields.items():
        if not isinstance(record.get(name), kind):
            yield found("shape.field", field=name)
    for name in record:
        if name not in fields and not (name == "openings" and profile != "external"):
            yield found("shape.extra", field=name)
    if "openings" in record and not isinstance(record["openings"], list):
        yield found("shape.field", field="openings")
    if profile == "full" and set(record["keys"]) != {"objects", "inspectors"}:
        yield found("shape.field", field="keys")
    hasher(record["alg"])


class Replay:
    """A record whose chain was read: its attempts, and the checks that replay it."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.record = record
        self.alg, self.plan = record["alg"], record["plan"]
        self.tries = attempts(record["log"], record["draw"])
        self.done = [attempt for attempt in self.tries if attempt.result]
        self.heads = Heads(record, self.tries)

    def level(self) -> str | None:
        try:
            return max((attempt.level() for attempt in self.done), key=LEVELS.index)
        except _BROKEN:
            return None

    def check_plan(self) -> Iterator[Finding]:
        right = digest(self.alg, self.plan)
        for attempt in self.tries:
            if any(body["digest"] != right for body in attempt.bodies("plan")):
                yield found("plan.digest", attempt=attempt.number)

    def check_level(self) -> Iterator[Finding]:
        reason = self.plan.get("level_d_accepted")
        if self.level() == "D" and not (isinstance(reason, str) and reason):
            yield found("level.reason")

    def check_frames(self) -> Iterator[Finding]:
        if not self.done:
            return
        record, keys = self.record, self.record["keys"]
        for name, attempt in (("objects", self.done[0]), ("inspectors", self.done[-1])):
            idents = [row["id"] for row in record[name]]
            if idents != sorted(idents):
                yield found("frames.rows", frame=name)
            right = frame_root(self.alg, keys[name], record[name])
            frame = {"root": right, "count": len(record[name])}
            # Canonical texts, because Python holds True and 1 for equal.
            if canonical(frame) != canonical(attempt.freeze[name]):
                yield found("frames.root", frame=name)
        blocked = [list(pair) for pair in record["blocked"]]
        if blocked != sorted(blocked):
            yield found("frames.order")
        if digest(self.alg, blocked) != self.done[-1].freeze["blocked"]:
            yield found("frames.blocked")

    def check_result(self) -> Iterator[Finding]:
        if not self.done:
            yield found("result.none")
            return
        alg, plan, record = self.alg, self.plan, self.record
        first, last = self.done[0].seed(alg, plan), self.done[-1].seed(alg, plan)
        selection, totals = select_with_totals(alg, first, plan, record["objects"])
        right = {
            "selection": selection,
            "assignment": send(alg, last, plan, record, selection),
            "days": draw_days(alg, first, plan, record["objects"], selection),
        }
        stated = written(record)
        for name, value in written(right).items():
            if canonical(value) != canonical(stated[name]):
                yield found("result.other", part=name)
        noted = self.done[-1].result or {}
        for name, value in sealed(alg, last, right).items():
            if noted[name] != value:
                yield found("result.noted", part=name)
        noted, again = self.done[0].result or {}, sealed(alg, first, {**right, "totals": totals})
        if any(noted[name] != again[name] for name in ("seed", "selection", "totals", "days")):
            yield found("result.first")

    def check_reserves(self) -> Iterator[Finding]:
        seed = self.done[0].seed(self.alg, self.plan)
        return Replacements(self.record, self.done[0], seed).check()

    def check_sealed_digest(self) -> Iterator[Finding]:
        for attempt in self.done:
            seed = attempt.seed(self.alg, self.plan)
            if (attempt.result or {})["seed"] != sealed_seed(self.alg, seed):
                yield found("result.noted", part="seed")

    def check_external(self) -> Iterator[Finding]:
        """A draw made elsewhere: one entry, and the visits that were entered."""
        opened = entries(self.record["log"], "attempt_open", self.record["draw"])
        results = entries(self.record["log"], "result", self.record["draw"])
        if [one["body"]["stage"] for one in opened] != ["external"] or len(results) != 1:
            yield found("external.form")
            return
        body = self.done[0].result or {}
        named = [body.get(name) for name in ("platform", "reference", "drawn_on")]
        if body["status"] != "external" or not all(named):
            yield found("external.form")
        if body["visits"] != digest(self.alg, self.record["visits"]):
            yield found("external.visits")
        # Nobody's key is frozen for it, so a signature could only be looked at, not checked.
        heads = [entry["hash"] for entry in self.record["log"]]
        for item in self.record["countersigns"]:
            if item["head"] not in heads:
                yield found("signatures.head", party=item["party"])

    def standings(self) -> dict[str, str]:
        """Give what became of each object row opened alone, for the sealed profile."""
        if self.record["profile"] != "sealed":
            return {}
        seed, totals = self.done[0].seed(self.alg, self.plan), self.record["totals"]
        return {
            proof["row"]["id"]: fate(self.alg, seed, totals, proof["row"])
            for proof in self.record.get("openings", ())
            if proof["frame"] == "objects"
        }

    def notes(self, heads: Sequence[str]) -> Iterator[Finding]:
        yield from map(found, _ALWAYS)
        if not heads:
            yield found("note.head")
        profile = self.record["profile"]
        if profile == "external":
            yield found("note.external", platform=(self.done[0].result or {}).get("platform"))
            return
        yield from self.heads.notes()
        if profile == "sealed":
            yield found("note.rows")
        elif len(self.done) > 1:
            yield found("note.teams")
        if "withdrawal_limit" not in self.plan:
            yield found("note.limit")


def _checks(replay: Replay, heads: Sequence[str], keys: Mapping[str, str]) -> dict[str, Check]:
    record, tries, done = replay.record, replay.tries, replay.done
    log, draw, alg = record["log"], record["draw"], record["alg"]
    always: dict[str, Check] = {"year": lambda: check_year(log, draw)}
    if heads:
        always["heads"] = lambda: check_heads(log, heads)
    if record["profile"] == "external":
        return {**always, "plan": replay.check_plan, "external": replay.check_external}
    ceremony: dict[str, Check] = {
        "signatures": lambda: [*check_keys(tries, keys), *replay.heads.check()],
        **always,
        "attempts": lambda: check_attempts(alg, log, tries),
        "plan": replay.check_plan,
        "level": replay.check_level,
    }
    told: dict[str, Check] = {
        "exclusions": lambda: check_exclusions(record, done[0]),
        "openings": lambda: check_openings(record, done),
    }
    if record["profile"] == "sealed":
        told["totals"] = lambda: check_totals(record, done[0])
        return {**ceremony, "result": replay.check_sealed_digest, **told}
    return {
        **ceremony,
        "frames": replay.check_frames,
        "result": replay.check_result,
        **told,
        "sealed": lambda: check_sealed(record),
        "withdrawals": lambda: check_withdrawals(record),
        "returned": lambda: check_returned(record),
        "reserves": replay.check_reserves,
        "supplements": lambda: check_supplements(record, tries),
        "substitutes": lambda: check_substitutes(record, done[-1].seed(alg, replay.plan)),
        "persons": lambda: check_persons(record),
    }


def verify(
    record: Mapping[str, Any],
    heads: Sequence[str] = (),
    keys: Mapping[str, str] | None = None,
) -> Report:
    """Check and replay a record of any profile; nothing in it is trusted.

    `heads` are log heads as witnesses hold them, or their first 16 digits as printed; `keys` is
    party -> public key (hex) as known from elsewhere. Raises nothing, whatever the record holds.
    """
    failures = _run("shape", lambda: _check_shape(record))
    checks = {"shape": "bad" if failures else "ok"}
    notes = [found(code) for code in _ALWAYS]
    if failures:
        return Report("failed", None, failures, notes, checks, {})
    alg, log = record["alg"], record["log"]
    broken = _run("chain", lambda: check_chain(alg, log))
    checks["chain"] = "bad" if broken else "ok"
    try:
        replay = Replay(record)
    except _BROKEN as why:
        broken.append(found("attempts.unreadable", why=type(why).__name__))
        return Report("failed", None, broken, notes, {**checks, "attempts": "bad"}, {})
    failures = broken
    for name, findings in _checks(replay, heads, keys or {}).items():
        bad = _run(name, findings)
        checks[name] = "bad" if bad else "ok"
        failures += bad
    standings: dict[str, str] = {}
    if not failures:
        try:
            notes, standings = list(replay.notes(heads)), replay.standings()
        except _BROKEN as why:
            failures = [found("openings.unreadable", why=type(why).__name__)]
            checks["openings"] = "bad"
    verdict = "unverifiable" if record["profile"] == "external" else "verified"
    return Report(
        "failed" if failures else verdict, replay.level(), failures, notes, checks, standings
    )
