"""One webhook call: sent outside any transaction, its answer kept, tried again, given up."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec

from backend.piccolo_conf import DB
from backend.services import tasks
from backend.services.act import Act
from backend.services.notifications import Matter, To, tell
from backend.services.notifications.webhooks import DOMAIN, KIND, allowed
from media import base64url

PATIENCE_S = 10
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480, 1440))
WAITING = """
select c.id, c.region, c.body, c.attempts, c.event, w.url, w.created_by, w.id as webhook,
  w.ended_at is not null as ended
from webhook_call c join webhook w on w.id = c.webhook where c.id = $1 and c.progress = 'waiting'
"""
DELIVERED = """
update webhook_call set progress = 'delivered', attempts = attempts + 1, status = $2, fault = null,
  ended_at = $3 where id = $1 and progress = 'waiting'
"""
MISSED = """
update webhook_call set attempts = attempts + 1, status = $2, fault = $3,
  due_at = coalesce($4, due_at),
  progress = case when $4::timestamptz is null then 'failed' else 'waiting' end,
  ended_at = case when $4::timestamptz is null then $5::timestamptz end
where id = $1 and progress = 'waiting'
"""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """What calling needs: who signs, under which key id, and whom the operator lets us call."""

    sign: Callable[[bytes], bytes]
    kid: str
    hosts: tuple[str, ...]


class _Answer(msgspec.Struct, frozen=True):
    status: int | None
    fault: str | None


async def _ask(row: Any, caller: Caller) -> _Answer:  # noqa: ANN401 - a driver's row
    """The other side's answer; anything but 2xx is a fault."""
    if row["ended"] or not allowed(row["url"], caller.hosts):
        return _Answer(None, "ended" if row["ended"] else "host not allowed")
    body = bytes(row["body"])
    headers = {
        "Content-Type": "application/json",
        "Mingcha-Event": row["event"],
        "Mingcha-Call": str(row["id"]),
        "Mingcha-Key": caller.kid,
        "Mingcha-Signature": base64url.encode(caller.sign(DOMAIN + body)),
    }
    try:
        async with httpx.AsyncClient(timeout=PATIENCE_S, follow_redirects=False) as http:
            answer = await http.post(row["url"], content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        return _Answer(None, type(fault).__name__)
    fault_text = None if answer.is_success else f"HTTP {answer.status_code}"
    return _Answer(answer.status_code, fault_text)


async def call(ident: UUID, *, act: Act, caller: Caller) -> None:
    """Make one call that still waits; its failure is kept, tried again and in the end told."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(WAITING, ident)
    if row is None:
        return
    answer = await _ask(row, caller)
    if answer.fault is None:
        async with DB.transaction(act.by.scope):
            await DB.connection.execute(DELIVERED, ident, answer.status, act.at)
        return
    last = row["ended"] or row["attempts"] >= len(PAUSES)
    again = None if last else act.at + PAUSES[row["attempts"]]
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(MISSED, ident, answer.status, answer.fault, again, act.at)
        if again is not None:
            payload = {"call": str(ident)}
            await tasks.enqueue(KIND, payload, region=row["region"], at=act.at, run_at=again)
        elif not row["ended"]:
            matter = Matter(noun="webhook", id=row["webhook"], region=row["region"])
            to = To(accounts=(row["created_by"],))
            await tell("webhook.failed", matter, to=to, act=act, dedupe=str(ident))
