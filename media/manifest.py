"""Capture manifest v1: what a phone signs at the shutter about one photo, recording or file.

Source: evidence-and-sync 2.  The exact bytes are kept; this module only reads them.
"""

import re
from hashlib import sha256
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct

from media import canon, keys
from media.errors import MediaRefusal
from media.fields import Bytes, Counter, EpochMs, Hex16, Sha256, Token, Uuid7

MANIFEST_MAX_BYTES = 16_384
FIRST_PREV = "0" * 64

Small = Annotated[int, Meta(ge=0, le=10_000)]
Side = Annotated[int, Meta(ge=1, le=100_000)]
Duration = Annotated[int, Meta(ge=0, le=86_400_000)]
Text40 = Annotated[str, Meta(min_length=1, max_length=40)]
Mime = Annotated[str, Meta(pattern=r"\A[a-z]+/[a-z0-9.+-]{1,40}\Z")]


class ManifestInvalid(MediaRefusal):
    """A manifest that breaks a bound or contradicts itself; ``field`` is its path."""

    code: ClassVar[str] = "manifest.invalid"


class KeyMismatch(MediaRefusal):
    """The manifest names another key than the one it is checked with."""

    code: ClassVar[str] = "manifest.key_mismatch"


class Media(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The plain original 原件: the first bytes the app held, never re-encoded."""

    sha256: Sha256
    size: Bytes
    mime: Mime
    src: Literal["stream", "intent", "gallery", "file"]
    w: Side | None = None
    h: Side | None = None
    dur_ms: Duration | None = None


class Anchor(Struct, frozen=True, forbid_unknown_fields=True):
    """The last server time held: its token, the monotonic clock then, the round trip (ms)."""

    srv: EpochMs
    mono: EpochMs
    rtt: Annotated[int, Meta(ge=0, le=600_000)]
    tok: Token


class Times(Struct, frozen=True, forbid_unknown_fields=True):
    """Clocks at the shutter, ms; ``mono`` compares within one ``session``, ``wall`` is a claim."""

    wall: EpochMs
    mono: EpochMs
    session: Hex16
    tz_min: Annotated[int, Meta(ge=-840, le=840)]
    anchor: Anchor


class Location(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Position in 1e-7 degrees with its datum, or why there is none; ``n`` counts the fixes."""

    st: Literal["ok", "denied", "timeout", "off"]
    crs: Literal["wgs84", "gcj02", "bd09", "?"]
    n: Small
    lat: Annotated[int, Meta(ge=-900_000_000, le=900_000_000)] | None = None
    lon: Annotated[int, Meta(ge=-1_800_000_000, le=1_800_000_000)] | None = None
    acc_cm: Annotated[int, Meta(ge=0, le=1_000_000_000)] | None = None
    age_ms: Duration | None = None


class Roll(Struct, frozen=True, forbid_unknown_fields=True):
    """Roll-call 点名 figures signed with an attendance picture.

    ``count`` is heads seen, beside ``present``: their disagreement is a signal, no refusal.
    """

    roster: Sha256
    present: Small
    absent: Small
    count: Small


class App(Struct, frozen=True, forbid_unknown_fields=True):
    """The program that captured, and whether the browser promised to keep its store."""

    ver: Text40
    build_sha256: Sha256
    persisted: bool


class Manifest(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One capture; ``prev`` chains (dev, inst_epoch) so that a removed capture shows."""

    typ: Literal["mingcha.capture/1"]
    alg: Literal["ES256"]
    kid: Hex16
    id: Uuid7
    dev: Uuid7
    inst_epoch: Hex16
    seq: Counter
    prev: Sha256
    asg: Uuid7
    asg_epoch: Counter
    visit: Uuid7
    org: Uuid7
    plan: Sha256
    item: Text40
    media: Media
    t: Times
    loc: Location
    chal: Token
    people: Annotated[tuple[Uuid7, ...], Meta(min_length=1, max_length=8)]
    app: App
    code: Text40 | None = None
    roll: Roll | None = None


_decoder = msgspec.json.Decoder(Manifest)


def parse(raw: bytes) -> Manifest:
    """Read a manifest from its exact bytes.

    Raises: NotCanonical ("not_canonical"), ManifestInvalid ("manifest.invalid").
    Source: evidence-and-sync 1, 2.
    """
    if len(raw) > MANIFEST_MAX_BYTES:
        raise canon.NotCanonical(reason="too_long", limit_bytes=MANIFEST_MAX_BYTES)
    try:
        manifest = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        canon.canonical(raw)
        path = re.search(r"at `\$\.?([^`]*)`", str(error))
        raise ManifestInvalid(
            field=path.group(1) if path else None, reason="form", detail=str(error)
        ) from None
    canon.spelled(raw, manifest)
    _agree(manifest)
    return manifest


def verify(raw: bytes, signature: bytes, spki: bytes) -> Manifest:
    """Read a manifest that the device key ``spki`` signed.

    Shapes: ``signature`` 64 bytes r then s, ``spki`` DER.
    Raises: those of ``parse``, KeyMismatch ("manifest.key_mismatch"), KeyRefused, BadSignature.
    Source: evidence-and-sync 2.
    """
    manifest = parse(raw)
    if manifest.kid != keys.key_id(spki):
        raise KeyMismatch(field="kid", kid=manifest.kid)
    keys.verify_device(spki, keys.Tag.CAPTURE, raw, signature)
    return manifest


def build(manifest: Manifest) -> bytes:
    """Spell a manifest as a phone does and make sure that ``parse`` takes it.

    Raises: NotCanonical, ManifestInvalid.
    Source: evidence-and-sync 2.
    """
    raw = canon.encode(msgspec.to_builtins(manifest))
    parse(raw)
    return raw


def digest(raw: bytes) -> str:
    """SHA-256 of a manifest's bytes, the ``prev`` of the next capture of this device."""
    return sha256(raw).hexdigest()


def _agree(manifest: Manifest) -> None:
    place = manifest.loc
    if place.st == "ok" and (place.lat is None or place.lon is None or place.acc_cm is None):
        raise ManifestInvalid(field="loc", reason="position_missing")
    if place.st != "ok" and (place.lat is not None or place.lon is not None):
        raise ManifestInvalid(field="loc", reason="position_without_fix")
    if len(set(manifest.people)) != len(manifest.people):
        raise ManifestInvalid(field="people", reason="duplicate")
