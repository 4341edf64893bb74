"""Expand: custody of evidence: two-person acts, what keeps an original, derivatives of people.

Locks: ``evidence`` and ``derivative`` briefly, for columns without a rewrite. The rule of one
derivative a kind becomes one a kind and variant: until the old worker is replaced its task for a
new picture fails and is tried again.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T16:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "custody of evidence"

COLUMNS = """
alter table evidence add column retain_until timestamptz;
alter table evidence add column lock_mode text;
alter table evidence add constraint ck_evidence_lock_mode check (lock_mode in ('governance', 'compliance'));
alter table derivative add column variant int not null default 0;
alter table derivative add column made_by uuid references account on delete restrict;
alter table derivative add column entry bigint;
alter table derivative add constraint uq_derivative_variant unique (evidence, kind, variant);
alter table derivative drop constraint uq_derivative;
"""
ACTS = """
create table custody_act (
  id uuid primary key, region int not null, evidence uuid not null references evidence on delete restrict,
  kind text not null, state text not null, reason text not null,
  proposed_by uuid not null references account on delete restrict, proposed_at timestamptz not null,
  decided_by uuid references account on delete restrict, decided_at timestamptz, decision text,
  constraint ck_custody_act_kind check (kind in ('admit', 'void', 'unlock')),
  constraint ck_custody_act_state check (state in ('proposed', 'approved', 'refused')),
  constraint ck_custody_act_two_persons check (decided_by is null or decided_by <> proposed_by),
  constraint ck_custody_act_decided check ((state = 'proposed') = (decided_by is null))
);
create unique index uq_custody_act_open on custody_act (evidence, kind) where state = 'proposed';
create index ix_custody_act_evidence on custody_act (evidence, id);
"""
IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
RIGHTS = f"""
alter table custody_act enable row level security;
alter table custody_act force row level security;
create policy p_owner on custody_act to mingcha_owner using (true) with check (true);
create policy p_scope on custody_act to mingcha_app, mingcha_worker using ({IN_SCOPE}) with check ({IN_SCOPE});
grant select, insert, update on custody_act to mingcha_app, mingcha_worker;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        for part in (COLUMNS, ACTS, RIGHTS):
            await connection.execute(part)

    manager.add_raw(run)
    return manager
