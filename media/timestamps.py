"""RFC 3161 time stamps: ask, keep the raw reply, verify it now and in ten years.

Source: evidence-and-sync 8 (anchor b), 9 (V9).  A signature is verified by rfc3161-client; what
that refuses is shown to `openssl ts -verify`: the library reads no reply with two certificates as
OpenSSL writes it (measured).  Certificates must have been valid at the stamped instant, not today.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec import Struct
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from media import der, stampreply
from media.errors import Family, MediaRefusal
from media.stampreply import Reply

SHA256_OID = "2.16.840.1.101.3.4.2.1"
REPLY_MAX_BYTES = 65_536
OPENSSL_S = 20
Tool = Literal["rfc3161-client", "openssl"]


class StampInvalid(MediaRefusal):
    """Not a time stamp over these bytes by an authority that is trusted here."""

    code: ClassVar[str] = "stamp.invalid"


class StampUncheckable(MediaRefusal):
    """The library does not read this reply, and the program that would is not installed."""

    code: ClassVar[str] = "stamp.uncheckable"
    family: ClassVar[Family] = Family.UNAVAILABLE


class StampRefused(MediaRefusal):
    """The authority answered and granted nothing."""

    code: ClassVar[str] = "stamp.refused"
    family: ClassVar[Family] = Family.UNAVAILABLE


class Stamp(Struct, frozen=True):
    """What a verified reply says: these bytes existed at ``at`` (UTC), says ``authority``."""

    at: datetime
    authority: str
    serial: int
    policy: str
    by: Tool


def imprint() -> bytes:
    """The algorithm identifier of SHA-256 as requests and replies spell it."""
    return der.tlv(der.SEQUENCE, der.oid(SHA256_OID), der.tlv(der.NULL))


def request(content: bytes, *, nonce: int) -> bytes:
    """The DER of a request over SHA-256 of ``content`` that wants the signer's certificate.

    Shapes: ``nonce`` non-negative, unguessable, 64 bits or more.
    Source: RFC 3161 2.4.1.
    """
    digest = der.tlv(der.OCTET_STRING, sha256(content).digest())
    return der.tlv(
        der.SEQUENCE,
        der.integer(1),
        der.tlv(der.SEQUENCE, imprint(), digest),
        der.integer(nonce),
        der.tlv(der.BOOLEAN, b"\xff"),
    )


def roots_of(pem: bytes) -> list[x509.Certificate]:
    """The trusted certificates of a PEM text.

    Raises: StampInvalid ("stamp.invalid").
    """
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise StampInvalid(reason="roots") from None


def verify(
    reply: bytes, content: bytes, *, roots: Sequence[x509.Certificate], nonce: int | None = None
) -> Stamp:
    """Verify a raw reply over ``content``; ``nonce`` is known only to who asked just now.

    Shapes: ``reply`` at most 64 KiB of DER.
    Raises: StampInvalid, StampRefused, StampUncheckable ("stamp.…").
    Source: evidence-and-sync 8, 9 (V9: imprint, signer, validity); RFC 3161 2.4.2.
    """
    read = _read(reply)
    digest = sha256(content).digest()
    if read.algorithm != imprint():
        raise StampInvalid(reason="algorithm")
    if read.digest != digest:
        raise StampInvalid(reason="imprint")
    if nonce is not None and read.nonce != nonce:
        raise StampInvalid(reason="nonce")
    by = _signed(reply, digest, roots, read.at)
    return Stamp(read.at, read.signer, read.serial, read.policy, by)


def _read(reply: bytes) -> Reply:
    if len(reply) > REPLY_MAX_BYTES:
        raise StampInvalid(reason="too_long")
    try:
        if status := stampreply.status_of(reply):
            raise StampRefused(status=status)
        return stampreply.read(reply)
    except (stampreply.ReplyInvalid, der.DerInvalid) as fault:
        raise StampInvalid(reason="form") from fault


def _signed(reply: bytes, digest: bytes, roots: Sequence[x509.Certificate], at: datetime) -> Tool:
    """Which of the two found the signature good; StampInvalid when neither did."""
    builder = VerifierBuilder(roots=list(roots))
    try:
        builder.build().verify(decode_timestamp_response(reply), digest)
    except (VerificationError, ValueError) as fault:
        if _openssl(reply, digest, roots, at):
            return "openssl"
        raise StampInvalid(reason="signature") from fault
    return "rfc3161-client"


def _openssl(reply: bytes, digest: bytes, roots: Sequence[x509.Certificate], at: datetime) -> bool:
    program = shutil.which("openssl")
    if program is None:
        raise StampUncheckable(wanted="openssl")
    with tempfile.TemporaryDirectory(prefix="mingcha-stamp-") as folder:
        file, trusted = Path(folder) / "reply.tsr", Path(folder) / "roots.pem"
        file.write_bytes(reply)
        trusted.write_bytes(b"".join(root.public_bytes(Encoding.PEM) for root in roots))
        done = subprocess.run(  # noqa: S603 - our own files and numbers
            [
                *(program, "ts", "-verify", "-digest", digest.hex(), "-in", str(file)),
                *("-CAfile", str(trusted), "-attime", str(int(at.timestamp()))),
            ],
            capture_output=True,
            timeout=OPENSSL_S,
            check=False,
        )
    return done.returncode == 0 and b"Verification: OK" in done.stdout
