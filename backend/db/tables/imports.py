"""Tables of imports; constraints and policies stand in the migrations."""

from piccolo.columns import JSONB, UUID, Boolean, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account


class ImportRun(Table, tablename="import_run"):
    """An import run."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    kind = Text(null=False, default=None)
    file_name = Text(null=False, default=None)
    sha256 = Text(null=False, default=None)
    dry_run = Boolean(null=False, default=None)
    state = Text(null=False, default=None)
    row_count = Integer(null=False, default=None)
    created_count = Integer(null=False, default=None)
    updated_count = Integer(null=False, default=None)
    unchanged_count = Integer(null=False, default=None)
    errors = JSONB(null=False, default=None)
    by_account = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    created_at = Timestamptz(null=False, default=None)
