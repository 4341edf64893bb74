"""`mingcha package FILE`: bring in what a phone exported, on the machine of a running office.

0: everything in it is here. 1: something is missing or waits. Repeatable: what is here stays.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from backend import clock
from backend.commands import office
from backend.piccolo_conf import DB
from backend.services import offices, packages
from backend.services.act import Act, system
from backend.services.packages import PIECE_BYTES, NewPackage, PackageItem, PackageRecord
from backend.settings import Settings, SettingsWrong, from_environment
from media import package
from media.spool import Spool

NATION = 100000
LOOK_S = 0.5
GOOD = ("applied", "duplicate")


def digest(file: Path) -> str:
    """SHA-256 of a file of any size."""
    found = sha256()
    with file.open("rb") as source:
        while part := source.read(PIECE_BYTES):
            found.update(part)
    return found.hexdigest()


def opening(file: Path) -> package.Opening | None:
    """Whose package it is, as far as its first frame can be read."""
    size = file.stat().st_size
    with file.open("rb") as source:

        def read(offset: int, length: int) -> bytes:
            source.seek(offset)
            return source.read(length)

        first = next(package.scan(read, size), None)
    head = first.head if isinstance(first, package.Frame) else None
    return head if isinstance(head, package.Opening) else None


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Act]:
    await DB.open({role: settings.database.dsn(role) for role in ("app", "worker")}, size=2)
    try:
        regions = await offices.every_region()
        yield Act(by=system(regions, NATION), at=clock.now(), new_id=clock.new_id)
    finally:
        await DB.close()


async def _send(file: Path, size: int, settings: Settings, act: Act) -> PackageRecord:
    """Hand the file to the office's spool, from where an earlier call stopped."""
    whose = opening(file)
    region = await packages.region_of(UUID(whose.dev), act=act) if whose else None
    act = Act(by=system(act.by.regions, region or NATION), at=act.at, new_id=act.new_id)
    new = NewPackage(sha256=digest(file), size=size)
    found = await packages.open_package(new, host=settings.host, act=act)
    spool = Spool(settings.spool_folder, quota=settings.spool_bytes)
    with file.open("rb") as source:
        source.seek(found.taken)
        while found.state == "open" and (piece := source.read(PIECE_BYTES)):
            found = await packages.append(found.id, found.taken, piece, act=act, spool=spool)
    return found


async def _results(package_id: UUID, act: Act) -> list[PackageItem]:
    found: list[PackageItem] = []
    while page := await packages.items(
        package_id, act=act, after=found[-1].number if found else 0
    ):
        found += page
    return found


async def bring(
    file: Path, size: int, settings: Settings, *, wait_s: int
) -> list[PackageItem] | None:
    """Send a file and wait for what the office's worker made of it; None when it takes longer."""
    async with _opened(settings) as act:
        found = await _send(file, size, settings, act)
        until = time.monotonic() + wait_s
        while found.state != "done" and time.monotonic() < until:
            await asyncio.sleep(LOOK_S)
            found = await packages.one(found.id, act=act)
        return await _results(found.id, act) if found.state == "done" else None


def main(args: argparse.Namespace) -> int:
    """Print one line an item; 0 only when everything is here."""
    if not args.file.is_file():
        raise SettingsWrong(f"{args.file}: 没有这个文件 no such file.")
    settings = office.recall(args.data) or from_environment()
    size = args.file.stat().st_size
    items = asyncio.run(bring(args.file, size, settings, wait_s=args.wait))
    if items is None:
        print(
            "已收下，尚未导入完；稍后再次运行可查看结果。 Taken, not brought in yet; run it again."
        )
        return 1
    for item in items:
        print(f"{item.result:15} {item.kind:6} {item.subject:36} {item.code}")
    bad = sum(item.result not in GOOD for item in items)
    print(f"{len(items)} 项 items, {bad} 项需处理 need a look")
    return 1 if bad or not items else 0
