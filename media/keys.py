"""Keys of devices and server, and the fields sealed at rest; speaks cryptography for all of it.

Source: evidence-and-sync 1 (domain tags), 2 (ES256), 8 (Ed25519), 12.3 (fields).  Randomness that
this room would have to take is an argument; only ``DeviceKey.generate`` lets the library draw it.
"""

import hmac
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from media.errors import Family, MediaRefusal

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SPKI_MAX_BYTES = 256  # a P-256 SPKI is 91 bytes
SCALAR_BYTES = 32
KEYS_REMEMBERED = 4096  # read once; a phone signs thousands of times with one key
KEY_BYTES = 32
NONCE_BYTES = 12
FIELD_KEY_ID_BYTES = 8
AES_256_GCM = b"\x01"  # first byte of a sealed field: the algorithm, so that SM4 can have another


class Tag(Enum):
    """First bytes under every signature, so that one purpose cannot serve another."""

    CAPTURE = b"MINGCHA-CAPTURE-V1\n"
    OP = b"MINGCHA-OP-V1\n"
    REQUEST = b"MINGCHA-REQ-V1\n"
    TIME = b"MINGCHA-TIME-V1\n"
    RECEIPT = b"MINGCHA-RECEIPT-V1\n"
    BUNDLE = b"MINGCHA-BUNDLE-V1\n"


class KeyRefused(MediaRefusal):
    """Not a P-256 public key in SubjectPublicKeyInfo DER."""

    code: ClassVar[str] = "key.not_p256"


class BadSignature(MediaRefusal):
    """The signature was not made by this key over these bytes for this purpose."""

    code: ClassVar[str] = "signature.invalid"
    family: ClassVar[Family] = Family.DENIED


class SealBroken(MediaRefusal):
    """A sealed field or wrapped key does not open: other key, other place, or altered."""

    code: ClassVar[str] = "seal.broken"
    family: ClassVar[Family] = Family.CONFLICT


def key_id(spki: bytes) -> str:
    """First 16 hex digits of SHA-256 over the SubjectPublicKeyInfo DER."""
    return sha256(spki).hexdigest()[:16]


def check_device_key(spki: bytes) -> str:
    """Admit a device's public key and return its key id.

    Raises: KeyRefused ("key.not_p256").
    Source: evidence-and-sync 2 (device key).
    """
    _p256(spki)
    return key_id(spki)


def verify_device(spki: bytes, tag: Tag, message: bytes, signature: bytes) -> None:
    """Verify ES256 over ``tag`` and ``message``.

    Shapes: ``signature`` 64 bytes, r then s, big-endian.  (r, n-s) verifies as well: signature
    bytes are neither an id nor a deduplication key.
    Raises: KeyRefused, BadSignature.
    Source: evidence-and-sync 2.
    """
    public = _p256(spki)
    if len(signature) != 2 * SCALAR_BYTES:
        raise BadSignature(reason="length")
    r = int.from_bytes(signature[:SCALAR_BYTES])
    s = int.from_bytes(signature[SCALAR_BYTES:])
    try:
        public.verify(encode_dss_signature(r, s), tag.value + message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise BadSignature(reason="mismatch") from None


@lru_cache(maxsize=KEYS_REMEMBERED)
def _p256(spki: bytes) -> ec.EllipticCurvePublicKey:
    if len(spki) > SPKI_MAX_BYTES:
        raise KeyRefused(reason="length")
    try:
        public = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRefused(reason="encoding") from None
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise KeyRefused(reason="algorithm")
    if not isinstance(public.curve, ec.SECP256R1):
        raise KeyRefused(reason="curve", curve=public.curve.name)
    # One key has one kid: another encoding of the same point would have a second one.
    if public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
        raise KeyRefused(reason="encoding")
    return public


@dataclass(frozen=True)
class DeviceKey:
    """A device key in software, as seed and tests play a phone; a real one never leaves it."""

    _private: ec.EllipticCurvePrivateKey
    spki: bytes
    kid: str

    @classmethod
    def generate(cls) -> Self:
        return cls._of(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Derive the same key from the same bytes, for a demo world made by one integer."""
        scalar = int.from_bytes(sha256(seed).digest()) % (P256_ORDER - 1) + 1
        return cls._of(ec.derive_private_key(scalar, ec.SECP256R1()))

    @classmethod
    def _of(cls, private: ec.EllipticCurvePrivateKey) -> Self:
        spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(private, spki, key_id(spki))

    def sign(self, tag: Tag, message: bytes) -> bytes:
        """Sign like a phone: 64 bytes, r then s; deterministic (RFC 6979)."""
        der = self._private.sign(
            tag.value + message,
            ec.ECDSA(hashes.SHA256(), deterministic_signing=True),
        )
        r, s = decode_dss_signature(der)
        return r.to_bytes(SCALAR_BYTES) + s.to_bytes(SCALAR_BYTES)


@dataclass(frozen=True)
class ServerKey:
    """An Ed25519 key of the installation: receipts, time tokens, checkpoints."""

    _private: Ed25519PrivateKey
    public: bytes
    kid: str

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Take the 32 secret bytes as stored (RFC 8032 private key)."""
        private = Ed25519PrivateKey.from_private_bytes(seed)
        public = private.public_key().public_bytes_raw()
        return cls(private, public, server_kid(public))

    def sign(self, message: bytes) -> bytes:
        """Sign bytes that carry their own domain (a note); 64 bytes."""
        return self._private.sign(message)

    def sign_tagged(self, tag: Tag, message: bytes) -> bytes:
        return self._private.sign(tag.value + message)


def server_kid(public: bytes) -> str:
    """Key id of a raw 32-byte Ed25519 key, over its SubjectPublicKeyInfo like a device's."""
    key = Ed25519PublicKey.from_public_bytes(public)
    return key_id(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def verify_server(public: bytes, message: bytes, signature: bytes) -> None:
    """Verify Ed25519 over bytes that carry their own domain.

    Shapes: ``public`` 32 bytes, ``signature`` 64 bytes.
    Raises: BadSignature ("signature.invalid").
    Source: evidence-and-sync 8.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise BadSignature(reason="mismatch") from None


def verify_server_tagged(public: bytes, tag: Tag, message: bytes, signature: bytes) -> None:
    verify_server(public, tag.value + message, signature)


@dataclass(frozen=True)
class BoxKey:
    """An X25519 key for which others seal short secrets: X25519, HKDF-SHA-256, AES-256-GCM."""

    _private: X25519PrivateKey
    public: bytes

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Take the 32 secret bytes as stored (RFC 7748 private key)."""
        private = X25519PrivateKey.from_private_bytes(seed)
        return cls(private, private.public_key().public_bytes_raw())

    def open(self, box: bytes, purpose: bytes) -> bytes:
        """Open what ``seal_for`` made for this key and purpose.

        Raises: SealBroken ("seal.broken").
        """
        sender, text = box[:KEY_BYTES], box[KEY_BYTES:]
        try:
            shared = self._private.exchange(X25519PublicKey.from_public_bytes(sender))
            key = _box_key(shared, sender + self.public, purpose)
            return AESGCM(key).decrypt(bytes(NONCE_BYTES), text, purpose)
        except (InvalidTag, ValueError):
            raise SealBroken(reason="mismatch") from None


def seal_for(public: bytes, plain: bytes, purpose: bytes, *, once: bytes) -> bytes:
    """Seal a secret for the holder of an X25519 key: sender's key (32 bytes), text and tag.

    ``once`` is 32 fresh random bytes, the sender's key of this one box: with a fresh key the
    nonce is constant.
    """
    sender = X25519PrivateKey.from_private_bytes(once)
    shared = sender.exchange(X25519PublicKey.from_public_bytes(public))
    mine = sender.public_key().public_bytes_raw()
    key = _box_key(shared, mine + public, purpose)
    return mine + AESGCM(key).encrypt(bytes(NONCE_BYTES), plain, purpose)


def _box_key(shared: bytes, both: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), KEY_BYTES, both, b"mingcha.box\n" + purpose).derive(shared)


@dataclass(frozen=True)
class TransportKey:
    """The server's ECDH P-256 key, to which phones wrap the key of each sealed blob."""

    _private: ec.EllipticCurvePrivateKey
    spki: bytes
    kid: str

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Take the 32 secret bytes as stored; the scalar follows from them."""
        scalar = int.from_bytes(sha256(b"mingcha.transport\n" + seed).digest())
        private = ec.derive_private_key(scalar % (P256_ORDER - 1) + 1, ec.SECP256R1())
        spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(private, spki, key_id(spki))

    def unwrap(self, sender: bytes, text: bytes, purpose: bytes) -> bytes:
        """Open a wrapped 32-byte key.

        Shapes: ``sender`` the phone's one-time point, 65 bytes uncompressed; ``text`` 48 bytes.
        Raises: SealBroken ("seal.broken").
        Source: evidence-and-sync 11 (sealed outbox).
        """
        try:
            public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
            shared = self._private.exchange(ec.ECDH(), public)
            both = sender + _point(self._private.public_key())
            return AESGCM(_wrapping_key(shared, both, purpose)).decrypt(
                bytes(NONCE_BYTES), text, None
            )
        except (InvalidTag, ValueError):
            raise SealBroken(reason="wrapped_key") from None


def wrap_for(spki: bytes, key: bytes, purpose: bytes, *, once: bytes) -> tuple[bytes, bytes]:
    """Wrap a 32-byte key as a phone does: its one-time point (65 bytes) and the text (48).

    ``once`` is 32 fresh random bytes: the one-time key makes the constant nonce safe.
    Raises: KeyRefused ("key.not_p256").
    """
    public = _p256(spki)
    scalar = int.from_bytes(once) % (P256_ORDER - 1) + 1
    sender = ec.derive_private_key(scalar, ec.SECP256R1())
    mine = _point(sender.public_key())
    shared = sender.exchange(ec.ECDH(), public)
    wrapping = _wrapping_key(shared, mine + _point(public), purpose)
    return mine, AESGCM(wrapping).encrypt(bytes(NONCE_BYTES), key, None)


def _point(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _wrapping_key(shared: bytes, both: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), KEY_BYTES, both, purpose).derive(shared)


def seal_chunk(key: bytes, nonce: bytes, plain: bytes, aad: bytes) -> bytes:
    """AES-256-GCM of one chunk, its 16-byte tag behind it; a nonce is used once under a key."""
    return AESGCM(key).encrypt(nonce, plain, aad)


def open_chunk(key: bytes, nonce: bytes, text: bytes, aad: bytes) -> bytes:
    """Undo ``seal_chunk``.

    Raises: SealBroken ("seal.broken").
    """
    try:
        return AESGCM(key).decrypt(nonce, text, aad)
    except (InvalidTag, ValueError):
        raise SealBroken(reason="chunk") from None


@dataclass(frozen=True)
class Cell:
    """Where a sealed field lives; bound into it, so that a copy elsewhere does not open."""

    table: str
    row: str
    column: str

    def aad(self) -> bytes:
        return f"{self.table}:{self.row}:{self.column}".encode()


@dataclass(frozen=True)
class FieldKey:
    """One tenant's AES-256 key for sealed fields; ``kid`` is 8 bytes stored beside the text."""

    kid: bytes
    key: bytes

    @classmethod
    def of(cls, key: bytes) -> Self:
        return cls(sha256(b"mingcha.field-key\n" + key).digest()[:FIELD_KEY_ID_BYTES], key)

    def __repr__(self) -> str:
        return f"FieldKey(kid={self.kid.hex()})"


def seal(field_key: FieldKey, cell: Cell, plain: str, *, nonce: bytes) -> bytes:
    """Encrypt one field: algorithm (1 byte), key id (8), nonce (12), AES-256-GCM text and tag.

    ``nonce`` is 12 fresh random bytes; a repeated one under the same key gives both texts away.
    Source: evidence-and-sync 12.3.
    """
    if len(nonce) != NONCE_BYTES:
        message = f"a nonce has {NONCE_BYTES} bytes"
        raise ValueError(message)
    text = AESGCM(field_key.key).encrypt(nonce, plain.encode(), cell.aad())
    return AES_256_GCM + field_key.kid + nonce + text


def unseal(field_keys: Mapping[bytes, FieldKey], cell: Cell, sealed: bytes) -> str:
    """Decrypt one field with the key its text names.

    Shapes: ``field_keys`` by their 8-byte kid.
    Raises: SealBroken ("seal.broken").
    Source: evidence-and-sync 12.3.
    """
    head = 1 + FIELD_KEY_ID_BYTES
    kid, nonce, text = sealed[1:head], sealed[head:][:NONCE_BYTES], sealed[head + NONCE_BYTES :]
    field_key = field_keys.get(kid)
    if sealed[:1] != AES_256_GCM or field_key is None or len(nonce) != NONCE_BYTES:
        raise SealBroken(reason="key")
    try:
        return AESGCM(field_key.key).decrypt(nonce, text, cell.aad()).decode()
    except InvalidTag:
        raise SealBroken(reason="mismatch") from None


def wrap(kek: bytes, key: bytes) -> bytes:
    """Wrap a tenant's 32-byte key under the key kept outside database and backup (RFC 3394)."""
    return aes_key_wrap(kek, key)


def unwrap(kek: bytes, wrapped: bytes) -> bytes:
    """Undo ``wrap``.

    Raises: SealBroken ("seal.broken").
    """
    try:
        return aes_key_unwrap(kek, wrapped)
    except (InvalidUnwrap, ValueError):
        raise SealBroken(reason="mismatch") from None


def blind_index(key: bytes, purpose: str, value: str) -> bytes:
    """Keyed digest by which equal values are found again, 32 bytes.

    Compatibility forms, case, spaces and hyphens do not count.  18 digits of an ID number can be
    tried out, hence never a bare hash.
    Source: evidence-and-sync 12.3.
    """
    folded = unicodedata.normalize("NFKC", value).upper()
    plain = "".join(char for char in folded if not char.isspace() and char != "-")
    return hmac.digest(key, f"{purpose}\n{plain}".encode(), "sha256")
