"""PostgreSQL's own tools, and what the rows of one snapshot say beside them.

A logical dump and not a copy of the cluster: it is read by any PostgreSQL of the same age or
younger, by an embedded one or another, and carries no passwords of roles (ADR 0018).
"""

import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from msgspec import Struct

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services.backups.errors import HiddenRows, ToolFailed
from backend.settings import Database
from media.bucket import Room

OWNER = Scope(role="owner")
# Open sessions and counters of tries end with the server they were opened on.
LEFT_OUT = ("session_kv", "rate_kv")
SAID_MOST = 2000

HIDING = """
select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'aud') and c.relkind = 'r' and c.relrowsecurity and not exists (
  select from pg_policy p where p.polrelid = c.oid and p.polpermissive and p.polcmd = '*'
    and 'mingcha_owner'::regrole = any (p.polroles) and pg_get_expr(p.polqual, c.oid) = 'true')
order by 1
"""
TABLES = """
select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'aud') and c.relkind = 'r' and not c.relname = any ($1) order by 1
"""
LOG = """
select coalesce((select size from aud.checkpoint order by size desc limit 1), 0) as size,
  coalesce((select note from aud.checkpoint order by size desc limit 1), '') as note,
  (select count(*) from aud.entry) as entries,
  (select count(*) from aud.entry where tree_index is null) as pending,
  (select max(name) from migration where app_name = 'mingcha') as migration,
  current_setting('server_version') as postgres
"""
# What must lie in a room, by key as the store lists it: by its bytes.
WANTED = {
    Room.ORIGINALS: """
select object_key as key, version_id as version, sha256, size from evidence
where verified_at is not null and state <> 'missing' and object_key is not null
order by object_key collate "C"
""",
    Room.DERIVATIVES: """
select object_key as key, null as version, sha256, size from derivative
order by object_key collate "C"
""",
    # Files of documents stay for good; the other exports of this room are made anew when asked.
    Room.EXPORTS: """
select object_key as key, null as version, sha256, size from document
where object_key is not null order by object_key collate "C"
""",
}


class LogFacts(Struct, frozen=True):
    """The log's head and counts in one snapshot, the last migration, the server's version."""

    size: int
    note: str
    entries: int
    pending: int
    migration: str
    postgres: str


class Wanted(Struct, frozen=True):
    """An object that a row names; ``version`` is None in a room without versions."""

    key: str
    version: str | None
    sha256: str
    size: int


async def require_all_rows_seen() -> None:
    """Raise HiddenRows for tables whose policies would hide rows from the owner."""
    hidden = await DB.connection.fetch(HIDING)
    if hidden:
        raise HiddenRows(tables=[row["name"] for row in hidden])


async def counts() -> dict[str, int]:
    """Rows of every table that is kept, in the running transaction's snapshot."""
    names = [row["name"] for row in await DB.connection.fetch(TABLES, list(LEFT_OUT))]
    return {
        name: await DB.connection.fetchval(f"select count(*) from {name}")  # noqa: S608 - catalogue
        for name in names
    }


async def log_facts() -> LogFacts:
    """The log as the running transaction sees it."""
    return LogFacts(**dict(await DB.connection.fetchrow(LOG)))


async def wanted(room: Room) -> AsyncIterator[Wanted]:
    """Objects that rows of the running transaction name, in the order of the store's list."""
    if room in WANTED:
        async for row in DB.stream(WANTED[room]):
            yield Wanted(**row)


def _run(argv: Sequence[str | Path], database: Database) -> None:
    env = {
        "PGPASSWORD": database.passwords["owner"],
        "PGHOST": database.host,
        "PGPORT": str(database.port),
        "PGUSER": f"{database.user_prefix}owner",
        "PGDATABASE": database.name,
        "LC_ALL": "C",
    }
    done = subprocess.run(list(map(str, argv)), env=env, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise ToolFailed(tool=Path(argv[0]).name, said=said[-SAID_MOST:])


def write(binaries: Path, database: Database, file: Path, *, snapshot: str) -> None:
    """Dump what a snapshot sees, while others write. Blocks. Raises: ToolFailed."""
    left_out = [f"--exclude-table-data={name}" for name in LEFT_OUT]
    argv: list[str | Path] = [
        binaries / "pg_dump",
        "--format=custom",
        "--compress=gzip:3",
        "--no-password",
    ]
    # The owner's policies let it see every row: require_all_rows_seen has looked.
    argv += ["--enable-row-security", f"--snapshot={snapshot}", f"--file={file}"]
    _run([*argv, *left_out], database)


def load(binaries: Path, database: Database, file: Path) -> None:
    """Fill an empty database, all or nothing. Blocks. Raises: ToolFailed."""
    argv: list[str | Path] = [
        binaries / "pg_restore",
        "--single-transaction",
        "--exit-on-error",
        "--no-password",
    ]
    _run([*argv, f"--dbname={database.name}", file], database)
