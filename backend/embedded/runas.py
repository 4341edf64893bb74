"""Who the servers are and where they can live: never root, never behind a shut parent folder.

Started by root they run as the owner of the data directory, or as ``nobody`` when root owns it.
A private parent (a clone under /root, a test's temporary folder) stops that user; opening parents
to the world is not ours to do, so the servers' folders, and programs if need be, go elsewhere.
"""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from backend.embedded.errors import PartMissing, Sentence, StartFailed, sentence
from backend.embedded.processes import RunAs

UNPRIVILEGED = "nobody"
LASTING = Path("/var/lib/mingcha")  # nothing cleans it, unlike /var/tmp
PROBE_S = 20


@dataclass(frozen=True)
class Programs:
    """PostgreSQL's install folder and weed, where the servers' user can run them."""

    postgres: Path
    weed: Path


def who(data: Path) -> RunAs:
    """The servers' user for these data; raises StartFailed when root has nobody to become."""
    if os.getuid() != 0:
        return RunAs()
    owner = data.stat().st_uid
    try:
        entry = pwd.getpwuid(owner) if owner else pwd.getpwnam(UNPRIVILEGED)
    except KeyError as fault:
        raise StartFailed("no_user", user=owner or UNPRIVILEGED) from fault
    return RunAs(entry.pw_name, entry.pw_uid, entry.pw_gid)


def home(data: Path, user: RunAs, remembered: str | None) -> tuple[Path, Sentence | None]:
    """The folder of the servers' folders, and the sentence to say when that is not ``data``.

    ``remembered`` is the answer of the first start ("" = ``data``), None when this is it: data
    once made are never silently replaced by empty ones.  Raises StartFailed.
    """
    user.own(data)
    place = Path(remembered) if remembered else data
    if remembered is None and not can(user, "-w", data):
        place = _elsewhere(data)
    if place != data:
        private_folder(place, user)
    if not can(user, "-w", place):
        raise StartFailed("unreachable", user=user.name, place=place)
    if place == data:
        return place, None
    return place, sentence("notices", "moved", user=user.name, data=data, place=place)


def can(user: RunAs, test: str, path: Path) -> bool:
    """Whether that user passes ``test -r|-w|-x path``; tried, not computed."""
    return _run_as(user, ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)])


def programs(found: Programs, user: RunAs) -> Programs:
    """The same programs, or root-owned copies where the user can run them.

    Raises PartMissing when there is no such place.
    """
    if _runnable(found, user):
        return found
    key = sha256(f"{found.weed.stat().st_size} {found.weed.stat().st_mtime_ns}".encode())
    name = f"programs-{found.postgres.name}-{key.hexdigest()[:12]}"
    for base in (LASTING, Path(tempfile.gettempdir()) / "mingcha-programs"):
        try:
            copied = _copied(found, base, name)
        except OSError:
            continue
        if _runnable(copied, user):
            return copied
    raise PartMissing("no_program_place", user=user.name, folder=found.postgres.parent)


def private_folder(folder: Path, user: RunAs) -> None:
    """Make ``folder`` 0700 for the user, or accept it as it is; raises StartFailed otherwise."""
    try:
        folder.mkdir(mode=0o700, parents=True)
        user.own(folder)
    except FileExistsError:
        found = folder.lstat()
        mine = found.st_uid == user.uid and not stat.S_IMODE(found.st_mode) & 0o077
        if not (stat.S_ISDIR(found.st_mode) and mine):
            raise StartFailed("foreign_folder", folder=folder) from None


def short_folder(data: Path) -> Path:
    """A short private name for these data in the temporary directory (for sockets)."""
    mark = sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"mingcha-{mark}"


def _elsewhere(data: Path) -> Path:
    """Temporary data stay temporary; all others go where nothing cleans up."""
    if data.is_relative_to(tempfile.gettempdir()):
        return short_folder(data)
    LASTING.mkdir(mode=0o755, exist_ok=True)
    return LASTING / short_folder(data).name


def _runnable(these: Programs, user: RunAs) -> bool:
    if user.name is None:
        return True
    answers = (
        _run_as(user, [str(these.postgres / "bin" / name), "--version"])
        for name in ("postgres", "initdb")
    )
    return all(answers) and can(user, "-x", these.weed)


def _run_as(user: RunAs, argv: list[str]) -> bool:
    try:
        done = subprocess.run(  # noqa: S603
            argv,
            check=False,
            capture_output=True,
            cwd="/",
            timeout=PROBE_S,
            **user.popen_options(),
        )
    except OSError:
        return False
    return bool(done.returncode == 0)


def _copied(found: Programs, base: Path, name: str) -> Programs:
    """Copy once, published by rename; the folder must be root's and closed to other writers."""
    base.mkdir(mode=0o755, exist_ok=True)
    seen = base.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid or stat.S_IMODE(seen.st_mode) & 0o022:
        raise PermissionError(base)
    base.chmod(0o755)
    target = base / name
    if not target.exists():
        fresh = Path(tempfile.mkdtemp(dir=base))
        wheel = found.postgres.parent  # its libraries lie beside it and are found from there
        inside = fresh / wheel.name / found.postgres.name
        shutil.copytree(found.postgres, inside, symlinks=True)
        libraries = wheel.with_name(f"{wheel.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        shutil.copy2(found.weed, fresh / "weed")
        fresh.chmod(0o755)
        try:
            fresh.rename(target)
        except OSError:  # another start was faster
            shutil.rmtree(fresh)
    return Programs(target / found.postgres.parent.name / found.postgres.name, target / "weed")
