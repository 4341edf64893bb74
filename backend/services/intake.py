"""Evidence of an institution's reply: no device key, so the server signs what it received."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import audit, exhibits, notices
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from backend.services.exhibits import EvidenceRecord
from inspection_plans import states
from inspection_plans.errors import Family
from inspection_plans.states import Noun
from media import canon, kinds, manifest
from media.fields import Sha256
from media.keys import Tag

TAKE = """
insert into evidence (id, region, institution, notice, channel, kid, manifest, manifest_sha256,
  signature, sha256, size, mime, source, transport, state, flags, late, disclosed, object_key,
  declared_at)
values ($1, $2, $3, $4, 'portal', $5, $6, $7, $8, $9, $10, $11, 'file', $12, $13, '{}', false,
  true, $14, $15)
on conflict (id) do nothing returning id
"""
SAME = """
select true from evidence where id = $1 and notice = $2 and sha256 = $3 and size = $4
  and channel = 'portal'
"""


class IntakeTaken(ServiceRefusal):
    """The id belongs to another piece; make a new one."""

    code = "evidence.intake_taken"
    family = Family.CONFLICT


class Intake(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an institution announces: an id made by its browser, hash, size and type."""

    id: UUID
    sha256: Sha256
    size: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    mime: Annotated[str, Meta(max_length=60)]


async def take(notice_id: UUID, piece: Intake, *, act: Act, keys: Keyring) -> EvidenceRecord:
    """Sign an intake record for one file of a reply; the same announcement again is the same.

    Reports say "received", never "captured".
    Raises: Absent, those of ``notices.open_for_reply`` and ``kinds.declare``, IntakeTaken.
    Source: evidence spec 2 (intake record).
    """
    kinds.declare(piece.mime, piece.size)
    async with DB.transaction(act.by.scope):
        notice = await notices.open_for_reply(notice_id, act=act)
        body = {
            "typ": "mingcha.intake/1",
            "kid": keys.server.kid,
            "id": str(piece.id),
            "sha256": piece.sha256,
            "size": piece.size,
            "mime": piece.mime,
            "account": str(act.by.id),
            "channel": "portal",
            "notice": str(notice_id),
            "t": int(act.at.timestamp() * 1000),
        }
        raw = canon.encode(body)
        taken = await DB.connection.fetchval(
            TAKE,
            piece.id,
            notice.region,
            notice.institution,
            notice_id,
            keys.server.kid,
            raw,
            manifest.digest(raw),
            keys.server.sign_tagged(Tag.RECEIPT, raw),
            piece.sha256,
            piece.size,
            piece.mime,
            {"enc": "none", "sha256": piece.sha256, "size": piece.size},
            states.initial(Noun.EVIDENCE),
            f"{notice.region}/{piece.id}/{piece.sha256}",
            act.at,
        )
        if taken is None:
            same = await DB.connection.fetchval(
                SAME, piece.id, notice_id, piece.sha256, piece.size
            )
            if not same:
                raise IntakeTaken(field="id")
        else:
            await audit.record(
                act,
                "evidence.taken_in",
                "evidence",
                piece.id,
                region=notice.region,
                after_sha256=piece.sha256,
            )
    return await exhibits.one(piece.id, act=act)
