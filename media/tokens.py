"""Short statements the server signs for a phone: the time, and the nonce of a check-in.

Source: evidence-and-sync 2 (``t.anchor.tok``, ``chal``).  A token is ``base64url(JCS).base64url(
signature)``; both kinds share the time tag and are told apart by the signed ``typ``.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeVar

import msgspec
from msgspec import Struct

from media import base64url, canon, keys
from media.errors import Family, MediaRefusal
from media.fields import EpochMs, Hex16, Uuid7

TOKEN_MAX_CHARS = 684  # 512 bytes


class TokenInvalid(MediaRefusal):
    """A token that this installation did not sign, or signed for something else."""

    code: ClassVar[str] = "token.invalid"
    family: ClassVar[Family] = Family.DENIED


class TimeToken(Struct, frozen=True, forbid_unknown_fields=True):
    """The server's time ``srv`` (ms), a proof that what carries it is not older; also a nonce."""

    typ: Literal["mingcha.time/1"]
    kid: Hex16
    srv: EpochMs
    nonce: Hex16


class Challenge(Struct, frozen=True, forbid_unknown_fields=True):
    """Check-in nonce of one assignment."""

    typ: Literal["mingcha.challenge/1"]
    kid: Hex16
    srv: EpochMs
    nonce: Hex16
    asg: Uuid7


Statement = TypeVar("Statement", TimeToken, Challenge)


def issue_time(key: keys.ServerKey, *, srv: int, nonce: bytes) -> str:
    """Sign the server's time; ``nonce`` is 8 fresh random bytes."""
    return _issue(key, TimeToken("mingcha.time/1", key.kid, srv, nonce.hex()))


def issue_challenge(key: keys.ServerKey, *, srv: int, nonce: bytes, asg: str) -> str:
    """Sign the check-in nonce of assignment ``asg``; ``nonce`` is 8 fresh random bytes."""
    return _issue(key, Challenge("mingcha.challenge/1", key.kid, srv, nonce.hex(), asg))


def read_time(token: str, publics: Mapping[str, bytes]) -> TimeToken:
    """Verify a time token.

    Shapes: ``publics`` maps kid to the raw 32-byte Ed25519 key, retired keys included.
    Raises: TokenInvalid ("token.invalid").
    """
    return _read(token, publics, TimeToken)


def read_challenge(token: str, publics: Mapping[str, bytes], *, asg: str) -> Challenge:
    """Verify a check-in nonce of assignment ``asg``.

    Raises: TokenInvalid ("token.invalid").
    """
    challenge = _read(token, publics, Challenge)
    if challenge.asg != asg:
        raise TokenInvalid(reason="assignment")
    return challenge


def _issue(key: keys.ServerKey, body: TimeToken | Challenge) -> str:
    raw = canon.encode(msgspec.to_builtins(body))
    return f"{base64url.encode(raw)}.{base64url.encode(key.sign_tagged(keys.Tag.TIME, raw))}"


def _read(token: str, publics: Mapping[str, bytes], kind: type[Statement]) -> Statement:
    body, _, signature = token.partition(".")
    if len(body) > TOKEN_MAX_CHARS:
        raise TokenInvalid(reason="too_long")
    try:
        raw = base64url.decode(body)
        statement = msgspec.json.decode(raw, type=kind)
        canon.spelled(raw, statement)
        public = publics[statement.kid]
        keys.verify_server_tagged(public, keys.Tag.TIME, raw, base64url.decode(signature))
    except (MediaRefusal, KeyError, msgspec.DecodeError, UnicodeDecodeError):
        raise TokenInvalid(reason="mismatch") from None
    return statement
