"""Bring the database up to date: migrations under one lock, then the shared directories."""

import io
from contextlib import redirect_stdout

import asyncpg
from piccolo.apps.migrations.commands.forwards import run_forwards
from piccolo.apps.migrations.tables import Migration

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services import occupations, regions
from backend.settings import Database

LOCK = 7300
OWNER = Scope(role="owner")


class MigrationFailed(Exception):  # noqa: N818 - a sentence for the operator
    """A migration did not run; the text is what the runner said."""


async def migrate(database: Database) -> list[str]:
    """Run what is missing and return the ids of every migration that has run, oldest first.

    Two processes may call it at once: the second waits and finds nothing to do.
    Raises: MigrationFailed.
    """
    lock = await asyncpg.connect(database.dsn("owner"))
    await DB.open({"owner": database.dsn("owner")}, size=2)
    try:
        await lock.execute("select pg_advisory_lock($1)", LOCK)
        said = io.StringIO()
        with redirect_stdout(said):  # the runner prints; our command line decides what to say
            result = await run_forwards("mingcha")
        if not result.success:
            raise MigrationFailed(said.getvalue())
        async with DB.transaction(OWNER):
            await regions.load(DB.connection)
            await occupations.load(DB.connection)
        async with DB.transaction(OWNER):
            return await Migration.get_migrations_which_ran(app_name="mingcha")
    finally:
        await DB.close()
        await lock.close()
