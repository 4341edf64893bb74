"""The attempts of a draw as the log tells them: order, parties, secrets (sections 3 and 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .chain import entries
from .digest import hexdigest
from .findings import Finding, found
from .seed import commitment, seed, unhex

LEVELS = "ABCD"
PUBLIC_SOURCES = ("drand", "lottery")
SOURCES = (*PUBLIC_SOURCES, "dice")
DICE = 20
WITNESSES = 2


class Attempt:
    """One numbered attempt; lists hold the entries of each type in the order of the log."""

    def __init__(self, log: Sequence[Mapping[str, Any]], opened: Mapping[str, Any]) -> None:
        self.number = opened["body"]["attempt"]
        self.stage = opened["body"]["stage"]
        self.draw = opened["body"]["draw"]
        self._of: dict[str, list[Mapping[str, Any]]] = {"attempt_open": [opened]}
        for entry in log:
            body = entry["body"]
            mine = body.get("draw") == self.draw and body.get("attempt") == self.number
            if mine and entry["type"] != "attempt_open":
                self._of.setdefault(entry["type"], []).append(entry)

    def all(self, kind: str) -> list[Mapping[str, Any]]:
        return self._of.get(kind, [])

    def bodies(self, kind: str) -> list[Mapping[str, Any]]:
        return [entry["body"] for entry in self.all(kind)]

    @property
    def freeze(self) -> Mapping[str, Any]:
        return self.bodies("freeze")[0]

    @property
    def result(self) -> Mapping[str, Any] | None:
        return next(iter(self.bodies("result")), None)

    def parties(self, kind: str) -> list[str]:
        return sorted(body["party"] for body in self.bodies(kind))

    def entropy(self) -> list[dict[str, Any]]:
        names = ("source", "ref", "value")
        return [{name: body[name] for name in names} for body in self.bodies("entropy")]

    def keys(self) -> dict[str, str]:
        """Give party -> Ed25519 public key (hex), as the freeze names them."""
        return {item["party"]: item["key"] for item in self.freeze["party_keys"]}

    def seed(self, alg: str, plan: Mapping[str, Any]) -> str:
        """Recompute the seed from the secrets opened at disclosure."""
        return seed(
            alg,
            self.draw,
            self.number,
            plan=plan,
            frames={name: self.freeze[name]["root"] for name in ("objects", "inspectors")},
            reveals={body["party"]: body["value"] for body in self.bodies("opening")},
            entropy=self.entropy(),
        )

    def level(self) -> str:
        """Grade by section 3.4: A two parties and public entropy, B two, C one with entropy, D.

        Two parties with one key are one.
        """
        sources = {body["source"] for body in self.bodies("entropy")}
        if len(set(self.keys().values())) > 1:
            return "A" if sources.intersection(PUBLIC_SOURCES) else "B"
        return "C" if sources.intersection(SOURCES) else "D"


def attempts(log: Sequence[Mapping[str, Any]], draw: str) -> list[Attempt]:
    return [Attempt(log, opened) for opened in entries(log, "attempt_open", draw)]


def _ordered(attempt: Attempt) -> Iterator[Finding]:
    """Section 3.3: plan, freeze, all commits, entropy, all reveals, result, openings."""
    chains = (
        ("attempt_open", "plan", "freeze", "entropy", "reveal", "result", "opening"),
        ("attempt_open", "commit", "entropy", "reveal", "result", "disclose"),
    )
    for kind in ("plan", "freeze"):
        count = len(attempt.all(kind))
        if count != 1:
            yield found("attempts.single", attempt=attempt.number, count=count, type=kind)
    for chain in chains:
        seqs = [(kind, [entry["seq"] for entry in attempt.all(kind)]) for kind in chain]
        seqs = [(kind, places) for kind, places in seqs if places]
        for i in range(len(seqs) - 1):
            (first, before), (then, after) = seqs[i], seqs[i + 1]
            if max(before) > min(after):
                yield found("attempts.order", attempt=attempt.number, first=first, then=then)


def _ended(attempt: Attempt, last: int) -> Iterator[Finding]:
    ends = attempt.all("result") + attempt.all("void")
    if len(ends) != 1:
        yield found("attempts.ends", attempt=attempt.number, count=len(ends))
    elif ends[0]["seq"] > last:
        yield found("attempts.overlap", attempt=attempt.number)
    if attempt.all("void") and attempt.parties("reveal") == sorted(attempt.freeze["parties"]):
        yield found("attempts.red", attempt=attempt.number)


def _secrets(alg: str, attempt: Attempt) -> Iterator[Finding]:
    number = attempt.number
    parties = sorted(attempt.freeze["parties"])
    if not parties or len(set(parties)) != len(parties):
        yield found("attempts.no_party", attempt=number)
    kinds = ("commit", "reveal", "opening") if attempt.result else ("commit",)
    for kind in kinds:
        if attempt.parties(kind) != parties:
            yield found("attempts.parties", attempt=number, type=kind)
    if not set(attempt.parties("reveal")) <= set(parties):
        yield found("attempts.stranger", attempt=number)
    commits = {body["party"]: body["commitment"] for body in attempt.bodies("commit")}
    reveals = {body["party"]: body["digest"] for body in attempt.bodies("reveal")}
    for body in attempt.bodies("opening"):
        party, value = body["party"], body["value"]
        if commits.get(party) != commitment(alg, attempt.draw, number, party, value):
            yield found("attempts.commitment", attempt=number, party=party)
        if reveals.get(party) != hexdigest(alg, unhex(value, "value")):
            yield found("attempts.revealed", attempt=number, party=party)


def _sources(attempt: Attempt) -> Iterator[Finding]:
    number = attempt.number
    announced = sorted((item["source"], item["ref"]) for item in attempt.freeze["entropy"])
    used = sorted((item["source"], item["ref"]) for item in attempt.entropy())
    if len(set(announced)) != len(announced) or (attempt.result and announced != used):
        yield found("attempts.entropy", attempt=number)
    for body in attempt.bodies("entropy"):
        if body["source"] not in SOURCES:
            yield found("attempts.source", attempt=number, source=body["source"])
        if body["source"] != "dice":
            continue
        value = body["value"]
        if len(value) < DICE or not (value.isascii() and value.isdigit()):
            yield found("attempts.dice", attempt=number, least=DICE)
        if len(set(body.get("witnesses", ()))) < WITNESSES:
            yield found("attempts.witnesses", attempt=number)


def _again(before: Attempt, after: Attempt) -> Iterator[Finding]:
    """Section 3.5: a new attempt keeps plan and frames, and goes without the party named."""
    number = after.number
    if before.bodies("plan")[0]["digest"] != after.bodies("plan")[0]["digest"]:
        yield found("attempts.other_plan", attempt=number)
    frames = ("objects",) if after.stage == "assignment" else ("objects", "inspectors", "blocked")
    for frame in frames:
        if before.freeze[frame] != after.freeze[frame]:
            yield found("attempts.other_frame", attempt=number, frame=frame)
    for body in before.bodies("void"):
        for party in {body["party"], *body.get("missing", ())}.intersection(
            after.freeze["parties"]
        ):
            yield found("attempts.admitted", attempt=number, party=party)


def check_attempts(
    alg: str, log: Sequence[Mapping[str, Any]], tries: Sequence[Attempt]
) -> Iterator[Finding]:
    """Tell everything in the log of one draw that breaks its rules."""
    numbers = [attempt.number for attempt in tries]
    if numbers != list(range(1, len(tries) + 1)):
        yield found("attempts.numbers", numbers=numbers)
    for entry in log:
        body = entry["body"]
        if tries and body.get("draw") == tries[0].draw and body.get("attempt", 1) not in numbers:
            yield found("attempts.stray", seq=entry["seq"])
    for i, attempt in enumerate(tries):
        following = tries[i + 1].all("attempt_open")[0]["seq"] if i + 1 < len(tries) else len(log)
        yield from _ended(attempt, following)
        yield from _ordered(attempt)
        yield from _secrets(alg, attempt)
        yield from _sources(attempt)
    for i in range(1, len(tries)):
        yield from _again(tries[i - 1], tries[i])
    yield from _stages(tries)


def _stages(tries: Sequence[Attempt]) -> Iterator[Finding]:
    """At most one result for the plan; the sending alone may be tried anew when it failed."""
    status = None
    for attempt in tries:
        wanted = "draw" if status is None else "assignment"
        if attempt.stage != wanted:
            yield found("attempts.second", attempt=attempt.number, stage=attempt.stage)
        if status == "complete":
            yield found("attempts.needless", attempt=attempt.number)
        if attempt.result:
            status = attempt.result["status"]
    if status is None:
        yield found("attempts.no_result")
