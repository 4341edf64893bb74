"""Writing an export: rows flow from a cursor through a child into a file, then into the store."""

import asyncio
import contextvars
import hashlib
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from backend.db.engine import Scope
from backend.db.queries.listings import columns, sql
from backend.piccolo_conf import DB
from backend.services import accounts, audit
from backend.services.act import Act
from backend.services.listings import END, MIMES, Filters, texts
from media.bucket import Bucket
from media.rooms import Room

WRITER = Path(__file__).parent / "writer.py"
BATCH = 2_000
CHUNK = 1 << 20
SHEET_MOST = 1_048_575  # rows of one sheet of Excel below its heads
ORDER = """
select id, region, list, form, filters, ordered_by from export_order
where id = $1 and progress = 'running'
"""
PROGRESS = """
update export_order set done_rows = $2 where id = $1 and progress = 'running' returning id
"""
DONE = """
update export_order set progress = 'done', done_rows = $2, ended_at = $3, object_key = $4,
  sha256 = $5, size = $6 where id = $1 and progress = 'running' returning region
"""
T = TypeVar("T")


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """What writing needs: the store, the clock, and ``hold`` to keep the task's lease."""

    bucket: Bucket
    clock: Callable[[], datetime]
    hold: Callable[[], Awaitable[None]]


class Left(Exception):  # noqa: N818 - somebody cancelled; nothing is wrong
    """Nobody waits for this export any more."""


class Stuck(Exception):  # noqa: N818 - kept as the export's fault
    """The writer ended early, or the list does not fit the form."""


async def _apart(work: Coroutine[Any, Any, T]) -> T:
    """Run outside the transaction whose cursor is open: it is another one's, and read-only."""
    loop = asyncio.get_running_loop()
    return await loop.create_task(work, context=contextvars.Context())


async def _progress(ident: UUID, rows: int, *, act: Act, tools: Tools) -> None:
    """Say how far it is; raises Left."""
    async with DB.transaction(act.by.scope):
        waited = await DB.connection.fetchval(PROGRESS, ident, rows)
    if waited is None:
        raise Left
    await tools.hold()


@asynccontextmanager
async def _writer(form: str, path: Path) -> AsyncIterator[asyncio.StreamWriter]:
    """The child that writes ``path``; it is whole when the block ends. Raises: Stuck."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(WRITER),
        form,
        str(path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={"LC_ALL": "C.UTF-8", "TMPDIR": str(path.parent)},
    )
    assert child.stdin is not None  # noqa: S101 - it was asked for
    try:
        yield child.stdin
        child.stdin.close()
        if await child.wait() != 0:
            raise Stuck("writer")
    except (BrokenPipeError, ConnectionResetError) as fault:
        raise Stuck("writer") from fault
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def _put(writer: asyncio.StreamWriter, message: object) -> None:
    raw = msgspec.msgpack.encode(message)
    writer.write(len(raw).to_bytes(8) + raw)
    await writer.drain()


def _head(name: str, *, places: bool) -> dict[str, Any]:
    words, keys = texts(), [key for key, _ in columns(name, places=places)]
    heads = [words.columns[key]["zh"] for key in keys]
    return {"title": words.lists[name].zh, "keys": keys, "heads": heads}


async def _flow(order: Any, path: Path, scope: Scope, *, act: Act, tools: Tools) -> int:  # noqa: ANN401 - a driver's row
    """Read the list in one snapshot and hand it to the writer; how many rows. Raises: Left."""
    given = msgspec.convert(order["filters"], Filters)
    values = {name: value for name in Filters.__struct_fields__ if (value := getattr(given, name))}
    name, places, done = order["list"], order["form"] == "geojson", 0
    statement = sql(name, tuple(values), places=places)
    async with _writer(order["form"], path) as writer:
        await _put(writer, _head(name, places=places))
        async with DB.transaction(scope, readonly=True):
            cursor = await DB.connection.cursor(statement, act.at, *values.values())
            while rows := await cursor.fetch(BATCH):
                done += len(rows)
                if order["form"] == "xlsx" and done > SHEET_MOST:
                    raise Stuck("too_many_rows")
                await _put(writer, [tuple(row) for row in rows])
                await _apart(_progress(order["id"], done, act=act, tools=tools))
    return done


def _chunks(path: Path, digest: Any) -> Iterator[bytes]:  # noqa: ANN401 - a hash of hashlib
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            yield chunk


def _stored(order: Any, path: Path, bucket: Bucket) -> tuple[str, str, int]:  # noqa: ANN401 - a row
    """Put the file into the store: its key, SHA-256 and size. Blocks."""
    key = f"lists/{order['region']}/{order['id']}.{order['form']}"
    size, digest = path.stat().st_size, hashlib.sha256()
    bucket.put_flow(key, _chunks(path, digest), size, MIMES[order["form"]], Room.EXPORTS)
    return key, digest.hexdigest(), size


async def write(ident: UUID, *, act: Act, tools: Tools) -> None:
    """Write one export as its orderer may see it now; safe to repeat.

    Raises: refusals of the store, for which the task is tried again.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        order = await DB.connection.fetchrow(ORDER, ident)
    if order is None:
        return
    person = await accounts.load_person(order["ordered_by"], at=act.at)
    if person is None:
        await _fail(ident, "account_closed", act=act, tools=tools)
        return
    scope = Scope(regions=person.regions, institution=person.institution, role="worker")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"list.{order['form']}"
        try:
            done = await _flow(order, path, scope, act=act, tools=tools)
        except Left:
            return
        except Stuck as fault:
            await _fail(ident, str(fault), act=act, tools=tools)
            return
        key, sha256, size = await asyncio.to_thread(_stored, order, path, tools.bucket)
    async with DB.transaction(act.by.scope):
        region = await DB.connection.fetchval(DONE, ident, done, tools.clock(), key, sha256, size)
        if region is not None:
            await audit.record(
                act, "listing.made", "export_order", ident, region=region, after_sha256=sha256
            )


async def _fail(ident: UUID, fault: str, *, act: Act, tools: Tools) -> None:
    async with DB.transaction(act.by.scope):
        region = await DB.connection.fetchval(END, ident, "failed", tools.clock(), fault)
        if region is not None:
            await audit.record(
                act, "listing.failed", "export_order", ident, region=region, reason=fault
            )
