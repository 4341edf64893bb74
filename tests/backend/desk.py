"""A desk: one supervisor of a province with the services of the directories at hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from backend.services import imports
from backend.services.act import Act
from backend.services.records.imports import ImportRun
from inspection_plans.library import Library
from tests.backend.sheets import ONE_OF_EACH
from tests.conftest import StillClock
from tests.world import Login

DIRECTORY_TABLES = (
    "institution",
    "catalogue_entry",
    "inspector",
    "inspector_relation",
    "training_class",
    "class_session",
    "trainee",
    "inspection_item",
    "directory_version",
    "filing",
)


@dataclass
class Desk:
    """A supervisor, the rules, and the short way to import."""

    who: Login
    clock: StillClock
    rules: Library
    owner: asyncpg.Connection

    @property
    def act(self) -> Act:
        return self.who.act(self.clock())

    async def take(self, kind: str, *rows: Mapping[str, str], dry_run: bool = False) -> ImportRun:
        """Import rows of cells."""
        return await imports.take(kind, rows, act=self.act, rules=self.rules, dry_run=dry_run)

    async def run(self, kind: str, content: bytes, *, dry_run: bool = False) -> ImportRun:
        """Import a file."""
        return await imports.run(
            kind, content, file_name="file", dry_run=dry_run, act=self.act, rules=self.rules
        )

    async def fill(self, kinds: Sequence[str] = tuple(ONE_OF_EACH)) -> None:
        """One row in each directory."""
        for kind in kinds:
            await self.take(kind, *ONE_OF_EACH[kind])

    async def held(self) -> dict[str, int]:
        """How many rows every table of the directories has, behind the policies."""
        return {
            table: await self.owner.fetchval(f"select count(*) from {table}")  # noqa: S608 - ours
            for table in DIRECTORY_TABLES
        }

    async def id_of(self, table: str) -> UUID:
        """The id of the only row of a table."""
        found: UUID = await self.owner.fetchval(f"select id from {table}")  # noqa: S608 - ours
        return found
