"""The sealed identity of a tip's sender: opened for a reason, by two persons, once.

One asks and says why, another with another role approves, then the first reads it, once. The box
is opened with a key that follows from the installation's own, never from the database.
"""

from typing import ClassVar
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import policy
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from backend.services.tip_desk import enter, lock, note
from backend.services.tips import PURPOSE, Identity
from inspection_plans import gates
from inspection_plans.errors import Family
from inspection_plans.states import Noun
from media.keys import BoxKey

OPEN = "select * from tip_opening where tip = $1 and opened_at is null for update"
ASK = """
insert into tip_opening (id, tip, region, reason, asked_by, asked_at)
values ($1, $2, $3, $4, $5, $6)
"""
APPROVE = "update tip_opening set approved_by = $2, approved_at = $3 where id = $1"
DONE = "update tip_opening set opened_at = $2 where id = $1"


class NoIdentity(ServiceRefusal):
    """The sender gave no identity; nobody can find out who it is."""

    code: ClassVar[str] = "tip.no_identity"
    family: ClassVar[Family] = Family.ABSENT


class AskedAlready(ServiceRefusal):
    """Somebody has asked to open this identity, and it was not decided or read yet."""

    code: ClassVar[str] = "tip.asked_already"
    family: ClassVar[Family] = Family.CONFLICT


class NotAsked(ServiceRefusal):
    """Nobody asked to open this identity."""

    code: ClassVar[str] = "tip.not_asked"
    family: ClassVar[Family] = Family.CONFLICT


class NotApproved(ServiceRefusal):
    """A second person has not approved the opening, or another person asked for it."""

    code: ClassVar[str] = "tip.not_approved"
    family: ClassVar[Family] = Family.GATE


async def ask(tip_id: UUID, reason: str, *, act: Act) -> None:
    """Ask that the identity be opened, and say why.

    Raises: Absent, Denied, NoIdentity, AskedAlready ("tip.…").
    """
    async with DB.transaction(act.by.scope):
        await enter(act)
        row = await lock(tip_id)
        if row["identity"] is None:
            raise NoIdentity(field="identity")
        if await DB.connection.fetchrow(OPEN, tip_id) is not None:
            raise AskedAlready(field="identity")
        await DB.connection.execute(
            ASK, act.new_id(), tip_id, row["region"], reason, act.by.id, act.at
        )
        await note(row, "identity_asked", {"reason": reason}, act)


async def approve(tip_id: UUID, *, act: Act) -> None:
    """The second person lets the identity be opened.

    Raises: Absent, Denied, NotAsked ("tip.not_asked"), SamePerson.
    """
    async with DB.transaction(act.by.scope):
        await enter(act, "tips.unseal")
        row = await lock(tip_id)
        asked = await DB.connection.fetchrow(OPEN, tip_id)
        if asked is None:
            raise NotAsked(field="identity")
        gates.second_person(Noun.TIP, author=asked["asked_by"], approver=act.by.id)
        await DB.connection.execute(APPROVE, asked["id"], act.by.id, act.at)
        await note(row, "identity_approved", {}, act)


async def read(tip_id: UUID, *, act: Act, box: BoxKey) -> Identity:
    """Who sent the tip, told once to the person who asked.

    Raises: Absent, Denied, NotAsked, NotApproved ("tip.…"), SealBroken ("seal.broken").
    """
    policy.require(act.by, "tips.handle")
    async with DB.transaction(act.by.scope):
        await enter(act)
        row = await lock(tip_id)
        asked = await DB.connection.fetchrow(OPEN, tip_id)
        if asked is None:
            raise NotAsked(field="identity")
        if asked["approved_at"] is None or asked["asked_by"] != act.by.id:
            raise NotApproved(field="identity")
        plain = box.open(row["identity"], PURPOSE + tip_id.bytes)
        await DB.connection.execute(DONE, asked["id"], act.at)
        await note(row, "identity_opened", {}, act)
    return msgspec.json.decode(plain, type=Identity)
