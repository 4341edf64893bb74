"""`mingcha witness`: another bureau keeps this log's heads and refuses any that forgets one.

It needs no database and no store: one file, one key, the log's public key by another way, and the
log's address or a file carried by hand. 0: seen and cosigned. 1: refused, or nothing to be had.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec

from backend import clock
from backend.keyring import read_seed
from backend.services.texts import wording
from media import checkpoint, cosignature
from media.cosignature import COSIGNATURE, Vkey
from media.errors import Family, MediaRefusal
from media.keys import ServerKey
from media.witnessing import HeadRefused, Offer, Seen, WitnessFile, judge

TIMEOUT_S = 20
KEY_FILE = "witness.seed"
OFFER_MAX_BYTES = 65_536


class LogSilent(MediaRefusal):
    """The log does not answer, or not with a head and a proof."""

    code = "witness.log_silent"
    family = Family.UNAVAILABLE


class LogEmpty(LogSilent):
    """The log has no head yet, or has none any more."""

    code = "witness.log_empty"
    family = Family.ABSENT


class _Head(msgspec.Struct, frozen=True):
    size: int
    note: str


class _Growth(msgspec.Struct, frozen=True):
    checkpoint: str
    proof: tuple[str, ...]


class Source:
    """Where heads come from: the log itself over HTTP."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def _get(self, path: str, kind: type[Any], **query: int) -> Any:  # noqa: ANN401 - of kind
        try:
            answer = self.http.get(path, params=query)
            if answer.status_code == httpx.codes.NOT_FOUND:
                raise LogEmpty
            if answer.status_code != httpx.codes.OK:
                raise LogSilent(status=answer.status_code)
            return msgspec.json.decode(answer.content[:OFFER_MAX_BYTES], type=kind)
        except (httpx.HTTPError, msgspec.DecodeError) as fault:
            raise LogSilent(reason=type(fault).__name__) from fault

    def offer(self, last: checkpoint.Checkpoint | None) -> Offer:
        """The newest head, with the proof that it extends ``last``.

        Raises: LogSilent, LogEmpty ("witness.…"), HeadRefused: a log that had heads has none.
        """
        try:
            head: _Head = self._get("/api/v1/log/checkpoint", _Head)
        except LogEmpty:
            if last is None:
                raise
            raise HeadRefused(reason="went_back", seen=last.size, offered=0) from None
        size = checkpoint.parse(head.note).head.size
        if last is None or size <= last.size:
            return Offer(head.note)
        path = "/api/v1/log/proof/consistency"
        growth: _Growth = self._get(path, _Growth, old=last.size, new=size)
        return Offer(head.note, growth.proof)

    def leave(self, size: int, line: str) -> bool:
        """Hand the cosignature to the log; False when it does not take it now."""
        sent = {"size": size, "line": line}
        try:
            answer = self.http.post("/api/v1/log/cosignatures", json=sent)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK


def offered(file: Path) -> Offer:
    """A head that was carried here: the answer of /log/checkpoint or of /log/proof/consistency.

    Raises: LogSilent ("witness.log_silent").
    """
    try:
        said = msgspec.json.decode(file.read_bytes()[:OFFER_MAX_BYTES], type=dict[str, Any])
        proof = msgspec.convert(said.get("proof", ()), tuple[str, ...])
        return Offer(msgspec.convert(said.get("checkpoint", said.get("note")), str), proof)
    except (OSError, msgspec.MsgspecError) as fault:
        raise LogSilent(reason=type(fault).__name__) from fault


class Witness:
    """One file of heads and the key that vouches for them."""

    def __init__(self, file: WitnessFile, key: ServerKey, *, name: str, log: Vkey) -> None:
        self.file, self.key, self.name, self.log = file, key, name, log

    def see(self, offer: Offer, *, at_s: int) -> tuple[int, str]:
        """Judge a head, write it down, and only then cosign it in public: size and line.

        Raises: HeadRefused ("witness.head_refused"), NoteInvalid ("checkpoint.invalid").
        """
        last = self.file.last
        head = judge(last, offer, log=self.log)
        line = cosignature.cosign(offer.note, name=self.name, key=self.key, at_s=at_s)
        if last is None or head.size > last.size:
            self.file.append(Seen(offer.note, line, at_s, offer.proof))
        return head.size, line


def _once(witness: Witness, source: Source | None, args: argparse.Namespace) -> None:
    offer = offered(args.offer) if source is None else source.offer(witness.file.last)
    size, line = witness.see(offer, at_s=int(clock.now().timestamp()))
    told = source.leave(size, line) if source else False
    print(
        f"{size} 条已见证 entries seen{'，已送达 told the log' if told else ''}\n{line}",
        flush=True,
    )


def _client(address: str) -> httpx.Client:
    return httpx.Client(
        base_url=address, timeout=TIMEOUT_S, trust_env=False, follow_redirects=False
    )


def _refuse(refusal: MediaRefusal) -> None:
    said = wording(refusal.code, "zh"), wording(refusal.code, "en")
    for words in said:
        print(f"{words.title}: {words.todo}", file=sys.stderr)
    print(f"{refusal.code} {refusal.facts}", file=sys.stderr, flush=True)


def _watch(witness: Witness, source: Source | None, args: argparse.Namespace) -> int:
    """Once, or every so many seconds; silence is waited out, a refusal ends the watch."""
    while True:
        try:
            _once(witness, source, args)
        except LogSilent as silence:
            _refuse(silence)
            if not args.every:
                return 1
        if not args.every:
            return 0
        time.sleep(args.every)


def main(args: argparse.Namespace) -> int:
    """Watch the log; a head that was refused is told and never cosigned."""
    key = ServerKey.from_seed(read_seed(args.file.parent / KEY_FILE))
    if args.what == "key":
        print(Vkey(args.name, COSIGNATURE, key.public))
        return 0
    try:
        log = Vkey.read(args.log_key)
        with WitnessFile(args.file) as file:
            witness = Witness(file, key, name=args.name, log=log)
            if args.offer:
                return _watch(witness, None, args)
            with _client(args.log) as http:
                return _watch(witness, Source(http), args)
    except MediaRefusal as refusal:
        _refuse(refusal)
        return 1
