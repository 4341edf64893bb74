"""Rows about institutions: catalogues, selection, publicity, yearly papers, standards."""

from datetime import date
from typing import Annotated, Literal

from inspection_plans.filings.words import (
    CalendarYear,
    Code,
    Count,
    Direction,
    Fen,
    Filed,
    Key,
    Level,
    LongText,
    Minutes,
    Occupation,
    Region,
    Side,
    Text,
)
from inspection_plans.records import Meta, Record


class Institution(Filed, frozen=True, kw_only=True):
    """机构: one institution; ``base``: it is a base of continuing education 继续教育基地."""

    id: Key
    home_region: Region
    base: bool | None = None


class OccupationListed(Filed, frozen=True, kw_only=True):
    """职业目录 R01: one occupation; ``in_fields``: it lies in the ten fields of the notice."""

    id: Occupation
    in_fields: bool | None = None
    valid_from: date | None = None
    valid_until: date | None = None


class Scope(Record, frozen=True, kw_only=True):
    """职业及等级范围: an occupation with its levels; no directions named means all of them."""

    occupation: Occupation
    levels: Annotated[tuple[Level, ...], Meta(min_length=1)]
    directions: tuple[Direction, ...] = ()


class CatalogueEntry(Filed, frozen=True, kw_only=True):
    """培训机构目录、评价机构目录 R02: one version of one entry, both days included."""

    id: Key
    institution_id: Key
    side: Side
    valid_from: date
    valid_until: date
    scope: tuple[Scope, ...]

    @property
    def occupations(self) -> frozenset[str]:
        """The occupations it is listed for."""
        return frozenset(row.occupation for row in self.scope)


class Publicity(Filed, frozen=True, kw_only=True):
    """公示 R04: a list shown to the public, and the day the catalogue was published after it."""

    id: Key
    started_on: date
    published_on: date | None = None


class AnnualFiling(Filed, frozen=True, kw_only=True):
    """年度计划、年终总结 R06."""

    id: Key
    institution_id: Key
    year: CalendarYear
    kind: Literal["plan", "summary"]
    filed_on: date


class Application(Filed, frozen=True, kw_only=True):
    """遴选申报 R03: the application, what it claims, and the days of its way to a decision.

    What needs eyes (rules, staff, rooms, equipment, online teaching) is claimed here and judged
    by the experts of the review; the numbers are counts of persons and rooms.
    """

    id: Key
    institution_id: Key
    side: Side
    legal_person: bool | None = None
    registered: bool | None = None
    clean_record: bool | None = None
    management_rules: bool | None = None
    full_time_staff: Count | None = None
    teachers: Count | None = None
    places: Count | None = None
    equipment: bool | None = None
    online_and_offline: bool | None = None
    accepts_supervision: bool | None = None
    years_active: Count | None = None
    person_times_per_year: Count | None = None
    applied_on: date | None = None
    recommended_by: Literal["province", "ministry"] | None = None
    recommended_on: date | None = None
    reviewed_on: date | None = None
    audited_on: date | None = None
    decided_on: date | None = None


class FeeNotice(Filed, frozen=True, kw_only=True):
    """收费标准公开 R11: one published fee; ``cost_fen`` is what one place costs the filer.

    No occupation or level named means all of them.
    """

    id: Key
    institution_id: Key
    side: Side
    amount_fen: Fen
    valid_from: date
    valid_until: date | None = None
    occupation: Occupation | None = None
    level: Level | None = None
    cost_fen: Fen | None = None


class Standard(Filed, frozen=True, kw_only=True):
    """国家职业标准 R46: what the loaded standard asks of one occupation and level.

    ``conditions``: codes under which somebody may apply; no direction means all of them.
    """

    id: Key
    occupation: Occupation
    level: Level
    direction: Direction | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    minutes_min: Minutes | None = None
    teachers_min: Count | None = None
    places_min: Count | None = None
    education_min: Count | None = None
    conditions: tuple[Code, ...] = ()


class Advert(Filed, frozen=True, kw_only=True):
    """宣传文字: one advertisement as it was published."""

    id: Key
    institution_id: Key
    published_on: date
    text: LongText
    channel: Text | None = None


class PublicLookup(Filed, frozen=True, kw_only=True):
    """信息查询服务 R22, R25, R26: what the public could look up on a day.

    ``stale``: items shown that were no longer true on that day.
    """

    id: Key
    seen_on: date
    items: tuple[
        Literal[
            "training_institutions",
            "evaluation_institutions",
            "validity",
            "occupation_scope",
            "standards",
            "certificates",
        ],
        ...,
    ]
    stale: tuple[Text, ...] = ()
    statistics: tuple[Literal["training_certificates", "level_certificates"], ...] | None = None
    credit_hours: bool | None = None


class Target(Filed, frozen=True, kw_only=True):
    """年度目标 R41: a year to be compared; ``trained`` where it is known from elsewhere."""

    id: Key
    year: CalendarYear
    trained: Count | None = None
