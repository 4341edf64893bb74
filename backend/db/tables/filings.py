"""Tables of filings; constraints and policies stand in the migrations."""

from piccolo.columns import JSONB, UUID, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.directories import Institution


class Filing(Table, tablename="filing"):
    """One filing 备案报送."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    register = Text(null=False, default=None)
    period = Text(null=False, default=None)
    state = Text(null=False, default=None)
    payload = JSONB(null=False, default=None)
    rev = Integer(null=False, default=None)
    reason = Text(null=True, default=None)
    by_account = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    created_at = Timestamptz(null=False, default=None)
    submitted_at = Timestamptz(null=True, default=None)
    decided_at = Timestamptz(null=True, default=None)
    decided_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
