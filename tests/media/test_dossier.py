"""The bundle's form and the verifier in Python, without servers: what holds, and what is said."""

import ast
import hashlib
import io
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from media import canon, keys
from media.dossier import archive, program
from media.dossier.archive import Blob, Changed, blob
from media.offline import boxes, curves, reading, report
from tests.media import dossiers
from tests.media.dossiers import FINGERPRINTS, HOUR, T0, a_world, stamped

OFFLINE = Path(reading.__file__).parent
OLD = Path.home() / ".pyenv" / "versions"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A true bundle as a file."""
    file = tmp_path_factory.mktemp("bundle") / "bundle.zip"
    file.write_bytes(a_world().packed())
    return file


def told(raw: bytes, *trust: str) -> list[str]:
    """What the verifier says about these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bundle.zip"
        file.write_bytes(raw)
        return list(report.lines(report.examine(file, list(trust))))


def checks(lines: list[str]) -> dict[str, str]:
    return dict(line.split()[1:3] for line in lines if line.startswith("check "))


def test_a_true_bundle_is_verified_and_says_what_it_proves(bundle: Path) -> None:
    lines = told(bundle.read_bytes())
    assert lines[-1] == "verdict verified"
    assert checks(lines) == {f"V{n}": "ok" for n in range(1, 9)} | {"V9": "none"}
    first = next(line for line in lines if line.startswith("item "))
    assert f"proved={T0 + 56_000}..{T0 + 62_000} claimed={T0 + 60_000}" in first
    assert "source=stream" in first
    assert "gap=30000 key=ok original=here flags=-" in first
    assert any("source=received proved=-.." in line for line in lines)
    assert any(line.endswith("flags=clock_off") for line in lines)


def test_fingerprints_from_elsewhere_are_compared(bundle: Path) -> None:
    raw = bundle.read_bytes()
    assert "trust ok" in told(raw, *FINGERPRINTS)
    stranger = told(raw, FINGERPRINTS[0], "ab" * 32)
    assert "fault V2 key.untrusted" in stranger
    assert stranger[-1] == "verdict rejected"


def test_a_whole_forgery_shows_by_its_fingerprints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody makes an office of his own: all holds, but the keys are not the office's."""
    server = keys.ServerKey.from_seed(b"\x55" * 32)
    for name in ("SERVER", "LOG"):
        monkeypatch.setattr(dossiers, name, server if name == "SERVER" else dossiers.LOG)
    raw = a_world(1, intake=False).packed()
    assert told(raw)[-1] == "verdict verified"
    assert told(raw, *FINGERPRINTS)[-1] == "verdict rejected"


@pytest.mark.parametrize(
    ("lost", "state"),
    [
        ({"revoked": T0 + 100 * HOUR}, "ok"),
        ({"revoked": T0 + 61_500}, "revoked"),
        ({"revoked": T0 + 121_000}, "revoked"),
        ({"revoked": T0 + 100 * HOUR, "since": T0}, "revoked"),
        ({"revoked": T0 + 100 * HOUR, "since": T0 + HOUR}, "ok"),
    ],
)
def test_a_revoked_key_is_said_with_its_instant(lost: dict[str, int], state: str) -> None:
    lines = told(a_world(2, **lost).packed())
    line = next(line for line in lines if line.startswith(f"item {dossiers.uuid7(2)}"))
    at = lost["revoked"]
    assert line.split()[2] == state
    assert f"revoked@{at}" in line
    assert lines[-1] == ("verdict verified" if state == "ok" else "verdict rejected")
    assert (f"fault V5 key.revoked {dossiers.uuid7(2)} {at}" in lines) is (state == "revoked")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "b.zip"
        file.write_bytes(a_world(2, **lost).packed())
        said = "\n".join(report.told(report.examine(file, [])))
    assert "revoked at 2026-" in said


def test_an_unpacked_folder_is_partial(bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle) as packed:
        packed.extractall(tmp_path)
    lines = list(report.lines(report.examine(tmp_path, [])))
    assert checks(lines) | {"V1": "-"} == checks(told(bundle.read_bytes())) | {"V1": "-"}
    assert (checks(lines)["V1"], lines[-1]) == ("not-checked", "verdict partial")
    (tmp_path / "originals" / "link.jpg").symlink_to("/etc/passwd")
    assert checks(list(report.lines(report.examine(tmp_path, []))))["V1"] == "failed"


def test_one_spoilt_picture_spoils_itself_alone(bundle: Path) -> None:
    raw = bytearray(bundle.read_bytes())
    raw[raw.index(b"\xff\xd8\xff", raw.index(b"originals/")) + 9] ^= 1
    lines = told(bytes(raw))
    assert checks(lines)["V2"] == "failed"
    assert [line.split()[2] for line in lines if line.startswith("item ")].count("failed") == 1


# ---- the container ------------------------------------------------------------------------------


def test_other_programs_read_the_container(bundle: Path) -> None:
    files = a_world().files()
    with zipfile.ZipFile(bundle) as packed:
        assert packed.testzip() is None
        assert packed.namelist()[:-2] == sorted(files)
        assert {one.compress_type for one in packed.infolist()} == {zipfile.ZIP_STORED}
    assert archive.packed_size(files) == bundle.stat().st_size


def test_beyond_four_gibibytes_the_container_has_one_spelling_too(tmp_path: Path) -> None:
    """Three sparse files of 1.5 GiB: the last lies behind the reach of 32 bits."""
    size, place, file = 3 << 29, 0, tmp_path / "wide.zip"
    entries = []
    with file.open("wb") as out:
        for name in ("a", "b", "c", "d"):
            entries.append(boxes.Entry(name, size if name != "d" else 0, 0, place))
            out.seek(place)
            out.write(boxes.local_header(entries[-1]))
            place = out.tell() + entries[-1].size
        out.truncate(place)
        out.seek(place)
        out.write(boxes.directory(entries, place))
    with file.open("rb") as handle:
        assert boxes.Zip(handle).names == ["a", "b", "c", "d"]
    with zipfile.ZipFile(file) as packed:
        assert packed.getinfo("d").header_offset == entries[-1].offset > 1 << 32


def test_a_file_that_changes_meanwhile_is_not_packed() -> None:
    files = a_world(1).files()
    true = blob(b"abc")
    files["originals/x.jpg"] = Blob(true.size, true.sha256, true.crc, lambda: (b"abd",))
    with pytest.raises(Changed):
        list(archive.pack(files, dossiers.sign))
    with pytest.raises(ValueError, match=r"\.\./x"):
        list(archive.pack({"../x": true}, dossiers.sign))


# ---- signatures, records ------------------------------------------------------------------------


@given(st.binary(max_size=80), st.integers(0, 511), st.integers(0, 3))
@settings(max_examples=60)
def test_es256_is_what_the_product_verifies(message: bytes, bit: int, number: int) -> None:
    key = keys.DeviceKey.from_seed(b"%d" % number)
    signature = key.sign(keys.Tag.CAPTURE, message)
    point, whole = curves.p256_point(key.spki), keys.Tag.CAPTURE.value + message
    assert point is not None
    assert curves.es256(point, whole, signature)
    broken = bytearray(signature)
    broken[bit // 8] ^= 1 << bit % 8
    try:
        keys.verify_device(key.spki, keys.Tag.CAPTURE, message, bytes(broken))
        valid = True
    except keys.BadSignature:
        valid = False
    assert curves.es256(point, whole, bytes(broken)) is valid is False


def test_es256_knows_the_edges() -> None:
    key = keys.DeviceKey.from_seed(b"edge")
    point = curves.p256_point(key.spki)
    assert point is not None
    signature = key.sign(keys.Tag.OP, b"m")
    message = keys.Tag.OP.value + b"m"
    r, s = signature[:32], int.from_bytes(signature[32:])
    twin = r + (curves.N - s).to_bytes(32)
    assert curves.es256(point, message, twin)  # as every implementation has it
    for r_, s_ in ((0, s), (1, 0), (curves.N, s), (int.from_bytes(r), s + curves.N)):
        wide = r_.to_bytes(33)[-32:] + (s_ % 2**256).to_bytes(32)
        assert not curves.es256(point, message, wide)
    assert not curves.es256(point, message, signature + b"\0")
    spki = key.spki
    assert curves.p256_point(spki[:-1] + bytes([spki[-1] ^ 1])) is None
    assert curves.p256_point(spki + b"\0") is None


@given(st.binary(max_size=80), st.integers(0, 767))
@settings(max_examples=60)
def test_ed25519_is_what_the_product_verifies(message: bytes, bit: int) -> None:
    key = dossiers.SERVER
    signature = key.sign(message)
    assert curves.ed25519(key.public, message, signature)
    broken = bytearray(signature + key.public)
    broken[bit // 8] ^= 1 << bit % 8
    public, changed = bytes(broken[64:]), bytes(broken[:64])
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(changed, message)
        valid = True
    except (InvalidSignature, ValueError):
        valid = False
    assert curves.ed25519(public, message, changed) is valid is False


SPELT = st.recursive(
    st.text(max_size=6) | st.integers(-(2**54), 2**54) | st.booleans(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=4), inside),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=4), SPELT), st.integers(0, 60), st.integers(0, 255))
@settings(max_examples=150)
def test_canonical_means_the_same_here_and_there(
    value: dict[str, object], at: int, byte: int
) -> None:
    """`media.canon` decides what is stored; the verifier alone decides the same."""
    try:
        raw = canon.encode(value)
    except canon.NotCanonical:
        raw = b'{"a":1}'
    broken = bytearray(raw)
    broken[at % len(raw)] = byte
    for text in (raw, bytes(broken)):
        try:
            expected = canon.canonical(text)
        except canon.NotCanonical:
            with pytest.raises(reading.Unfit):
                reading.canonical(text)
        else:
            assert reading.canonical(text) == expected


# ---- one file each ------------------------------------------------------------------------------


def test_the_modules_need_the_standard_library_alone() -> None:
    known = set(sys.stdlib_module_names) | {"__future__"}
    for file in OFFLINE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"), feature_version=(3, 8))):
            if isinstance(node, ast.Import):
                assert {one.name.split(".")[0] for one in node.names} <= known
            elif isinstance(node, ast.ImportFrom):
                name = node.module or ""
                assert name.split(".")[0] in known or name.startswith("media.offline.")


def test_verify_py_is_short_and_shows_its_source(tmp_path: Path) -> None:
    raw = program.verify_py()
    assert raw.count(b"\n") <= 800
    file = tmp_path / "verify.py"
    file.write_bytes(raw)
    done = subprocess.run(
        [sys.executable, "-I", file, "--source"], capture_output=True, check=False
    )
    for module in program.MODULES:
        assert Path(str(module.__file__)).read_bytes() in done.stdout
        assert hashlib.sha256(Path(str(module.__file__)).read_bytes()).hexdigest() in raw.decode()
    spoilt = re.sub(rb'"[0-9a-f]{64}"', b'"' + b"0" * 64 + b'"', raw, count=1)
    file.write_bytes(spoilt)
    done = subprocess.run([sys.executable, "-I", file], capture_output=True, check=False)
    assert b"was damaged" in done.stderr


def pythons() -> list[str]:
    """This interpreter, and every other that is installed here, 3.8 first."""
    found = [str(one) for one in sorted(OLD.glob("3.*/bin/python")) if "3.6" not in str(one)]
    return [sys.executable, *(one for one in found if "/3.7" not in one)]


@pytest.mark.parametrize("python", pythons())
def test_verify_py_runs_alone_without_network(python: str, bundle: Path, tmp_path: Path) -> None:
    """In an empty folder, isolated, where allowed in a namespace without any network."""
    file = tmp_path / "verify.py"
    file.write_bytes(program.verify_py())
    alone = [python, "-I", str(file), str(bundle), "--lines"]
    unshare = shutil.which("unshare")
    if unshare and subprocess.run([unshare, "-n", "true"], check=False).returncode == 0:
        alone = [unshare, "-n", *alone]
    done = subprocess.run(alone, capture_output=True, text=True, cwd=tmp_path, env={}, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == told(bundle.read_bytes())
    assert [one.name for one in tmp_path.iterdir()] == ["verify.py"]
    nothing = subprocess.run(
        [python, "-I", file, tmp_path / "no.zip"], capture_output=True, check=False
    )
    assert nothing.returncode == 2


def test_verify_html_holds_all_and_asks_for_nothing() -> None:
    page = program.verify_html().decode()
    assert "default-src 'none'" in page
    assert (
        re.findall(r"https?://|<link|\bsrc=|@import|fetch\(|XMLHttpRequest|WebSocket", page) == []
    )
    assert page.count("</script>") == 1


def test_a_time_stamp_is_checked_to_its_root(tmp_path: Path) -> None:
    world = a_world(1)
    reply, roots = stamped(world.contents().log.at_export)
    raw = world.packed(stamps={"tsa/at-export.tsr": reply, "tsa/roots.pem": roots})
    lines = told(raw)
    assert (checks(lines)["V9"], lines[-1]) == ("ok", "verdict verified")
    assert "stamp tsa/at-export.tsr 20260922030405Z" in lines
    shell = shelled(unpacked(raw, tmp_path / "true"))
    assert "check V9 ok" in shell
    assert "stamp tsa/at-export.tsr 20260922030405Z" in shell
    other = world.packed(stamps={"tsa/at-seal.tsr": reply, "tsa/roots.pem": roots})
    assert "fault V9 stamp.other tsa/at-seal.tsr" in told(other)
    _, strange = stamped(world.sealed[1])
    raw = world.packed(stamps={"tsa/at-export.tsr": reply, "tsa/roots.pem": strange})
    assert "fault V9 stamp.other tsa/at-export.tsr" in told(raw)
    assert "fault V9 stamp.other tsa/at-export.tsr" in shelled(unpacked(raw, tmp_path / "other"))


def test_a_stamp_without_roots_leaves_the_signer_unchecked() -> None:
    world = a_world(1)
    reply, _ = stamped(world.contents().log.at_export)
    lines = told(world.packed(stamps={"tsa/at-export.tsr": reply}))
    assert (checks(lines)["V9"], lines[-1]) == ("not-checked", "verdict partial")
    for spoilt in (b"", reply[:40], b"\x30\x84\xff\xff\xff\xff", reply.replace(b"\x30", b"\x31")):
        lines = told(world.packed(stamps={"tsa/at-export.tsr": spoilt}))
        assert checks(lines)["V9"] == "failed"


def test_an_expired_or_other_certificate_is_no_signer() -> None:
    world = a_world(1)
    note = world.contents().log.at_export
    for made, at in ((0, -2), (0, 40_000)):
        reply, roots = stamped(note, made=made, at=at)
        raw = world.packed(stamps={"tsa/at-export.tsr": reply, "tsa/roots.pem": roots})
        assert "fault V9 stamp.other tsa/at-export.tsr" in told(raw)


def unpacked(raw: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        packed.extractall(folder)
    return folder


def shelled(folder: Path) -> list[str]:
    """What the shell's verifier says about a folder."""
    words = ["sh", str(OFFLINE / "verify.sh"), str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line[:7] for line in lines if line.startswith("note ")] == [
        "note V1",
        "note V3",
        "note V9",
    ]
    return [line for line in lines if not line.startswith("note ")]


@pytest.mark.slow
def test_a_thousand_items_take_less_than_a_minute(tmp_path: Path) -> None:
    file, alone = tmp_path / "bundle.zip", tmp_path / "verify.py"
    file.write_bytes(a_world(1000).packed())
    alone.write_bytes(program.verify_py())
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-I", alone, file, "--lines"], capture_output=True, check=False
    )
    took = time.monotonic() - began
    assert done.stdout.endswith(b"verdict verified\n")
    assert took <= 60, f"{took:.1f} s"
