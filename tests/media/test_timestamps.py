"""Time stamps: both shapes of replies, each by the tool that reads it; nothing forged passes."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from media import der, timestamps
from media.devtsa import Authority
from media.timestamps import StampInvalid, StampRefused, StampUncheckable, roots_of

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
NOTE = "test.mingcha.invalid/log\n5\nAAAA\n\n— …\n".encode()
NONCE = (1 << 100) + 7
OURS, CHAINED = (Authority.make(NOW, chain=chain) for chain in (False, True))
needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl is not installed: its shape is NOT checked"
)
CONFIG = """
[cfg]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_chain = {chain}
ess_cert_id_alg = {alg}
accuracy = secs:1
"""


def stamped(authority: Authority, content: bytes = NOTE, *, at: datetime = NOW) -> bytes:
    asked = timestamps.request(content, nonce=NONCE)
    return authority.reply(asked, at=at, serial=41)


@pytest.mark.parametrize("authority", [OURS, CHAINED], ids=["one", "two"])
def test_a_reply_with_one_and_with_two_certificates(authority: Authority) -> None:
    roots = roots_of(authority.root_pem())
    found = timestamps.verify(stamped(authority), NOTE, roots=roots, nonce=NONCE)
    assert (found.at, found.authority, found.serial) == (NOW, "dev-tsa", 41)
    assert (found.policy, found.by) == ("2.25.315610000", "rfc3161-client")


def of_openssl(authority: Authority, folder: Path, *, chain: bool, alg: str) -> bytes:
    """A reply that the openssl program made."""
    key = authority.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = {
        "key": key,
        "signer": authority.certificate.public_bytes(Encoding.PEM),
        "root": authority.root_pem(),
        "query": timestamps.request(NOTE, nonce=NONCE),
        "serial": b"2A\n",
        "cnf": CONFIG.format(folder=folder, chain="yes" if chain else "no", alg=alg).encode(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    subprocess.run(
        [
            *("openssl", "ts", "-reply", "-config", "cnf", "-section", "cfg"),
            *("-queryfile", "query", "-inkey", "key", "-signer", "signer", "-out", "reply"),
            *(("-chain", "root") if chain else ()),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return (folder / "reply").read_bytes()


@needs_openssl
@pytest.mark.parametrize("alg", ["sha1", "sha256"])
@pytest.mark.parametrize(("chain", "by"), [(False, "rfc3161-client"), (True, "openssl")])
def test_what_openssl_sends_is_read_in_both_shapes(
    tmp_path: Path, chain: bool, by: str, alg: str
) -> None:
    now = datetime.now(UTC)  # noqa: TID251 - the program takes the time of the machine
    authority = Authority.make(now)
    reply = of_openssl(authority, tmp_path, chain=chain, alg=alg)
    roots = roots_of(authority.root_pem())
    found = timestamps.verify(reply, NOTE, roots=roots, nonce=NONCE)
    assert (found.by, found.serial, found.policy) == (by, 43, "1.2.3.4.1")
    assert abs(found.at - now) < timedelta(minutes=5)
    stranger = roots_of(OURS.root_pem())
    with pytest.raises(StampInvalid):
        timestamps.verify(reply, NOTE, roots=stranger, nonce=NONCE)


@needs_openssl
def test_without_the_program_a_stamp_is_not_checked_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)  # noqa: TID251 - as above
    authority = Authority.make(now)
    reply = of_openssl(authority, tmp_path, chain=True, alg="sha256")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StampUncheckable):
        timestamps.verify(reply, NOTE, roots=roots_of(authority.root_pem()))


def test_the_program_and_the_library_agree_on_our_own_replies(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: agreement is NOT checked")
    (tmp_path / "reply").write_bytes(stamped(CHAINED))
    (tmp_path / "root").write_bytes(CHAINED.root_pem())
    done = subprocess.run(
        [
            *("openssl", "ts", "-verify", "-digest", sha256(NOTE).hexdigest()),
            *("-in", "reply", "-CAfile", "root", "-attime", str(int(NOW.timestamp()))),
        ],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert b"Verification: OK" in done.stdout


def test_other_content_nonce_or_root_is_refused() -> None:
    reply, roots = stamped(OURS), roots_of(OURS.root_pem())
    with pytest.raises(StampInvalid):
        timestamps.verify(reply, NOTE + b".", roots=roots)
    with pytest.raises(StampInvalid):
        timestamps.verify(reply, NOTE, roots=roots, nonce=NONCE + 1)
    with pytest.raises(StampInvalid):
        timestamps.verify(reply, NOTE, roots=roots_of(CHAINED.root_pem()))
    with pytest.raises(StampInvalid):
        timestamps.verify(reply * 100, NOTE, roots=roots)


def test_certificates_count_at_the_stamped_instant() -> None:
    """A stamp outlives its certificate; one from outside its validity is none."""
    then = NOW - timedelta(days=40 * 365)
    old = Authority.make(then)
    roots = roots_of(old.root_pem())
    assert timestamps.verify(stamped(old, at=then), NOTE, roots=roots).at == then
    with pytest.raises(StampInvalid):
        timestamps.verify(stamped(old, at=NOW), NOTE, roots=roots)


def test_a_rejection_is_told_apart_from_a_forgery() -> None:
    rejection = OURS.reply(b"no request", at=NOW, serial=1)
    with pytest.raises(StampRefused):
        timestamps.verify(rejection, NOTE, roots=roots_of(OURS.root_pem()))


@given(st.integers(0, 8 * len(stamped(OURS)) - 1))
def test_no_flipped_bit_changes_what_is_said(bit: int) -> None:
    """A flip breaks the stamp, or says the same where nothing signed was hit."""
    whole = STAMPED
    reply = bytearray(whole)
    reply[bit // 8 % len(whole)] ^= 1 << bit % 8
    roots = roots_of(OURS.root_pem())
    try:
        found = timestamps.verify(bytes(reply), NOTE, roots=roots, nonce=NONCE)
    except (StampInvalid, StampRefused):
        return
    assert (found.at, found.serial, found.authority) == (NOW, 41, "dev-tsa")


STAMPED = stamped(OURS)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    with pytest.raises((StampInvalid, StampRefused)):
        timestamps.verify(raw, NOTE, roots=roots_of(OURS.root_pem()))


@given(st.integers(0, 1 << 200))
def test_integers_are_minimal_and_come_back(value: int) -> None:
    ((tag, content),) = der.split(der.integer(value))
    assert (tag, int.from_bytes(content)) == (der.INTEGER, value)
    assert len(content) == 1 or content[0] or content[1] & 0x80


@given(
    st.integers(0, 2),
    st.integers(0, 39),
    st.lists(st.integers(0, 1 << 40), max_size=6),
)
def test_object_identifiers_come_back(first: int, second: int, rest: list[int]) -> None:
    dotted = ".".join(map(str, (first, second, *rest)))
    ((tag, content),) = der.split(der.oid(dotted))
    assert (tag, der.dotted(content)) == (der.OID, dotted)
