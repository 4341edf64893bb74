"""Expand: recoveries of the log's signing, runs of upkeep, a doubt about a visit.

Locks: visit for the moment of adding a column without default; both tables are new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T17:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "recoveries of the log, runs of upkeep"

TABLES = """
create table aud.recovery (
  id bigint generated always as identity primary key, cause text not null, size bigint not null,
  known_from text not null, known_origin text, known_size bigint, known_root bytea, halted_at timestamptz not null,
  proposed_by uuid references account on delete restrict, proposed_role text, proposed_at timestamptz, reason text,
  approved_by uuid references account on delete restrict, approved_role text, approved_at timestamptz,
  origin text, entry bigint references aud.entry on delete restrict,
  constraint ck_recovery_cause check (cause in ('behind', 'forked', 'restored')),
  constraint ck_recovery_persons check (proposed_by <> approved_by and proposed_role <> approved_role),
  constraint ck_recovery_proposal check (num_nulls(proposed_by, proposed_role, proposed_at, reason) in (0, 4)),
  constraint ck_recovery_approval check (num_nulls(approved_by, approved_role, approved_at, origin, entry) in (0, 5)),
  constraint ck_recovery_order check (approved_by is null or proposed_by is not null),
  constraint uq_recovery_origin unique (origin), constraint uq_recovery_entry unique (entry)
);
create unique index uq_recovery_open on aud.recovery ((true)) where approved_at is null;
create table upkeep_run (
  id uuid primary key, kind text not null, started_at timestamptz not null, ended_at timestamptz, ok boolean,
  position jsonb not null, facts jsonb not null,
  constraint ck_upkeep_run_kind check (kind in ('scrub', 'backup', 'restore')),
  constraint ck_upkeep_run_end check ((ended_at is null) = (ok is null))
);
create index ix_upkeep_run_kind on upkeep_run (kind, started_at);
alter table visit add column doubted_at timestamptz;
"""
# Who halts is the sequencer (or a restore, as owner); who ends it are two persons.
RIGHTS = """
grant select on aud.recovery to mingcha_app, mingcha_worker, mingcha_public, mingcha_seq;
grant insert (cause, size, known_from, known_origin, known_size, known_root, halted_at) on aud.recovery to mingcha_seq;
grant update (proposed_by, proposed_role, proposed_at, reason, approved_by, approved_role, approved_at, origin, entry)
  on aud.recovery to mingcha_app;
create function aud.recovery_stands() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.approved_at is null
     and (old.id, old.cause, old.size, old.known_from, old.known_origin, old.known_size, old.known_root, old.halted_at)
       is not distinct from
       (new.id, new.cause, new.size, new.known_from, new.known_origin, new.known_size, new.known_root, new.halted_at)
  then return new; end if;
  raise exception 'a recovery stands' using errcode = '42501';
end $$;
revoke all on function aud.recovery_stands() from public;
create trigger tr_recovery_change before update or delete on aud.recovery
  for each row execute function aud.recovery_stands();
create trigger tr_recovery_truncate before truncate on aud.recovery execute function aud.refuse();
grant select, insert, update on upkeep_run to mingcha_app, mingcha_worker;
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
