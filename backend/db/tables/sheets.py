"""Tables of sheet versions and of samples; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, Array, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.visits import Visit


class SheetVersion(Table, tablename="sheet_version"):
    """One version of a sheet 检查表, as canonical JSON under its digest."""

    digest = Text(primary_key=True, null=False, default=None)
    sheet = Text(null=False, default=None)
    content = Bytea(null=False, default=None)
    recorded_at = Timestamptz(null=False, default=None)


class VisitSample(Table, tablename="visit_sample"):
    """One sample 抽样 that the product drew for a visit, with the population it drew from."""

    visit = ForeignKey(
        Visit,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    label = Text(null=False, default=None)
    region = Integer(null=False, default=None)
    population = Array(base_column=UUID(), null=False, default=None)
    wanted = Integer(null=False, default=None)
    chosen = Array(base_column=UUID(), null=False, default=None)
    drawn_at = Timestamptz(null=False, default=None)
