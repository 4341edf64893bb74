"""What the rows of a file are judged against: the importer, the day, owners and present rows."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import bars, regions
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.bars import Bar
from backend.services.imports import refusals
from backend.services.records.directories import Entry, Inspector, Institution, TrainingClass
from inspection_plans.library import Library

T = TypeVar("T")
Values = dict[str, Any]
TERM = "national-2021-71/4.6/validity-3y"

INSTITUTIONS = "select * from institution where credit_code = any($1)"
INSPECTORS = "select * from inspector where licence_no = any($1)"
CLASSES = "select * from training_class where institution = any($1) and code = any($2)"


@dataclass
class World:
    """Rows the importer may see; ``present`` holds the kind's own rows by their natural key."""

    act: Act
    today: date
    term_years: int
    institutions: dict[str, list[Institution]] = field(default_factory=dict)
    inspectors: dict[str, list[Inspector]] = field(default_factory=dict)
    classes: dict[tuple[UUID, str], TrainingClass] = field(default_factory=dict)
    present: dict[Hashable, Entry] = field(default_factory=dict)
    licences: dict[tuple[int, str], str] = field(default_factory=dict)
    bars: tuple[Bar, ...] = ()

    def region(self, values: Values) -> int:
        """The region a row belongs to; blank is the importer's own.

        Raises: ForeignRegion ("cell.region_foreign").
        """
        code: int = values["region"] or self.act.by.region
        if code not in self.act.by.regions:
            raise refusals.ForeignRegion(field="region")
        return code

    def institution(self, values: Values) -> Institution:
        """The institution a row belongs to.

        Raises: UnknownOwner ("cell.owner_unknown"), AmbiguousOwner ("cell.owner_ambiguous").
        """
        wanted = values["region"]
        found = [
            owner
            for owner in self.institutions.get(values["credit_code"], [])
            if wanted is None or owner.region == wanted
        ]
        return _only(found, "credit_code")

    def inspector(self, values: Values) -> Inspector:
        """The inspector a row belongs to.

        Raises: UnknownOwner ("cell.owner_unknown"), AmbiguousOwner ("cell.owner_ambiguous").
        """
        return _only(self.inspectors.get(values["licence_no"], []), "licence_no")

    def training_class(self, values: Values) -> TrainingClass:
        """The class a row belongs to.

        Raises: UnknownOwner ("cell.owner_unknown"), AmbiguousOwner ("cell.owner_ambiguous").
        """
        owner = self.institution(values)
        found = self.classes.get((owner.id, values["class_code"]))
        return _only([found] if found else [], "class_code")

    def require_region(self, key: str, code: int, before: int | None) -> None:
        """A region newly named must be valid today; one that was named before may stay.

        Raises: UnknownRegion ("cell.region_unknown").
        """
        if code != before and not regions.shipped()[code].stands_in(self.today.year):
            raise refusals.UnknownRegion(field=key)

    def require_free(self, institution: UUID, starts_on: date) -> None:
        """No bad record bars the institution from a class that starts on this day.

        Raises: Barred ("cell.barred"). Source: heilongjiang-2023-13/5.4/ban-3y.
        """
        bar = bars.holding(self.bars, institution, starts_on)
        if bar is not None:
            raise refusals.Barred(
                field="starts_on", record=str(bar.record), until=bar.until.isoformat()
            )


def _only(found: Sequence[T], key: str) -> T:
    if not found:
        raise refusals.UnknownOwner(field=key)
    if len(found) > 1:
        raise refusals.AmbiguousOwner(field=key)
    return found[0]


def of(act: Act, rules: Library) -> World:
    """A world without rows yet; the term of a catalogue entry comes from its clause."""
    years = rules.clause(TERM).parameters["years"]
    assert isinstance(years, int)  # noqa: S101 - the loader checked the pack
    return World(act=act, today=on_day(act.at), term_years=years)


def distinct(rows: Iterable[Values], key: str) -> list[Any]:
    """The values of a column, each once."""
    return list({row[key] for row in rows})


async def add_institutions(world: World, rows: Sequence[Values]) -> None:
    """Load the institutions the rows name."""
    for row in await DB.connection.fetch(INSTITUTIONS, distinct(rows, "credit_code")):
        owner = Institution.of(row)
        world.institutions.setdefault(owner.credit_code, []).append(owner)


async def add_bars(world: World) -> None:
    """Load the bars of the institutions that the rows name."""
    owners = [owner.id for some in world.institutions.values() for owner in some]
    world.bars = await bars.of(owners)


async def add_inspectors(world: World, rows: Sequence[Values]) -> None:
    """Load the inspectors the rows name."""
    for row in await DB.connection.fetch(INSPECTORS, distinct(rows, "licence_no")):
        owner = Inspector.of(row)
        world.inspectors.setdefault(owner.licence_no, []).append(owner)


async def add_classes(world: World, rows: Sequence[Values]) -> None:
    """Load the institutions and classes the rows name."""
    await add_institutions(world, rows)
    owners = [owner.id for some in world.institutions.values() for owner in some]
    for row in await DB.connection.fetch(CLASSES, owners, distinct(rows, "class_code")):
        found = TrainingClass.of(row)
        world.classes[found.institution, found.code] = found
