"""Expand: tips with their messages, files, matters and the opening of a sealed identity.

Locks: institution and account for the moment of naming them in a key; every table is new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T19:21:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "tips"

IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
# A tip is seen by who says that they work on tips, or by who holds its return code; regions alone open nothing, so
# no query of another room (of the field, of an export, of a search) can ever come upon one.
DESK = f"{IN_SCOPE} and nullif(current_setting('app.tips', true), '') = 'desk'"
SENDER = "code_hash = decode(nullif(current_setting('app.tip', true), ''), 'hex')"
TABLES = """
create table tip_matter (
  id uuid primary key, region int not null, title text not null,
  created_by uuid not null references account on delete restrict, created_at timestamptz not null
);
create table tip (
  id uuid primary key, region int not null, institution uuid references institution on delete restrict,
  about text not null, category text not null, text text not null, loan jsonb, code_hash bytea not null,
  identity bytea, identity_kid text, witness boolean not null, state text not null, term jsonb not null,
  due_on date not null, matter uuid references tip_matter on delete restrict, paraphrase text,
  link_kind text, link uuid, received_at timestamptz not null, answered_at timestamptz, closed_at timestamptz,
  constraint uq_tip_code unique (code_hash), constraint ck_tip_code check (octet_length(code_hash) = 32),
  constraint ck_tip_state check (state in ('received', 'triaged', 'linked', 'answered', 'closed')),
  constraint ck_tip_identity check ((identity is null) = (identity_kid is null)),
  constraint ck_tip_witness check (not witness or identity is not null),
  constraint ck_tip_link check ((link is null) = (link_kind is null)),
  constraint ck_tip_link_kind check (link_kind in ('plan', 'visit', 'case'))
);
create index ix_tip_region on tip (region, id desc);
create index ix_tip_matter on tip (matter) where matter is not null;
create table tip_message (
  id uuid primary key, tip uuid not null references tip on delete restrict, region int not null,
  sender text not null, text text not null, by_account uuid references account on delete restrict,
  sent_at timestamptz not null,
  constraint ck_tip_message_sender check (sender in ('tipster', 'office')),
  constraint ck_tip_message_account check ((sender = 'office') = (by_account is not null))
);
create index ix_tip_message_tip on tip_message (tip, id);
create table tip_file (
  id uuid primary key, tip uuid not null references tip on delete restrict, region int not null,
  mime text not null, size bigint not null, sha256 text not null, object_key text not null, state text not null,
  reason text, preview_key text, received_at timestamptz not null, settled_at timestamptz,
  constraint ck_tip_file_state check (state in ('received', 'verified', 'quarantined')),
  constraint ck_tip_file_reason check ((state = 'quarantined') = (reason is not null)),
  constraint uq_tip_file unique (tip, sha256)
);
create table tip_event (
  id uuid primary key, tip uuid not null references tip on delete restrict, region int not null,
  kind text not null, detail jsonb not null, by_account uuid not null references account on delete restrict,
  at timestamptz not null
);
create index ix_tip_event_tip on tip_event (tip, id);
create table tip_opening (
  id uuid primary key, tip uuid not null references tip on delete restrict, region int not null,
  reason text not null, asked_by uuid not null references account on delete restrict, asked_at timestamptz not null,
  approved_by uuid references account on delete restrict, approved_at timestamptz, opened_at timestamptz,
  constraint ck_tip_opening_two_persons check (approved_by <> asked_by),
  constraint ck_tip_opening_approval check ((approved_by is null) = (approved_at is null)),
  constraint ck_tip_opening_order check (opened_at is null or approved_at is not null)
);
create unique index uq_tip_opening on tip_opening (tip) where opened_at is null;
"""
OF_TIP = ("tip_message", "tip_file")
OFFICE = ("tip_matter", "tip_event", "tip_opening")
GRANTS = """
grant select, insert on tip to mingcha_app;
grant update (institution, state, matter, paraphrase, link_kind, link, answered_at, closed_at) on tip to mingcha_app;
grant select on tip to mingcha_worker;
grant select, insert on tip_message, tip_event, tip_matter to mingcha_app;
grant select, insert on tip_file to mingcha_app;
grant select, update (state, reason, preview_key, object_key, settled_at) on tip_file to mingcha_worker;
grant select, insert, update (approved_by, approved_at, opened_at) on tip_opening to mingcha_app;
"""


def rights() -> str:
    """Policies first, then what each role needs."""
    lines = []
    for table in ("tip", *OF_TIP, *OFFICE):
        lines += [
            f"alter table {table} enable row level security;",
            f"alter table {table} force row level security;",
            f"create policy p_owner on {table} to mingcha_owner using (true) with check (true);",
            f"create policy p_desk on {table} to mingcha_app, mingcha_worker using ({DESK}) with check ({DESK});",
        ]
    lines.append(
        f"create policy p_sender on tip to mingcha_app using ({SENDER}) with check ({SENDER});"
    )
    mine = f"exists (select from tip t where t.id = tip and t.{SENDER})"
    lines += [
        f"create policy p_sender on {table} to mingcha_app using ({mine}) with check ({mine});"
        for table in OF_TIP
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
