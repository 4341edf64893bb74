"""Long work 后台工作: imports, simulations, draws, bundles, exports; how far each is, by whom."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act

Kind = Literal["import", "simulation", "draw", "dossier", "export"]
# Each part is limited by itself before they are put in one order: a page reads no more rows than
# it could show, however many there have been.
PAGE = """
select w.*, a.display_name as by_name from (
  (select 'import' as kind, id, region, kind || ' · ' || file_name as title, state,
     case when ended_at is not null then 1 else 0 end::bigint as done, 1::bigint as total,
     ordered_by, ordered_at, ended_at, fault
   from import_order where ($2 = '' or $2 = 'import') and ($1::timestamptz is null
     or ordered_at < $1) order by ordered_at desc limit $3)
  union all
  (select 'simulation', s.id, s.region, p.code || ' · ' || p.title, s.state, s.done, s.years,
     s.ordered_by, s.ordered_at, s.ended_at, s.fault
   from simulation s join plan p on p.id = s.plan where ($2 = '' or $2 = 'simulation')
     and ($1::timestamptz is null or s.ordered_at < $1) order by s.ordered_at desc limit $3)
  union all
  (select 'dossier', id, region, audience || ' · ' || purpose, state, done_bytes, total_bytes,
     ordered_by, ordered_at, ended_at, fault
   from dossier where ($2 = '' or $2 = 'dossier') and ($1::timestamptz is null
     or ordered_at < $1) order by ordered_at desc limit $3)
  union all
  (select 'export', id, region, list || ' · ' || form, progress,
     case when ended_at is not null then 1 else 0 end, 1, ordered_by, ordered_at, ended_at, fault
   from export_order where ($2 = '' or $2 = 'export') and ordered_by = $4
     and ($1::timestamptz is null or ordered_at < $1) order by ordered_at desc limit $3)
  union all
  (select 'draw', id, region, code || ' · ' || attempt, state,
     case state when 'frozen' then 0 when 'revealed' then 1 else 2 end, 2, null, frozen_at,
     case when state in ('frozen', 'revealed') then null
       else coalesce(drawn_at, published_at, frozen_at) end, void_reason
   from draw where ($2 = '' or $2 = 'draw') and ($1::timestamptz is null or frozen_at < $1)
   order by frozen_at desc limit $3)
) w left join account a on a.id = w.ordered_by
order by (w.ended_at is not null), w.ordered_at desc, w.id limit $3
"""


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of long work; ``done`` of ``total`` in the unit of its kind."""

    kind: Kind
    id: UUID
    region: int
    title: str
    state: str
    done: int
    total: int
    ordered_by: UUID | None
    by_name: str | None
    ordered_at: datetime
    ended_at: datetime | None
    fault: str | None


def _of(row: Any) -> Work:  # noqa: ANN401 - a driver's row
    return msgspec.convert(dict(row), Work)


async def page(
    *, act: Act, kind: Kind | None = None, before: datetime | None = None, limit: int = 50
) -> tuple[Work, ...]:
    """Long work of the caller's regions: what still runs first, then the newest."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PAGE, before, kind or "", min(limit, 200), act.by.id)
    return tuple(_of(row) for row in rows)
