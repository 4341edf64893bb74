"""The catalogue as text: what `backend/db/schema.txt` must say. Run as a module to renew it."""

import asyncio
import shutil
import tempfile
from pathlib import Path

import asyncpg

from backend.embedded.supervisor import start
from backend.services.schema import migrate

FILE = Path(__file__).parents[1] / "backend" / "db" / "schema.txt"
COLUMNS = """
select n.nspname || '.' || c.relname as name, a.attname as part,
  format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end
    || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') as what
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relkind = 'r' and n.nspname in ('public', 'aud') and c.relname <> 'migration'
order by n.nspname collate "C", c.relname collate "C", a.attnum
"""
CONSTRAINTS = """
select conrelid::regclass::text as name, conname as part, pg_get_constraintdef(oid) as what
from pg_constraint where connamespace in ('public'::regnamespace, 'aud'::regnamespace)
  and contype in ('p', 'u', 'c', 'f') and conrelid <> 0 and conrelid::regclass::text <> 'migration'
order by conrelid::regclass::text collate "C", conname collate "C"
"""
INDEXES = """
select schemaname || '.' || tablename as name, indexname as part, indexdef as what
from pg_indexes where schemaname in ('public', 'aud') and tablename <> 'migration'
order by schemaname collate "C", tablename collate "C", indexname collate "C"
"""
POLICIES = """
select schemaname || '.' || tablename as name, policyname as part,
  cmd || ' to ' || array_to_string(roles, ',') || ' using ' || coalesce(qual, '-') as what
from pg_policies where schemaname in ('public', 'aud')
order by schemaname collate "C", tablename collate "C", policyname collate "C"
"""
FUNCTIONS = """
select n.nspname || '.' || p.proname as name, pg_get_function_identity_arguments(p.oid) as part,
  case when p.prosecdef then 'security definer ' else '' end || md5(p.prosrc) as what
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('public', 'aud')
order by n.nspname collate "C", p.proname collate "C", p.oid
"""


async def schema_text(connection: asyncpg.Connection) -> str:
    """Columns, constraints, indexes, policies and functions, one a line, in a fixed order."""
    lines: list[str] = []
    for title, sql in (
        ("columns", COLUMNS),
        ("constraints", CONSTRAINTS),
        ("indexes", INDEXES),
        ("policies", POLICIES),
        ("functions", FUNCTIONS),
    ):
        lines.append(f"# {title}")
        for row in await connection.fetch(sql):
            what = " ".join(row["what"].split())
            lines.append(f"{row['name']}  {row['part']}  {what}")
    return "\n".join(lines) + "\n"


async def renew() -> None:
    """Write the file from a freshly migrated database on embedded servers."""
    folder = Path(tempfile.mkdtemp(prefix="mingcha-schema-"))
    with start(folder, origin="http://127.0.0.1:8000") as running:
        await migrate(running.pg)
        connection = await asyncpg.connect(running.pg.dsn("owner"))
        FILE.write_text(await schema_text(connection), "utf-8")
        await connection.close()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(renew())
