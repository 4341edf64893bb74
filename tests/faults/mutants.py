"""`python -m tests.faults.mutants`: seeds bugs into copies of the tree; each must be found.

Each copy gets a database of its own on one pair of servers, so that a changed migration counts.
Ids come from the mutation's name and the seed: nothing one run left can make another fail.
Source: evidence spec 13, 14 (goal 2).
"""

import argparse
import asyncio
import dataclasses
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import msgspec

from backend.embedded.supervisor import Running, start
from backend.services.schema import migrate
from backend.settings import Database, Store
from tests.faults.__main__ import on_servers
from tests.faults.mutations import MUTATIONS, Mutation, Patch
from tests.faults.schedule import Verdict, schedule
from tests.superuser import dsn_of

ROOT = Path(__file__).parents[2]
COPIED = ("backend", "inspection_plans", "media", "seed", "tests")
LEFT_OUT = shutil.ignore_patterns(
    "node_modules", "dist", "__pycache__", "browser", "pages_js", "phone_core", ".*"
)
WITHIN = 1000
PATIENCE_S = 90.0  # a schedule takes one or two; one that hangs has found something as well
CLEAN = "none"
TOGETHER = 4


class PatchLost(Exception):  # noqa: N818 - a sentence for the reader of the gate
    """The text that a mutation changes does not stand exactly once in its file."""


@dataclass(frozen=True)
class Found:
    """What one copy showed: the first seed that failed and why, or none within ``played``."""

    name: str
    bug: str
    seed: int | None
    why: str
    played: int
    took_s: float
    alone: bool = True

    @property
    def passed(self) -> bool:
        """A bug has to be found where the copy without one holds, and that one must hold."""
        return (self.seed is None) == (self.name == CLEAN) and self.alone


def apply(patch: Patch, tree: Path) -> None:
    """Change one text in a copy; raises PatchLost."""
    text = _text(patch, tree)
    (tree / patch.file).write_text(text.replace(patch.old, patch.new), "utf-8")


def stand(mutations: Iterable[Mutation], root: Path = ROOT) -> None:
    """See that every patch still applies, before anything is played; raises PatchLost."""
    for patch in (patch for mutation in mutations for patch in mutation.patches):
        _text(patch, root)


def _text(patch: Patch, tree: Path) -> str:
    text = (tree / patch.file).read_text("utf-8")
    if text.count(patch.old) != 1:
        raise PatchLost(f"{patch.file} has {text.count(patch.old)} times {patch.old!r}")
    return text


def copy_of(tree: Path, mutation: Mutation, root: Path = ROOT) -> Path:
    """A copy of the tree with the bug in it."""
    for name in COPIED:
        shutil.copytree(root / name, tree / name, ignore=LEFT_OUT)
    for patch in mutation.patches:
        apply(patch, tree)
    return tree


# The child: plays seeds in a copy until one fails


@dataclass(frozen=True)
class Order:
    """What a child is told: its servers, its label, its seeds."""

    database: Database
    store: Store
    password: str
    label: str
    first: int
    count: int
    folder: str


async def hunt(order: Order) -> tuple[int | None, str, int]:
    """Play until a seed fails: its number, why, and how many were played."""
    async with on_servers(
        order.database, order.store, order.password, Path(order.folder)
    ) as stage:
        for played, seed in enumerate(range(order.first, order.first + order.count), 1):
            try:
                verdict: Verdict = await asyncio.wait_for(
                    schedule(stage, seed, order.label), PATIENCE_S
                )
            except Exception as fault:  # noqa: BLE001 - whatever a bug breaks has been found
                return seed, f"{type(fault).__name__}: {fault}"[:300], played
            if verdict.wrong:
                return seed, verdict.wrong[0][:300], played
    return None, "", order.count


def child(text: str) -> int:
    """Play in this copy and print one line of JSON."""
    seed, why, played = asyncio.run(hunt(msgspec.json.decode(text, type=Order)))
    sys.stdout.write(json.dumps({"seed": seed, "why": why, "played": played}) + "\n")
    return 0


# The parent: a database and a copy for each


async def _fresh(running: Running, name: str, template: str) -> Database:
    """A database of the owner's role, as the template is."""
    database = msgspec.structs.replace(running.pg, name=name)
    connection = await asyncpg.connect(
        dsn_of(msgspec.structs.replace(running.pg, name="postgres"), running.superuser_password)
    )
    try:
        await connection.execute(f'drop database if exists "{name}" with (force)')
        await connection.execute(
            f'create database "{name}" owner mingcha_owner template "{template}"'
        )
        roles = ", ".join(f"mingcha_{role}" for role in running.pg.passwords)
        await connection.execute(f'revoke all on database "{name}" from public')
        await connection.execute(f'grant connect, temporary on database "{name}" to {roles}')
    finally:
        await connection.close()
    return database


async def _gone(running: Running, name: str) -> None:
    connection = await asyncpg.connect(dsn_of(running.pg, running.superuser_password))
    try:
        await connection.execute(f'drop database if exists "{name}" with (force)')
    finally:
        await connection.close()


def seek(running: Running, mutation: Mutation, *, first: int, count: int) -> Found:
    """Copy, change, play; raises PatchLost."""
    began = time.monotonic()
    name = f"mutant_{mutation.name}"
    with tempfile.TemporaryDirectory(prefix="mingcha-mutant-", ignore_cleanup_errors=True) as made:
        tree = copy_of(Path(made) / "tree", mutation)
        # A changed migration has to run; the others find their database as it was migrated once.
        changed = any("piccolo_migrations" in patch.file for patch in mutation.patches)
        template = "template0" if changed else running.pg.name
        database = asyncio.run(_fresh(running, name, template))
        store = msgspec.structs.replace(running.s3, prefix=mutation.name.replace("_", "-")[:30])
        order = Order(
            database, store, running.superuser_password, mutation.name, first, count, made
        )
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.mutants", "--child"],
            cwd=tree,
            input=msgspec.json.encode(order).decode(),
            capture_output=True,
            text=True,
            check=False,
        )
    asyncio.run(_gone(running, name))
    took = time.monotonic() - began
    if done.returncode:  # it did not even start: migrations or imports are broken
        raise PatchLost(f"{mutation.name} does not run: {done.stderr[-400:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    return Found(mutation.name, mutation.bug, told["seed"], told["why"], told["played"], took)


def gate(names: Sequence[str], *, first: int, count: int, clean: int) -> Iterator[Found]:
    """Every mutation asked for, and before them the copy without one."""
    wanted = [one for one in MUTATIONS if not names or one.name in names]
    stand(wanted)
    if clean:
        with _servers() as running:
            yield seek(running, Mutation(CLEAN, "no bug", ()), first=first, count=clean)
    # Every copy has buckets of its own, and a small store has room for some dozens of them.
    for batch in range(0, len(wanted), TOGETHER):
        with _servers() as running:
            for mutation in wanted[batch : batch + TOGETHER]:
                yield _alone(running, seek(running, mutation, first=first, count=count))


@contextmanager
def _servers() -> Iterator[Running]:
    with (
        tempfile.TemporaryDirectory(prefix="mingcha-gate-", ignore_cleanup_errors=True) as folder,
        start(Path(folder), origin="http://testserver") as running,
    ):
        asyncio.run(migrate(running.pg))
        yield running


def _alone(running: Running, found: Found) -> Found:
    """Play the seed that failed without the bug: what fails then too has found nothing."""
    if found.seed is None:
        return found
    without = Mutation(f"un_{found.name}", "no bug", ())
    held = seek(running, without, first=found.seed, count=1)
    return dataclasses.replace(found, alone=held.seed is None)


def line(found: Found) -> str:
    """One row of the table in docs/faults.md."""
    seed = "none" if found.seed is None else str(found.seed)
    return f"| {found.name} | {found.bug} | {found.played} | {seed} | {found.why[:110]} |"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the gate; 1 when a bug was not found or the clean copy failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="mutations; all by default")
    parser.add_argument("--within", type=int, default=WITHIN, help="schedules for each")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--clean", type=int, default=WITHIN, help="schedules without a bug")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.child:
        return child(sys.stdin.read())
    failed = 0
    for found in gate(args.names, first=args.first, count=args.within, clean=args.clean):
        failed += not found.passed
        word = "" if found.passed else "FAILED "
        sys.stdout.write(f"{word}{line(found)} {found.took_s:.0f} s\n")
        sys.stdout.flush()
    sys.stdout.write(f"{failed} failed\n")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
