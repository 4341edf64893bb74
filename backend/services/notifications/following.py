"""The log is the outbox: numbered entries tell persons and outside systems, each exactly once.

An entry is written in the transaction of its effect and gets its number when nothing before it can
appear any more; so reading numbers upwards misses nothing, and the position moves in the
transaction of what was told.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import tasks
from backend.services.act import Act
from backend.services.documents import serving
from backend.services.notifications import Matter, Order, To, inbox, webhooks
from backend.services.notifications.wording import NUMBER, words

NAME = "notifications"
MOST = 200
# An installation that learns to tell does not tell what happened long ago.
FRESH = timedelta(hours=1)
BEGIN = """
insert into follower (name, position, moved_at)
select $1, coalesce((select max(size) from aud.checkpoint where created_at < $2), 0), $3
on conflict (name) do nothing
"""
POSITION = "select position from follower where name = $1 for update skip locked"
ENTRIES = """
select tree_index, region, body from aud.entry where tree_index >= $1 order by tree_index limit $2
"""
MOVE = "update follower set position = $2, moved_at = $3 where name = $1"
HOOKS = """
select w.id, w.events, regions_below(w.region) as regions from webhook w where w.ended_at is null
"""
CALL = """
insert into webhook_call (id, region, webhook, event, place, body, progress, attempts, created_at,
  due_at) values ($1, $2, $3, $4, $5, $6, 'waiting', 0, $7, $7)
on conflict (webhook, place) where replay_of is null do nothing returning id
"""
SERVED = "notice.served"
# Whose matter it is, and what it is told by: by the noun of the entry.
SUBJECTS = {
    "notice": "select institution, number from notice where id = $1",
    "reply": """
select r.institution, n.number from reply r join notice n on n.id = r.notice where r.id = $1
""",
    "publication": "select institution, null as number from publication where id = $1",
    "filing": "select institution, null as number from filing where id = $1",
    "document": "select institution, number from document where id = $1",
}


def _told(entry: Any) -> bytes:  # noqa: ANN401 - a driver's row
    """What an outside system reads: ids, verb and time; no title, no name, no reason."""
    body, subject = entry["body"], entry["body"]["object"]
    said = {
        "event": body["verb"],
        "log_index": entry["tree_index"],
        "object": {"id": subject["id"], "rev": subject["rev"], "type": subject["type"]},
        "region": entry["region"],
        "t": body["t"],
        "v": 1,
    }
    return msgspec.json.encode(said, order="sorted")


async def _outside(entry: Any, hooks: list[Any], *, act: Act) -> None:  # noqa: ANN401 - rows
    verb = entry["body"]["verb"]
    for hook in hooks:
        if verb not in hook["events"] or entry["region"] not in hook["regions"]:
            continue
        made = await DB.connection.fetchval(
            CALL,
            act.new_id(),
            entry["region"],
            hook["id"],
            verb,
            entry["tree_index"],
            _told(entry),
            act.at,
        )
        if made is not None:
            payload = {"call": str(made)}
            await tasks.enqueue(webhooks.KIND, payload, region=entry["region"], at=act.at)


async def _inside(entry: Any, *, act: Act) -> None:  # noqa: ANN401 - a driver's row
    body, subject = entry["body"], entry["body"]["object"]
    event = words().events.get(body["verb"])
    if event is None:
        return
    ident = UUID(subject["id"])
    row = (
        await DB.connection.fetchrow(SUBJECTS[subject["type"]], ident)
        if (subject["type"] in SUBJECTS)
        else None
    )
    facts: dict[str, str | int] = {}
    if "number" in words().subjects[event.subject].facts:
        if row is None or not NUMBER.match(row["number"] or ""):
            return
        facts["number"] = row["number"]
    order = Order(
        subject=event.subject,
        facts=facts,
        matter=Matter(
            noun=subject["type"],
            id=ident,
            region=entry["region"],
            institution=row["institution"] if row else None,
        ),
        to=To(roles=event.roles, institution=event.institution),
        dedupe=f"log {entry['tree_index']}",
        by=UUID(body["actor"]["id"]),
    )
    await inbox.put(order, act=act)


async def follow(*, act: Act) -> int:
    """Tell what the next entries of the log say; how many were read."""
    async with DB.transaction(act.by.scope):
        position = await DB.connection.fetchval(POSITION, NAME)
        if position is None:
            await DB.connection.execute(BEGIN, NAME, act.at - FRESH, act.at)
            position = await DB.connection.fetchval(POSITION, NAME)
        if position is None:  # another worker holds it
            return 0
        entries = await DB.connection.fetch(ENTRIES, position, MOST)
        if not entries:
            return 0
        hooks = await DB.connection.fetch(HOOKS)
        outside = frozenset(words().outside)
        for entry in entries:
            if entry["body"]["verb"] == SERVED:
                await serving.with_notice(UUID(entry["body"]["object"]["id"]), act=act)
            await _inside(entry, act=act)
            if hooks and entry["body"]["verb"] in outside:
                await _outside(entry, hooks, act=act)
        await DB.connection.execute(MOVE, NAME, entries[-1]["tree_index"] + 1, act.at)
    return len(entries)
