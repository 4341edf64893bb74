"""Expand: papers that a step calls for, reminders of instalments, offices that step aside.

Locks: document exclusively, for the instant in which a column stops asking for a value.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T22:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "papers by step, instalments, offices that step aside"

# What the product issues by itself may rest on a deed of its own: then nobody issued it.
WIDENED = "alter table document alter column issued_by drop not null;"
TABLES = """
create table instalment_reminder (
  id uuid primary key, region int not null, case_file uuid not null references case_file on delete restrict,
  recovery uuid not null references case_step on delete restrict, step text not null, due_on date not null,
  on_day date not null, created_at timestamptz not null,
  constraint ck_instalment_reminder_step check (step in ('three', 'one', 'overdue')),
  constraint uq_instalment_reminder_step unique (recovery, due_on, step)
);
create unique index uq_instalment_reminder_day on instalment_reminder (recovery, on_day);
create index ix_instalment_reminder_case on instalment_reminder (case_file, on_day);
create table office_recusal (
  id uuid primary key, region int not null, office uuid not null references office on delete restrict,
  institution uuid not null references institution on delete restrict, ground text not null, paper text not null,
  decided_by uuid not null references account on delete restrict, decided_at timestamptz not null,
  ended_at timestamptz, ended_by uuid references account on delete restrict, ended_reason text,
  constraint ck_office_recusal_ended check (num_nulls(ended_at, ended_by, ended_reason) in (0, 3))
);
create unique index uq_office_recusal on office_recusal (office, institution) where ended_at is null;
create index ix_office_recusal_institution on office_recusal (institution, id);
"""
IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
NEW = ("instalment_reminder", "office_recusal")


def rights() -> str:
    """Policies and grants of the new tables; a reminder that was given stays as it was given."""
    lines = []
    for table in NEW:
        lines += [
            f"alter table {table} enable row level security;",
            f"alter table {table} force row level security;",
            f"create policy p_owner on {table} to mingcha_owner using (true) with check (true);",
            f"create policy p_scope on {table} to mingcha_app, mingcha_worker using ({IN_SCOPE}) with check ({IN_SCOPE});",
            f"grant select, insert on {table} to mingcha_app, mingcha_worker;",
        ]
    lines.append("grant update on office_recusal to mingcha_app;")
    return "\n".join(lines)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        for part in (WIDENED, TABLES, rights()):
            await connection.execute(part)

    manager.add_raw(run)
    return manager
