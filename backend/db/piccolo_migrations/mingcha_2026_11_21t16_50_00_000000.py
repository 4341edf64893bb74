"""Expand: evidence bundles, how far each is and where it lies.

Locks: institution, visit, case_file and account for the moment of naming them in a key; the table
is new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T16:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "evidence bundles"

TABLES = """
create table dossier (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  visit uuid references visit on delete restrict, case_file uuid references case_file on delete restrict,
  audience text not null, purpose text not null, witness text, state text not null,
  done_bytes bigint not null, total_bytes bigint not null, pieces int not null, left_out int not null,
  object_key text, sha256 text, size bigint, stamped boolean, fault text, entry bigint not null,
  ordered_by uuid not null references account on delete restrict, ordered_at timestamptz not null,
  ended_at timestamptz,
  constraint ck_dossier_about check (num_nonnulls(visit, case_file) = 1),
  constraint ck_dossier_audience check (audience in ('office', 'institution')),
  constraint ck_dossier_progress check (state in ('running', 'done', 'cancelled', 'failed')),
  constraint ck_dossier_done check ((state = 'done') = (sha256 is not null)),
  constraint ck_dossier_ended check ((state = 'running') = (ended_at is null))
);
create index ix_dossier_region on dossier (region, id);
create index ix_dossier_visit on dossier (visit) where visit is not null;
create index ix_dossier_case on dossier (case_file) where case_file is not null;
create index ix_dossier_institution on dossier (institution, id) where audience = 'institution';
create index ix_dossier_ordered on dossier (ordered_by, ordered_at);
"""
IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
INSTITUTION = "(select nullif(current_setting('app.institution', true), '')::uuid)"
# An institution sees the bundles that are made for it, and no other.
OWN = f"{IN_SCOPE} or (institution = {INSTITUTION} and audience = 'institution')"
RIGHTS = f"""
alter table dossier enable row level security;
alter table dossier force row level security;
create policy p_owner on dossier to mingcha_owner using (true) with check (true);
create policy p_scope on dossier to mingcha_app, mingcha_worker using ({OWN}) with check ({OWN});
grant select, insert, update on dossier to mingcha_app, mingcha_worker;
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
