"""What an operation's verb is handed and gives back: deed, site of the deed, effect."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from backend.keyring import Keyring
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from inspection_plans.errors import Family
from inspection_plans.library import Library

CLOCK_SLACK_MS = 120_000
STALE, REVOKED, AFTER = "stale_assignment", "revoked_key", "after_signature"
# Flags under which an operation is kept, and decides nothing until a person has looked at it.
DOUBTS = frozenset({STALE, REVOKED, AFTER})


class Blocked(ServiceRefusal):
    """The operation waits for things not yet here; ``facts.needs`` lists their ids."""

    code: ClassVar[str] = "op.blocked"
    family: ClassVar[Family] = Family.GATE

    def __init__(self, needs: tuple[str, ...]) -> None:
        super().__init__(needs=needs)
        self.needs = needs


class Tools(msgspec.Struct, frozen=True):
    """What operations are carried out with: the server's keys and the rules."""

    keys: Keyring
    rules: Library


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """Whose device signed an operation; ``revoked`` before it was received."""

    dev: UUID
    spki: bytes
    inspector: UUID
    revoked: bool = False


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """The visit of an operation, locked, with the signer's latest assignment to it.

    ``wave`` is the storage of the phone in which the operation's number counts, ``recused_seq``
    the number under which the signer recused there, ``withdrawn`` whether the draw gave it up.
    """

    id: UUID
    region: int
    institution: UUID
    code: str
    state: str
    epoch: int
    kind: str
    sheet: str
    sheet_digest: str
    jurisdiction: str
    on_date: date
    sealed_until: datetime
    training_class: UUID | None
    assignment: UUID
    assignment_epoch: int
    assignment_state: str
    wave: int
    recused_seq: int | None
    withdrawn: bool

    def before_recusal(self, seq: int) -> bool:
        """Whether the signer made the operation of this number and recused only afterwards."""
        return self.recused_seq is not None and seq < self.recused_seq


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One authentic operation: who signed it, where it stands in the device's row, its site.

    ``adopted`` when a person took it although it had been in doubt.
    """

    op_id: UUID
    dev: UUID
    spki: bytes
    inspector: UUID
    inst_epoch: str
    seq: int
    kind: str
    digest: str
    body: bytes
    site: Site
    flags: tuple[str, ...]
    act: Act
    tools: Tools

    adopted: bool = False

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why it may decide nothing yet."""
        return tuple(flag for flag in self.flags if flag in DOUBTS)


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What a verb did: the object its audit entry names, flags to tell, data for the phone.

    ``may_complete`` asks to look whether the visit is complete now.
    """

    object_type: str = "visit"
    object_id: UUID
    title: str = ""
    flags: tuple[str, ...] = ()
    data: dict[str, Any] = {}
    may_complete: bool = False


def flags_of(
    site: Site, *, asg_epoch: int, plan: str, at_ms: int, seq: int, now: datetime
) -> tuple[str, ...]:
    """What is odd about an operation without making it wrong; it is taken all the same.

    A phone's clock is a claim: ahead of receipt, or before the task's hour, cannot be true.
    Source: evidence spec 3 (reassignment), 5 (stored with flags).
    """
    now_ms = int(now.timestamp() * 1000)
    opens_ms = int(site.sealed_until.timestamp() * 1000)
    odd = {
        STALE: asg_epoch != site.assignment_epoch
        or site.assignment_epoch < site.epoch
        or (site.assignment_state != "active" and not site.before_recusal(seq)),
        "other_sheet": plan != site.sheet_digest,
        "clock_ahead": at_ms > now_ms + CLOCK_SLACK_MS,
        "clock_behind": at_ms < opens_ms - CLOCK_SLACK_MS,
    }
    return tuple(name for name, holds in odd.items() if holds)
