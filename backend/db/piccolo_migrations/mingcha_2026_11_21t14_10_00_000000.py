"""Expand: versions of sheets, and the samples of a visit.

Locks: visit for the moment of adding a column without default; both tables are new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T14:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "versions of sheets, samples of a visit"

TABLES = """
create table sheet_version (
  digest text primary key, sheet text not null, content bytea not null, recorded_at timestamptz not null,
  constraint ck_sheet_version_digest check (digest = encode(sha256(content), 'hex'))
);
alter table visit add column sample_seed text;
alter table visit add constraint ck_visit_sample_seed check (sample_seed ~ '^[0-9a-f]{64}$') not valid;
create table visit_sample (
  visit uuid not null references visit on delete restrict, label text not null, region int not null,
  population uuid[] not null, wanted int not null, chosen uuid[] not null, drawn_at timestamptz not null,
  primary key (visit, label),
  constraint ck_visit_sample_wanted check (wanted > 0),
  constraint ck_visit_sample_chosen check (cardinality(chosen) = least(wanted, cardinality(population)))
);
"""
IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
# A version is the same for everybody and is never changed; a sample is drawn once.
RIGHTS = f"""
grant select, insert on sheet_version to mingcha_app, mingcha_worker;
alter table visit_sample enable row level security;
alter table visit_sample force row level security;
create policy p_owner on visit_sample to mingcha_owner using (true) with check (true);
create policy p_scope on visit_sample to mingcha_app, mingcha_worker using ({IN_SCOPE}) with check ({IN_SCOPE});
grant select, insert on visit_sample to mingcha_app, mingcha_worker;
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
