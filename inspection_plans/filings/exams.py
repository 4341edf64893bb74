"""Rows about evaluation: batches, candidates, scores, reports, certificates, archives."""

from datetime import date

from inspection_plans.filings.words import (
    Code,
    Direction,
    Filed,
    Key,
    Level,
    Medium,
    Occupation,
    Region,
    Score,
    Text,
    Trace,
)


class ExamBatch(Filed, frozen=True, kw_only=True):
    """考核批次 R19."""

    id: Key
    institution_id: Key
    occupation: Occupation
    level: Level
    start_on: date
    venue_region: Region
    direction: Direction | None = None
    end_on: date | None = None


class Commitment(Filed, frozen=True, kw_only=True):
    """告知承诺书 R17."""

    id: Key
    person: Key
    signed_on: date


class Candidate(Filed, frozen=True, kw_only=True):
    """报考人 R18: ``confirmed``: on the confirmed list; ``condition``: code of the standard.

    ``trainee_id`` leads to the training certificate.
    """

    id: Key
    batch_id: Key
    person: Key
    trainee_id: Key | None = None
    confirmed: bool | None = None
    condition: Code | None = None
    commitment_id: Key | None = None


class Scores(Filed, frozen=True, kw_only=True):
    """成绩 R19 of one candidate: exact decimals; nothing means not examined, so not passed."""

    candidate_id: Key
    theory: Score | None = None
    ability: Score | None = None


class CertificateReport(Filed, frozen=True, kw_only=True):
    """证书数据和考核统计表报送 R20: the way of one batch up to the audit."""

    id: Key
    batch_id: Key
    reported_on: date | None = None
    received_on: date | None = None
    reported_up_on: date | None = None
    audit_passed_on: date | None = None


class Certificate(Filed, frozen=True, kw_only=True):
    """专业技术等级证书 R21: ``issue_region`` is where it was earned."""

    id: Key
    number: Key
    candidate_id: Key
    institution_id: Key
    occupation: Occupation
    level: Level
    issued_on: date
    direction: Direction | None = None
    layout: Code | None = None
    issue_region: Region | None = None


class CertificateLayout(Filed, frozen=True, kw_only=True):
    """证书样式和编码规则: one known layout; ``prefix`` starts every number made under it."""

    id: Code
    valid_from: date
    valid_until: date | None = None
    prefix: Text | None = None


class Archive(Filed, frozen=True, kw_only=True):
    """全过程资料档案 R23 of one class or batch in one medium; ``traces``: what is in it."""

    id: Key
    medium: Medium
    class_id: Key | None = None
    batch_id: Key | None = None
    closed_on: date | None = None
    certificate_on: date | None = None
    destroyed_on: date | None = None
    traces: tuple[Trace, ...] | None = None
