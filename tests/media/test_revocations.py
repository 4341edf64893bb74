"""A stamp's signer is held against revocation lists beside the roots, by two programs."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from media import devtsa, timestamps
from media.offline import report
from tests.media.dossiers import World, a_world
from tests.media.test_dossier_mutants import in_node, states

DAY = datetime(2026, 9, 22, 3, 4, 5, tzinfo=UTC)
ROOT = ec.generate_private_key(ec.SECP256R1())
STRANGER = ec.generate_private_key(ec.SECP256R1())


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def signed_by_root(name: str, key: ec.EllipticCurvePublicKey, *, ca: bool) -> x509.Certificate:
    made = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named("a root"))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(DAY - timedelta(days=9))
        .not_valid_after(DAY + timedelta(days=999))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not ca:
        stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        made = made.add_extension(stamping, critical=True)
    return made.sign(ROOT, hashes.SHA256())


def an_authority() -> devtsa.Authority:
    """One whose root's key is kept."""
    key = ec.generate_private_key(ec.SECP256R1())
    signer = signed_by_root("a signer", key.public_key(), ca=False)
    return devtsa.Authority(key, signer, signed_by_root("a root", ROOT.public_key(), ca=True))


def revoked(serial: int, at: datetime, key: ec.EllipticCurvePrivateKey, who: str) -> bytes:
    """A list with one serial, as PEM."""
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(named(who))
        .last_update(DAY + timedelta(days=30))
        .next_update(DAY + timedelta(days=60))
        .add_revoked_certificate(entry)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def packed(world: World, authority: devtsa.Authority, lists: bytes) -> bytes:
    asked = timestamps.request(world.contents().log.at_export.encode(), nonce=7)
    reply = authority.reply(asked, at=DAY, serial=1)
    roots = authority.root_pem() + lists
    return world.packed(stamps={"tsa/at-export.tsr": reply, "tsa/roots.pem": roots})


def agreed(folder: Path, bundles: list[bytes]) -> list[str]:
    """What both programs say of V9."""
    files = [folder / f"{number}.zip" for number in range(len(bundles))]
    for file, raw in zip(files, bundles, strict=True):
        file.write_bytes(raw)
    told = [list(report.lines(report.examine(file, []))) for file in files]
    assert in_node(folder, files) == told
    return [states(lines)["V9"] for lines in told]


def test_a_revoked_signer_is_none_and_a_later_revocation_changes_nothing(tmp_path: Path) -> None:
    world, authority = a_world(1), an_authority()
    serial, hour = authority.certificate.serial_number, timedelta(hours=1)
    lists = [
        b"",
        revoked(serial, DAY - hour, ROOT, "a root"),
        revoked(serial, DAY + hour, ROOT, "a root"),
        revoked(serial + 1, DAY - hour, ROOT, "a root"),
        revoked(serial, DAY - hour, STRANGER, "a root"),
        revoked(serial, DAY - hour, STRANGER, "another root"),
    ]
    found = agreed(tmp_path, [packed(world, authority, one) for one in lists])
    assert found == ["ok", "failed", "ok", "ok", "failed", "ok"]


def test_spoilt_lists_are_read_alike(tmp_path: Path) -> None:
    world, authority, rng = a_world(1), an_authority(), random.Random(1)
    true = revoked(authority.certificate.serial_number + 1, DAY, ROOT, "a root")
    bundles = []
    for _ in range(40):
        spoilt = bytearray(true)
        spoilt[rng.randrange(30, len(spoilt) - 30)] ^= 1 << rng.randrange(8)
        bundles.append(packed(world, authority, bytes(spoilt)))
    assert "failed" in agreed(tmp_path, bundles)
