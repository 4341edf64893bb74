"""`mingcha log verify`: recompute the audit log from its entries."""

import argparse
import asyncio

from backend.keyring import open_keyring
from backend.piccolo_conf import DB
from backend.services import sequencer
from backend.settings import Settings, from_environment


async def verify(settings: Settings) -> list[str]:
    """What does not hold, one sentence each; empty when everything does."""
    await DB.open({"seq": settings.database.dsn("seq")}, size=2)
    try:
        return await sequencer.log_verify(
            key=open_keyring(settings.keys).log, origin=settings.log_origin
        )
    finally:
        await DB.close()


def main(_args: argparse.Namespace) -> int:
    """Print what is wrong; 0 only when nothing is."""
    faults = asyncio.run(verify(from_environment()))
    for fault in faults:
        print(fault)
    print("审计日志完整 the log holds" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0
