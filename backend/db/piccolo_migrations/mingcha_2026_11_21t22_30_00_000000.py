"""Expand: what one person proposed about a record and another has to decide is found by itself.

Locks: visit and claim against writes while their small indexes are built.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T22:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "proposals about incomplete records"

INDEXES = """
create index ix_visit_gap on visit (id)
  where gap_proposed_by is not null and gap_approved_by is null;
create index ix_claim_closing on claim (visit)
  where close_proposed_by is not null and closed_by is null;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        await connection.execute(INDEXES)

    manager.add_raw(run)
    return manager
