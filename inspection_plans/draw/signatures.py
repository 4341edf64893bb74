"""Parties sign their commitments and the log's heads (draw.md section 9, settled point 14)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .ceremony import Attempt
from .ed25519 import signed
from .findings import Finding, found
from .seed import tagged, unhex

_COUNTERSIGN = {"party", "head", "signature"}


def check_keys(tries: Sequence[Attempt], given: Mapping[str, str]) -> Iterator[Finding]:
    """Tell parties without a key of their own, with another than `given`, and forged commits.

    `given` is party -> public key (hex) as somebody knows them from elsewhere.
    """
    for attempt in tries:
        number, keys = attempt.number, attempt.keys()
        named = [item["party"] for item in attempt.freeze["party_keys"]]
        if named != list(attempt.freeze["parties"]):
            yield found("signatures.keys", attempt=number)
        if len(set(keys.values())) != len(named):
            yield found("signatures.shared", attempt=number)
        for party, key in given.items():
            if keys.get(party, key) != key:
                yield found("signatures.other_key", attempt=number, party=party)
        for body in attempt.bodies("commit"):
            text = tagged("ssj1.commit") + unhex(body["commitment"], "commitment")
            if not _is_signed(keys.get(body["party"]), text, body["signature"]):
                yield found("signatures.commit", attempt=number, party=body["party"])


def _is_signed(key: str | None, message: bytes, signature: str) -> bool:
    if key is None or signature != signature.lower():
        return False
    return signed(unhex(key, "key"), message, bytes.fromhex(signature))


class Heads:
    """Who signed which head: `by` is party -> numbers of the entries countersigned."""

    def __init__(self, record: Mapping[str, Any], tries: Sequence[Attempt]) -> None:
        self.record = record
        self.tries = tries
        self.places = {entry["hash"]: entry["seq"] for entry in record["log"]}
        self.by: dict[str, set[int]] = {}

    def check(self) -> Iterator[Finding]:
        """Tell every countersignature that is false, and a log whose end nobody signed."""
        log, draw = self.record["log"], self.record["draw"]
        for entry in log:
            if entry["type"] in ("reveal", "disclose") and entry["body"]["draw"] == draw:
                now = next(t.keys() for t in self.tries if t.number == entry["body"]["attempt"])
                for item in entry["body"].get("countersigned", ()):
                    yield from self._one(item, now, entry["seq"])
        keys = {party: key for one in self.tries for party, key in one.keys().items()}
        order = []
        for item in self.record["countersigns"]:
            yield from self._one(item, keys, len(log))
            order.append((self.places.get(item["head"], -1), item["party"]))
        if order != sorted(set(order)):
            yield found("signatures.order")
        last = max(entry["seq"] for entry in log if entry["body"].get("draw") == draw)
        if not any(max(signed_at) >= last for signed_at in self.by.values()):
            yield found("signatures.end")

    def _one(
        self, item: Mapping[str, Any], keys: Mapping[str, str], before: int
    ) -> Iterator[Finding]:
        if set(item) != _COUNTERSIGN:
            yield found("signatures.form")
            return
        party, head = item["party"], item["head"]
        if party not in keys:
            yield found("signatures.stranger", party=party)
        elif self.places.get(head, before) >= before:
            yield found("signatures.head", party=party)
        elif not _is_signed(keys[party], unhex(head, "head"), item["signature"]):
            yield found("signatures.bad", party=party, head=head)
        else:
            self.by.setdefault(party, set()).add(self.places[head])

    def notes(self) -> Iterator[Finding]:
        """Tell the parties of a result who signed nothing at the freeze, or nothing after it."""
        for attempt in self.tries:
            if not attempt.result:
                continue
            start, end = attempt.all("freeze")[0]["seq"], attempt.all("result")[0]["seq"]
            parties = attempt.freeze["parties"]
            for code, low, high in (
                ("note.freeze", start, end),
                ("note.signed", end, len(self.record["log"])),
            ):
                silent = [
                    party
                    for party in parties
                    if not any(low <= seq < high for seq in self.by.get(party, ()))
                ]
                if silent:
                    yield found(code, parties=silent)
