"""An institution answers a notice through a bad line: drafts once, sending for good, a receipt.

Source: evidence spec 0 (a signed notice or reply is never lost), 13 (column notice/reply).
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import msgspec

from backend.services.replies import DOMAIN
from media import base64url
from media.errors import MediaRefusal
from media.keys import verify_server
from tests import casework
from tests.faults.play import Play

MOST = 2  # replies in one schedule
ROUNDS = 6
REPLIES = "select id, state, text, digest, receipt from reply where id = any ($1)"


@dataclass
class Draft:
    """One reply as its writer knows it: ``digest`` of the last saving that was acknowledged."""

    id: str
    text: str
    digest: str = ""
    receipts: list[dict[str, Any]] = field(default_factory=list)


async def _path(play: Play) -> str:
    """The replies of the one notice that was served on this stage."""
    stage = play.stage
    if stage.notice is None:
        matter = await casework.a_matter(stage.owner, stage.clock())
        notice = await casework.served(matter, stage.clock())
        stage.notice = (matter.user, notice.id)
    return f"/api/v1/notices/{stage.notice[1]}/replies"


async def _call(play: Play, method: str, path: str, body: object) -> Any:
    """The JSON of a good answer, or None: nobody knows, or not now."""
    stage = play.stage
    if stage.notice is None:
        return None
    headers = {**await stage.headers(stage.notice[0]), "Content-Type": "application/json"}
    try:
        answer = await stage.http.request(
            method, path, content=msgspec.json.encode(body), headers=headers
        )
    except httpx.TransportError:
        return None
    return answer.json() if answer.status_code == httpx.codes.OK else None


async def reply(play: Play) -> None:
    """Write, write again, or send; what nobody knows is done once more later."""
    if "portal" not in play.traits:
        return
    if len(play.drafts) < MOST and play.dice.random() < 0.5:
        play.drafts.append(Draft(str(play.ids()), f"整改说明 {play.ids()}"))
    elif play.drafts and play.dice.random() < 0.3:
        draft = play.drafts[-1]
        if draft.digest and not draft.receipts:
            draft.text += "，补充"
    for draft in play.drafts:
        await save(play, draft)
    if play.drafts and play.dice.random() < 0.4:
        await send(play, play.dice.choice(play.drafts))


async def save(play: Play, draft: Draft) -> None:
    """Save the words from the version that was seen last."""
    path = f"{await _path(play)}/{draft.id}"
    body: dict[str, Any] = {"kind": "statement", "text": draft.text}
    if draft.digest:
        body["base"] = draft.digest
    told = await _call(play, "PUT", path, body)
    if told is not None:
        draft.digest, draft.text = told["digest"], told["text"]


async def send(play: Play, draft: Draft) -> None:
    """Send it for good and keep the receipt."""
    if not draft.digest:
        return
    told = await _call(play, "POST", f"{await _path(play)}/sending", {"replies": [draft.id]})
    if told is not None:
        draft.receipts.append(told[0]["receipt"])
        draft.text = told[0]["text"]


async def drain(play: Play) -> None:
    """Bring every reply to its receipt."""
    for _ in range(ROUNDS):
        for draft in play.drafts:
            if not draft.receipts:
                await save(play, draft)
                await send(play, draft)


async def verdict(play: Play) -> list[str]:
    """Every reply was sent once, with the receipt that its writer was told."""
    ids = [UUID(draft.id) for draft in play.drafts]
    rows = {str(row["id"]): row for row in await play.stage.owner.fetch(REPLIES, ids)}
    entries = await play.stage.owner.fetch("select body from aud.entry where id > $1", play.since)
    verbs: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        body = json.loads(entry["body"])
        verbs[body["object"]["id"], body["verb"].partition(".")[0]] += 1
    return [
        f"reply {draft.id}: {said}"
        for draft in play.drafts
        for said in _wrong(play, draft, rows.get(draft.id), verbs[draft.id, "reply"])
    ]


def _wrong(play: Play, draft: Draft, row: Any, entries: int) -> Iterator[str]:
    if row is None or row["state"] != "submitted" or not draft.receipts:
        yield "was not sent in the end"
        return
    stored = json.loads(row["receipt"])
    if any(one != draft.receipts[0] for one in draft.receipts) or stored != draft.receipts[0]:
        yield "has another receipt than was told"
    if entries != 1:
        yield f"has {entries} entries of its sending"
    if (row["text"], row["digest"]) != (draft.text, draft.receipts[0]["digest"]):
        yield "has other words than its receipt"
    raw = base64url.decode(draft.receipts[0]["raw"])
    signature = base64url.decode(draft.receipts[0]["signature"])
    try:
        verify_server(play.stage.keys.server.public, DOMAIN + raw, signature)
    except MediaRefusal as refusal:
        yield f"has a receipt that does not hold: {refusal.code}"
