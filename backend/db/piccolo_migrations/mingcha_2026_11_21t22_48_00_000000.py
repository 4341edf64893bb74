"""Expand: publications by state, beside a million that are published.

Locks: publication against writes while its index is built.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T22:48:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "publications by state"

INDEXES = "create index ix_publication_state on publication (state, id);"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        await connection.execute(INDEXES)

    manager.add_raw(run)
    return manager
