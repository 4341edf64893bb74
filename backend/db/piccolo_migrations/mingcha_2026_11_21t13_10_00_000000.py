"""Expand: simulations of a plan's year.

Locks: nothing that exists; the table is new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T13:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "simulations"

IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
TABLE = f"""
create table simulation (
  id uuid primary key, region int not null, plan uuid not null references plan on delete restrict,
  plan_rev int not null, state text not null, years int not null, done int not null, slice int not null,
  scenario jsonb not null, notes jsonb not null, report jsonb, fault text,
  ordered_by uuid not null references account on delete restrict, ordered_at timestamptz not null,
  ended_at timestamptz,
  constraint ck_simulation_state check (state in ('running', 'done', 'cancelled', 'failed'))
);
create index ix_simulation_plan on simulation (plan, id);
alter table simulation enable row level security;
alter table simulation force row level security;
create policy p_owner on simulation to mingcha_owner using (true) with check (true);
create policy p_scope on simulation to mingcha_app, mingcha_worker using ({IN_SCOPE}) with check ({IN_SCOPE});
grant select, insert, update on simulation to mingcha_app, mingcha_worker;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        await connection.execute(TABLE)

    manager.add_raw(run)
    return manager
