"""Eighteen lines, green when shut and red when open: selfcheck.py, doors.py, canary.py."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from backend import clock
from backend.embedded import canary, doors, weed
from backend.embedded.canary import BODY, LOCK_S, Canary
from backend.embedded.errors import EvidenceModeRefused
from backend.embedded.s3 import signed
from backend.embedded.selfcheck import LINES
from backend.embedded.supervisor import Running, start
from tests.embedded.stacks import ORIGIN, end

OPEN = weed.Doors(
    http_disabled=False, jwt=False, grpc_certificates=False, fsync=False, origins="*"
)
LISTENING = (
    "import socket, sys; s = socket.create_server((sys.argv[1], 0)); print(1, flush=True); input()"
)


def red(running: Running) -> set[str]:
    return {line.id for line in running.check() if not line.ok}


def test_all_doors_of_a_normal_start_are_shut(stack: Running) -> None:
    assert [line.id for line in stack.selfcheck] == list(LINES)
    assert [(line.id, line.seen) for line in stack.selfcheck if not line.ok] == []
    assert all(line.en and line.zh for line in stack.selfcheck)


def test_the_check_can_be_repeated(stack: Running) -> None:
    assert red(stack) == set()
    assert red(stack) == set()


def test_open_store_is_seen_and_refused(folder: Path) -> None:
    with start(folder, origin=ORIGIN, evidence_mode="off", doors=OPEN) as running:
        open_lines = {line.id for line in running.selfcheck if not line.ok}
        end(running)
    # D5 too: once the filer has deleted the locked version, the bucket counts as empty
    assert open_lines == {"D5", "D7", "D8", "D9", "D10", "D11", "D12", "P1", "P3", "P5"}
    with pytest.raises(EvidenceModeRefused) as refused:
        start(folder, origin=ORIGIN, doors=OPEN)
    assert "D8" in refused.value.en
    assert "D8" in refused.value.zh


def test_master_door_alone_is_seen(folder: Path) -> None:
    half = weed.Doors(http_disabled=False)
    with start(folder, origin=ORIGIN, evidence_mode="off", doors=half) as running:
        open_lines = {line.id for line in running.selfcheck if not line.ok}
        end(running)
    assert "P1" in open_lines
    assert "D8" not in open_lines


def test_a_folder_open_to_others_is_seen(stack: Running) -> None:
    stack.stack.store.data.chmod(0o755)
    try:
        assert red(stack) == {"D13"}
    finally:
        stack.stack.store.data.chmod(0o700)


@pytest.mark.parametrize(("address", "shut"), [("127.0.0.1", True), ("0.0.0.0", False)])  # noqa: S104
def test_a_listener_beyond_loopback_is_seen(address: str, *, shut: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LISTENING, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        found = doors.listeners([child.pid])["P2"]
        child.communicate(b"\n")
    assert found.ok is shut


def test_no_listener_at_all_proves_nothing() -> None:
    assert doors.listeners([])["P2"].ok is False


def rules(*prefixes: tuple[str, bool]) -> str:
    inside = ", ".join(
        f'{{"locationPrefix": "{at}", "fsync": {str(on).lower()}}}' for at, on in prefixes
    )
    return f'> {{\n "version": 1, "locations": [{inside}]\n}}\n'


@pytest.mark.parametrize(
    ("printed", "shut"),
    [
        (rules(("/buckets/", True)), True),
        (rules(("/buckets/", True), ("/buckets/a/", True), ("/etc/", False)), True),
        (rules(), False),
        (rules(("/buckets/a/", True)), False),
        (rules(("/buckets/", False)), False),
        (rules(("/buckets/", True), ("/buckets/a/", False)), False),
        ("", False),
    ],
)
def test_fsync_rules(printed: str, *, shut: bool) -> None:
    assert doors.fsync_rules(printed)["P3"].ok is shut


def test_altered_or_old_program_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "weed"
    file.write_bytes(b"program")
    digest = weed.actual_sha256(file)
    assert doors.program(digest, digest, (4, 48), (4, 48))["P4"].ok
    assert not doors.program(digest, digest, (4, 47), (4, 48))["P4"].ok
    assert not doors.program(digest, "", (4, 48), (4, 48))["P4"].ok
    file.write_bytes(b"program!")
    assert not doors.program(weed.actual_sha256(file), digest, (4, 48), (4, 48))["P4"].ok


def bird(running: Running, bucket: str, *, lock: bool, versions: bool) -> Canary:
    """A canary whose own door is open: no retention, no lock, or no versions."""
    now = clock.now()
    headers = {"x-amz-bucket-object-lock-enabled": "true"} if lock else {}
    assert signed(running.s3, "PUT", f"/{bucket}", now=now, headers=headers).ok
    if versions and not lock:
        body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        asked = {"versioning": ""}
        assert signed(running.s3, "PUT", f"/{bucket}", now=now, query=asked, body=body).ok
    made = signed(running.s3, "PUT", f"/{bucket}/canary", now=now, body=BODY)
    version = made.headers.get("x-amz-version-id", "null")
    return Canary(bucket, "canary", version, now + timedelta(seconds=LOCK_S))


@pytest.fixture
def open_lines(stack: Running, request: pytest.FixtureRequest) -> set[str]:
    """The red lines of D1-D6 against a bucket that is open in the way the test says."""
    made = bird(stack, **request.param)
    found = canary.lock_terms(stack.s3, made, clock.now())
    found["D5"] = canary.drop_bucket(stack.s3, made, clock.now())
    found["D1"] = canary.delete_version(stack.s3, made, clock.now())
    return {line for line, verdict in found.items() if not verdict.ok}


@pytest.mark.parametrize(
    "open_lines", [{"bucket": "no-retention", "lock": True, "versions": True}], indirect=True
)
def test_an_object_without_retention_is_seen(open_lines: set[str]) -> None:
    assert {"D2"} <= open_lines


@pytest.mark.parametrize(
    "open_lines", [{"bucket": "no-lock", "lock": False, "versions": True}], indirect=True
)
def test_a_bucket_without_lock_is_seen(open_lines: set[str]) -> None:
    assert {"D4", "D5"} <= open_lines


@pytest.mark.parametrize(
    "open_lines", [{"bucket": "no-versions", "lock": False, "versions": False}], indirect=True
)
def test_a_bucket_without_versions_is_seen(open_lines: set[str]) -> None:
    assert {"D6"} <= open_lines


def test_a_canary_that_cannot_be_placed_is_red(stack: Running) -> None:
    none = Canary("nowhere", "canary", "", clock.now(), "PUT 503")
    found = canary.lock_terms(stack.s3, none, clock.now())
    found["D1"] = canary.delete_version(stack.s3, none, clock.now())
    found["D5"] = canary.drop_bucket(stack.s3, none, clock.now())
    assert {line for line, verdict in found.items() if not verdict.ok} == {
        f"D{n}" for n in range(1, 7)
    }


def test_silence_of_a_door_is_not_a_refusal() -> None:
    assert doors.shut([doors.Answer(0)]).ok is False
    assert doors.shut([doors.Answer(503)]).ok is False
    assert doors.shut([doors.Answer(403), doors.Answer(200)]).ok is False
