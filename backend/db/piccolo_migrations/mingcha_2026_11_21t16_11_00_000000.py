"""Expand: what a phone's tasks are made of says in which transaction it last changed.

Locks: visit, assignment, institution, inspector, training_class, trainee and device for the moment
of adding a column with a constant default, or a trigger.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T16:11:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "task cursor"

# A transaction's number, because no clock orders commits: whatever had not ended when a phone was
# answered has a number that is not below the one it was told.
COLUMNS = "\n".join(
    f"alter table {table} add column touched xid8 not null default '0';"
    for table in ("visit", "assignment", "institution", "inspector", "training_class")
)
# The last cursors a phone was told: one that is not among them was told before a restore.
DEVICE = "alter table device add column cursors text[] not null default '{}';"
# Only what a phone is told of: it knows that it opened a task, and what it was sent with it.
TOLD = {
    "visit": (
        "code kind unannounced selection on_date sealed_until institution jurisdiction sheet_digest"
        " training_class class_session epoch challenge review_reason"
    ),
    "assignment": "state epoch place lead inspector",
    "institution": "name kinds credit_code address phone lat_e7 lon_e7 crs",
    "inspector": "name licence_no account",
}
FUNCTIONS = """
create function touch() returns trigger language plpgsql as $$
begin
  new.touched := pg_current_xact_id();
  return new;
end $$;
create function touch_class() returns trigger language plpgsql security definer
  set search_path = public, pg_temp as $$
begin
  update training_class set touched = pg_current_xact_id()
  where id in (select training_class from changed) and touched <> pg_current_xact_id();
  return null;
end $$;
revoke all on function touch(), touch_class() from public;
"""


def triggers() -> str:
    """Touch what is new, and what changed in a column that phones are told."""
    lines = [
        f"create trigger tr_{table}_new before insert on {table} for each row execute function touch();"
        for table in ("visit", "assignment", "institution", "inspector", "training_class")
    ]
    for table, names in TOLD.items():
        old = ", ".join(f"old.{name}" for name in names.split())
        new = old.replace("old.", "new.")
        changed = f"({old}) is distinct from ({new})"
        if table == "visit":
            changed += " or (old.state <> new.state and new.state <> 'opened')"
        lines.append(
            f"create trigger tr_{table}_told before update on {table}"
            f" for each row when ({changed}) execute function touch();"
        )
    for verb, transition in (("insert", "new"), ("update", "new"), ("delete", "old")):
        lines.append(
            f"create trigger tr_trainee_{verb} after {verb} on trainee"
            f" referencing {transition} table as changed for each statement execute function touch_class();"
        )
    return "\n".join(lines)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        for part in (COLUMNS, DEVICE, FUNCTIONS, triggers()):
            await connection.execute(part)

    manager.add_raw(run)
    return manager
