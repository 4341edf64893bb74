"""Records of notices: what an author writes, one finding's line, the paper with its clocks."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.services import terms
from inspection_plans.stops import Ground, Whose


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What one finding asks of the institution, and in how many units of the setting's term."""

    finding: UUID
    demand: str
    evidence_asked: str
    days: int


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What an author writes; ``inspection_item`` is the code of the office's published item."""

    kind: Literal["order", "advice"]
    text: str
    demands: tuple[Demand, ...]
    inspection_item: str | None = None


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """A clock that stands still: whose, on which ground, since when."""

    whose: Whose
    ground: Ground
    since: date


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One finding in a notice: what was seen, what is asked, how it ended.

    ``term`` is what ``due_on`` was counted from; ``extended`` how often it was put off.
    """

    finding: UUID
    item: str
    title_zh: str
    detail: str
    severity: str
    clauses: tuple[str, ...]
    finding_state: str
    demand: str
    evidence_asked: str
    days: int
    term: terms.Term | None
    due_on: date | None
    days_left: int | None
    overdue: bool
    answered: bool
    extended: int
    outcome: str | None
    outcome_reason: str | None
    refused_count: int
    decided_by: UUID | None
    decided_at: datetime | None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """通知书: the paper, its clocks and its findings; persons are None for the institution.

    ``stopped`` are the clocks that stand still today, ``review_term`` is the office's own term;
    ``closing`` is the closing record 销号, ``remedies`` the text on 复议 and 诉讼.
    """

    id: UUID
    region: int
    institution: UUID
    visit: UUID | None
    office: UUID
    follows: UUID | None
    kind: str
    state: str
    number: str | None
    basis: str | None
    competent_authority: str | None
    text: str
    remedies: str
    rev: int
    author: UUID | None
    legal_by: UUID | None
    legal_reason: str | None
    approved_by: UUID | None
    approved_at: datetime | None
    issued_at: datetime | None
    served_on: date | None
    due_on: date | None
    term: terms.Term | None
    statement_term: terms.Term | None
    review_term: terms.Term | None
    stopped: tuple[Stopped, ...]
    stayed: bool
    overdue: bool
    closed_at: datetime | None
    closing: dict[str, Any] | None
    void_at: datetime | None
    void_reason: str | None
    created_at: datetime
    updated_at: datetime
    findings: tuple[Line, ...]
