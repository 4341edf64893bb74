"""First start, restart, refusals: backend/embedded/{supervisor,postgres,state,describe}.py."""

import json
import stat
import threading
from pathlib import Path

import pytest

from backend.embedded import postgres, state
from backend.embedded.describe import describe
from backend.embedded.errors import AlreadyRunning, PartMissing, StartFailed
from backend.embedded.processes import Command, spawn
from backend.embedded.supervisor import Running, start
from backend.settings import ROLES
from tests.embedded.stacks import ORIGIN, alive, end, get, put, sql, sql_as


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_roles_are_weak_and_only_the_owner_owns(stack: Running) -> None:
    strong = sql(
        stack,
        """select rolname from pg_roles where
        rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolreplication""",
    )
    assert strong == "postgres"
    roles = sql(
        stack, "select rolname from pg_roles where rolname like 'mingcha%' and rolcanlogin"
    )
    assert sorted(roles.split()) == sorted(f"mingcha_{role}" for role in ROLES)
    owner = "select pg_get_userbyid(datdba) from pg_database where datname = 'mingcha'"
    assert sql(stack, owner) == "mingcha_owner"
    owning = "select count(*) from pg_shdepend where deptype = 'o' and refclassid = 1260"
    assert sql(stack, f"{owning} and refobjid <> 'mingcha_owner'::regrole") == "0"


def test_owner_may_create_and_app_may_not(stack: Running) -> None:
    assert sql_as(stack, "owner", "create table made (i int); drop table made").returncode == 0
    assert "permission denied" in sql_as(stack, "app", "create table made (i int)").stderr


def test_no_login_without_the_password(stack: Running) -> None:
    weak = {**stack.pg.passwords, "app": "wrong"}
    with pytest.raises(StartFailed, match="password authentication failed"):
        postgres.query(stack.stack.pg, "wrong", "select 1")
    stolen = Running.__new__(Running)
    stolen.stack = stack.stack
    stolen.pg = type(stack.pg)(stack.pg.host, stack.pg.port, stack.pg.name, weak)
    assert "password authentication failed" in sql_as(stolen, "app", "select 1").stderr
    hba = (stack.stack.pg.data / "pg_hba.conf").read_text()
    assert {line.split()[-1] for line in hba.splitlines()} == {"scram-sha-256"}


def test_postgres_has_no_tcp(stack: Running) -> None:
    assert sql(stack, "show listen_addresses") == ""
    assert sql(stack, "show unix_socket_permissions") == "0700"
    assert mode(Path(stack.pg.host)) == 0o700


def test_secrets_are_private(stack: Running) -> None:
    place = stack.stack
    assert mode(place.data / state.FILE) == 0o600
    assert {mode(place.store.data / name) for name in ("security.toml", "node.key")} == {0o600}
    logs = (place.data / "postgres.log").read_text() + (place.data / "weed.log").read_text()
    secrets = [*stack.pg.passwords.values(), stack.superuser_password, stack.s3.secret_key]
    assert [secret for secret in secrets if secret in logs] == []
    assert stack.s3.secret_key not in repr(place.state)


def test_restart_keeps_data_keys_and_ports(folder: Path) -> None:
    with start(folder, origin=ORIGIN) as first:
        sql(first, "create table kept (i int); insert into kept values (7)")
        assert put(first, "/kept") == put(first, "/kept/a", b"bytes") == 200
        pids = [child.pid for child in first.children]
        end(first)
    assert [pid for pid in pids if alive(pid)] == []
    with start(folder, origin=ORIGIN) as second:
        assert sql(second, "select i from kept") == "7"
        assert get(second, "/kept/a") == b"bytes"
        assert second.s3 == first.s3
        assert second.pg == first.pg
        end(second)


def test_busy_port_moves_the_store_and_keeps_its_objects(folder: Path) -> None:
    with start(folder, origin=ORIGIN) as first:
        assert put(first, "/kept") == put(first, "/kept/a", b"x" * 9000) == 200
        end(first)
    known = state.load(folder)
    assert known is not None
    known.ports = []
    state.save(folder, known)
    with start(folder, origin=ORIGIN) as second:
        assert second.s3.endpoint != first.s3.endpoint
        assert get(second, "/kept/a") == b"x" * 9000
        assert put(second, "/kept/b", b"y" * 9000) == 200
        assert get(second, "/kept/a") == b"x" * 9000
        end(second)


def test_second_start_is_refused(stack: Running) -> None:
    with pytest.raises(AlreadyRunning) as refused:
        start(stack.stack.data, origin=ORIGIN)
    assert refused.value.key == "data_in_use"
    assert str(stack.stack.data) in refused.value.en
    assert str(stack.stack.data) in refused.value.zh
    assert sql(stack, "select 1") == "1"


def test_lost_passwords_are_refused_not_replaced(folder: Path) -> None:
    (folder / "postgres").mkdir()
    with pytest.raises(StartFailed, match=r"embedded\.json is gone"):
        start(folder, origin=ORIGIN)
    assert not (folder / state.FILE).exists()


def test_unreadable_state_is_refused(folder: Path) -> None:
    (folder / state.FILE).write_text(json.dumps({"unknown": 1}))
    with pytest.raises(StartFailed, match="restore it from the backup"):
        start(folder, origin=ORIGIN)


def test_only_the_main_thread_starts() -> None:
    caught: list[StartFailed] = []

    def attempt() -> None:
        try:
            spawn(Command(name="sleep", argv=["/bin/sleep", "1"]))
        except StartFailed as refused:
            caught.append(refused)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    assert [refused.key for refused in caught] == ["main_thread"]


def test_program_that_is_not_there_is_named() -> None:
    with pytest.raises(PartMissing, match="/nowhere/postgres"):
        spawn(Command(name="PostgreSQL", argv=["/nowhere/postgres"]))


def test_long_paths_get_a_short_socket() -> None:
    short = Path("/short")
    assert postgres.socket_directory(Path("/d"), short) == Path("/d")
    assert postgres.socket_directory(Path("/" + "长" * 40), short) == short


def test_doctor_sees_what_runs(stack: Running, folder: Path) -> None:
    parts = {part.en for part in describe(stack.stack.data)}
    assert {"PostgreSQL is running", "SeaweedFS is running", "supervisor is running"} <= {
        said.split(" (")[0] for said in parts
    }
    assert all(part.ok for part in describe(stack.stack.data))
    fresh = describe(folder)
    assert [part.name for part in fresh] == ["PostgreSQL", "SeaweedFS", "data"]
    assert "no data yet" in fresh[-1].en


def test_doctor_names_an_open_folder(stack: Running) -> None:
    store = stack.stack.store.data
    store.chmod(0o755)
    try:
        wrong = [part.en for part in describe(stack.stack.data) if not part.ok]
    finally:
        store.chmod(0o700)
    assert wrong == [f"{store} lets others in; run: chmod 700"]


@pytest.mark.slow
def test_postgres_16_starts_too(folder: Path) -> None:
    with start(folder, origin=ORIGIN, major=16) as running:
        assert sql(running, "show server_version").startswith("16.")
        assert sql(running, "show data_checksums") == "on"
        end(running)


def test_postgres_is_18_with_checksums_and_unicode(stack: Running) -> None:
    assert sql(stack, "show server_version").startswith("18.")
    assert sql(stack, "show data_checksums") == "on"
    assert sql(stack, "select upper('é') || length('明察')") == "É2"
