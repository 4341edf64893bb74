"""Weihai's quarterly form 开展情况表: counted from what is filed, held against what was sent.

Source: weihai-2023-25/6.2/quarterly-form, weihai-2023-25/annex/form-columns.
"""

from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services import desk_views, regions
from backend.services.act import Act
from backend.services.desk_views import Looked
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans import quarterly
from inspection_plans.errors import Family
from inspection_plans.filings.oversight import QuarterlyForm
from inspection_plans.library import Library
from inspection_plans.loader import load_rulebook
from inspection_plans.quarterly import Counting

COUNTING = "quarterly_counting"
# Certificates are filed by evaluators: the counts need rows that the institution does not see.
PRODUCT = Scope(role="worker")
OWNER = "select region, credit_code from institution where id = $1"


class NoForm(ServiceRefusal):
    """No paper in force at the place asks for a quarterly form."""

    code: ClassVar[str] = "filing.no_quarterly_form"
    family: ClassVar[Family] = Family.ABSENT


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One occupation's six measures, named as the form's fields are."""

    name: str
    classes: int
    subsidised_classes: int
    trained: int
    certified: int
    subsidised_persons: int
    subsidy_fen: int


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell where the form sent says something else than what is filed."""

    occupation: str
    measure: str
    filed: int
    counted: int


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """The form as it follows from the filings.

    ``lacking``: registers that nobody filed, without which the figures say too little.
    ``differences`` are None where no form was sent for the quarter.
    """

    quarter: str
    first_on: date
    last_on: date
    counting: str
    columns: dict[str, str]
    rows: tuple[Row, ...]
    lacking: tuple[str, ...]
    clauses: tuple[str, ...]
    differences: tuple[Cell, ...] | None


async def counted(institution_id: UUID, quarter: str, *, act: Act, rules: Library) -> Counted:
    """Count the form of a quarter ("2026Q1") and compare it with the one that was sent.

    Raises: Absent ("thing.absent"), NoForm ("filing.no_quarterly_form").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        owner = await DB.connection.fetchrow(OWNER, institution_id)
    if owner is None:
        raise Absent
    rulebook, place = load_rulebook(), rules.jurisdiction_of(owner["region"])
    counting = Counting(str(rulebook.setting(COUNTING, place).value))
    span = quarterly.period(quarter, counting)
    layout = quarterly.layout(rules.effective_set(place, span[1]), rulebook.figures)
    if layout is None:
        raise NoForm(field="institution", jurisdiction=place)
    looked = await _look(institution_id, owner["region"])
    view = looked.view(before=False)
    rows = quarterly.counted(view, owner["credit_code"], span, layout.preset)
    sent = [
        form
        for form in view.many(QuarterlyForm, "institution_id", owner["credit_code"])
        if form.quarter == quarter
    ]
    cells = [
        Cell(
            occupation=one.occupation,
            measure=one.measure,
            filed=one.filed,
            counted=one.counted,
        )
        for form in sent
        for one in quarterly.differences(form, rows, rulebook.figures.measures)
    ]
    return Counted(
        quarter=quarter,
        first_on=span[0],
        last_on=span[1],
        counting=counting.value,
        columns=dict(layout.columns),
        rows=tuple(
            Row(
                name=row.occupation,
                classes=row.classes,
                subsidised_classes=row.subsidised_classes,
                trained=row.trained,
                certified=row.certified,
                subsidised_persons=row.subsidised_persons,
                subsidy_fen=row.amount_fen,
            )
            for row in rows
        ),
        lacking=quarterly.unknown(view),
        clauses=tuple(layout.clauses),
        differences=tuple(cells) if sent else None,
    )


async def _look(institution_id: UUID, region: int) -> Looked:
    async with DB.transaction(PRODUCT, readonly=True):
        return await desk_views.look(institution_id, region=region, above=regions.lineage(region))
