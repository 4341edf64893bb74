"""Refusals of evidence bytes: a class, a stable code and a family, never ``None``."""

from enum import StrEnum
from typing import ClassVar


class Family(StrEnum):
    """What kind of refusal it is; the edge turns the family into a status."""

    MALFORMED = "malformed"
    DENIED = "denied"
    ABSENT = "absent"
    CONFLICT = "conflict"
    GATE = "gate"
    INVALID = "invalid"
    LIMIT = "limit"
    UNAVAILABLE = "unavailable"


class MediaRefusal(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """Root of every refusal the evidence room gives; ``facts`` are JSON values to act on."""

    code: ClassVar[str] = "media.refused"
    family: ClassVar[Family] = Family.INVALID

    def __init__(self, *, field: str | None = None, **facts: object) -> None:
        super().__init__(self.code, field, facts)
        self.field = field
        self.facts = facts
