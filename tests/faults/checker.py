"""The history checker: what callers saw, held against what the server holds.

Source: evidence spec 0, 13 (checker). Every rule gives sentences; none means that it holds.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from media import receipt
from media.errors import MediaRefusal
from tests.faults import fold
from tests.faults.facts import Facts, Row
from tests.faults.history import Event, History
from tests.faults.model import Phone, Trust

ONCE = ("evidence.uploading", "evidence.received", "evidence.verified", "evidence.sealed")
MAY_PASS = "may_pass"  # among the reasons of a spoilt piece: it may be proved all the same


@dataclass(frozen=True)
class Case:
    """One schedule's end: history, phones, facts, and what was planted on purpose.

    ``dishonest`` are operations and captures of rogues, by id; ``spoilt`` captures that may end in
    quarantine, with the reasons allowed; ``lost`` captures that went down with a phone;
    ``invited`` the phones that may know of a visit; ``restored``: a backup may have been put back,
    so that a phone heals what it was told before.
    """

    history: History
    phones: Sequence[Phone]
    facts: Facts
    trust: Trust
    notes: set[str]
    dishonest: set[str] = field(default_factory=set)
    spoilt: dict[str, set[str]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    invited: dict[str, set[str]] = field(default_factory=dict)
    restored: bool = True


Rule = Callable[[Case], Iterator[str]]


def check(case: Case) -> list[str]:
    """Every broken promise, as one sentence each."""
    return [f"{rule.__name__}: {said}" for rule in RULES for said in rule(case)]


def acknowledged_is_present(case: Case) -> Iterator[str]:
    """What a phone was told of an operation is what the server holds, and it never changes."""
    rows = {str(row["op_id"]): row for row in case.facts.of("op")}
    buried = {bytes(row["envelope"]) for row in case.facts.letters}
    told: dict[tuple[str, bytes], set[bytes]] = defaultdict(set)
    for event in case.history.of("op", "ok"):
        yield from _held(event, rows, buried)
        if event.facts["result"] in ("applied", "duplicate"):
            told[event.facts["op_id"], event.facts["raw"]].add(event.facts["outcome"])
    anew = Counter(
        event.facts["op_id"]
        for event in case.history.of("op", "ok")
        if event.facts["result"] == "applied"
    )
    for op_id, count in anew.items():
        if count > 1 and not case.restored:
            yield f"op {op_id} was applied {count} times: what was told first was not kept"
    for (op_id, _), outcomes in told.items():
        final = {one for one in outcomes if json.loads(one)["result"] != "blocked"}
        if len(final) > 1:
            yield f"op {op_id} was told {len(final)} different results"


def _held(event: Event, rows: dict[str, Row], buried: set[bytes]) -> Iterator[str]:
    """One answer to one operation against its row, or against the dead letters."""
    op_id, result, raw = event.facts["op_id"], event.facts["result"], event.facts["raw"]
    row = rows.get(op_id)
    if result in ("applied", "duplicate"):
        outcome = json.loads(event.facts["outcome"])
        if outcome["result"] == "rejected" and raw in buried:
            return
        if row is None:
            yield f"op {op_id} was told {result} and is not there"
        elif bytes(row["envelope"]) != raw:
            yield f"op {op_id} was told {result} and another stands under its id"
        elif outcome["result"] == row["status"] and bytes(row["result"]) != event.facts["outcome"]:
            yield f"op {op_id} was told other bytes than are stored"
        elif outcome["result"] == "applied" != row["status"]:
            yield f"op {op_id} was told applied and is {row['status']}"
    elif result == "rejected" and raw not in buried:
        yield f"op {op_id} was rejected and is not kept"
    elif result == "blocked" and (row is None or bytes(row["envelope"]) != raw):
        yield f"op {op_id} was told blocked and is not kept"


def exactly_once(case: Case) -> Iterator[str]:
    """One effect and one audit entry an operation; numbers of a device are used once."""
    sent = {event.facts["op_id"]: event.facts["raw"] for event in case.history.of("op", "invoke")}
    verbs = Counter((e["body"].get("op_id"), e["body"]["verb"]) for e in case.facts.entries)
    numbers: Counter[tuple[Any, ...]] = Counter()
    for row in case.facts.of("op"):
        op_id = str(row["op_id"])
        numbers[row["dev"], row["inst_epoch"], row["seq"]] += 1
        raws = {event.facts["raw"] for event in case.history.of("op", "invoke")}
        if op_id not in sent or bytes(row["envelope"]) not in raws:
            yield f"op {op_id} was never sent"
        verb = {"applied": row["kind"], "rejected": "op.rejected", "blocked": "op.blocked"}
        if (count := verbs[op_id, verb[row["status"]]]) != 1:
            yield f"op {op_id} ({row['kind']}, {row['status']}) has {count} entries"
        if row["status"] != "applied" and verbs[op_id, row["kind"]]:
            yield f"op {op_id} is {row['status']} and has an entry of its effect"
    for number, count in numbers.items():
        if count > 1:
            yield f"number {number} was used {count} times"


def operations_are_what_was_signed(case: Case) -> Iterator[str]:
    """The body of an applied operation has the digest that its signature covers."""
    for row in case.facts.of("op", status="applied"):
        envelope = json.loads(bytes(row["envelope"]))
        text = json.dumps(
            envelope["body"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        if sha256(text.encode()).hexdigest() != envelope["digest"]:
            yield f"op {row['op_id']} has another body than was signed"


def nothing_honest_is_refused(case: Case) -> Iterator[str]:
    """An honest operation is applied in the end, whatever came first."""
    for phone in case.phones:
        for letter in phone.shelf.letters:
            if letter.op_id not in case.dishonest and letter.stand == "dead":
                code = json.loads(letter.outcome or b"{}").get("code", "conflict_digest")
                yield f"{phone.name}: {letter.kind} {letter.op_id} was refused: {code}"


def effects_are_those_of_the_operations(case: Case) -> Iterator[str]:
    """Rows of a visit are what its operations say, no more and no less."""
    for visit in case.facts.of("visit"):
        told = fold.tell(case.facts, visit)
        if visit["state"] != told.state:
            yield f"visit {visit['id']} is {visit['state']}, its operations say {told.state}"
        yield from _answers(case.facts, visit, told)
        yield from _claims(case.facts, visit, told)
        yield from _events(case.facts, visit, told)
        yield from _flags(case.facts, visit, told)


def _answers(facts: Facts, visit: Row, told: fold.Told) -> Iterator[str]:
    held = {(str(r["dev"]), r["item"]): r["canon"] for r in facts.of("answer", visit=visit["id"])}
    wanted = {place: text for place, (_, text) in told.answers.items()}
    if held != wanted:
        odd = sorted(set(held.items()) ^ set(wanted.items()))
        yield f"answers of visit {visit['id']} differ: {odd}"


def _claims(facts: Facts, visit: Row, told: fold.Told) -> Iterator[str]:
    held = {str(row["dev"]): row for row in facts.of("claim", visit=visit["id"])}
    for dev, claim in told.claims.items():
        row = held.get(dev)
        if row is None or (row["closed_by"] is None and row["items"] != claim.items):
            yield f"claim of {dev} on visit {visit['id']} is not its latest"


def _events(facts: Facts, visit: Row, told: fold.Told) -> Iterator[str]:
    kept = Counter(str(row["op_id"]) for row in facts.of("visit_event", visit=visit["id"]))
    for one in fold.applied(facts, visit):
        op_id = str(one.row["op_id"])
        own = one.kind in ("answer.set", "visit.finalize") or "evidence" in one.kind
        wanted = int(not own and op_id not in told.doubted)
        if kept[op_id] != wanted:
            yield f"{one.kind} {op_id} has {kept[op_id]} events"


def _flags(facts: Facts, visit: Row, told: fold.Told) -> Iterator[str]:
    for one in fold.applied(facts, visit):
        flags = json.loads(bytes(one.row["result"])).get("flags", [])
        if ("stale_assignment" in flags) != (str(one.row["op_id"]) in told.stale):
            yield f"{one.kind} {one.row['op_id']} is told {flags} under epoch {told.epoch}"


def complete_means_everything(case: Case) -> Iterator[str]:
    """``complete`` stands exactly when everything listed and required was proved before it."""
    for visit in case.facts.of("visit"):
        entries = case.facts.about(visit["id"], "visit.completed")
        if len(entries) > 1 or bool(entries) != (visit["completed_at"] is not None):
            yield f"visit {visit['id']} has {len(entries)} entries of its completion"
        if entries:
            at = entries[0]["id"]
            told = fold.tell(case.facts, visit, before=at)
            for one in fold.missing(case.facts, visit, told, before=at):
                yield f"visit {visit['id']} was complete without {one}"
        elif visit["state"] == "submitted":
            told = fold.tell(case.facts, visit)
            if not fold.missing(case.facts, visit, told):
                yield f"visit {visit['id']} has everything and is not complete"


def evidence_is_what_was_signed(case: Case) -> Iterator[str]:
    """A row is its manifest, proved bytes have the hash of the shutter, late is told late."""
    signed = {one.id: one for phone in case.phones for one in phone.shelf.captures.values()}
    ends = ("visit.completed", "visit.concluded_with_gap")
    done = {
        row["id"]: next((e["id"] for e in case.facts.about(row["id"], *ends)), None)
        for row in case.facts.of("visit")
    }
    for row in case.facts.of("evidence"):
        ident = str(row["id"])
        kept = signed.get(ident)
        if kept is not None and bytes(row["manifest"]) != kept.manifest:
            yield f"evidence {ident} has another manifest than was signed"
        said = json.loads(bytes(row["manifest"]))
        media = (said["media"]["sha256"], said["media"]["size"])
        if (row["sha256"], row["size"]) != media or str(row["visit"]) != said["visit"]:
            yield f"evidence {ident} is not what its manifest says"
        if ident in case.facts.blobs and case.facts.blobs[ident] != media:
            yield f"evidence {ident} is {row['state']}, its original is {case.facts.blobs[ident]}"
        yield from _custody(case, row, done[row["visit"]])


def _custody(case: Case, row: Row, completed: int | None) -> Iterator[str]:
    """Entries of one piece: each step once, and none that was not taken."""
    ident, facts = str(row["id"]), case.facts
    counts = Counter(
        one["body"]["verb"] for one in facts.about(ident, *ONCE, "evidence.quarantined")
    )
    wanted = {
        "evidence.verified": int(row["verified_at"] is not None),
        "evidence.sealed": int(row["sealed_at"] is not None),
        "evidence.quarantined": int(row["state"] == "quarantined"),
        "evidence.received": int(row["received_at"] is not None),
    }
    for verb, count in wanted.items():
        if counts[verb] != count:
            yield f"evidence {ident} ({row['state']}) has {counts[verb]} entries {verb}"
    if counts["evidence.uploading"] > 1:
        yield f"evidence {ident} began {counts['evidence.uploading']} times"
    declared = facts.about(ident, "evidence.declare")
    late = completed is not None and bool(declared) and declared[0]["id"] > completed
    if row["late"] != late:
        yield f"evidence {ident} is late: {row['late']}, by the log: {late}"
    if row["state"] == "quarantined" and row["reason"] not in case.spoilt.get(ident, set()):
        yield f"evidence {ident} of an honest phone is in quarantine: {row['reason']}"
    must = case.spoilt.get(ident, {MAY_PASS})
    if row["state"] in fold.PROVED and MAY_PASS not in must:
        yield f"evidence {ident} is {row['state']} and had to be quarantined: {sorted(must)}"
    if row["state"] == "withdrawn" and (row["sealed_at"] or completed) and _listed(facts, row):
        yield f"evidence {ident} was taken out of a complete record"


def _listed(facts: Facts, row: Row) -> bool:
    visit = facts.of("visit", id=row["visit"])[0]
    claims = facts.of("claim", visit=row["visit"])
    items = {item["id"] for claim in claims for item in claim["items"]}
    return visit["completed_at"] is not None and str(row["id"]) in items


def receipts_are_truthful(case: Case) -> Iterator[str]:
    """Signature, proof, head, leaf and hash hold; the leaf is the entry of its proof."""
    rows = {str(row["id"]): row for row in case.facts.of("evidence")}
    places = {one["tree_index"]: one for one in case.facts.entries}
    for stored in case.facts.receipts:
        signed = receipt.SignedReceipt(bytes(stored["body"]), bytes(stored["signature"]))
        try:
            said = receipt.verify(signed, public=case.trust.public, log=case.trust.log)
        except MediaRefusal as refusal:
            yield f"receipt {stored['evidence']}: {refusal.code}"
            continue
        row, entry = rows[str(stored["evidence"])], places.get(said.leaf_index)
        if row["sealed_at"] is None or case.facts.blobs.get(said.id) != (said.sha256, said.size):
            yield f"receipt of {said.id} says {said.state}, it is {row['state']}"
        if (said.id, said.sha256) != (str(row["id"]), row["sha256"]):
            yield f"receipt of {said.id} is about other bytes"
        nothing: dict[str, Any] = {"verb": "", "object": {"id": ""}}
        body = entry["body"] if entry else nothing
        if (body["verb"], body["object"]["id"]) != ("evidence.verified", said.id):
            yield f"receipt of {said.id} proves another entry: {body['verb']}"
        if said.checkpoint not in case.notes:
            yield f"receipt of {said.id} stands on a head that nobody signed for others"
    for event in case.history.of("receipt", "note"):
        if event.facts["fault"]:
            yield f"{event.who} got a receipt of {event.facts['evidence']}: {event.facts['fault']}"


def no_bytes_are_lost(case: Case) -> Iterator[str]:
    """Every capture is on its phone or proved in the store; freed only on a verified receipt."""
    for phone in case.phones:
        for one in phone.shelf.captures.values():
            proved = case.facts.blobs.get(one.id) == (one.sha256, one.size)
            if one.raw is None and not proved:
                yield f"capture {one.id} is neither on {phone.name} nor proved"
            if one.raw is not None and sha256(one.raw).hexdigest() != one.sha256:
                yield f"capture {one.id} on {phone.name} is not what was signed"
    for event in case.history.of("freed", "note"):
        raw = event.facts["receipt"]
        if not raw or json.loads(raw)["state"] != "sealed":
            yield f"{event.who} freed {event.facts['evidence']} without a sealed receipt"


def promises_of_offsets_hold(case: Case) -> Iterator[str]:
    """A promised offset is never taken back."""
    for event in case.history.of("promise_broken", "note"):
        yield f"{event.who}: {dict(event.facts)}"


def nothing_foreign_is_seen(case: Case) -> Iterator[str]:
    """A stranger's question gives the answer of a thing that never was."""
    for event in case.history.of("spy", "note"):
        if event.facts["seen"]:
            yield f"{event.who} saw {event.facts['path']}: {event.facts['seen']}"
    own = {str(row["id"]) for row in case.facts.of("visit")}
    for event in case.history.of("bundle", "note"):
        for visit in own & set(event.facts["visits"]):
            if event.who not in case.invited.get(visit, set()):
                yield f"{event.who} was sent visit {visit}"


def everything_is_drained(case: Case) -> Iterator[str]:
    """After the faults stopped nothing waits: no task, no entry without place, no phone."""
    for task in case.facts.open_tasks:
        yield f"task {task['kind']} {task['payload']} is open: {task['last_error']}"
    if case.facts.pending:
        yield f"{case.facts.pending} entries have no place in the log"
    rows = {str(row["id"]): row for row in case.facts.of("evidence")}
    for phone in case.phones:
        if phone.locked:
            continue
        waiting = [letter.kind for letter in phone.shelf.pending()]
        if waiting:
            yield f"{phone.name} still has operations: {waiting}"
        for one in phone.shelf.unsealed():
            row = rows.get(one.id)
            state = "not declared" if row is None else row["state"]
            if one.id not in case.lost | set(case.spoilt) and state != "quarantined":
                yield f"{phone.name} has no receipt of {one.id} ({state})"


RULES: tuple[Rule, ...] = (
    acknowledged_is_present,
    exactly_once,
    operations_are_what_was_signed,
    nothing_honest_is_refused,
    effects_are_those_of_the_operations,
    complete_means_everything,
    evidence_is_what_was_signed,
    receipts_are_truthful,
    no_bytes_are_lost,
    promises_of_offsets_hold,
    nothing_foreign_is_seen,
    everything_is_drained,
)
