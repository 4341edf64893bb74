"""Tables of inspection items; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, Integer, Text
from piccolo.table import Table


class InspectionItem(Table, tablename="inspection_item"):
    """An inspection item 抽查事项."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    code = Text(null=False, default=None)
    title = Text(null=False, default=None)
    law_basis = Text(null=True, default=None)
    competent_authority = Text(null=True, default=None)
    object_kind = Text(null=False, default=None)
    way = Text(null=False, default=None)
    ratio = Text(null=False, default=None)
    frequency_cap = Integer(null=False, default=None)
