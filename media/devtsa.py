"""A time-stamp authority for development and tests: real replies, worth nothing outside.

Source: evidence-and-sync 8 (development: a local authority, marked dev-tsa), RFC 3161, RFC 5652.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from media import der, timestamps
from media.errors import MediaRefusal

NAME = "dev-tsa"
POLICY = "2.25.315610000"
VALID_DAYS = 7300
SIGNED_DATA = "1.2.840.113549.1.7.2"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
ECDSA_SHA256 = "1.2.840.10045.4.3.2"
EXPLICIT_0 = 0xA0
REJECTED, GRANTED = 2, 0


class RequestInvalid(MediaRefusal):
    """Not a request for a time stamp over SHA-256."""

    code = "stamp.request_invalid"


@dataclass(frozen=True)
class Authority:
    """Key and certificates; ``chain`` says whether replies carry the root beside the signer."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    root: x509.Certificate
    chain: bool = False

    @classmethod
    def make(cls, now: datetime, *, chain: bool = False) -> Self:
        """A fresh root and signer; the root's key is thrown away."""
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = (
            _builder(f"{NAME} root", root_key.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(root_key, hashes.SHA256())
        )
        stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        signer = (
            _builder(NAME, key.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(stamping, critical=True)
            .sign(root_key, hashes.SHA256())
        )
        return cls(key, signer, root, chain)

    @classmethod
    def read(cls, pem: bytes) -> Self:
        """Read what ``pem`` wrote."""
        key = load_pem_private_key(pem, None)
        signer, root = x509.load_pem_x509_certificates(pem)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise RequestInvalid(reason="key")
        return cls(key, signer, root)

    def pem(self) -> bytes:
        """Key, signer and root as one private text."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key + self.certificate.public_bytes(Encoding.PEM) + self.root_pem()

    def root_pem(self) -> bytes:
        """The certificate that verifiers trust."""
        return self.root.public_bytes(Encoding.PEM)

    def reply(self, request: bytes, *, at: datetime, serial: int) -> bytes:
        """A granted reply to a request, or the reply that rejects what is none.

        Source: RFC 3161 2.4.2.
        """
        try:
            algorithm, digest, nonce = _asked(request)
        except MediaRefusal:
            return der.tlv(der.SEQUENCE, der.tlv(der.SEQUENCE, der.integer(REJECTED)))
        parts = [
            der.integer(1),
            der.oid(POLICY),
            der.tlv(der.SEQUENCE, algorithm, der.tlv(der.OCTET_STRING, digest)),
            der.integer(serial),
            der.tlv(der.GENERALIZED_TIME, at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode()),
            *([] if nonce is None else [der.tlv(der.INTEGER, nonce)]),
        ]
        token = self._token(der.tlv(der.SEQUENCE, *parts))
        return der.tlv(der.SEQUENCE, der.tlv(der.SEQUENCE, der.integer(GRANTED)), token)

    def _token(self, info: bytes) -> bytes:
        sent = [self.certificate, self.root] if self.chain else [self.certificate]
        certificates = sorted(one.public_bytes(Encoding.DER) for one in sent)
        signed = der.tlv(
            der.SEQUENCE,
            der.integer(3),
            der.tlv(der.SET, timestamps.imprint()),
            der.tlv(
                der.SEQUENCE,
                der.oid(TST_INFO),
                der.tlv(EXPLICIT_0, der.tlv(der.OCTET_STRING, info)),
            ),
            der.tlv(EXPLICIT_0, *certificates),
            der.tlv(der.SET, self._signer(info)),
        )
        return der.tlv(der.SEQUENCE, der.oid(SIGNED_DATA), der.tlv(EXPLICIT_0, signed))

    def _signer(self, info: bytes) -> bytes:
        hashed = sha256(self.certificate.public_bytes(Encoding.DER)).digest()
        certificate = der.tlv(der.SEQUENCE, der.tlv(der.OCTET_STRING, hashed))
        attributes = sorted(
            [
                _attribute(CONTENT_TYPE, der.oid(TST_INFO)),
                _attribute(MESSAGE_DIGEST, der.tlv(der.OCTET_STRING, sha256(info).digest())),
                _attribute(
                    SIGNING_CERTIFICATE_V2,
                    der.tlv(der.SEQUENCE, der.tlv(der.SEQUENCE, certificate)),
                ),
            ]
        )
        signature = self.key.sign(der.tlv(der.SET, *attributes), ec.ECDSA(hashes.SHA256()))
        return der.tlv(
            der.SEQUENCE,
            der.integer(1),
            der.tlv(
                der.SEQUENCE,
                self.certificate.issuer.public_bytes(),
                der.integer(self.certificate.serial_number),
            ),
            timestamps.imprint(),
            der.tlv(EXPLICIT_0, *attributes),
            der.tlv(der.SEQUENCE, der.oid(ECDSA_SHA256)),
            der.tlv(der.OCTET_STRING, signature),
        )


def _builder(name: str, key: ec.EllipticCurvePublicKey, now: datetime) -> x509.CertificateBuilder:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(f"{NAME} root"))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
    )


def _attribute(kind: str, value: bytes) -> bytes:
    return der.tlv(der.SEQUENCE, der.oid(kind), der.tlv(der.SET, value))


def _asked(request: bytes) -> tuple[bytes, bytes, bytes | None]:
    """Algorithm (DER), digest and nonce (content) of a request."""
    match der.split(request):
        case [(der.SEQUENCE, content)]:
            values = der.split(content)
        case _:
            raise RequestInvalid(reason="form")
    match values:
        case [(der.INTEGER, b"\x01"), (der.SEQUENCE, asked), *rest]:
            (_, algorithm), (_, digest) = der.split(asked)
        case _:
            raise RequestInvalid(reason="form")
    if der.tlv(der.SEQUENCE, algorithm) != timestamps.imprint():
        raise RequestInvalid(reason="algorithm")
    nonces = [content for tag, content in rest if tag == der.INTEGER]
    return timestamps.imprint(), digest, nonces[0] if nonces else None
