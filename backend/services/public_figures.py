"""What everybody may count: figures of what is public, and a mark that moves when any of it does.

Read with the public's own database role: nothing unpublished can be in a figure.
"""

from datetime import date

import asyncpg
import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services.errors import passing

PUBLIC = Scope(role="public")
MARK = """
select (select max(published_at)::text from publication where published_at is not null),
  (select count(*)::text || coalesce(max(objection_on)::text, '') from publication
    where objection_on is not null),
  (select count(*)::text || coalesce(md5(string_agg(etag, '' order by draw)), '') from draw_page),
  (select coalesce(md5(string_agg(concat(c.id, i.name, i.status, c.valid_until, c.delisted_on), ''
    order by c.id)), '') from catalogue_entry c join institution i on i.id = c.institution)
"""
# Results as they stand now: what a correction replaced is counted once, as a correction.
STANDING = "kind = 'result' and state = 'published' and (expires_on is null or expires_on >= $1)"
KINDS = """
select kind as name, count(*) as n from publication
where state = 'published' and (expires_on is null or expires_on >= $1) group by 1
"""
CORRECTED = "select count(*) from publication where state = 'corrected'"
MONTHS = f"""
select to_char(published_at at time zone 'Asia/Shanghai', 'YYYY-MM') as name, count(*) as n
from publication where {STANDING} group by 1 order by 1
"""  # noqa: S608 - fixed text
REGIONS = f"""
select body -> 'region' ->> 'code' as name, max(body -> 'region' ->> 'name_zh') as zh,
  max(body -> 'region' ->> 'name_en') as en, count(*) as n
from publication where {STANDING} group by 1 order by 1
"""  # noqa: S608 - fixed text
WORDINGS = f"""
select w ->> 'code' as name, max(w ->> 'zh') as zh, max(w ->> 'en') as en, count(*) as n
from publication cross join jsonb_array_elements(body -> 'wordings') w where {STANDING}
group by 1 order by n desc, 1
"""  # noqa: S608 - fixed text
SEVERITIES = f"""
select f ->> 'severity' as name, count(*) as n
from publication cross join jsonb_array_elements(body -> 'findings') f where {STANDING}
group by 1 order by n desc, 1
"""  # noqa: S608 - fixed text
CLAUSES = f"""
select clause as name, count(*) as n
from publication cross join jsonb_array_elements(body -> 'findings') f
  cross join jsonb_array_elements_text(f -> 'clauses') clause where {STANDING}
group by 1 order by n desc, 1 limit 20
"""  # noqa: S608 - fixed text


class Share(msgspec.Struct, frozen=True):
    """One bar: a code, its words where the data bring them, and how many."""

    name: str
    n: int
    zh: str = ""
    en: str = ""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """公示统计: counts of public plans, draws and results, and how the results divide."""

    plans: int
    draws: int
    results: int
    corrected: int
    months: tuple[Share, ...]
    regions: tuple[Share, ...]
    wordings: tuple[Share, ...]
    severities: tuple[Share, ...]
    clauses: tuple[Share, ...]


async def _shares(sql: str, today: date) -> tuple[Share, ...]:
    return tuple(
        msgspec.convert(dict(row), Share) for row in await DB.connection.fetch(sql, today)
    )


async def figures(*, today: date) -> Figures:
    """Count what is public on a day, in one consistent moment."""
    async with DB.transaction(PUBLIC, isolation="repeatable_read", readonly=True):
        kinds = {share.name: share.n for share in await _shares(KINDS, today)}
        return Figures(
            plans=kinds.get("plan", 0),
            draws=kinds.get("draw", 0),
            results=kinds.get("result", 0),
            corrected=await DB.connection.fetchval(CORRECTED),
            months=await _shares(MONTHS, today),
            regions=await _shares(REGIONS, today),
            wordings=await _shares(WORDINGS, today),
            severities=await _shares(SEVERITIES, today),
            clauses=await _shares(CLAUSES, today),
        )


async def mark(*, today: date) -> str | None:
    """A text that changes with anything public; None while the database does not answer."""
    try:
        async with DB.transaction(PUBLIC, readonly=True):
            row = await DB.connection.fetchrow(MARK)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as fault:
        if isinstance(fault, asyncpg.InterfaceError) or passing(fault):
            return None
        raise
    return "/".join((today.isoformat(), *(str(part or "") for part in row)))
