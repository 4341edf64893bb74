"""Expand: the public look-up of occupation standards.

Locks: nothing; one function is new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T19:22:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "look-up of standards"

FUNCTIONS = """
create function standard_lookup() returns table (
  occupation text, level text, direction text, valid_from date, valid_until date, minutes_min int,
  teachers_min int, places_min int, education_min int, conditions text[], region int
) language sql stable security definer set search_path = public, pg_temp as $$
  select r.body ->> 'occupation', r.body ->> 'level', r.body ->> 'direction', (r.body ->> 'valid_from')::date,
    (r.body ->> 'valid_until')::date, (r.body ->> 'minutes_min')::int, (r.body ->> 'teachers_min')::int,
    (r.body ->> 'places_min')::int, (r.body ->> 'education_min')::int,
    array(select jsonb_array_elements_text(coalesce(r.body -> 'conditions', '[]'))), r.region
  from filed_row r join filing f on f.id = r.filing
  where r.register = 'standards' and r.body is not null and f.state = 'accepted'
  order by 1, 2, 3, 4
$$;
revoke all on function standard_lookup() from public;
grant execute on function standard_lookup() to mingcha_public, mingcha_app;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        await connection.execute(FUNCTIONS)

    manager.add_raw(run)
    return manager
