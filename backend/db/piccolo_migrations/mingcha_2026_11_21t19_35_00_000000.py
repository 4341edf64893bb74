"""Expand: one-time slips of trainees, and the counts of what they chose.

Locks: visit for the moment of naming it in a key; the tables are new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T19:35:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "one-time slips"

TABLES = """
create table slip (
  id uuid primary key, region int not null, visit uuid not null references visit on delete restrict,
  code_sha256 text not null, until timestamptz not null, spent boolean not null,
  constraint uq_slip_code unique (code_sha256)
);
create index ix_slip_visit on slip (visit);
create table slip_count (
  visit uuid not null references visit on delete restrict, region int not null,
  question text not null, option text not null, persons int not null,
  primary key (visit, question, option)
);
"""
IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
# Who holds the code of a slip may learn which office it belongs to, and nothing else.
SHOWN = "code_sha256 = (select nullif(current_setting('app.slip', true), ''))"
RIGHTS = f"""
alter table slip enable row level security;
alter table slip force row level security;
create policy p_owner on slip to mingcha_owner using (true) with check (true);
create policy p_scope on slip to mingcha_app, mingcha_worker using ({IN_SCOPE}) with check ({IN_SCOPE});
create policy p_shown on slip for select to mingcha_app using ({SHOWN});
grant select, insert, update on slip to mingcha_app, mingcha_worker;
alter table slip_count enable row level security;
alter table slip_count force row level security;
create policy p_owner on slip_count to mingcha_owner using (true) with check (true);
create policy p_scope on slip_count to mingcha_app, mingcha_worker using ({IN_SCOPE}) with check ({IN_SCOPE});
grant select, insert, update on slip_count to mingcha_app, mingcha_worker;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        for part in (TABLES, RIGHTS):
            await connection.execute(part)

    manager.add_raw(run)
    return manager
