"""Expand: objects are found by their key, in the order of the store's lists.

Locks: evidence and derivative against writes while their index is built.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T17:01:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes on object keys"

INDEXES = """
create index ix_evidence_object_key on evidence (object_key collate "C") where object_key is not null;
create index ix_derivative_object_key on derivative (object_key collate "C");
create index ix_evidence_lost on evidence (region, id) where state = 'missing' and verified_at is not null;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        await connection.execute(INDEXES)

    manager.add_raw(run)
    return manager
