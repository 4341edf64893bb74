"""Expand: inbox, ways to reach a person, deliveries, webhooks with their calls, log followers.

Locks: account and institution for the moment of naming them in a key; every table is new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T19:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "inbox, deliveries, webhooks, calendar"

IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
INSTITUTION = "(select nullif(current_setting('app.institution', true), '')::uuid)"
TABLES = """
create table message (
  id uuid primary key, region int not null, institution uuid references institution on delete restrict,
  account uuid not null references account on delete restrict, subject text not null, facts jsonb not null,
  matter text not null, matter_id uuid not null, dedupe text not null, written_at timestamptz not null,
  read_at timestamptz,
  constraint uq_message_dedupe unique (account, dedupe)
);
create index ix_message_account on message (account, id);
create index ix_message_unread on message (account) where read_at is null;
create table reach (
  account uuid primary key references account on delete restrict, region int not null,
  institution uuid references institution on delete restrict, email text, mobile text, language text not null,
  calendar_hash bytea, updated_at timestamptz not null,
  constraint ck_reach_language check (language in ('zh', 'en')),
  constraint uq_reach_calendar unique (calendar_hash)
);
create table delivery (
  id uuid primary key, region int not null, institution uuid references institution on delete restrict,
  message uuid not null references message on delete restrict, channel text not null, progress text not null,
  attempts int not null, fault text, created_at timestamptz not null, due_at timestamptz not null,
  ended_at timestamptz,
  constraint uq_delivery_message_channel unique (message, channel),
  constraint ck_delivery_channel check (channel in ('sms', 'email')),
  constraint ck_delivery_progress check (progress in ('waiting', 'sent', 'failed')),
  constraint ck_delivery_ended check ((progress = 'waiting') = (ended_at is null))
);
create index ix_delivery_region on delivery (region, id);
create table webhook (
  id uuid primary key, region int not null, url text not null, events text[] not null, note text not null,
  created_by uuid not null references account on delete restrict, created_at timestamptz not null,
  ended_by uuid references account on delete restrict, ended_at timestamptz,
  constraint ck_webhook_events check (cardinality(events) > 0),
  constraint ck_webhook_ended check ((ended_by is null) = (ended_at is null))
);
create index ix_webhook_region on webhook (region, id) where ended_at is null;
create table webhook_call (
  id uuid primary key, region int not null, webhook uuid not null references webhook on delete restrict,
  event text not null, place bigint not null, body bytea not null, progress text not null, attempts int not null,
  status int, fault text, created_at timestamptz not null, due_at timestamptz not null, ended_at timestamptz,
  replay_of uuid references webhook_call on delete restrict,
  constraint ck_webhook_call_progress check (progress in ('waiting', 'delivered', 'failed')),
  constraint ck_webhook_call_ended check ((progress = 'waiting') = (ended_at is null))
);
create unique index uq_webhook_call_place on webhook_call (webhook, place) where replay_of is null;
create index ix_webhook_call_webhook on webhook_call (webhook, id);
create table follower (name text primary key, position bigint not null, moved_at timestamptz not null);
create function auth_calendar(wanted bytea) returns uuid language sql stable security definer
  set search_path = public, pg_temp as $$ select account from reach where calendar_hash = wanted $$;
revoke all on function auth_calendar(bytea) from public;
grant execute on function auth_calendar(bytea) to mingcha_app, mingcha_worker;
"""
PERSONAL = ("message", "reach", "delivery")
REGIONAL = ("webhook", "webhook_call")


def rights() -> str:
    """An institution has its own people's messages; webhooks are an office's; the rest nobody's."""
    lines = []
    for table in (*PERSONAL, *REGIONAL, "follower"):
        lines += [
            f"alter table {table} enable row level security;",
            f"alter table {table} force row level security;",
            f"create policy p_owner on {table} to mingcha_owner using (true) with check (true);",
        ]
    for table in (*PERSONAL, *REGIONAL):
        own = f" or institution = {INSTITUTION}" if table in PERSONAL else ""
        test = IN_SCOPE + own
        lines += [
            f"create policy p_scope on {table} to mingcha_app, mingcha_worker using ({test}) with check ({test});",
            f"grant select, insert, update on {table} to mingcha_app, mingcha_worker;",
        ]
    lines += [
        "create policy p_product on follower to mingcha_worker using (true) with check (true);",
        "grant select, insert, update on follower to mingcha_worker;",
    ]
    return "\n".join(lines)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        for part in (TABLES, rights()):
            await connection.execute(part)

    manager.add_raw(run)
    return manager
