"""What a raw RFC 3161 reply says, read without believing its signature.

Source: RFC 3161 2.4.2, RFC 5652 5.  rfc3161-client reads no reply whose certificates are not in
DER order, as OpenSSL sends them with two (measured), so the form is read here.
"""

from datetime import UTC, datetime
from typing import ClassVar

from cryptography import x509
from cryptography.x509.oid import NameOID
from msgspec import Struct

from media import der
from media.errors import MediaRefusal

EXPLICIT_0 = 0xA0
TST_INFO = "1.2.840.113549.1.9.16.1.4"
TIME_DIGITS = 14


class ReplyInvalid(MediaRefusal):
    """Not a reply to a request for a time stamp, or one that grants nothing."""

    code: ClassVar[str] = "stamp.reply_invalid"


class Reply(Struct, frozen=True):
    """``algorithm`` is the imprint's identifier in DER; ``digest`` what was stamped at ``at``."""

    algorithm: bytes
    digest: bytes
    nonce: int | None
    at: datetime
    serial: int
    policy: str
    signer: str


def status_of(raw: bytes) -> int:
    """The status an authority answered with; 0 is granted.

    Raises: ReplyInvalid, DerInvalid ("stamp.…").
    """
    match der.split(_only(raw, der.SEQUENCE)):
        case [(der.SEQUENCE, status), *_]:
            (tag, value), *_ = der.split(status)
            if tag == der.INTEGER:
                return int.from_bytes(value)
    raise ReplyInvalid(reason="status")


def read(raw: bytes) -> Reply:
    """Take a granted reply apart.

    Raises: ReplyInvalid, DerInvalid ("stamp.…").
    """
    try:
        return _read(raw)
    except (ValueError, IndexError) as fault:
        raise ReplyInvalid(reason="form") from fault


def _read(raw: bytes) -> Reply:
    _, (_, token) = der.split(_only(raw, der.SEQUENCE))
    _, (_, wrapped) = der.split(token)
    signed = der.split(_only(wrapped, der.SEQUENCE))
    (_, kind), (_, content) = der.split(signed[2][1])
    if der.tlv(der.OID, kind) != der.oid(TST_INFO):
        raise ReplyInvalid(reason="content")
    info = der.split(_only(_only(content, der.OCTET_STRING), der.SEQUENCE))
    (_, policy), (_, imprint), (_, serial), (_, at) = info[1:5]
    (_, algorithm), (_, digest) = der.split(imprint)
    nonces = [value for tag, value in info[5:] if tag == der.INTEGER]
    return Reply(
        algorithm=der.tlv(der.SEQUENCE, algorithm),
        digest=digest,
        nonce=int.from_bytes(nonces[0]) if nonces else None,
        at=_instant(at.decode("ascii")),
        serial=int.from_bytes(serial),
        policy=der.dotted(policy),
        signer=_signer(signed),
    )


def _only(raw: bytes, tag: int) -> bytes:
    match der.split(raw):
        case [(found, content)] if found == tag:
            return content
        case _:
            raise ReplyInvalid(reason="form")


def _instant(text: str) -> datetime:
    """GeneralizedTime in UTC, with a fraction or without."""
    if not text.endswith("Z"):
        raise ReplyInvalid(reason="time")
    whole, _, fraction = text[:-1].partition(".")
    if len(whole) != TIME_DIGITS:
        raise ReplyInvalid(reason="time")
    at = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return at.replace(microsecond=int((fraction + "000000")[:6]))


def _signer(signed: list[tuple[int, bytes]]) -> str:
    """The common name of the certificate that the signer's entry names."""
    (_, signers) = signed[-1]
    (_, signer), *others = der.split(signers)
    if others:
        raise ReplyInvalid(reason="signers")
    (_, issuer), (_, serial) = der.split(der.split(signer)[1][1])
    for tag, content in signed[3:-1]:
        for _, body in der.split(content) if tag == EXPLICIT_0 else ():
            found = x509.load_der_x509_certificate(der.tlv(der.SEQUENCE, body))
            named = found.issuer.public_bytes() == der.tlv(der.SEQUENCE, issuer)
            if named and found.serial_number == int.from_bytes(serial):
                names = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
                return str(names[0].value) if names else found.subject.rfc4514_string()
    raise ReplyInvalid(reason="signer")
