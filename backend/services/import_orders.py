"""Imports ordered from a page: the file waits for the worker, can be left, found and cancelled.

The import itself is one transaction (`imports.run`), so it can be cancelled only before it began.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import accounts, audit, imports, policy, tasks
from backend.services.act import Act
from backend.services.errors import REFUSALS, Absent, ServiceRefusal
from backend.services.imports.refusals import EmptyFile, ImportRefused, TooHeavy
from backend.services.imports.sheets import sheet
from inspection_plans.errors import Family
from inspection_plans.library import Library

KIND = "import.run"
ACTION = "directories.import"
FILE_BYTES = 10_000_000
KEPT = timedelta(days=1)
COLUMNS = """id, region, kind, file_name, sha256, size, dry_run, state, run, fault, ordered_by,
  ordered_at, started_at, ended_at, content is not null as kept"""
ADD = """
insert into import_order (id, region, kind, file_name, sha256, size, content, dry_run, state,
  ordered_by, ordered_at) values ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting', $9, $10)
"""
ONE = f"select {COLUMNS} from import_order where id = $1"  # noqa: S608 - a constant
PAGE = f"""
select {COLUMNS} from import_order where ($1::uuid is null or id < $1) order by id desc limit $2
"""  # noqa: S608 - a constant
# Files of checks that nobody followed up hold personal data: they go after a day.
FORGET = """
update import_order set content = null where content is not null and ended_at < $1
"""
BEGIN = """
update import_order set state = 'running', started_at = coalesce(started_at, $2)
where id = $1 and state in ('waiting', 'running')
returning kind, file_name, content, dry_run, ordered_by, region
"""
END = """
update import_order set state = $2, run = $3, fault = $4, ended_at = $5,
  content = case when $6 then content end
where id = $1 and state in ('waiting', 'running')
"""
CANCEL = """
update import_order set state = 'cancelled', ended_at = $2, content = null
where id = $1 and state = 'waiting' returning region
"""


class ImportOver(ServiceRefusal):
    """The import has begun or ended: it is one transaction and cannot be stopped half way."""

    code = "import.over"
    family = Family.CONFLICT


class FileGone(ServiceRefusal):
    """The checked file is no longer kept; it has to be chosen again."""

    code = "import.file_gone"
    family = Family.CONFLICT


class Ordered(msgspec.Struct, frozen=True, kw_only=True):
    """导入 as ordered; ``run`` is its outcome, ``fault`` the code of what refused the file.

    ``kept``: the file is still here, so that what was checked can be imported as it is.
    """

    id: UUID
    region: int
    kind: str
    file_name: str
    sha256: str
    size: int
    dry_run: bool
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    run: UUID | None
    fault: str | None
    ordered_by: UUID
    ordered_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    kept: bool


def _of(row: Any) -> Ordered:  # noqa: ANN401 - a driver's row or None
    if row is None:
        raise Absent
    return msgspec.convert(dict(row), Ordered)


async def order(kind: str, content: bytes, *, file_name: str, dry_run: bool, act: Act) -> Ordered:
    """Keep a file and have it imported, or with ``dry_run`` only checked.

    Raises: KindUnknown, EmptyFile, TooHeavy ("import.…").
    """
    sheet(kind)
    if not content:
        raise EmptyFile
    if len(content) > FILE_BYTES:
        raise TooHeavy(most=FILE_BYTES)
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(FORGET, act.at - KEPT)
        return await _add(kind, content, file_name=file_name, dry_run=dry_run, act=act)


async def _add(kind: str, content: bytes, *, file_name: str, dry_run: bool, act: Act) -> Ordered:
    ident, region = act.new_id(), act.by.region
    sha256 = hashlib.sha256(content).hexdigest()
    await DB.connection.execute(
        ADD,
        ident,
        region,
        kind,
        file_name,
        sha256,
        len(content),
        content,
        dry_run,
        act.by.id,
        act.at,
    )
    await tasks.enqueue(KIND, {"order": str(ident)}, region=region, at=act.at, dedupe=str(ident))
    await audit.record(
        act,
        "import.ordered",
        "import_order",
        ident,
        region=region,
        title=f"{kind} {file_name}",
        after_sha256=sha256,
    )
    return _of(await DB.connection.fetchrow(ONE, ident))


async def confirm(ident: UUID, *, act: Act) -> Ordered:
    """Import the very bytes that a check found good.

    Raises: Absent, FileGone ("import.file_gone").
    """
    async with DB.transaction(act.by.scope):
        held = _of(await DB.connection.fetchrow(f"{ONE} for update", ident))
        content = await DB.connection.fetchval(
            "select content from import_order where id = $1", ident
        )
        if not held.dry_run or held.state != "done" or content is None:
            raise FileGone
        added = await _add(held.kind, content, file_name=held.file_name, dry_run=False, act=act)
        await DB.connection.execute("update import_order set content = null where id = $1", ident)
    return added


async def orders(*, act: Act, after: UUID | None = None, limit: int = 50) -> tuple[Ordered, ...]:
    """Ordered imports of the caller's regions, newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PAGE, after, min(limit, 200))
    return tuple(_of(row) for row in rows)


async def ordered(ident: UUID, *, act: Act) -> Ordered:
    """One ordered import. Raises: Absent ("thing.absent")."""
    async with DB.transaction(act.by.scope, readonly=True):
        return _of(await DB.connection.fetchrow(ONE, ident))


async def cancel(ident: UUID, *, act: Act) -> Ordered:
    """Cancel one that has not begun. Raises: Absent, ImportOver ("import.over")."""
    async with DB.transaction(act.by.scope):
        held = _of(await DB.connection.fetchrow(ONE, ident))
        region = await DB.connection.fetchval(CANCEL, ident, act.at)
        if region is None:
            raise ImportOver(state=held.state)
        await audit.record(act, "import.cancelled", "import_order", ident, region=region)
        return _of(await DB.connection.fetchrow(ONE, ident))


async def advance(ident: UUID, *, act: Act, rules: Library) -> None:
    """Do one ordered import as the person who ordered it, with the rights they have now.

    Killed half way and run again it finds its own rows unchanged: nothing is imported twice.
    """
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(BEGIN, ident, act.at)
    if row is None:
        return
    run, fault = await _import(row, act=act, rules=rules)
    keep = row["dry_run"] and fault is None
    state = "done" if run else "failed"
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(END, ident, state, run, fault, act.at, keep)


async def _import(row: Any, *, act: Act, rules: Library) -> tuple[UUID | None, str | None]:  # noqa: ANN401 - a driver's row
    """The stored run, or the code of the refusal that came before one."""
    person = await accounts.load_person(row["ordered_by"], at=act.at)
    if person is None:
        return None, "person.denied"
    own = msgspec.structs.replace(act, by=person)
    try:
        policy.require(person, ACTION)
        found = await imports.run(
            row["kind"],
            row["content"],
            file_name=row["file_name"],
            dry_run=row["dry_run"],
            act=own,
            rules=rules,
        )
    except ImportRefused as refusal:
        return UUID(str(refusal.facts["run"])), None
    except REFUSALS as refusal:
        return None, refusal.code
    return found.id, None
