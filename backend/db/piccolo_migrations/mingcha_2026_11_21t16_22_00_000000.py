"""Expand: one package a bringer and file, so that its id is made here and an announcement repeats.

Locks: ``package`` briefly, for an index on a table that is as good as empty.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T16:22:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "one package a bringer and file"

ONCE = """
create unique index uq_package_file on package (region, brought_by, sha256) nulls not distinct;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        await connection.execute(ONCE)

    manager.add_raw(run)
    return manager
