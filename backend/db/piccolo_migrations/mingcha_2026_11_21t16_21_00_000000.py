"""Expand: emergency packages, and what became of each thing in them.

Locks: nothing that exists; the tables are new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T16:21:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "emergency packages"

PACKAGES = """
create table package (
  id uuid primary key, region int not null, brought_by uuid references account on delete restrict,
  sha256 text not null, size bigint not null, taken bigint not null, host text not null, state text not null,
  object_key text not null, version_id text, facts jsonb not null,
  opened_at timestamptz not null, touched_at timestamptz not null, done_at timestamptz,
  constraint ck_package_state check (state in ('open', 'received', 'stored', 'done')),
  constraint ck_package_taken check (0 <= taken and taken <= size)
);
create index ix_package_open on package (touched_at) where state = 'open';
create table package_item (
  package uuid not null references package on delete restrict, number int not null, region int not null,
  kind text not null, subject text not null, result text not null, code text not null, facts jsonb not null,
  primary key (package, number),
  constraint ck_package_item_kind check (kind in ('op', 'blob', 'damage'))
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
        for part in (PACKAGES, *map(rights, ("package", "package_item"))):
            await connection.execute(part)

    manager.add_raw(run)
    return manager
