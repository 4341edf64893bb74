"""Table of exclusions by hand; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.directories import Institution
from backend.db.tables.plans import Plan


class ManualExclusion(Table, tablename="manual_exclusion"):
    """One exclusion by hand 人工排除 of an institution from one plan's draw."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    plan = ForeignKey(
        Plan, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    state = Text(null=False, default=None)
    reason = Text(null=False, default=None)
    paper = Text(null=False, default=None)
    proposed_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    proposed_at = Timestamptz(null=False, default=None)
    decided_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    decided_at = Timestamptz(null=True, default=None)
    decision = Text(null=True, default=None)
