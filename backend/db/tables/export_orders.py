"""Table of exports; constraints and policies stand in the migrations."""

from piccolo.columns import JSONB, UUID, BigInt, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.directories import Institution


class ExportOrder(Table, tablename="export_order"):
    """One export of a list: ordered, written in the background, fetched, deleted."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    list = Text(null=False, default=None)
    form = Text(null=False, default=None)
    filters = JSONB(null=False, default=None)
    progress = Text(null=False, default=None)
    done_rows = BigInt(null=False, default=None)
    object_key = Text(null=True, default=None)
    sha256 = Text(null=True, default=None)
    size = BigInt(null=True, default=None)
    fault = Text(null=True, default=None)
    ordered_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    ordered_at = Timestamptz(null=False, default=None)
    ended_at = Timestamptz(null=True, default=None)
    expires_at = Timestamptz(null=False, default=None)
    deleted_at = Timestamptz(null=True, default=None)
