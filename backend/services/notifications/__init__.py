"""Telling persons 通知: the inbox first, then SMS and mail outside quiet hours, and webhooks.

``tell`` may be called in any transaction: it leaves a task, and the worker finds the persons. What
most services tell needs no call at all: ``following`` reads the audit log and tells whom
``texts/notifications.yaml`` names. Source: casework 4; settled 2.
"""

from typing import Any
from uuid import UUID

import msgspec

from backend.services import tasks
from backend.services.act import Act
from backend.services.notifications.wording import SubjectUnfit, checked

__all__ = ["KIND", "Matter", "SubjectUnfit", "To", "tell"]

KIND = "message.write"


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """What a message is about: ``noun`` is the table's, ``id`` its row's."""

    noun: str
    id: UUID
    region: int
    institution: UUID | None = None


class To(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told: named accounts, the nearest office's people of a role, the institution."""

    accounts: tuple[UUID, ...] = ()
    roles: tuple[str, ...] = ()
    institution: bool = False


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be written: the payload of its task."""

    subject: str
    facts: dict[str, str | int]
    matter: Matter
    to: To
    dedupe: str
    by: UUID


async def tell(
    subject: str, matter: Matter, *, to: To, act: Act, dedupe: str = "", **facts: object
) -> None:
    """Have persons told, in the transaction of the cause; who acted is not told of it.

    ``facts`` are exactly those the subject has room for (number, day, count, code; no names).
    The same subject, matter and ``dedupe`` reaches a person once, for ever.
    Raises: SubjectUnfit ("message.subject_unfit").
    """
    order = Order(
        subject=subject,
        facts=checked(subject, facts),
        matter=matter,
        to=to,
        dedupe=f"{subject} {matter.id} {dedupe}",
        by=act.by.id,
    )
    payload: dict[str, Any] = msgspec.to_builtins(order)
    await tasks.enqueue(KIND, payload, region=matter.region, at=act.at, dedupe=order.dedupe)
