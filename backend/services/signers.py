"""Whose devices operations may be signed by: the sender's own, or any enrolled one."""

from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.deeds import Signer

# A revoked key still says whose the operation is; what came after the revocation is in doubt.
OF = """
select d.id as dev, d.spki, i.id as inspector, coalesce(d.revoked_at <= $2, false) as revoked
from device d join inspector i on i.account = d.account
where d.id = any ($1) and ($3::uuid is null or d.account = $3)
"""


class _Claimed(msgspec.Struct, frozen=True):
    dev: UUID


def own(act: Act) -> dict[str, Signer]:
    """The device that the caller's token is bound to, if any."""
    by = act.by
    if by.device is None or by.device_spki is None or by.inspector is None:
        return {}
    return {str(by.device): Signer(dev=by.device, spki=by.device_spki, inspector=by.inspector)}


def claimed(raws: Iterable[bytes]) -> set[UUID]:
    """The devices that these operations name, as far as they can be read."""
    found = set()
    for raw in raws:
        try:
            found.add(msgspec.json.decode(raw, type=_Claimed).dev)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
    return found


async def of(devices: Iterable[UUID], *, act: Act, mine: bool) -> Mapping[str, Signer]:
    """Enrolled devices by id, the caller's own account's alone when ``mine``.

    A person who lost a phone or had it revoked sends its operations from another one.
    Source: evidence spec 0.5.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(OF, list(devices), act.at, act.by.id if mine else None)
    return {str(row["dev"]): Signer(**dict(row)) for row in rows}
