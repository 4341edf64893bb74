"""`mingcha scrub`: hold the store against the rows now; `--all` reads every original.

`--heal FOLDER` first brings lost originals back from the backups of a folder.
"""

import argparse
import asyncio
from pathlib import Path

from backend import clock
from backend.commands import office
from backend.piccolo_conf import DB
from backend.services import offices
from backend.services.act import Act, system
from backend.services.backups.checking import OBJECTS
from backend.services.backups.pool import Pool
from backend.services.occurrences import NATION
from backend.services.scrubs import healing, running
from backend.services.scrubs.healing import Healed
from backend.services.scrubs.running import Report
from backend.settings import Role, Settings, from_environment
from media.bucket import Bucket

ROLES: tuple[Role, ...] = ("app", "worker")


async def scrub(
    settings: Settings, *, whole: bool, shelf: Path | None = None
) -> tuple[Report, Healed]:
    """Heal from the backups of a folder, then one run to its end, also one that was cut off."""
    await DB.open({role: settings.database.dsn(role) for role in ROLES}, size=2)
    try:
        regions = await offices.every_region()
        act = Act(by=system(regions, NATION), at=clock.now(), new_id=clock.new_id)
        bucket, healed = Bucket.of(settings.store), Healed((), ())
        if shelf is not None:
            healed = await healing.heal(Pool(shelf / OBJECTS), act=act, bucket=bucket)
        return await running.run_all(act=act, bucket=bucket, whole=whole), healed
    finally:
        await DB.close()


def main(args: argparse.Namespace) -> int:
    """Print what was seen and found; 0 only when nothing is damaged."""
    settings = office.recall(args.data) or from_environment()
    found, healed = asyncio.run(scrub(settings, whole=args.all, shelf=args.heal))
    if args.heal:
        lost = ", ".join(map(str, healed.lost)) or "-"
        print(f"补回 brought back: {len(healed.healed)}; 备份中没有 not in the backups: {lost}")
    facts = found.facts
    print(f"{facts['seen']} objects in place, {facts['read']} read again, {facts['bytes']} bytes")
    for what, count in sorted(facts["damages"].items()):
        print(f"需处理 {what}: {count}  {', '.join(facts['names'][what])}")
    return 0 if found.ok and not healed.lost else 1
