"""Expand: further sendings of a draw, events after it, recusals, chains of secrets left ahead.

Locks: ``draw`` and ``draw_share`` briefly, for columns without a rewrite and two small indexes;
the other tables are new. The rule of one result counts the draws of institutions alone.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T13:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "events of draws, chains of secrets"

STAGES = """
alter table draw add column stage text not null default 'draw';
alter table draw add constraint ck_draw_stage check (stage in ('draw', 'assignment'));
drop index uq_draw_one_result;
create unique index uq_draw_one_result on draw (plan)
  where state in ('drawn', 'published') and stage = 'draw';
create unique index uq_draw_one_open on draw (plan) where state in ('frozen', 'revealed');
"""
EVENTS = """
create table draw_event (
  draw uuid not null references draw on delete restrict, number int not null, region int not null,
  kind text not null, body jsonb not null, salt text not null, digest text not null,
  recorded_by uuid not null, recorded_at timestamptz not null, opened_at timestamptz,
  primary key (draw, number),
  constraint ck_draw_event_kind check (kind in ('withdraw', 'replace', 'substitute', 'supplement'))
);
create table withdrawal (
  id uuid primary key, region int not null, draw uuid not null references draw on delete restrict,
  visit uuid not null references visit on delete restrict, object text not null, reason text not null,
  paper text not null, evidence_sha256 text not null, state text not null,
  proposed_by uuid not null, proposed_at timestamptz not null,
  decided_by uuid, decided_at timestamptz, decision text,
  replacement uuid references visit on delete restrict,
  returned_in uuid references draw on delete restrict,
  constraint ck_withdrawal_state check (state in ('proposed', 'confirmed', 'refused')),
  constraint ck_withdrawal_two_persons check (state <> 'confirmed' or decided_by <> proposed_by)
);
create unique index uq_withdrawal_one on withdrawal (visit) where state <> 'refused';
create index ix_withdrawal_due on withdrawal (region) where state = 'confirmed' and returned_in is null;
create table recusal_request (
  id uuid primary key, region int not null, visit uuid not null references visit on delete restrict,
  inspector uuid not null references inspector on delete restrict, cause text not null,
  ground text not null, state text not null, asked_by uuid not null, asked_at timestamptz not null,
  decided_by uuid, decided_at timestamptz, decision text,
  constraint ck_recusal_request_cause check (cause in ('illness', 'inspector', 'institution')),
  constraint ck_recusal_request_state check (state in ('pending', 'granted', 'refused'))
);
create unique index uq_recusal_request_open on recusal_request (visit, inspector) where state = 'pending';
"""
CHAINS = """
create table draw_chain (
  id uuid primary key, region int not null, party text not null, year int not null, alg text not null,
  tip text not null, length int not null, used int not null, anchor bytea not null, root bytea,
  committed_at timestamptz not null,
  constraint uq_draw_chain_year unique (region, party, year),
  constraint ck_draw_chain_used check (used between 0 and length)
);
create table draw_deposit (
  id uuid primary key, region int not null, chain uuid not null references draw_chain on delete restrict,
  party text not null, code text not null, attempt int not null, link_index int not null,
  commitment text not null, commit_signature text not null, sealed bytea not null,
  signature text not null, deposited_at timestamptz not null,
  used_in uuid references draw on delete restrict,
  constraint uq_draw_deposit_draw unique (region, party, code, attempt),
  constraint uq_draw_deposit_link unique (chain, link_index)
);
alter table draw_share add column chain uuid references draw_chain on delete restrict;
alter table draw_share add column link_index int;
alter table draw_share add column link bytea;
create unique index uq_draw_share_link on draw_share (chain, link_index) where chain is not null;
"""
TABLES = ("draw_event", "withdrawal", "recusal_request", "draw_chain", "draw_deposit")
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
        for part in (STAGES, EVENTS, CHAINS, *map(rights, TABLES)):
            await connection.execute(part)

    manager.add_raw(run)
    return manager
