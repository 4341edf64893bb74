"""Tables of plans; constraints and policies stand in the migrations."""

from piccolo.columns import JSONB, UUID, Boolean, Date, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.offices import Office


class Plan(Table, tablename="plan"):
    """One plan 抽查计划."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    office = ForeignKey(
        Office, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    code = Text(null=False, default=None)
    title = Text(null=False, default=None)
    year = Integer(null=False, default=None)
    period = Text(null=False, default=None)
    state = Text(null=False, default=None)
    targeted = Boolean(null=False, default=None)
    spec = JSONB(null=False, default=None)
    window_from = Date(null=False, default=None)
    window_until = Date(null=False, default=None)
    fire_at = Timestamptz(null=False, default=None)
    rev = Integer(null=False, default=None)
    created_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    submitted_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    approved_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    reason = Text(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    updated_at = Timestamptz(null=False, default=None)
