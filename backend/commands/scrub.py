"""`mingcha scrub`: hold the store against the rows now; `--all` reads every original."""

import argparse
import asyncio

from backend import clock
from backend.commands import office
from backend.piccolo_conf import DB
from backend.services import offices
from backend.services.act import Act, system
from backend.services.occurrences import NATION
from backend.services.scrubs import running
from backend.services.scrubs.running import Report
from backend.settings import Role, Settings, from_environment
from media.bucket import Bucket

ROLES: tuple[Role, ...] = ("app", "worker")


async def scrub(settings: Settings, *, whole: bool) -> Report:
    """One run from its beginning, or from where a cut one stands, to its end."""
    await DB.open({role: settings.database.dsn(role) for role in ROLES}, size=2)
    try:
        regions = await offices.every_region()
        act = Act(by=system(regions, NATION), at=clock.now(), new_id=clock.new_id)
        return await running.run_all(act=act, bucket=Bucket.of(settings.store), whole=whole)
    finally:
        await DB.close()


def main(args: argparse.Namespace) -> int:
    """Print what was seen and found; 0 only when nothing is damaged."""
    settings = office.recall(args.data) or from_environment()
    found = asyncio.run(scrub(settings, whole=args.all))
    facts = found.facts
    print(f"{facts['seen']} objects in place, {facts['read']} read again, {facts['bytes']} bytes")
    for what, count in sorted(facts["damages"].items()):
        print(f"需处理 {what}: {count}  {', '.join(facts['names'][what])}")
    return 0 if found.ok else 1
