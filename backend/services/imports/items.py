"""The list of inspection items: from cells to records."""

from collections.abc import Sequence

from backend.db.queries.directories import UPSERT_ITEMS
from backend.piccolo_conf import DB
from backend.services.imports.directory import NEW, Directory
from backend.services.imports.world import Values, World, distinct
from backend.services.records.directories import InspectionItem

PRESENT = "select * from inspection_item where code = any($1)"


async def _load(world: World, rows: Sequence[Values]) -> None:
    for row in await DB.connection.fetch(PRESENT, distinct(rows, "code")):
        item = InspectionItem.of(row)
        world.present[_key(item)] = item


def _key(record: InspectionItem) -> tuple[int, str]:
    return record.region, record.code


def _item(values: Values, world: World) -> InspectionItem:
    return InspectionItem(
        id=NEW,
        region=world.region(values),
        code=values["code"],
        title=values["title"],
        law_basis=values["law_basis"],
        competent_authority=values["competent_authority"],
        object_kind=values["object_kind"],
        way=values["way"],
        ratio=values["ratio"],
        frequency_cap=values["frequency_cap"],
    )


ITEMS = Directory(
    record=InspectionItem,
    load=_load,
    make=_item,
    key=_key,
    key_column="code",
    upsert=UPSERT_ITEMS,
    version="inspection_item",
    subject=lambda record: record.id,
)
