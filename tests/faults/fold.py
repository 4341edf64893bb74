"""What a visit must be, told anew from the operations in the order of their audit entries.

The rules of evidence spec 3 once more, in the plainest words and without the product's code:
which answers and claims count, when an assignment is stale, and whether a record is complete.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from tests.faults.facts import Facts, Row

Order = tuple[int, int]  # which storage of its phone, and the number there
DONE = frozenset({"complete", "accepted", "concluded", "concluded_with_gap"})
STEPS = (
    *("visit.opened", "visit.reassigned", "visit.completed"),
    *("visit.device_closed", "visit.concluded_with_gap"),
)
PROVED = frozenset({"verified", "sealed"})


@dataclass(frozen=True)
class Applied:
    """One operation that had its effect: its row, what was signed, and where the log has it."""

    row: Row
    envelope: dict[str, Any]
    entry: int
    revoked: bool = False

    @property
    def kind(self) -> str:
        return str(self.row["kind"])

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = self.envelope["body"]
        return found


@dataclass
class Claim:
    """One device's claim; ``order`` decides which of two counts."""

    order: Order
    items: list[dict[str, str]]
    answers_sha: str


@dataclass
class Told:
    """A visit as the operations tell it, up to some entry."""

    state: str = "assigned"
    epoch: int = 1
    claims: dict[str, Claim] = field(default_factory=dict)
    answers: dict[tuple[str, str], tuple[Order, str]] = field(default_factory=dict)
    devices: set[str] = field(default_factory=set)
    completed: int | None = None
    shown: bool = False
    signed: set[str] = field(default_factory=set)
    party: bool = False
    rolls: int = 0
    stale: set[str] = field(default_factory=set)
    doubted: set[str] = field(default_factory=set)
    closings: int = 0

    def answers_sha(self, dev: str) -> str:
        """The digest of one device's latest answers."""
        held = sorted(
            (item, text) for (one, item), (_, text) in self.answers.items() if one == dev
        )
        return sha256(f"[{','.join(text for _, text in held)}]".encode()).hexdigest()


def applied(facts: Facts, visit: Row) -> list[Applied]:
    """The operations of a visit that had their effect, in the order of the log."""
    entries: dict[tuple[str, str], int] = {}
    ended: dict[str, int] = {}
    for one in facts.entries:
        body = one["body"]
        entries.setdefault((str(body.get("op_id")), body["verb"]), one["id"])
        if body["verb"] == "device.revoked":
            ended.setdefault(body["object"]["id"], one["id"])
    found = []
    for row in facts.of("op", visit=visit["id"], status="applied"):
        entry = entries.get((str(row["op_id"]), row["kind"]))
        if entry is not None:
            gone = facts.devices.get(row["dev"], {}).get("revoked_at")
            # A clock that stands still has both at one instant; then the log's order tells.
            before = ended.get(str(row["dev"]), entry) < entry
            here = row["received_at"]
            revoked = gone is not None and (gone < here or (gone == here and before))
            found.append(Applied(row, json.loads(bytes(row["envelope"])), entry, revoked))
    return sorted(found, key=lambda one: one.entry)


def tell(facts: Facts, visit: Row, *, before: int | None = None) -> Told:
    """Fold everything about a visit, or what stands before one entry."""
    told = Told()
    ranks: dict[tuple[str, str], int] = {}
    for at, what in _in_order(facts, visit):
        if before is not None and at >= before:
            break
        if isinstance(what, Applied):
            epoch = (str(what.row["dev"]), what.row["inst_epoch"])
            rank = ranks.setdefault(epoch, len(ranks))
            _operation(told, what, (rank, what.row["seq"]))
        else:
            _entry(told, what)
    return told


def _in_order(facts: Facts, visit: Row) -> Iterator[tuple[int, Applied | Row]]:
    found: list[tuple[int, Applied | Row]] = [(one.entry, one) for one in applied(facts, visit)]
    found += [(one["id"], one) for one in facts.about(visit["id"], *STEPS)]
    return iter(sorted(found, key=lambda pair: pair[0]))


def _entry(told: Told, entry: Row) -> None:
    match entry["body"]["verb"]:
        case "visit.opened" if told.state == "assigned":
            told.state = "opened"
        case "visit.reassigned":
            told.epoch += 1
        case "visit.completed":
            told.completed, told.state = entry["id"], "complete"
        case "visit.concluded_with_gap":
            told.state = "concluded_with_gap"
        case "visit.device_closed":
            told.closings += 1
        case _:
            pass


def _operation(told: Told, one: Applied, order: Order) -> None:
    """One operation; in doubt it decides nothing, and its device owes a claim all the same."""
    dev, op_id = str(one.row["dev"]), str(one.row["op_id"])
    if one.envelope["base"]["asg_epoch"] != told.epoch:
        told.stale.add(op_id)
    if one.kind != "recusal.declare":
        told.devices.add(dev)
    if op_id in told.stale or one.revoked:
        told.doubted.add(op_id)
        return
    match one.kind:
        case "visit.start" if told.state in ("assigned", "opened"):
            told.state = "started"
        case "answer.set" if told.state not in DONE:
            _answer(told, one, dev, order)
        case "certificate.shown":
            told.shown = True
        case "signature.record":
            _signature(told, one.body)
        case "rollcall.record":
            told.rolls += 1
        case "visit.finalize" if told.state not in DONE:
            _claim(told, one, dev, order)
        case _:
            pass


def _answer(told: Told, one: Applied, dev: str, order: Order) -> None:
    for answer in one.body["answers"]:
        text = json.dumps(answer, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        held = told.answers.get((dev, answer["item"]))
        if held is None or held[0] < order:
            told.answers[dev, answer["item"]] = (order, text)


def _signature(told: Told, body: dict[str, Any]) -> None:
    if body["role"] == "inspector":
        told.signed.add(body["inspector"])
    told.party = told.party or body["role"] in ("party", "refusal")


def _claim(told: Told, one: Applied, dev: str, order: Order) -> None:
    held = told.claims.get(dev)
    if held is None or held.order < order:
        told.claims[dev] = Claim(order, one.body["items"], one.body["answers_sha"])
    if told.state in ("assigned", "opened", "started", "returned"):
        told.state = "submitted"


def missing(facts: Facts, visit: Row, told: Told, *, before: int | None = None) -> list[str]:
    """What the record of a visit lacks; ``before`` asks as it stood at an entry."""
    closed = _closed(facts, visit) if told.closings else set()
    wrong = [f"claim of {dev}" for dev in sorted(told.devices - set(told.claims) - closed)]
    held = {str(row["id"]): row for row in facts.of("evidence")}
    for dev, claim in told.claims.items():
        if dev in closed:
            continue
        if claim.answers_sha != told.answers_sha(dev):
            wrong.append(f"answers of {dev}")
        wrong += [
            f"evidence {item['id']}"
            for item in claim.items
            if not _proved(facts, visit, held.get(item["id"]), item, before)
        ]
    active = {
        str(row["inspector"])
        for row in facts.of("assignment", visit=visit["id"], epoch=told.epoch)
    }
    if not told.shown:
        wrong.append("certificate")
    if len(told.signed & active) < 2:
        wrong.append("inspectors' signatures")
    if not told.party:
        wrong.append("party's signature")
    if visit["kind"] == "class_session" and not told.rolls:
        wrong.append("roll-call")
    return wrong


def _closed(facts: Facts, visit: Row) -> set[str]:
    """Devices whose claim two persons closed."""
    claims = facts.of("claim", visit=visit["id"])
    return {str(row["dev"]) for row in claims if row["closed_by"] is not None}


def _proved(
    facts: Facts, visit: Row, row: Row | None, item: dict[str, str], before: int | None
) -> bool:
    """Whether an item's row fits and its original was there, at that entry."""
    if row is None or row["visit"] != visit["id"] or row["sha256"] != item["sha256"]:
        return False
    proofs = facts.about(row["id"], "evidence.verified")
    in_time = any(before is None or one["id"] < before for one in proofs)
    blob = facts.blobs.get(item["id"])
    return in_time and row["state"] in PROVED and blob is not None and blob[0] == item["sha256"]
