"""`mingcha log verify`: recompute the audit log and hold it against every anchor at hand.

0: everything holds. 1: something was changed. 2: nothing was found, and not all could be checked.
"""

import argparse
import asyncio
import json

import msgspec

from backend.commands import office
from backend.keyring import open_keyring
from backend.piccolo_conf import DB
from backend.services import log_checks, log_words
from backend.services.anchors import LogKey
from backend.services.log_checks import Outside
from backend.services.log_verify import LogReport
from backend.services.log_words import say
from backend.settings import Settings, from_environment
from media import cosignature
from media.bucket import Bucket
from media.checkpoint import ED25519

HOLDS, CHANGED, INCOMPLETE = 0, 1, 2


async def verify(settings: Settings, args: argparse.Namespace) -> LogReport:
    """Recompute every leaf, root and head; hold them against bucket, stamps, witnesses, papers."""
    await DB.open({"seq": settings.database.dsn("seq")}, size=2)
    try:
        return await log_checks.check(
            LogKey(settings.log_origin, open_keyring(settings.keys).log.public),
            Outside(
                Bucket.of(settings.store),
                settings.tsa_roots,
                settings.witnesses,
                tuple(args.witness),
                tuple(args.paper),
            ),
        )
    finally:
        await DB.close()


def key_of(settings: Settings) -> str:
    """The line by which a witness knows this log: name, hash and public key."""
    public = open_keyring(settings.keys).log.public
    return str(cosignature.Vkey(settings.log_origin, ED25519, public))


def _tell(report: LogReport) -> None:
    for fault in (*report.faults, *report.gaps):
        print(log_words.fault(fault, "zh"))
        print(f"  {log_words.fault(fault, 'en')}")
    counts = {"faults": report.found, "gaps": len(report.gaps)}
    for language in ("zh", "en"):
        for line in log_checks.told(report, language):
            print(line)
        print(
            say(
                "line.sum",
                language,
                entries=report.entries,
                heads=report.checkpoints,
                **counts,
            )
        )


def main(args: argparse.Namespace) -> int:
    """Print what is wrong, against which anchors that was judged, and what was not checked."""
    settings = office.recall(args.data) or from_environment()
    if args.what == "key":
        print(key_of(settings))
        return HOLDS
    report = asyncio.run(verify(settings, args))
    if args.json:
        print(json.dumps(msgspec.to_builtins(report), ensure_ascii=False, default=bytes.hex))
    else:
        _tell(report)
    if report.faults:
        return CHANGED
    return INCOMPLETE if report.gaps else HOLDS
