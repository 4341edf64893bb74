"""Signatures per purpose, device keys of one curve, sealed fields and blind indexes."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from media import base64url, keys
from media.keys import Tag

KEY = keys.DeviceKey.from_seed(b"one")
SERVER = keys.ServerKey.from_seed(bytes(32))
FIELD = keys.FieldKey.of(bytes(range(32)))
CELL = keys.Cell("trainee", "r1", "id_number")
NONCE = bytes(12)


@given(st.binary(max_size=200), st.sampled_from(Tag))
def test_a_device_signature_serves_one_purpose(message: bytes, tag: Tag) -> None:
    signature = KEY.sign(tag, message)
    keys.verify_device(KEY.spki, tag, message, signature)
    for other in set(Tag) - {tag}:
        with pytest.raises(keys.BadSignature):
            keys.verify_device(KEY.spki, other, message, signature)


def test_seed_makes_the_same_key_and_generate_another() -> None:
    assert keys.DeviceKey.from_seed(b"one").spki == KEY.spki
    assert keys.DeviceKey.from_seed(b"two").kid != KEY.kid
    assert keys.DeviceKey.generate().kid != keys.DeviceKey.generate().kid


@given(st.integers(0, 511))
@settings(max_examples=60)
def test_no_bit_of_a_signature_may_flip(bit: int) -> None:
    broken = bytearray(KEY.sign(Tag.OP, b"m"))
    broken[bit // 8] ^= 1 << bit % 8
    with pytest.raises(keys.BadSignature):
        keys.verify_device(KEY.spki, Tag.OP, b"m", bytes(broken))


def test_the_mirrored_signature_verifies_so_it_is_no_id() -> None:
    signature = KEY.sign(Tag.OP, b"m")
    mirrored = signature[:32] + (keys.P256_ORDER - int.from_bytes(signature[32:])).to_bytes(32)
    assert mirrored != signature
    keys.verify_device(KEY.spki, Tag.OP, b"m", mirrored)


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65), b"\xff" * 64])
def test_malformed_signatures_are_refused(signature: bytes) -> None:
    with pytest.raises(keys.BadSignature):
        keys.verify_device(KEY.spki, Tag.OP, b"m", signature)


def test_other_curves_and_encodings_are_no_device_keys() -> None:
    compressed = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    der, spki = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    others = {
        "p384": ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(der, spki),
        "k1": ec.generate_private_key(ec.SECP256K1()).public_key().public_bytes(der, spki),
        "ed": ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(der, spki),
        "rsa": rsa.generate_private_key(65537, 2048).public_key().public_bytes(der, spki),
        "point": compressed.public_bytes(Encoding.X962, PublicFormat.CompressedPoint),
        "compressed": _compressed(KEY.spki),
        "long": KEY.spki + bytes(keys.SPKI_MAX_BYTES),
        "tail": KEY.spki + b"\0",
        "short": KEY.spki[:-1],
        "empty": b"",
        "off the curve": KEY.spki[:-1] + bytes([KEY.spki[-1] ^ 1]),
    }
    for wrong in others.values():
        with pytest.raises(keys.KeyRefused):
            keys.check_device_key(wrong)
    assert keys.check_device_key(KEY.spki) == KEY.kid == keys.key_id(KEY.spki)
    assert len(KEY.kid) == 16


def _compressed(spki: bytes) -> bytes:
    """Spell the key's SubjectPublicKeyInfo with a compressed point: a second spelling."""
    header, x, y = spki[:26], spki[27:59], spki[59:]
    point = bytes([2 + y[-1] % 2]) + x
    return b"\x30" + bytes([57]) + header[2:23] + b"\x03" + bytes([34]) + b"\x00" + point


def test_server_signatures_are_checked_against_key_tag_and_bytes() -> None:
    signature = SERVER.sign_tagged(Tag.RECEIPT, b"m")
    keys.verify_server_tagged(SERVER.public, Tag.RECEIPT, b"m", signature)
    other = keys.ServerKey.from_seed(b"\1" * 32)
    for public, tag, message, sig in (
        (other.public, Tag.RECEIPT, b"m", signature),
        (SERVER.public, Tag.TIME, b"m", signature),
        (SERVER.public, Tag.RECEIPT, b"n", signature),
        (SERVER.public, Tag.RECEIPT, b"m", signature[:-1]),
        (b"short", Tag.RECEIPT, b"m", signature),
    ):
        with pytest.raises(keys.BadSignature):
            keys.verify_server_tagged(public, tag, message, sig)
    assert other.kid != SERVER.kid == keys.server_kid(SERVER.public)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.binary(min_size=12, max_size=12))
def test_a_sealed_field_opens_only_in_its_own_cell(plain: str, nonce: bytes) -> None:
    sealed = keys.seal(FIELD, CELL, plain, nonce=nonce)
    ring = {FIELD.kid: FIELD}
    assert keys.unseal(ring, CELL, sealed) == plain
    for cell in (
        keys.Cell("person", "r1", "id_number"),
        keys.Cell("trainee", "r2", "id_number"),
        keys.Cell("trainee", "r1", "phone"),
    ):
        with pytest.raises(keys.SealBroken):
            keys.unseal(ring, cell, sealed)


def test_altered_or_foreign_sealed_fields_do_not_open() -> None:
    sealed = keys.seal(FIELD, CELL, "37010119990101001X", nonce=NONCE)
    ring = {FIELD.kid: FIELD}
    for at in range(len(sealed)):
        broken = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(keys.SealBroken):
            keys.unseal(ring, CELL, broken)
    for cut in (b"", sealed[:5], sealed[:15], sealed[:22], sealed[:-1]):
        with pytest.raises(keys.SealBroken):
            keys.unseal(ring, CELL, cut)
    with pytest.raises(keys.SealBroken):
        keys.unseal({}, CELL, sealed)
    assert b"3701" not in sealed


def test_a_nonce_of_another_length_is_a_fault() -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        keys.seal(FIELD, CELL, "x", nonce=bytes(11))


def test_wrapped_keys_open_only_with_their_own() -> None:
    wrapped = keys.wrap(bytes(32), FIELD.key)
    assert keys.unwrap(bytes(32), wrapped) == FIELD.key
    assert FIELD.key not in wrapped
    for kek, text in ((b"\1" * 32, wrapped), (bytes(32), wrapped[:-1]), (bytes(32), b"")):
        with pytest.raises(keys.SealBroken):
            keys.unwrap(kek, text)


def test_the_blind_index_sees_through_spelling_and_not_through_keys_or_purposes() -> None:
    first = keys.blind_index(b"k", "id_number", "37010119990101001x")
    assert first == keys.blind_index(b"k", "id_number", " 370101-19990101 001\uff38")
    assert first != keys.blind_index(b"k", "phone", "37010119990101001x")
    assert first != keys.blind_index(b"l", "id_number", "37010119990101001x")
    assert first != keys.blind_index(b"k", "id_number", "370101199901010011")
    assert len(first) == 32


def test_secrets_do_not_show_in_a_repr() -> None:
    assert FIELD.key.hex() not in repr(FIELD)
    assert str(FIELD.key) not in repr(FIELD)


@given(st.binary(max_size=70))
def test_base64url_has_one_spelling(raw: bytes) -> None:
    text = base64url.encode(raw)
    assert base64url.decode(text) == raw
    for wrong in (text + "=", text + "\n", " " + text, "+" + text, "/" + text, "é" + text):
        with pytest.raises(base64url.NotBase64url):
            base64url.decode(wrong)


def test_spare_bits_are_refused() -> None:
    assert base64url.decode("AA") == b"\0"
    with pytest.raises(base64url.NotBase64url) as refused:
        base64url.decode("AB", field="sig")
    assert refused.value.field == "sig"
