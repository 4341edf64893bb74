"""Inspection items 抽查事项: an office's published list of checks, each on its legal basis."""

from uuid import UUID

import msgspec

from backend.db.tables.inspection_items import InspectionItem as Row
from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans.errors import Family

ALL = "select * from inspection_item order by region, code limit 200"


class CodeTaken(ServiceRefusal):
    """The office's list has an item of this code already."""

    code = "inspection_item.code_taken"
    family = Family.CONFLICT


class NewItem(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list; ``law_basis`` names an act and its article, never a notice (G11)."""

    region: int
    code: str
    title: str
    law_basis: str
    competent_authority: str
    object_kind: str
    way: str
    ratio: str
    frequency_cap: int


class InspectionItem(NewItem, frozen=True, kw_only=True):
    """抽查事项 as stored."""

    id: UUID


async def add(new: NewItem, *, act: Act) -> InspectionItem:
    """Put an item on the list of an office in the caller's scope.

    Raises: Absent (a region that is not the caller's), CodeTaken ("inspection_item.code_taken").
    """
    if new.region not in act.by.regions:
        raise Absent(field="region")
    item = InspectionItem(id=act.new_id(), **msgspec.structs.asdict(new))
    values = msgspec.structs.asdict(item)
    async with DB.transaction(act.by.scope):
        taken = await Row.exists().where((Row.region == new.region) & (Row.code == new.code))
        if taken:
            raise CodeTaken(field="code")
        await Row.insert(Row({getattr(Row, name): value for name, value in values.items()}))
        await audit.record(
            act,
            "inspection_item.added",
            "inspection_item",
            item.id,
            region=new.region,
            title=new.title,
        )
    return item


async def items(*, act: Act) -> tuple[InspectionItem, ...]:
    """The lists of the caller's offices; an office has a few dozen lines at most."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(ALL)
    return tuple(msgspec.convert(dict(row), InspectionItem) for row in rows)
