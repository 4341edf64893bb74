"""Steps of a case 案件: each kind of step with what it records, and a step as stored."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(min_length=1, max_length=8000, pattern=r"\S")]
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
Fen = Annotated[int, Meta(ge=1, le=10**13)]
About = Literal["removal", "recovery"]


class Step(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"
):
    """What every step is: one kind with its own facts."""


class Investigation(Step, frozen=True, kw_only=True, tag="investigation"):
    """调查: what was established, and on which verified evidence."""

    facts: Text
    evidence: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=200)]


class Statement(Step, frozen=True, kw_only=True, tag="statement"):
    """陈述申辩笔录: what the party said about the case, by whom in which office, on which day."""

    text: Text
    stated_on: date
    stated_by: Line
    paper: Line


class Discussion(Step, frozen=True, kw_only=True, tag="discussion"):
    """集体讨论: when, how many, what was concluded, and the minutes."""

    held_on: date
    present: Annotated[int, Meta(ge=3, le=200)]
    conclusion: Text
    paper: Line


class HearingOffer(Step, frozen=True, kw_only=True, tag="hearing_offer"):
    """听证告知: served on a day; the term to ask for a hearing runs from the next one."""

    about: About
    served_on: date
    paper: Line


class HearingHeld(Step, frozen=True, kw_only=True, tag="hearing_held"):
    """听证: held, with its record."""

    about: About
    held_on: date
    paper: Line


class HearingWaived(Step, frozen=True, kw_only=True, tag="hearing_waived"):
    """放弃听证: the party said so."""

    about: About
    waived_on: date
    paper: Line


class LegalReview(Step, frozen=True, kw_only=True, tag="legal_review"):
    """法制审核: whether it may go on, and why."""

    cleared: bool
    opinion: Text


class Proposal(Step, frozen=True, kw_only=True, tag="proposal"):
    """退出目录建议书: to the project office, resting on clauses, naming the remedies."""

    text: Text
    remedies: Text
    clauses: tuple[str, ...] = ()


class Decision(Step, frozen=True, kw_only=True, tag="decision"):
    """项目办公室的决定: its day and reference, and the catalogue version that carries it out."""

    removed: bool
    decided_on: date
    reference: Line
    catalogue_version: Annotated[str, Meta(max_length=80)] = ""


class HandOver(Step, frozen=True, kw_only=True, tag="hand_over"):
    """移交函: to whom, about what, with which papers."""

    receiver: Line
    subject: Line
    text: Text
    handed_on: date


class Receipt(Step, frozen=True, kw_only=True, tag="receipt"):
    """移交回执: received on a day, under the receiver's reference."""

    received_on: date
    reference: Line


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One instalment, in fen."""

    due_on: date
    amount_fen: Fen


class Recovery(Step, frozen=True, kw_only=True, tag="recovery"):
    """追缴决定: the amount in fen, who is paid, in which instalments, with the remedies."""

    amount_fen: Fen
    payee: Line
    text: Text
    remedies: Text
    instalments: Annotated[tuple[Part, ...], Meta(min_length=1, max_length=60)]
    clauses: tuple[str, ...] = ()


class Payment(Step, frozen=True, kw_only=True, tag="payment"):
    """到账: money that came in for a recovery, in fen."""

    recovery: UUID
    amount_fen: Fen
    paid_on: date
    reference: Line


class BadRecordEntered(Step, frozen=True, kw_only=True, tag="bad_record"):
    """不良信息记录: entered in the register, barred until a day."""

    bad_record: UUID
    entered_on: date
    until_on: date


class RecusalRequest(Step, frozen=True, kw_only=True, tag="recusal_request"):
    """回避申请: the party asks that a person takes no further part, entered by the office."""

    account: UUID
    ground: Text
    asked_on: date


class RecusalDecision(Step, frozen=True, kw_only=True, tag="recusal_decision"):
    """回避决定: granted or not, about one request."""

    request: UUID
    account: UUID
    granted: bool
    reason: Text


# What a supervisor records by itself; the others are deeds with gates of their own.
Recorded = (
    Investigation
    | Statement
    | Discussion
    | HearingOffer
    | HearingHeld
    | HearingWaived
    | RecusalRequest
)
Body = (
    Investigation
    | Statement
    | Discussion
    | HearingOffer
    | HearingHeld
    | HearingWaived
    | LegalReview
    | Proposal
    | Decision
    | HandOver
    | Receipt
    | Recovery
    | Payment
    | BadRecordEntered
    | RecusalRequest
    | RecusalDecision
)


class CaseStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step as stored; ``number`` where it is a numbered document."""

    id: UUID
    case_file: UUID
    kind: str
    body: Body
    number: str | None
    by_account: UUID
    at: datetime
