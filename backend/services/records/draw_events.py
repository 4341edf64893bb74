"""What services give of withdrawals, recusals and further inspectors of a draw."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from backend.services.records.draws import Hex64
from backend.services.records.plans import Name, Reason

WithdrawReason = Literal[
    "deregistered", "moved", "force_majeure", "no_activity", "other_authority"
]
RecusalCause = Literal["illness", "inspector", "institution"]


class NewWithdrawal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a drawn object cannot be inspected; ``paper`` names the evidence of this digest."""

    reason: WithdrawReason
    paper: Name
    evidence_sha256: Hex64


class Withdrawal(Struct, frozen=True, kw_only=True):
    """撤出 as stored; ``replacement`` is the reserve's visit, None is a shortfall."""

    id: UUID
    region: int
    draw: UUID
    visit: UUID
    object: str
    reason: str
    paper: str
    evidence_sha256: str
    state: Literal["proposed", "confirmed", "refused"]
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    decision: str | None
    replacement: UUID | None


class WithdrawalRate(Struct, frozen=True, kw_only=True):
    """How often a plan's drawn objects were withdrawn, by whom proposed; ``limit`` is its ceiling.

    Sessions that did not take place are counted apart: nobody chose that.
    """

    draw: UUID
    code: str
    drawn: int
    withdrawn: int
    sessions: int
    limit: int
    by: dict[str, int]


class NewRecusal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who should be released from a drawn visit, and on which ground 回避事由."""

    inspector: UUID
    cause: RecusalCause
    ground: Reason


class Recusal(Struct, frozen=True, kw_only=True):
    """回避申请 as stored; ``zh`` and ``en`` say what became of it."""

    id: UUID
    region: int
    visit: UUID
    inspector: UUID
    cause: RecusalCause
    ground: str
    state: Literal["pending", "granted", "refused"]
    asked_by: UUID
    asked_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    decision: str | None
    zh: str = ""
    en: str = ""


class Supplemented(Struct, frozen=True, kw_only=True):
    """How many inspectors were added to a draw, and how many open places they filled."""

    added: int
    filled: int
    still_open: int


Staff = Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=200)]
