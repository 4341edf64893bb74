"""Time tokens 时间令牌 and challenges: made for phones, read again with what a phone sends."""

from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

import msgspec

from backend.services.errors import ServiceRefusal
from inspection_plans.errors import Family
from media import ops, tokens
from media.keys import ServerKey

NONCE_LIFE = timedelta(hours=12)
REMEMBERED = 8192


class ProofStale(ServiceRefusal):
    """The nonce in the Device-Proof is not ours or over 12 hours old; ask for the time again."""

    code = "device.proof_stale"
    family = Family.DENIED


class ProofMissing(ServiceRefusal):
    """A call of an enrolled device that changes something carries a Device-Proof."""

    code = "device.proof_missing"
    family = Family.DENIED


class Now(msgspec.Struct, frozen=True):
    """The server's time in ms, and the token that proves it and serves as nonce."""

    srv: int
    token: str


def issue(key: ServerKey, *, at: datetime, fresh: UUID) -> Now:
    """The time, signed; ``fresh`` is a new id, whose last 8 bytes nobody can foresee."""
    srv = int(at.timestamp() * 1000)
    return Now(srv, tokens.issue_time(key, srv=srv, nonce=fresh.bytes[8:]))


@lru_cache(maxsize=REMEMBERED)
def _time(token: str, kid: str, public: bytes) -> int | None:
    try:
        return tokens.read_time(token, {kid: public}).srv
    except tokens.TokenInvalid:
        return None


def time_of(token: str, key: ServerKey) -> int | None:
    """The instant (ms) a token proves, or None when this server did not sign it."""
    return _time(token, key.kid, key.public)


@lru_cache(maxsize=REMEMBERED)
def _challenge(token: str, kid: str, public: bytes, asg: str) -> bool:
    try:
        tokens.read_challenge(token, {kid: public}, asg=asg)
    except tokens.TokenInvalid:
        return False
    return True


def is_challenge(token: str, key: ServerKey, *, asg: str) -> bool:
    """Whether this server signed the challenge for this assignment."""
    return _challenge(token, key.kid, key.public, asg)


class Call(msgspec.Struct, frozen=True):
    """One HTTP call as its proof covers it: ``path`` without query, ``body`` as sent."""

    method: str
    path: str
    body: bytes


def prove(header: str | None, call: Call, *, spki: bytes, key: ServerKey, at: datetime) -> None:
    """Hold a Device-Proof against the call it came with.

    Freshness is by our own nonce, so a wrong clock locks nobody out. Within the nonce's life a
    proof may be sent again: what it covers is safe to repeat.
    Raises: ProofMissing, ProofStale, ProofInvalid ("device.…").
    Source: evidence spec 12.5.
    """
    if header is None:
        raise ProofMissing(field="Device-Proof")
    proof = ops.read_proof(header, method=call.method, path=call.path, body=call.body, spki=spki)
    srv = time_of(proof.nonce, key)
    now_ms = int(at.timestamp() * 1000)
    if srv is None or not srv <= now_ms <= srv + NONCE_LIFE // timedelta(milliseconds=1):
        raise ProofStale(field="Device-Proof")
