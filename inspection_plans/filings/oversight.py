"""Rows about money and oversight: charges, subsidies, forms, inspections, cases, bad records."""

from datetime import date
from typing import Literal

from inspection_plans.filings.words import (
    Count,
    Direction,
    Fen,
    Filed,
    Key,
    Level,
    Occupation,
    Quarter,
    Region,
    Severity,
    Text,
)
from inspection_plans.records import Record


class Charge(Filed, frozen=True, kw_only=True):
    """收费: what was charged for one trainee; ``payer`` and ``payee`` by kind or key.

    ``instalments``: how many; 1 is paid at once.
    """

    id: Key
    trainee_id: Key
    amount_fen: Fen
    charged_on: date
    payer: Literal["trainee", "employer", "lender", "public", "other"] | None = None
    payee_id: Key | None = None
    instalments: Count | None = None


class Payment(Filed, frozen=True, kw_only=True):
    """补贴台账 R29: one grant to a trainee, or to an institution for a class.

    ``days``: days of the class that were claimed; ``heads``: persons of a class claim;
    ``account``: opaque key of the receiving account; ``override``: why, and who approved it.
    """

    id: Key
    claimant: Literal["trainee", "institution", "employer"]
    amount_fen: Fen
    granted_on: date
    institution_id: Key | None = None
    class_id: Key | None = None
    trainee_id: Key | None = None
    person: Key | None = None
    occupation: Occupation | None = None
    level: Level | None = None
    certificate_id: Key | None = None
    days: Count | None = None
    heads: Count | None = None
    paid_on: date | None = None
    fund: Text | None = None
    account: Key | None = None
    account_open: bool | None = None
    override_reason: Text | None = None
    override_by: Key | None = None


class LocalCatalogueEntry(Filed, frozen=True, kw_only=True):
    """两目录一系统 R27: a course of an institution that a place subsidises, both days included."""

    id: Key
    region: Region
    institution_id: Key
    occupation: Occupation
    valid_from: date
    valid_until: date | None = None
    level: Level | None = None
    direction: Direction | None = None
    entered_by: Text | None = None


class FormRow(Record, frozen=True, kw_only=True):
    """One occupation of the quarterly form: its six measures, the amount in fen."""

    occupation: Occupation
    classes: Count
    subsidised_classes: Count
    trained: Count
    certified: Count
    subsidised_persons: Count
    amount_fen: Fen


class QuarterlyForm(Filed, frozen=True, kw_only=True):
    """项目开展情况表 R38."""

    id: Key
    institution_id: Key
    quarter: Quarter
    rows: tuple[FormRow, ...]
    sent_on: date | None = None
    filled_on: date | None = None
    filled_by: Key | None = None
    sealed: bool | None = None
    telephone_given: bool | None = None
    measures: bool | None = None
    experience: bool | None = None
    problems: bool | None = None


class Inspection(Filed, frozen=True, kw_only=True):
    """监管任务 R30 to R32: a draw, a routine check, an exam patrol, a call for papers."""

    id: Key
    kind: Literal["random", "routine", "exam_patrol", "document_request", "follow_up", "complaint"]
    held_on: date
    plan: Key | None = None
    seed: Key | None = None
    objects_drawn: Count | None = None
    inspectors_drawn: Count | None = None
    results_public_on: date | None = None
    papers_called: bool | None = None
    visited: bool | None = None
    result: Text | None = None


class Case(Filed, frozen=True, kw_only=True):
    """案件 R35, R36: what followed a verified finding."""

    id: Key
    institution_id: Key
    severity: Severity
    verified_on: date
    proposed_removal_on: date | None = None
    handed_over_on: date | None = None
    receiver: Text | None = None
    received_on: date | None = None
    subsidy_cheated: bool | None = None
    recovered_on: date | None = None
    held_liable_on: date | None = None
    bad_record_id: Key | None = None


class BadRecord(Filed, frozen=True, kw_only=True):
    """不良信息记录 R37 of an institution or a person."""

    id: Key
    subject: Literal["institution", "person"]
    subject_id: Key
    entered_on: date
    decided_on: date | None = None
    means: Text | None = None
