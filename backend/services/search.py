"""Search over what one may see: institutions and people by name, papers by code or number."""

from typing import Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act

LIMIT = 20
What = Literal["institution", "inspector", "visit", "notice", "plan", "draw"]
# Directories are small and are searched anywhere in a name. Visits and papers grow with the
# years: they are found by their whole code or number, which has an index or a short list.
FIND = """
(select 'institution' as what, id, name as title, credit_code as more from institution
  where strpos(lower(name), $1) > 0 or lower(credit_code) = $1 order by name limit $2)
union all (select 'inspector', id, name, licence_no from inspector
  where $3 and (strpos(lower(name), $1) > 0 or lower(licence_no) = $1) order by name limit $2)
union all (select 'visit', v.id, v.code, i.name from visit v join institution i
  on i.id = v.institution
  where v.region = any ($4) and v.code = upper($1) and v.sealed_until <= $5 limit $2)
union all (select 'notice', n.id, n.number, i.name from notice n join institution i
  on i.id = n.institution where n.number = $6 limit $2)
union all (select 'plan', id, title, code from plan
  where strpos(lower(title), $1) > 0 or lower(code) = $1 order by title limit $2)
union all (select 'draw', d.id, d.code, p.title from draw d join plan p on p.id = d.plan
  where lower(d.code) = $1 limit $2)
"""


class Hit(msgspec.Struct, frozen=True):
    """One thing found, with a second line that tells it apart."""

    what: What
    id: UUID
    title: str
    more: str


async def find(words: str, *, people: bool, act: Act) -> tuple[Hit, ...]:
    """What matches, at most 20 of a kind; ``people`` whether inspectors may be found."""
    wanted = words.strip()
    if not wanted:
        return ()
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(
            FIND, wanted.lower(), LIMIT, people, list(act.by.regions), act.at, wanted
        )
    return tuple(Hit(row["what"], row["id"], row["title"], row["more"] or "") for row in rows)
