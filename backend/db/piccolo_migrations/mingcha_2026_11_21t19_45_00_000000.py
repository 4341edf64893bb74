"""Expand: imports that are ordered from a page, so that they can be left, found and cancelled.

Locks: nothing that exists; the table is new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T19:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "ordered imports"

# The file rests in the row only until its import has ended, or a day after it was only checked.
TABLE = """
create table import_order (
  id uuid primary key, region int not null, kind text not null, file_name text not null, sha256 text not null,
  size int not null, content bytea, dry_run boolean not null, state text not null,
  run uuid references import_run on delete restrict, fault text,
  ordered_by uuid not null references account on delete restrict, ordered_at timestamptz not null,
  started_at timestamptz, ended_at timestamptz,
  constraint ck_import_order_state check (state in ('waiting', 'running', 'done', 'failed', 'cancelled')),
  constraint ck_import_order_end check ((ended_at is null) = (state in ('waiting', 'running'))),
  constraint ck_import_order_size check (size between 1 and 10000000)
);
create index ix_import_order_region on import_order (region, id);
"""
IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
RIGHTS = f"""
alter table import_order enable row level security;
alter table import_order force row level security;
create policy p_owner on import_order to mingcha_owner using (true) with check (true);
create policy p_scope on import_order to mingcha_app, mingcha_worker using ({IN_SCOPE}) with check ({IN_SCOPE});
grant select, insert, update on import_order to mingcha_app, mingcha_worker;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        for part in (TABLE, RIGHTS):
            await connection.execute(part)

    manager.add_raw(run)
    return manager
