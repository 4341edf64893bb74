"""The superuser of a test's own database: bound by no policy and no trigger."""

from urllib.parse import quote

import asyncpg

from backend.settings import Database


def dsn_of(database: Database, password: str) -> str:
    """The address that only tests use: to clean up and to look behind the policies."""
    host = quote(database.host, safe="")
    return f"postgresql://postgres:{password}@/{database.name}?host={host}&port={database.port}"


async def hurry(owner: asyncpg.Connection, database: Database) -> None:
    """Later sessions do not wait for the disk: only a crash of the server loses a commit."""
    await owner.execute(f'alter database "{database.name}" set synchronous_commit = off')
