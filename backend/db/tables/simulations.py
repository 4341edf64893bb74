"""Table of simulations; constraints and policies stand in the migrations."""

from piccolo.columns import JSONB, UUID, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.plans import Plan


class Simulation(Table, tablename="simulation"):
    """One simulation 推演 of a plan and its year, done slice by slice."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    plan = ForeignKey(
        Plan, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    plan_rev = Integer(null=False, default=None)
    state = Text(null=False, default=None)
    years = Integer(null=False, default=None)
    done = Integer(null=False, default=None)
    slice = Integer(null=False, default=None)
    scenario = JSONB(null=False, default=None)
    notes = JSONB(null=False, default=None)
    report = JSONB(null=True, default=None)
    fault = Text(null=True, default=None)
    ordered_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    ordered_at = Timestamptz(null=False, default=None)
    ended_at = Timestamptz(null=True, default=None)
