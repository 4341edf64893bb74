"""Table of ordered imports; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, Boolean, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.imports import ImportRun


class ImportOrder(Table, tablename="import_order"):
    """A file that waits to be imported by the worker, and what came of it."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    kind = Text(null=False, default=None)
    file_name = Text(null=False, default=None)
    sha256 = Text(null=False, default=None)
    size = Integer(null=False, default=None)
    content = Bytea(null=True, default=None)
    dry_run = Boolean(null=False, default=None)
    state = Text(null=False, default=None)
    run = ForeignKey(
        ImportRun,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    fault = Text(null=True, default=None)
    ordered_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    ordered_at = Timestamptz(null=False, default=None)
    started_at = Timestamptz(null=True, default=None)
    ended_at = Timestamptz(null=True, default=None)
