"""Bars 禁止承接: what a bad record forbids an institution, asked by imports and filings."""

from collections.abc import Collection, Iterable
from datetime import date
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.errors import ServiceRefusal
from inspection_plans.errors import Family

# The last day is barred no more, as the period ends on the same date (terms of the clause).
BARS = """
select id, institution, entered_on, least(until_on, ended_on) as until_on from bad_record
where institution = any ($1) order by entered_on
"""


class Barred(ServiceRefusal):
    """A bad record bars the institution from new plans and enrolments on this day."""

    code = "institution.barred"
    family = Family.GATE


class Bar(msgspec.Struct, frozen=True):
    """One bar: from the first day on, before the last."""

    record: UUID
    institution: UUID
    since: date
    until: date

    def holds(self, on: date) -> bool:
        """Whether a start on this day is barred."""
        return self.since <= on < self.until


async def of(institutions: Collection[UUID]) -> tuple[Bar, ...]:
    """Every bar of some institutions, inside the caller's transaction."""
    rows = await DB.connection.fetch(BARS, list(institutions))
    return tuple(
        Bar(row["id"], row["institution"], row["entered_on"], row["until_on"]) for row in rows
    )


def holding(bars: Iterable[Bar], institution: UUID, on: date) -> Bar | None:
    """The bar of an institution that holds on a day."""
    return next((bar for bar in bars if bar.institution == institution and bar.holds(on)), None)


async def free(institution: UUID, *, on: date) -> None:
    """Refuse what a bar forbids on a day, such as a new plan.

    Raises: Barred ("institution.barred") with the record's id.
    Source: heilongjiang-2023-13/5.4/ban-3y.
    """
    bar = holding(await of([institution]), institution, on)
    if bar is not None:
        raise Barred(field="institution", record=str(bar.record), until_on=bar.until.isoformat())
