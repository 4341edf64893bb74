"""Names of what records keep by id: one query for a whole page, whatever it shows."""

from collections.abc import Iterable
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services.act import Act

OF = """
select id, name from institution where id = any ($1)
union all select id, display_name from account where id = any ($1)
union all select id, name from inspector where id = any ($1)
union all select id, code from visit where id = any ($1)
"""


async def of(ids: Iterable[UUID | None], *, act: Act) -> dict[UUID, str]:
    """Names of institutions, people and inspectors, codes of visits; only what one may see."""
    wanted = sorted({one for one in ids if one is not None})
    if not wanted:
        return {}
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(OF, wanted)
    return {row["id"]: row["name"] for row in rows}
