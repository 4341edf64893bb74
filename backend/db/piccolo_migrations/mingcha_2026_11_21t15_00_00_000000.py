"""Expand: uploads under way, of both lanes.

Locks: nothing that exists; the table is new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T15:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "uploads"

IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
OWN = "institution = (select nullif(current_setting('app.institution', true), '')::uuid) and channel = 'portal'"
TABLE = f"""
create table upload (
  evidence uuid primary key references evidence on delete restrict, region int not null,
  institution uuid not null references institution on delete restrict, channel text not null,
  size bigint not null, taken bigint not null, stored bigint not null, store_upload text, host text not null,
  state text not null, created_at timestamptz not null, touched_at timestamptz not null,
  constraint ck_upload_state check (state in ('open', 'received', 'ended', 'expired')),
  constraint ck_upload_offsets check (0 <= stored and stored <= size and 0 <= taken and taken <= size)
);
create index ix_upload_open on upload (touched_at) where state = 'open';
alter table upload enable row level security;
alter table upload force row level security;
create policy p_owner on upload to mingcha_owner using (true) with check (true);
create policy p_scope on upload to mingcha_app, mingcha_worker
  using ({IN_SCOPE} or ({OWN})) with check ({IN_SCOPE} or ({OWN}));
grant select, insert, update on upload to mingcha_app, mingcha_worker;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        await connection.execute(TABLE)

    manager.add_raw(run)
    return manager
