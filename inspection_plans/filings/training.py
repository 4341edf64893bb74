"""Rows about training: plans, approvals, notices, classes, lessons, trainees, completion."""

from datetime import date
from typing import Literal

from inspection_plans.filings.words import (
    CalendarYear,
    Code,
    Count,
    Direction,
    Filed,
    Key,
    LessonKind,
    Level,
    MinuteOfDay,
    Minutes,
    Mode,
    Occupation,
    Recipient,
    Region,
    Sha256,
    Text,
)


class TrainingClass(Filed, frozen=True, kw_only=True):
    """班次 R12: ``ended_on`` is the last lesson 培训结束, ``completed_on`` the completion 结业.

    ``teachers``, ``places`` and ``planned_minutes`` are what the filing promises.
    """

    id: Key
    institution_id: Key
    occupation: Occupation
    level: Level
    start_on: date
    venue_region: Region
    direction: Direction | None = None
    end_on: date | None = None
    ended_on: date | None = None
    completed_on: date | None = None
    subsidised: bool | None = None
    teachers: Count | None = None
    places: Count | None = None
    planned_minutes: Minutes | None = None


class PlanFiling(Filed, frozen=True, kw_only=True):
    """培训计划和方案、考核计划和方案备案 R07: one paper filed with one recipient."""

    id: Key
    class_id: Key
    kind: Literal["training", "exam"]
    recipient: Recipient
    filed_on: date


class ClassApproval(Filed, frozen=True, kw_only=True):
    """开班审核备案 R08: refused and submitted ones decide nothing."""

    id: Key
    class_id: Key
    status: Literal["submitted", "approved", "refused"]
    decided_on: date | None = None


class EmployerApproval(Filed, frozen=True, kw_only=True):
    """用人单位申请和省厅批准 R39, for one class."""

    id: Key
    class_id: Key
    requested_on: date | None = None
    approved_on: date | None = None


class Allocation(Filed, frozen=True, kw_only=True):
    """年度培训计划分配 R09: persons of one institution, occupation and year."""

    id: Key
    institution_id: Key
    occupation: Occupation
    year: CalendarYear
    persons: Count


class EnrolmentNotice(Filed, frozen=True, kw_only=True):
    """招生公告、培训简章 R10, with the four items of a prospectus."""

    id: Key
    class_id: Key
    published_on: date | None = None
    opens_on: date | None = None
    direction: Text | None = None
    content: Text | None = None
    mode: Text | None = None
    fee: Text | None = None


class Trainee(Filed, frozen=True, kw_only=True):
    """学员 R12: the enrolment of one person in one class; ``ground``: target group declared."""

    id: Key
    class_id: Key
    person: Key
    enrolled_on: date
    ground: (
        Literal["matching_graduate", "current_graduate", "practitioner", "willing", "none"] | None
    ) = None
    retired: bool | None = None
    retired_on: date | None = None
    left_school_on: date | None = None
    employment: Literal["none", "employed", "self_employed"] | None = None
    education: Count | None = None
    home_region: Region | None = None
    work_region: Region | None = None


class Lesson(Filed, frozen=True, kw_only=True):
    """课次 R13: ``delivered_minutes`` 0 when it was not held; ``teacher`` is an opaque key."""

    id: Key
    class_id: Key
    held_on: date
    starts_at: MinuteOfDay
    ends_at: MinuteOfDay
    mode: Mode
    kind: LessonKind
    planned_minutes: Minutes | None = None
    delivered_minutes: Minutes | None = None
    teacher: Key | None = None


class Attendance(Filed, frozen=True, kw_only=True):
    """学员考勤 R13: the lessons one trainee attended; ``due`` where not all of the class's are."""

    trainee_id: Key
    attended: tuple[Key, ...]
    due: tuple[Key, ...] | None = None


class Photo(Filed, frozen=True, kw_only=True):
    """留痕照片: digest, and the region where it was taken, of a picture filed for a class."""

    id: Key
    class_id: Key
    sha256: Sha256
    region: Region | None = None


class CompletionStandard(Filed, frozen=True, kw_only=True):
    """结业考核标准: the document of one class."""

    id: Key
    class_id: Key
    filed_on: date | None = None


class Completion(Filed, frozen=True, kw_only=True):
    """结业考核和培训合格证书 R15 of one trainee; no number means no certificate."""

    trainee_id: Key
    examined_on: date | None = None
    passed: bool | None = None
    certificate: Key | None = None
    certified_on: date | None = None


class ListReport(Filed, frozen=True, kw_only=True):
    """学员名单和培训情况报送 R16 to one recipient; ``trainees`` where the list itself is filed."""

    id: Key
    class_id: Key
    recipient: Recipient
    reported_on: date
    trainees: tuple[Key, ...] | None = None


class RealNameRecord(Filed, frozen=True, kw_only=True):
    """实名制 R28: one trainee at one stage in the provincial system, and who was verified."""

    id: Key
    trainee_id: Key
    stage: Literal[
        "enrolment",
        "class_opening",
        "training",
        "certificate_issue",
        "fund_application",
        "subsidy_payment",
    ]
    person: Key
    verified: bool


class Employment(Filed, frozen=True, kw_only=True):
    """就业创业 of one trainee: contract and insurance as seen, never copied."""

    id: Key
    trainee_id: Key
    kind: Literal["employed", "started_up"]
    since: date
    contract_region: Region | None = None
    insured_months: Count | None = None
    seen_as: Code | None = None
