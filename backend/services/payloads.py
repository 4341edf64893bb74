"""What a filing says, one Struct a register; counts that contradict each other are refused.

Persons are counts, money is in 分; no field names a person but those who fill a form in.
"""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
Text = Annotated[str, Meta(max_length=4000)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Fen = Annotated[int, Meta(ge=0, le=10**13)]
Code = Annotated[str, Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z._/-]*\Z", max_length=40)]
Occupation = Annotated[str, Meta(pattern=r"^[a-z][a-z-]*\Z", max_length=40)]
Level = Literal["junior", "intermediate", "senior"]
Region = Annotated[int, Meta(ge=100_000, le=999_999)]


class Payload(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Root of the payloads: keywords only, nothing unknown."""


def _at_most(part: int, whole: int, names: str) -> None:
    if part > whole:
        raise ValueError(f"{names}: {part} > {whole}")


class Rows(Payload, frozen=True):
    """A register without fields of its own: its lists of rows say everything."""


class PlannedPersons(Payload, frozen=True):
    """How many persons of one occupation."""

    occupation: Occupation
    persons: Count


class AnnualPlan(Payload, frozen=True):
    """R06 年度计划: what is to be trained in the year."""

    items: Annotated[tuple[PlannedPersons, ...], Meta(min_length=1, max_length=50)]
    text: Text = ""


class AnnualSummary(Payload, frozen=True):
    """R06b 年终总结: what was done in the year."""

    classes: Count
    trained: Count
    certified: Count
    text: Annotated[str, Meta(min_length=1, max_length=20_000, pattern=r"\S")]


class ClassOpening(Payload, frozen=True):
    """R08 开班审核备案: what the city decides about before a class begins."""

    title: Line
    starts_on: date
    venue: Line
    persons: Count


class QualityReport(Payload, frozen=True):
    """R14 质量评估: how the training was judged, and what came of it."""

    evaluated_on: date
    method: Line
    answered: Count
    satisfied: Count
    result: Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"\S")]

    def __post_init__(self) -> None:
        _at_most(self.satisfied, self.answered, "satisfied, answered")


class EvaluationSystem(Payload, frozen=True):
    """R24 考核组织体系: staff by role, rooms, platform, bank and rules of an evaluator."""

    question_experts: Count
    examiners: Count
    supervisors: Count
    rooms: Annotated[tuple[Line, ...], Meta(max_length=200)]
    platform: Annotated[str, Meta(max_length=200)]
    bank_version: Annotated[str, Meta(max_length=200)]
    exam_rules: bool
    secrecy_rules: bool
    certificate_rules: bool


class CreditedHours(Payload, frozen=True):
    """One kind of continuing education: persons and hours credited."""

    kind: Line
    persons: Count
    hours: Count


class CreditHours(Payload, frozen=True):
    """R25 继续教育学时登记: what was credited in the year."""

    items: Annotated[tuple[CreditedHours, ...], Meta(min_length=1, max_length=50)]


class HolderCounts(Payload, frozen=True):
    """R26 人才统计: holders of the two certificates at the end of the year."""

    training_certificates: Count
    level_certificates: Count


class Allocation(Payload, frozen=True):
    """R09 分配表: what the province allots to the institution for the year."""

    items: Annotated[tuple[PlannedPersons, ...], Meta(min_length=1, max_length=50)]
    source: Line


class ClassPlan(Payload, frozen=True):
    """R07 培训计划和方案: a class before it begins, and how it will be examined."""

    title: Line
    occupation: Occupation
    level: Level
    starts_on: date
    ends_on: date
    venue_region: Region
    venue: Line
    teachers: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=50)]
    persons: Count
    exam_plan: Line
    direction: Annotated[str, Meta(max_length=100)] = ""

    def __post_init__(self) -> None:
        if self.ends_on < self.starts_on:
            raise ValueError("ends_on: before starts_on")


class GroundCount(Payload, frozen=True):
    """How many trainees belong to the project's target group on one ground."""

    ground: Line
    persons: Count


class Enrolment(Payload, frozen=True):
    """R12 报名审核: the roster by its version number, and on which grounds people were taken."""

    roster_rev: Annotated[int, Meta(ge=1, le=1_000_000)]
    persons: Count
    grounds: Annotated[tuple[GroundCount, ...], Meta(max_length=50)] = ()

    def __post_init__(self) -> None:
        _at_most(sum(g.persons for g in self.grounds), self.persons, "grounds, persons")


class LessonAttendance(Payload, frozen=True):
    """One lesson: its mode and kind, its length, who was expected and who came."""

    session: Code
    online: bool
    practice: bool
    minutes: Annotated[int, Meta(ge=1, le=1440)]
    enrolled: Count
    present: Count
    means: Line

    def __post_init__(self) -> None:
        _at_most(self.present, self.enrolled, "present, enrolled")


class Attendance(Payload, frozen=True):
    """R13 学员考勤: every lesson of a class."""

    lessons: Annotated[tuple[LessonAttendance, ...], Meta(min_length=1, max_length=500)]


class Completion(Payload, frozen=True):
    """R15 结业考核: who was trained, examined and given a training certificate."""

    ended_on: date
    trained: Count
    examined: Count
    passed: Count
    certificates: Count

    def __post_init__(self) -> None:
        _at_most(self.examined, self.trained, "examined, trained")
        _at_most(self.passed, self.examined, "passed, examined")
        _at_most(self.certificates, self.passed, "certificates, passed")


class ExamBatch(Payload, frozen=True):
    """R19 考核批次: candidates and those who passed theory, ability and both."""

    occupation: Occupation
    level: Level
    examined_on: date
    candidates: Count
    passed_theory: Count
    passed_ability: Count
    passed: Count
    rooms: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=50)]

    def __post_init__(self) -> None:
        _at_most(self.passed_theory, self.candidates, "passed_theory, candidates")
        _at_most(self.passed_ability, self.candidates, "passed_ability, candidates")
        both = min(self.passed_theory, self.passed_ability)
        _at_most(self.passed, both, "passed, passed_theory and passed_ability")


class QuarterlyRow(Payload, frozen=True):
    """One occupation's six measures; source: weihai-2023-25/annex/form-columns."""

    name: Line
    classes: Count
    subsidised_classes: Count
    trained: Count
    certified: Count
    subsidised_persons: Count
    subsidy_fen: Fen

    def __post_init__(self) -> None:
        _at_most(self.subsidised_classes, self.classes, "subsidised_classes, classes")


class QuarterlyForm(Payload, frozen=True):
    """R38 开展情况表: header, rows and attachments; source: weihai-2023-25/annex/form-header."""

    unit: Line
    filled_on: date
    filled_by: Line
    phone: Line
    rows: Annotated[tuple[QuarterlyRow, ...], Meta(min_length=1, max_length=50)]
    measures: Text = ""
    experience: Text = ""
    problems: Text = ""

    def __post_init__(self) -> None:
        names = [row.name for row in self.rows]
        if len(set(names)) < len(names):
            raise ValueError("rows: an occupation stands twice")


PAYLOADS: dict[str, type[Payload]] = {
    "R06": AnnualPlan,
    "R06b": AnnualSummary,
    "R07": ClassPlan,
    "R08": ClassOpening,
    "R09": Allocation,
    "R12": Enrolment,
    "R13": Attendance,
    "R14": QualityReport,
    "R15": Completion,
    "R19": ExamBatch,
    "R24": EvaluationSystem,
    "R25": CreditHours,
    "R26": HolderCounts,
    "R38": QuarterlyForm,
}
