"""Tables of offices that step aside; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.directories import Institution
from backend.db.tables.offices import Office


class OfficeRecusal(Table, tablename="office_recusal"):
    """One office that takes no part in the matters of one institution 整机关回避."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    office = ForeignKey(
        Office, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    ground = Text(null=False, default=None)
    paper = Text(null=False, default=None)
    decided_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    decided_at = Timestamptz(null=False, default=None)
    ended_at = Timestamptz(null=True, default=None)
    ended_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    ended_reason = Text(null=True, default=None)
