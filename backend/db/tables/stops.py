"""Tables of stopped clocks; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, Date, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.cases import CaseFile
from backend.db.tables.directories import Institution
from backend.db.tables.notices import Notice


class ClockStop(Table, tablename="clock_stop"):
    """One interval in which a clock stands still 中止."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    notice = ForeignKey(
        Notice, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    case_file = ForeignKey(
        CaseFile, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    whose = Text(null=False, default=None)
    ground = Text(null=False, default=None)
    first_on = Date(null=False, default=None)
    last_on = Date(null=True, default=None)
    reason = Text(null=False, default=None)
    paper = Text(null=False, default=None)
    begun_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    begun_at = Timestamptz(null=False, default=None)
    ended_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    ended_at = Timestamptz(null=True, default=None)
