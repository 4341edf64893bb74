"""Expand: exclusions by hand and draws made on other platforms.

Locks: nothing that exists; both tables are new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T13:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "exclusions by hand, external draws"

TABLES = """
create table manual_exclusion (
  id uuid primary key, region int not null, plan uuid not null references plan on delete restrict,
  institution uuid not null references institution on delete restrict, state text not null,
  reason text not null, paper text not null,
  proposed_by uuid not null references account on delete restrict, proposed_at timestamptz not null,
  decided_by uuid references account on delete restrict, decided_at timestamptz, decision text,
  constraint ck_manual_exclusion_state check (state in ('proposed', 'confirmed', 'refused', 'ended')),
  constraint ck_manual_exclusion_two_persons check (state <> 'confirmed' or decided_by <> proposed_by)
);
create unique index uq_manual_exclusion_one on manual_exclusion (plan, institution)
  where state in ('proposed', 'confirmed');
create table external_draw (
  plan uuid primary key references plan on delete restrict, region int not null,
  platform text not null, reference text not null, drawn_on date not null, visits jsonb not null,
  entered_by uuid not null references account on delete restrict, entered_at timestamptz not null,
  confirmed_by uuid references account on delete restrict, confirmed_at timestamptz,
  constraint ck_external_draw_two_persons check (confirmed_by is null or confirmed_by <> entered_by)
);
"""
IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"


def rights(table: str) -> str:
    return f"""
alter table {table} enable row level security;
alter table {table} force row level security;
create policy p_owner on {table} to mingcha_owner using (true) with check (true);
create policy p_scope on {table} to mingcha_app, mingcha_worker using ({IN_SCOPE}) with check ({IN_SCOPE});
grant select, insert, update on {table} to mingcha_app, mingcha_worker;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        for part in (TABLES, rights("manual_exclusion"), rights("external_draw")):
            await connection.execute(part)

    manager.add_raw(run)
    return manager
