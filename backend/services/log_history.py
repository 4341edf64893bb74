"""Checks of the audit log as the auditor sees them: what each found, and asking for one now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services import audit, tasks
from backend.services.act import Act
from backend.services.log_checks import Summary
from backend.services.log_replay import Fault

KIND = "log.check"
PUBLIC = Scope(role="public")
PAGE = """
select id, verified_at, size, entries, anchors, faults, gaps, took_ms from aud.verification
order by verified_at desc limit $1
"""
OPEN = "select true from task where kind = $1 and done_at is null"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One kept check; without ``faults`` the log held, ``gaps`` say what was not looked at."""

    id: UUID
    verified_at: datetime
    size: int
    entries: int
    anchors: tuple[Summary, ...]
    faults: tuple[Fault, ...]
    gaps: tuple[Fault, ...]
    took_ms: int


def _of(row: Mapping[str, Any]) -> Check:
    return msgspec.convert(dict(row), Check, strict=False)


async def checks(limit: int = 30) -> tuple[Check, ...]:
    """Kept checks, newest first."""
    async with DB.transaction(PUBLIC, readonly=True):
        rows = await DB.connection.fetch(PAGE, limit)
    return tuple(_of(row) for row in rows)


async def ordered() -> bool:
    """Whether a check that somebody asked for is still to come."""
    async with DB.transaction(Scope(role="worker"), readonly=True):
        return bool(await DB.connection.fetchval(OPEN, KIND))


async def order(*, act: Act) -> None:
    """Ask for a check of the whole log; while one waits, asking again adds none.

    Source: evidence spec 8 (``log verify``, nightly and on demand).
    """
    async with DB.transaction(act.by.scope):
        await tasks.enqueue(KIND, {}, region=act.by.region, at=act.at, dedupe="log")
        await audit.record(act, "log.check_ordered", "log", "log", region=act.by.region)
