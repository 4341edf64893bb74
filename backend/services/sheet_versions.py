"""Versions of sheets 检查表版本: a visit keeps the one it began with, also when packs change."""

from collections.abc import Iterable
from typing import Any

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from inspection_plans.errors import Family
from inspection_plans.records import decode
from inspection_plans.sheets import Sheet, canonical

KEEP = """
insert into sheet_version (digest, sheet, content, recorded_at)
select t.*, $1 from unnest($2::text[], $3::text[], $4::bytea[]) as t on conflict do nothing
"""
OF = "select content from sheet_version where digest = $1"

# A digest names one content for ever, so what was read once needs no second look.
_read: dict[str, tuple[Sheet, dict[str, Any]]] = {}


class VersionLost(ServiceRefusal):
    """The sheet this visit began with is not kept here."""

    code = "sheet.version_lost"
    family = Family.UNAVAILABLE


async def keep(sheets: Iterable[Sheet], *, act: Act) -> None:
    """Keep these sheets under their versions, in the caller's transaction; again adds nothing."""
    found = {sheet.version: sheet for sheet in sheets}
    if found:
        names, contents = [], []
        for sheet in found.values():
            names.append(sheet.id)
            contents.append(canonical(sheet))
        await DB.connection.execute(KEEP, act.at, list(found), names, contents)


async def of(digest: str) -> Sheet:
    """The sheet of a version, in the caller's transaction; raises VersionLost."""
    if digest not in _read:
        content = await DB.connection.fetchval(OF, digest)
        if content is None:
            raise VersionLost(sheet_digest=digest)
        document = msgspec.json.decode(content)
        _read[digest] = decode(document, Sheet), document
    return _read[digest][0]


async def read(digest: str, *, act: Act) -> Sheet:
    """The sheet of a version, for a page that shows answers; raises VersionLost."""
    async with DB.transaction(act.by.scope, readonly=True):
        return await of(digest)


def held(digest: str) -> Sheet:
    """The sheet of a version that ``of`` has read before."""
    return _read[digest][0]


def document(digest: str) -> dict[str, Any]:
    """The same as JSON values for sending; shared, so never to be changed."""
    return _read[digest][1]
