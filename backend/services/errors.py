"""Refusals of the services, and the one table from family to HTTP status."""

import errno
from typing import ClassVar

import asyncpg

from backend.db.engine import gone
from inspection_plans.draw.errors import DrawRefusal
from inspection_plans.errors import Family, RuleRefusal
from media.errors import MediaRefusal


class ServiceRefusal(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """Root of every refusal a service gives; ``facts`` are JSON values a person can act on."""

    code: ClassVar[str] = "service.refused"
    family: ClassVar[Family] = Family.INVALID

    def __init__(self, *, field: str | None = None, **facts: object) -> None:
        super().__init__(self.code, field, facts)
        self.field = field
        self.facts = facts


Refusal = ServiceRefusal | RuleRefusal | MediaRefusal | DrawRefusal
REFUSALS = (ServiceRefusal, RuleRefusal, MediaRefusal, DrawRefusal)

STATUS: dict[str, int] = {
    "malformed": 400,
    "denied": 403,
    "absent": 404,
    "conflict": 409,
    "gate": 409,
    "invalid": 422,
    "limit": 429,
    "unavailable": 503,
}

# SQLSTATE: connection lost, no room or no connection left, the server is stopped or starting.
PASSING = frozenset({"08", "53", "57"})
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def passing(fault: BaseException) -> bool:
    """Whether a server is away or full: nothing is wrong with what was asked, ask again later."""
    if isinstance(fault, REFUSALS):
        return str(fault.family) == Family.UNAVAILABLE
    if isinstance(fault, asyncpg.PostgresError):
        return (fault.sqlstate or "")[:2] in PASSING
    lost = isinstance(fault, ConnectionError | TimeoutError) or gone(fault)
    return lost or (isinstance(fault, OSError) and fault.errno in NO_ROOM)


class Absent(ServiceRefusal):
    """Not there, or not yours: both get this one answer."""

    code = "thing.absent"
    family = Family.ABSENT


class Denied(ServiceRefusal):
    """The person's roles do not allow this action."""

    code = "person.denied"
    family = Family.DENIED


class Changed(ServiceRefusal):
    """Somebody else changed it meanwhile; the caller's text is still with the caller."""

    code = "thing.changed"
    family = Family.CONFLICT
