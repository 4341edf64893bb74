"""Expand: lists of what is open are found by themselves among a million that are over.

Locks: finding, notice, case_file and visit against writes while their indexes are built.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T22:47:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "open matters by state"

# A visit whose result went public before this column is asked after as it always was.
COLUMN = "alter table visit add column result_public boolean;"
INDEXES = """
create index ix_finding_state on finding (state, id);
create index ix_notice_state on notice (state, id);
create index ix_case_state on case_file (state, id);
create index ix_visit_result_due on visit (id) where concluded_at is not null and result_public is null;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        for part in (COLUMN, INDEXES):
            await connection.execute(part)

    manager.add_raw(run)
    return manager
