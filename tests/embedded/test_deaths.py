"""No orphans, nothing acknowledged lost, every stop ends: processes.py, supervisor.py."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from backend.embedded.errors import StartFailed
from backend.embedded.processes import Command, spawn, stop, wait_until
from backend.embedded.supervisor import start
from tests.embedded.stacks import ORIGIN, Supervised, alive, end, get, put, sql, until

STUBBORN = """
import os, signal, sys, time
for sign in (signal.SIGTERM, signal.SIGINT):
    signal.signal(sign, signal.SIG_IGN)
child = os.fork()
if child:
    open(sys.argv[1], "w").write(f"{child}\\n")
time.sleep(600)
"""


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_orphan_outlives_the_supervisor(supervised: Supervised, sign: signal.Signals) -> None:
    assert len(supervised.pids) == 3
    assert all(alive(pid) for pid in supervised.pids)
    status = supervised.end(sign)
    assert status == (-9 if sign is signal.SIGKILL else 0)
    until(lambda: not any(alive(pid) for pid in supervised.pids))


def test_killed_supervisor_leaves_data_that_start_at_once(
    supervised: Supervised, folder: Path
) -> None:
    supervised.end(signal.SIGKILL)
    with start(folder, origin=ORIGIN) as again:
        assert sql(again, "select 1") == "1"
        end(again)


@pytest.mark.parametrize("victim", [0, 1], ids=["weed", "postgres"])
def test_a_dead_server_ends_the_whole(supervised: Supervised, victim: int) -> None:
    os.kill(supervised.pids[victim], signal.SIGKILL)
    assert supervised.process.wait(40) == 1
    until(lambda: not any(alive(pid) for pid in supervised.pids))


def test_acknowledged_data_survive_kill_9_of_both(folder: Path) -> None:
    with start(folder, origin=ORIGIN) as running:
        sql(running, "create table kept (i int)")
        assert put(running, "/kept") == 200
        for i in range(20):
            sql(running, "insert into kept select count(*) from kept")
            assert put(running, f"/kept/{i}", b"%d" % i * 3000) == 200
        for child in running.children:
            child.process.kill()
    with start(folder, origin=ORIGIN) as again:
        assert sql(again, "select count(*), sum(i) from kept") == "20|190"
        assert [get(again, f"/kept/{i}") for i in range(20)] == [
            b"%d" % i * 3000 for i in range(20)
        ]
        end(again)


def stubborn(tmp_path: Path) -> tuple[Command, Path]:
    pid = tmp_path / "grandchild"
    steps = ((signal.SIGTERM, 0.2), (signal.SIGINT, 0.2))
    argv = [sys.executable, "-c", STUBBORN, str(pid)]
    return Command(name="stubborn", argv=argv, stop_steps=steps), pid


def test_stop_escalates_to_the_whole_group(tmp_path: Path) -> None:
    command, file = stubborn(tmp_path)
    child = spawn(command)
    until(lambda: file.exists() and file.read_text().endswith("\n"))
    began = time.monotonic()
    stop(child)
    assert time.monotonic() - began < 5
    assert child.process.returncode == -signal.SIGKILL
    until(lambda: not alive(int(file.read_text())))


def test_stop_ends_children_before_servers(folder: Path, tmp_path: Path) -> None:
    order = tmp_path / "order"
    farewell = (
        "import signal, sys, pathlib, time\n"
        "def bye(*_):\n"
        "    up = pathlib.Path(sys.argv[2]).read_text().splitlines()[7].strip()\n"
        "    pathlib.Path(sys.argv[1]).write_text(up); sys.exit()\n"
        "signal.signal(signal.SIGTERM, bye)\n"
        "pathlib.Path(sys.argv[1]).write_text('waiting')\n"
        "time.sleep(600)\n"
    )
    with start(folder, origin=ORIGIN) as running:
        pid_file = running.stack.pg.data / "postmaster.pid"
        argv = [sys.executable, "-c", farewell, str(order), str(pid_file)]
        running.run(Command(name="app", argv=argv))
        until(lambda: order.exists() and order.read_text() == "waiting")
        end(running)
        assert running.children == []
    assert order.read_text() == "ready"


def test_failed_start_leaves_nothing(folder: Path) -> None:
    with start(folder, origin=ORIGIN) as running:
        end(running)
        data = running.stack.pg.data
    (data / "PG_VERSION").write_text("99\n")
    with pytest.raises(StartFailed, match="PostgreSQL ended"):
        start(folder, origin=ORIGIN)
    (data / "PG_VERSION").write_text("18\n")
    with start(folder, origin=ORIGIN) as again:
        end(again)


def test_silence_is_a_failed_start() -> None:
    child = spawn(Command(name="mute", argv=["/bin/sleep", "60"]))
    try:
        with pytest.raises(StartFailed, match="mute was not ready after 0 s"):
            wait_until(lambda: False, child, limit_s=0.1)
    finally:
        stop(child)
