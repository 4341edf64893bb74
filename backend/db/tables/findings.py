"""Tables of findings; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, Array, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.directories import Institution
from backend.db.tables.visits import Visit


class Finding(Table, tablename="finding"):
    """One finding 问题."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    visit = ForeignKey(
        Visit, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    item = Text(null=False, default=None)
    source = Text(null=False, default=None)
    title_zh = Text(null=False, default=None)
    detail = Text(null=False, default=None)
    severity = Text(null=False, default=None)
    clauses = Array(base_column=Text(), null=False, default=None)
    state = Text(null=False, default=None)
    evidence = Array(base_column=UUID(), null=False, default=None)
    verified_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    verified_at = Timestamptz(null=True, default=None)
    reason = Text(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
