"""Table of draws made on other platforms; constraints and policies stand in the migrations."""

from piccolo.columns import JSONB, Date, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.plans import Plan


class ExternalDraw(Table, tablename="external_draw"):
    """What was entered of a draw that this product did not make and nobody can check."""

    plan = ForeignKey(
        Plan,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    region = Integer(null=False, default=None)
    platform = Text(null=False, default=None)
    reference = Text(null=False, default=None)
    drawn_on = Date(null=False, default=None)
    visits = JSONB(null=False, default=None)
    entered_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    entered_at = Timestamptz(null=False, default=None)
    confirmed_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    confirmed_at = Timestamptz(null=True, default=None)
