"""Expand: operations in doubt, storages and alarms of phones, chosen answers, tried dead letters.

Locks: answer, claim, visit_event and dead_letter for the moment of adding a column whose default
is a constant or none; op for the making of a partial index. The other tables are new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T16:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "operations in doubt, storages of phones"

# A number counts within one storage of a phone; ``wave`` is which of its storages, from 1.
TABLES = """
create table device_storage (
  dev uuid not null references device on delete restrict, inst_epoch text not null, region int not null,
  wave int not null, seen_at timestamptz not null, primary key (dev, inst_epoch),
  constraint uq_device_storage_wave unique (dev, wave), constraint ck_device_storage_wave check (wave >= 1)
);
create table device_alarm (
  id uuid primary key, region int not null, dev uuid not null references device on delete restrict,
  kind text not null, subject text not null, raised_at timestamptz not null, settled_at timestamptz,
  settled_by uuid references account on delete restrict, reason text,
  constraint ck_device_alarm_kind check (kind in ('storage_wiped', 'conflict_digest', 'seq_reused')),
  constraint ck_device_alarm_settled check ((settled_at is null) = (settled_by is null))
);
create unique index uq_device_alarm_open on device_alarm (dev, kind, subject) where settled_at is null;
create index ix_device_alarm_region on device_alarm (region, id);
create table op_doubt (
  op_id uuid primary key, region int not null, visit uuid not null references visit on delete restrict,
  dev uuid not null, inspector uuid not null, kind text not null, grounds text[] not null, standing text not null,
  raised_at timestamptz not null, proposed_by uuid references account on delete restrict, reason text,
  decided_by uuid references account on delete restrict, decided_at timestamptz,
  constraint ck_op_doubt_standing check (standing in ('waiting', 'adopted', 'attached', 'voided')),
  constraint ck_op_doubt_decided check ((standing = 'waiting') = (decided_at is null)),
  constraint ck_op_doubt_two_persons check (standing <> 'adopted' or not 'revoked_key' = any (grounds)
    or (proposed_by is not null and proposed_by <> decided_by))
);
create index ix_op_doubt_visit on op_doubt (visit);
create index ix_op_doubt_waiting on op_doubt (region, op_id) where standing = 'waiting';
create table answer_choice (
  visit uuid not null references visit on delete restrict, item text not null, region int not null,
  keep uuid, compared jsonb not null, reason text, chosen_by uuid not null references account on delete restrict,
  chosen_at timestamptz not null, primary key (visit, item)
);
alter table answer add column wave int not null default 1;
alter table claim add column wave int not null default 1;
alter table visit_event add column wave int not null default 1;
alter table dead_letter add column tried_at timestamptz;
alter table dead_letter add column tried_by uuid references account on delete restrict;
alter table dead_letter add column tried_code text;
create index ix_op_blocked_visit on op (visit) where status = 'blocked';
"""
IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
RIGHTS = "\n".join(
    f"""
alter table {table} enable row level security;
alter table {table} force row level security;
create policy p_owner on {table} to mingcha_owner using (true) with check (true);
create policy p_scope on {table} to mingcha_app, mingcha_worker using ({IN_SCOPE}) with check ({IN_SCOPE});
grant select, insert, update on {table} to mingcha_app, mingcha_worker;
"""
    for table in ("device_storage", "device_alarm", "op_doubt", "answer_choice")
)
# An operation in doubt makes its device owe a claim until somebody has decided that it does not
# count; answers are compared with the claim within the storage that made the claim.
MISSING = """
create or replace function visit_missing(wanted uuid) returns table (what text, id text) language sql stable as $$
  select 'claim', d.dev::text from (select distinct o.dev from op o where o.visit = wanted
      and o.status in ('applied', 'blocked') and o.kind <> 'recusal.declare' and not exists (
        select from op_doubt x where x.op_id = o.op_id and x.standing in ('attached', 'voided'))) d
    where not exists (select from claim c where c.visit = wanted and c.dev = d.dev)
  union all
  select 'evidence', i ->> 'id' from claim c, jsonb_array_elements(c.items) i
    where c.visit = wanted and c.closed_by is null and not exists (
      select from evidence e where e.id = (i ->> 'id')::uuid and e.visit = wanted and e.sha256 = i ->> 'sha256'
        and e.state in ('verified', 'sealed'))
  union all
  select 'answers', c.dev::text from claim c where c.visit = wanted and c.closed_by is null
    and c.answers_sha256 <> encode(sha256(convert_to('[' || coalesce((select string_agg(a.canon, ',' order by a.item
      collate "C") from answer a where a.visit = wanted and a.dev = c.dev and a.wave = c.wave), '') || ']', 'UTF8')),
      'hex')
  union all
  select 'certificate_shown', '' where not exists (select from visit_event where visit = wanted
    and kind = 'certificate.shown' and not 'stale_assignment' = any (flags))
  union all
  select 'inspector_signatures', '' where (select count(distinct e.body ->> 'inspector') from visit_event e
    join assignment a on a.visit = e.visit and a.inspector::text = e.body ->> 'inspector' and a.state = 'active'
    where e.visit = wanted and e.kind = 'signature.record' and e.body ->> 'role' = 'inspector') < 2
  union all
  select 'party_signature', '' where not exists (select from visit_event where visit = wanted
    and kind = 'signature.record' and body ->> 'role' in ('party', 'refusal'))
  union all
  select 'rollcall', '' from visit v where v.id = wanted and v.kind = 'class_session'
    and not exists (select from rollcall r where r.visit = wanted)
$$;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        for part in (TABLES, RIGHTS, MISSING):
            await connection.execute(part)

    manager.add_raw(run)
    return manager
