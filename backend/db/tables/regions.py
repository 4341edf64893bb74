"""Tables of regions; constraints and policies stand in the migrations."""

from typing import Any

from piccolo.columns import ForeignKey, Integer, Text
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table


class Region(Table, tablename="region"):
    """One region 行政区划."""

    code = Integer(primary_key=True, null=False, default=None)
    parent: ForeignKey[Any] = ForeignKey(
        "self", null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    level = Text(null=False, default=None)
    name_zh = Text(null=False, default=None)
    name_en = Text(null=False, default=None)
    valid_from = Integer(null=False, default=None)
    valid_until = Integer(null=True, default=None)
