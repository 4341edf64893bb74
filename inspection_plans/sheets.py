"""检查表: sections, items, typed answers, conditions, evidence; and the version of a sheet."""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from inspection_plans.records import Meta, Record, plain
from inspection_plans.vocabulary import (
    NATIONAL,
    Basis,
    Bilingual,
    ClauseCode,
    Code,
    JurisdictionCode,
    Line,
    Severity,
)

ItemCode = Annotated[str, Meta(pattern=r"^[A-Z]{2}-\d{2}$")]
SheetCode = Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]
# Of the form that inspection_plans/expressions.py describes; crosscheck refuses any other.
Expression = Mapping[str, Any]
Places = Annotated[tuple[JurisdictionCode, ...], Meta(min_length=1)]
LARGEST = 100_000  # of a population; more than any institution trains
EVERYWHERE: tuple[JurisdictionCode, ...] = (NATIONAL,)


class Mark(StrEnum):
    """What choosing an option means; ``required`` options must all be ticked."""

    PASS = "pass"  # noqa: S105 - a verdict, not a secret
    FAIL = "fail"
    QUESTION = "question"
    REQUIRED = "required"


class TickRule(StrEnum):
    """``all_of``: every required option is ticked; ``none_of``: no failing option is ticked."""

    ALL_OF = "all_of"
    NONE_OF = "none_of"


class Source(StrEnum):
    """Who brings a piece of evidence."""

    INSPECTOR = "inspector"
    PLATFORM = "platform"


class Profile(StrEnum):
    """Capture profile: a scene at 1600 px or a document at 3000 px and more."""

    SCENE = "scene"
    DOCUMENT = "document"


class When(StrEnum):
    """When evidence is asked for: always, or only when the item fails."""

    ALWAYS = "always"
    FAIL = "fail"


class Population(StrEnum):
    """Of what a sample is drawn; what is not filed is numbered, and its size typed on site."""

    TYPED = "typed"
    ROSTER = "roster"
    LESSONS = "lessons"


class Fact(StrEnum):
    """What is known of every visit before it starts, and what a condition may ask for."""

    KIND = "kind"
    REMOTE = "remote"
    UNANNOUNCED = "unannounced"
    SELECTION = "selection"
    JURISDICTION = "jurisdiction"
    PLACES = "places"
    INSTITUTION_KINDS = "institution_kinds"


class Option(Record, frozen=True, kw_only=True):
    """One option of a choice.

    ``concepts`` narrow a finding to the item's clauses of these concepts; where none of them is
    in force the option is not offered. Without concepts all clauses of the item are meant.
    """

    code: Code
    zh: Line
    en: Line
    mark: Mark
    concepts: tuple[Code, ...] = ()


class Field(Record, frozen=True, kw_only=True):
    """One counted number; below ``min`` the item fails."""

    name: Code
    zh: Line
    en: Line
    min: Annotated[int, Meta(ge=1)] | None = None


class FromClause(Record, frozen=True, kw_only=True):
    """A number of the law, read from the parameters of a clause."""

    clause: ClauseCode
    parameter: Code


class Part(Record, frozen=True, kw_only=True, tag_field="type"):
    """What all parts of an answer share; the label is needed where an item has several."""

    name: Code
    zh: Line | None = None
    en: Line | None = None
    jurisdictions: Places = EVERYWHERE


class YesNo(Part, frozen=True, kw_only=True, tag="yes_no_na"):
    """是/否/不适用: value "yes", "no" or "na"; "no" fails, "na" needs a reason."""


class Choice(Part, frozen=True, kw_only=True, tag="choice"):
    """单选: value is one option code."""

    options: Annotated[tuple[Option, ...], Meta(min_length=2)]


class MultiChoice(Part, frozen=True, kw_only=True, tag="multi_choice"):
    """多选: value is a list of option codes; a passing option stands alone."""

    rule: TickRule
    options: Annotated[tuple[Option, ...], Meta(min_length=2)]


class Count(Part, frozen=True, kw_only=True, tag="count"):
    """数量: value is an object of integers by field; ``at_most`` pairs (a, b) ask a <= b."""

    fields: Annotated[tuple[Field, ...], Meta(min_length=1)]
    at_most: tuple[tuple[Code, Code], ...] = ()


class Ratio(Part, frozen=True, kw_only=True, tag="ratio"):
    """比例: value {"numerator", "denominator"}; fails below ``min``, an exact decimal string."""

    numerator: Bilingual
    denominator: Bilingual
    min: Annotated[str, Meta(pattern=r"^(0(\.\d{1,4})?|1)$")] | None = None
    min_from: FromClause | None = None


class Sample(Part, frozen=True, kw_only=True, tag="sample"):
    """抽样: value {"population", "checked", "failed"}; fails when one failed.

    The product draws who is checked: of what is filed, or of the numbers 1 to the population that
    was typed. Fewer than n, or than there are, need a reason.
    """

    n: Annotated[int, Meta(ge=1, le=100)]
    population: Population = Population.TYPED


class Scale(Part, frozen=True, kw_only=True, tag="scale"):
    """评分: value is an integer between the ends; an opinion never fails an item."""

    lowest: int
    highest: int


class Text(Part, frozen=True, kw_only=True, tag="text"):
    """文字: value is a text of at most 2,000 characters; it never fails an item."""


class Location(Part, frozen=True, kw_only=True, tag="location"):
    """位置: value {"lat", "lon"} in 1e-7 degrees, {"acc_cm"} and {"crs"}; it never fails."""


AnyPart = YesNo | Choice | MultiChoice | Count | Ratio | Sample | Scale | Text | Location


class Requirement(Record, frozen=True, kw_only=True):
    """Evidence an item asks for: ``n`` of a kind, by whom, when, and of what.

    ``given`` is a condition on the answers, beside ``when``; it is owed where both say so.
    """

    kind: Code
    n: Annotated[int, Meta(ge=1, le=50)] = 1
    by: Source = Source.INSPECTOR
    when: When = When.ALWAYS
    given: Expression | None = None
    profile: Profile | None = None
    of: Bilingual | None = None


class Constraint(Record, frozen=True, kw_only=True):
    """A bound of the values, and the sentence to show where it is broken; it fails nothing."""

    holds: Expression
    zh: Line
    en: Line


class Item(Record, frozen=True, kw_only=True):
    """检查要点: one question of a sheet; ``code`` is stable for ever.

    ``relevant`` is the condition under which it is asked; ``required`` items are answered or
    skipped with a reason before a record is complete. ``points`` belong to a sheet that scores.
    """

    code: ItemCode
    section: Code | None = None
    zh: Line
    en: Line
    severity: Severity
    jurisdictions: Places
    answer: Annotated[tuple[AnyPart, ...], Meta(min_length=1)]
    clauses: Annotated[tuple[ClauseCode, ...], Meta(min_length=1)]
    evidence: tuple[Requirement, ...] = ()
    relevant: Expression | None = None
    constraints: tuple[Constraint, ...] = ()
    required: bool = True
    points: Annotated[int, Meta(ge=1, le=100)] | None = None


class Section(Record, frozen=True, kw_only=True):
    """A part of a sheet with a title; items name it."""

    id: Code
    zh: Line
    en: Line


class Sheet(Record, frozen=True, kw_only=True):
    """检查表: as written in a pack, or as it applies in one jurisdiction on one day.

    ``scoring`` is the basis of the points of its items, where it has any: never a notice's.
    """

    id: SheetCode
    zh: Line
    en: Line
    items: Annotated[tuple[Item, ...], Meta(min_length=1)]
    sections: tuple[Section, ...] = ()
    scoring: Basis | None = None

    @property
    def version(self) -> str:
        """The checklist version a visit keeps: SHA-256 of the canonical content, 64 hex digits."""
        return hashlib.sha256(canonical(self)).hexdigest()

    def item(self, code: str) -> Item | None:
        """Find an item by its code."""
        return next((item for item in self.items if item.code == code), None)


def canonical(sheet: Sheet) -> bytes:
    """Return the content as sorted, compact UTF-8 JSON, integers only, absent keys omitted."""
    return json.dumps(
        plain(sheet), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()
