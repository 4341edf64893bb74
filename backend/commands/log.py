"""`mingcha log verify`: recompute the audit log from its entries."""

import argparse
import asyncio

from backend.commands import office
from backend.keyring import open_keyring
from backend.piccolo_conf import DB
from backend.services import log_proofs
from backend.services.log_proofs import LogReport
from backend.settings import Settings, from_environment


async def verify(settings: Settings) -> LogReport:
    """Recompute every leaf, root and head."""
    await DB.open({"seq": settings.database.dsn("seq")}, size=2)
    try:
        public = open_keyring(settings.keys).log.public
        return await log_proofs.log_verify(origin=settings.log_origin, public=public)
    finally:
        await DB.close()


def main(args: argparse.Namespace) -> int:
    """Print what is wrong; 0 only when nothing is."""
    report = asyncio.run(verify(office.recall(args.data) or from_environment()))
    for fault in report.faults:
        print(fault)
    print(
        f"{report.entries} entries, {report.checkpoints} signed heads, {len(report.faults)} faults"
    )
    return 1 if report.faults else 0
