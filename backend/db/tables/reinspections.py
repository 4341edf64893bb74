"""Tables of re-inspections; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, Array, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.notices import Notice
from backend.db.tables.visits import Visit


class Reinspection(Table, tablename="reinspection"):
    """One visit that looks again 复查."""

    visit = ForeignKey(
        Visit,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    region = Integer(null=False, default=None)
    notice = ForeignKey(
        Notice, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    findings = Array(base_column=UUID(), null=False, default=None)
    way = Text(null=False, default=None)
    seed = Text(null=True, default=None)
    candidates = Array(base_column=UUID(), null=False, default=None)
    ordered_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    ordered_at = Timestamptz(null=False, default=None)
