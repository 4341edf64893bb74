"""Replies of institutions: drafts under their writer's id, sending with a signed receipt."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from backend.api.routes import get, post, put
from backend.keyring import Keyring
from backend.services import replies
from backend.services.act import Act
from backend.services.replies import Reply, Words

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class ReplyIn(Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["rectified", "statement", "objection", "extension", "admission"]
    text: Annotated[str, Meta(max_length=20_000)]
    finding: UUID | None = None
    evidence: Annotated[tuple[UUID, ...], Meta(max_length=200)] = ()
    wanted_on: date | None = None
    base: Digest | None = None

    def words(self) -> Words:
        return msgspec.convert(self, Words, from_attributes=True)


class SendIn(Struct, frozen=True, forbid_unknown_fields=True):
    replies: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=100)]


@get("/api/v1/notices/{notice_id:uuid}/replies", action="notices.read")
async def of(notice_id: FromPath[UUID], act: Act) -> tuple[Reply, ...]:
    """Replies to a notice: to the office what was sent, to the institution its drafts too."""
    return await replies.of(notice_id, act=act)


@put("/api/v1/notices/{notice_id:uuid}/replies/{reply_id:uuid}", action="notices.reply")
async def save(
    notice_id: FromPath[UUID], reply_id: FromPath[UUID], data: JSONBody[ReplyIn], act: Act
) -> Reply:
    """Keep a draft; ``base`` is the digest of the version the writer started from."""
    return await replies.save(notice_id, reply_id, data.words(), base=data.base, act=act)


@post("/api/v1/notices/{notice_id:uuid}/replies/sending", action="notices.reply", status_code=200)
async def send(
    notice_id: FromPath[UUID], data: JSONBody[SendIn], keys: Keyring, act: Act
) -> tuple[Reply, ...]:
    """Send drafts for good; each comes back with its receipt."""
    return await replies.send(notice_id, data.replies, key=keys.server, act=act)


HANDLERS = [of, save, send]
