"""Expand: likeness of pictures, signals with their verdicts, blind recounts, blind rosters.

Locks: op, visit, notice and training_class for the moment of naming them in a key, and op while
its small index by block range is made; every table is new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T16:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "likeness, signals, recounts"

IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
TABLES = """
create table likeness (
  evidence uuid primary key references evidence on delete restrict, region int not null,
  occasion uuid not null, p bigint not null, w bigint not null, dh bigint not null, dv bigint not null,
  fine bytea not null, detail int not null, lat_e7 int, lon_e7 int, hashed_at timestamptz not null,
  constraint ck_likeness_fine check (octet_length(fine) = 32),
  constraint ck_likeness_place check ((lat_e7 is null) = (lon_e7 is null))
);
create index ix_likeness_band_0 on likeness (((p >> 48) & 65535)) include (p);
create index ix_likeness_band_1 on likeness (((p >> 32) & 65535)) include (p);
create index ix_likeness_band_2 on likeness (((p >> 16) & 65535)) include (p);
create index ix_likeness_band_3 on likeness (((p >> 0) & 65535)) include (p);
create index ix_likeness_p on likeness (p);
create table signal (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  visit uuid references visit on delete restrict, notice uuid references notice on delete restrict,
  training_class uuid references training_class on delete restrict, kind text not null, subject text not null,
  strength text not null, score int not null, facts jsonb not null, links jsonb not null, evidence uuid[] not null,
  found_at timestamptz not null, changed_at timestamptz not null, gone_at timestamptz,
  constraint ck_signal_about check (num_nonnulls(visit, notice, training_class) = 1),
  constraint ck_signal_strength check (strength in ('strong', 'moderate', 'weak')),
  constraint ck_signal_score check (score between 0 and 100)
);
create unique index uq_signal_subject on signal ((coalesce(visit, notice, training_class)), kind, subject);
create index ix_signal_region on signal (region, id desc) where gone_at is null;
create table signal_verdict (
  id uuid primary key, signal uuid not null references signal on delete restrict, region int not null,
  verdict text not null, reason text not null, decided_by uuid not null references account on delete restrict,
  decided_at timestamptz not null,
  constraint ck_signal_verdict check (verdict in ('confirmed', 'explained', 'unfounded')),
  constraint ck_signal_verdict_reason check (reason <> '')
);
create index ix_signal_verdict_signal on signal_verdict (signal, id desc);
create table signal_run (
  occasion uuid primary key, region int not null, inputs_sha256 text not null, computed_at timestamptz not null
);
create table signal_sweep (name text primary key, swept_until timestamptz not null);
create table recount (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  visit uuid not null references visit on delete restrict, evidence uuid not null references evidence on delete restrict,
  ordered_by uuid not null references account on delete restrict, ordered_at timestamptz not null,
  counted_by uuid references account on delete restrict, counted_at timestamptz, heads int, note text,
  constraint ck_recount_two_persons check (counted_by <> ordered_by),
  constraint ck_recount_heads check (heads between 0 and 10000),
  constraint ck_recount_whole check (num_nonnulls(counted_by, counted_at, heads) in (0, 3))
);
create unique index uq_recount_open on recount (evidence) where counted_at is null;
create index ix_recount_visit on recount (visit, id);
create table roster_index (
  training_class uuid primary key references training_class on delete restrict, region int not null,
  institution uuid not null references institution on delete restrict, rev int not null,
  names bigint[] not null, indexed_at timestamptz not null
);
create index ix_roster_index_names on roster_index using gin (names);
create index ix_op_received on op using brin (received_at);
"""
# Read and written by the product alone: it compares across offices, and shows nobody these rows.
OWN = ("likeness", "signal_run", "signal_sweep", "roster_index")
REGIONAL = ("signal", "signal_verdict", "recount")
# A verdict is never changed, a second one is added; nothing is deleted.
GRANTS = """
grant select, insert, update on likeness, signal_run, signal_sweep, roster_index to mingcha_worker;
grant select, insert, update on signal to mingcha_worker;
grant select on signal to mingcha_app;
grant select, insert on signal_verdict to mingcha_app, mingcha_worker;
grant select, insert, update on recount to mingcha_app, mingcha_worker;
"""


def rights() -> str:
    """Policies first, then what each role needs."""
    lines = []
    for table in (*OWN, *REGIONAL):
        lines += [
            f"alter table {table} enable row level security;",
            f"alter table {table} force row level security;",
            f"create policy p_owner on {table} to mingcha_owner using (true) with check (true);",
        ]
    lines += [
        f"create policy p_product on {table} to mingcha_worker using (true) with check (true);"
        for table in OWN
    ]
    lines += [
        f"create policy p_scope on {table} to mingcha_app, mingcha_worker using ({IN_SCOPE}) with check ({IN_SCOPE});"
        for table in REGIONAL
    ]
    return "\n".join(lines) + GRANTS


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        for part in (TABLES, rights()):
            await connection.execute(part)

    manager.add_raw(run)
    return manager
