"""The attempts of a draw as the log tells them: order, parties, secrets (sections 3 and 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .chain import entries
from .digest import hexdigest
from .seed import commitment, seed, unhex

LEVELS = "ABCD"
PUBLIC_SOURCES = ("drand", "lottery")
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
        """Grade by section 3.4: A two parties and public entropy, B two, C one with entropy, D."""
        sources = {body["source"] for body in self.bodies("entropy")}
        several = len(set(self.freeze["parties"])) > 1
        if several:
            return "A" if sources.intersection(PUBLIC_SOURCES) else "B"
        return "C" if sources else "D"


def attempts(log: Sequence[Mapping[str, Any]], draw: str) -> list[Attempt]:
    return [Attempt(log, opened) for opened in entries(log, "attempt_open", draw)]


def _ordered(attempt: Attempt) -> Iterator[str]:
    """Section 3.3: plan, freeze, all commits, entropy, all reveals, result, openings."""
    name = f"attempt {attempt.number}"
    seqs = {
        kind: [entry["seq"] for entry in attempt.all(kind)]
        for kind in (
            "attempt_open", "plan", "freeze", "commit", "entropy", "reveal", "result", "opening"
        )
    }  # fmt: skip
    for kind in ("plan", "freeze"):
        if len(seqs[kind]) != 1:
            yield f"{name} has {len(seqs[kind])} entries of type {kind}, not one"
    chains = (
        ("attempt_open", "plan", "freeze", "entropy", "reveal", "result", "opening"),
        ("attempt_open", "commit", "entropy", "reveal", "result", "opening"),
    )
    for chain in chains:
        present = [kind for kind in chain if seqs[kind]]
        for i in range(len(present) - 1):
            if max(seqs[present[i]]) > min(seqs[present[i + 1]]):
                yield f"{name}: an entry {present[i]} came after {present[i + 1]}"


def _ended(attempt: Attempt, last: int) -> Iterator[str]:
    name = f"attempt {attempt.number}"
    ends = attempt.all("result") + attempt.all("void")
    if len(ends) != 1:
        yield f"{name} has {len(ends)} ends, not one result or one void"
    elif ends[0]["seq"] > last:
        yield f"{name} ended after the next attempt began"
    if attempt.all("void") and attempt.parties("reveal") == sorted(attempt.freeze["parties"]):
        yield f"RED: {name} was made void after all secrets were known"


def _secrets(alg: str, attempt: Attempt) -> Iterator[str]:
    name = f"attempt {attempt.number}"
    parties = sorted(attempt.freeze["parties"])
    if not parties or len(set(parties)) != len(parties):
        yield f"{name} names no party, or one twice"
    kinds = ("commit", "reveal", "opening") if attempt.result else ("commit",)
    for kind in kinds:
        if attempt.parties(kind) != parties:
            yield f"{name}: the parties of {kind} are not those of the freeze"
    if not set(attempt.parties("reveal")) <= set(parties):
        yield f"{name}: somebody revealed who is no party"
    commits = {body["party"]: body["commitment"] for body in attempt.bodies("commit")}
    reveals = {body["party"]: body["digest"] for body in attempt.bodies("reveal")}
    for body in attempt.bodies("opening"):
        party, value = body["party"], body["value"]
        if commits.get(party) != commitment(alg, attempt.draw, attempt.number, party, value):
            yield f"{name}: the secret of {party} does not open its commitment"
        if reveals.get(party) != hexdigest(alg, unhex(value, "value")):
            yield f"{name}: the secret of {party} is not the one revealed"


def _sources(attempt: Attempt) -> Iterator[str]:
    name = f"attempt {attempt.number}"
    announced = sorted((item["source"], item["ref"]) for item in attempt.freeze["entropy"])
    used = sorted((item["source"], item["ref"]) for item in attempt.entropy())
    if len(set(announced)) != len(announced) or (attempt.result and announced != used):
        yield f"{name}: the entropy used is not the entropy announced at the freeze"
    for body in attempt.bodies("entropy"):
        if body["source"] != "dice":
            continue
        value = body["value"]
        if len(value) < DICE or not (value.isascii() and value.isdigit()):
            yield f"{name}: dice need at least {DICE} digits"
        if len(set(body.get("witnesses", ()))) < WITNESSES:
            yield f"{name}: dice need two named witnesses"


def _again(before: Attempt, after: Attempt) -> Iterator[str]:
    """Section 3.5: a new attempt keeps plan and frames, and goes without the party named."""
    name = f"attempt {after.number}"
    if before.bodies("plan")[0]["digest"] != after.bodies("plan")[0]["digest"]:
        yield f"{name} has another plan than the attempt before"
    frames = ("objects",) if after.stage == "assignment" else ("objects", "inspectors", "blocked")
    for frame in frames:
        if before.freeze[frame] != after.freeze[frame]:
            yield f"{name} has another frame of {frame} than the attempt before"
    for body in before.bodies("void"):
        if body["party"] is not None and body["party"] in after.freeze["parties"]:
            yield f"{name} admits {body['party']}, who had made the one before void"


def check_attempts(
    alg: str, log: Sequence[Mapping[str, Any]], tries: Sequence[Attempt]
) -> Iterator[str]:
    """Tell everything in the log of one draw that breaks its rules."""
    numbers = [attempt.number for attempt in tries]
    if numbers != list(range(1, len(tries) + 1)):
        yield f"the attempts are numbered {numbers}"
    for entry in log:
        body = entry["body"]
        if tries and body.get("draw") == tries[0].draw and body.get("attempt", 1) not in numbers:
            yield f"entry {entry['seq']} belongs to an attempt that was never opened"
    for i, attempt in enumerate(tries):
        following = tries[i + 1].all("attempt_open")[0]["seq"] if i + 1 < len(tries) else len(log)
        yield from _ended(attempt, following)
        yield from _ordered(attempt)
        yield from _secrets(alg, attempt)
        yield from _sources(attempt)
    for i in range(1, len(tries)):
        yield from _again(tries[i - 1], tries[i])
    yield from _results(tries)


def _results(tries: Sequence[Attempt]) -> Iterator[str]:
    """At most one result for the plan; the sending alone may be tried anew when it failed."""
    status = None
    for attempt in tries:
        wanted = "draw" if status is None else "assignment"
        if attempt.stage != wanted:
            yield f"attempt {attempt.number} is a second {attempt.stage} for one plan"
        if status == "complete":
            yield f"attempt {attempt.number} was opened although everything was drawn"
        if attempt.result:
            status = attempt.result["status"]
    if status is None:
        yield "the draw has no result"
