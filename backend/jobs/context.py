"""What every job is handed: bucket, keys, rules, clock, ids and secrets, never globals."""

import asyncio
import os
from collections.abc import Callable

import msgspec

from backend.clock import Clock, Ids, token
from backend.jobs.memory import Memory
from backend.keyring import Keyring
from backend.services.act import Act, system
from backend.services.settling import Lab
from backend.settings import Settings
from inspection_plans.library import Library
from media.bucket import Bucket
from media.darkroom import Darkroom
from media.scanner import Scanner
from media.spool import Spool


def _turns() -> asyncio.Semaphore:
    """Half of the processors prove uploads; the rest, and the store's share, answer calls."""
    return asyncio.Semaphore(max(1, (os.cpu_count() or 1) // 2))


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The edge of the jobs; ``regions`` are all known codes, the scope of the product itself.

    ``turns`` bounds how many uploads are proved at once: each reads its bytes from the store
    three times, and whoever waits for an answer would wait behind all of them.
    """

    settings: Settings
    bucket: Bucket
    spool: Spool
    darkroom: Darkroom
    keys: Keyring
    memory: Memory
    rules: Library
    clock: Clock
    ids: Ids
    regions: tuple[int, ...]
    token: Callable[[int], bytes] = token
    turns: asyncio.Semaphore = msgspec.field(default_factory=_turns)

    @property
    def lab(self) -> Lab:
        """What uploaded bytes are proved with."""
        scanner = Scanner(self.settings.clamd)
        return Lab(self.bucket, self.darkroom, scanner, self.keys.transports)

    def act(self, region: int) -> Act:
        """A deed of the product itself, for the office of ``region``, now."""
        return Act(by=system(self.regions, region), at=self.clock(), new_id=self.ids)
