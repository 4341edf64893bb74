"""Expand: time stamps and cosignatures of the log's heads, results of its checks, tighter rights.

Locks: ``aud.entry``, ``aud.node`` and ``aud.checkpoint`` briefly: columns without a rewrite, rights,
triggers; the index over leaves is built once and blocks the sequencer, no writer, meanwhile.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T16:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "anchors of the audit log"

TABLES = """
alter table aud.checkpoint add column urgent boolean not null default false;
alter table aud.checkpoint add column stamped_at timestamptz;
alter table aud.checkpoint add column authority text;
alter table aud.checkpoint add constraint ck_checkpoint_stamp
  check ((tsr is null) = (stamped_at is null) and (tsr is null) = (authority is null));
create index ix_checkpoint_anchored on aud.checkpoint (size) where anchored_at is not null;
create index ix_checkpoint_stamped on aud.checkpoint (size) where tsr is not null;
create index ix_checkpoint_urgent on aud.checkpoint (size) where urgent;
create index ix_node_leaf on aud.node using hash (h) where level = 0;
create table aud.cosignature (
  size bigint not null references aud.checkpoint on delete restrict, name text not null, line text not null,
  signed_at timestamptz not null, received_at timestamptz not null, primary key (size, name)
);
create table aud.verification (
  id uuid primary key, verified_at timestamptz not null, size bigint not null, entries bigint not null,
  anchors jsonb not null, faults jsonb not null, gaps jsonb not null, took_ms int not null
);
create index ix_verification_at on aud.verification (verified_at desc);
"""
# An anchor comes once and never changes; the head under it never changes at all.
KEPT = """
create function aud.anchor_only() returns trigger language plpgsql as $$
begin
  if (old.size, old.root, old.note, old.created_at, old.urgent)
       is not distinct from (new.size, new.root, new.note, new.created_at, new.urgent)
     and (old.anchored_at is null or old.anchored_at = new.anchored_at)
     and (old.tsr is null
       or (old.tsr, old.stamped_at, old.authority) = (new.tsr, new.stamped_at, new.authority))
  then return new; end if;
  raise exception 'the audit log is append-only' using errcode = '42501';
end $$;
create trigger tr_checkpoint_change before update on aud.checkpoint for each row execute function aud.anchor_only();
create trigger tr_checkpoint_delete before delete on aud.checkpoint for each row execute function aud.refuse();
create trigger tr_checkpoint_truncate before truncate on aud.checkpoint execute function aud.refuse();
create trigger tr_cosignature_change before update or delete on aud.cosignature
  for each row execute function aud.refuse();
create trigger tr_cosignature_truncate before truncate on aud.cosignature execute function aud.refuse();
create trigger tr_verification_change before update or delete on aud.verification
  for each row execute function aud.refuse();
create trigger tr_verification_truncate before truncate on aud.verification execute function aud.refuse();
revoke all on function aud.anchor_only() from public;
"""
# A writer gives region, leaf and body; id, transaction and place are not its to choose.
RIGHTS = """
revoke insert on aud.entry from mingcha_app, mingcha_worker;
grant insert (region, leaf, body) on aud.entry to mingcha_app, mingcha_worker;
grant update (stamped_at, authority) on aud.checkpoint to mingcha_seq;
grant select on aud.cosignature to mingcha_app, mingcha_worker, mingcha_public, mingcha_seq;
grant insert on aud.cosignature to mingcha_seq;
grant select on aud.verification to mingcha_app, mingcha_worker, mingcha_public, mingcha_seq;
grant insert on aud.verification to mingcha_seq;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        for part in (TABLES, KEPT, RIGHTS):
            await connection.execute(part)

    manager.add_raw(run)
    return manager
