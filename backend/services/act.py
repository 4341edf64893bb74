"""Who acts, when, and with which source of ids: the one record every service is handed."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from backend.db.engine import Scope

SYSTEM_ID = UUID(int=0)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in account with the roles and regions that are valid today."""

    id: UUID
    name: str
    kind: Literal["office", "institution", "system"]
    roles: frozenset[str]
    region: int
    regions: tuple[int, ...] = ()
    institution: UUID | None = None
    office: UUID | None = None
    inspector: UUID | None = None
    device: UUID | None = None
    device_spki: bytes | None = None

    @property
    def scope(self) -> Scope:
        """Whose rows this person's transactions see."""
        role = "worker" if self.kind == "system" else "app"
        return Scope(regions=self.regions, institution=self.institution, role=role)


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One deed: by whom, at what instant (UTC), with fresh ids, for which request."""

    by: Person
    at: datetime
    new_id: Callable[[], UUID]
    request_id: str = ""
    op_id: UUID | None = None
    ip: str = ""


def system(regions: tuple[int, ...], region: int) -> Person:
    """The product itself: jobs act as this person, with the worker's database role."""
    return Person(
        id=SYSTEM_ID,
        name="system",
        kind="system",
        roles=frozenset(),
        region=region,
        regions=regions,
    )
