"""Tables of reminders; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, Date, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.cases import CaseFile, CaseStep
from backend.db.tables.directories import Institution
from backend.db.tables.notices import Notice


class Reminder(Table, tablename="reminder"):
    """One reminder 提醒 of a term."""

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
        Notice, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    step = Text(null=False, default=None)
    due_on = Date(null=False, default=None)
    on_day = Date(null=False, default=None)
    created_at = Timestamptz(null=False, default=None)


class InstalmentReminder(Table, tablename="instalment_reminder"):
    """One reminder 提醒 of an instalment 分期 of a recovery."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    case_file = ForeignKey(
        CaseFile,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    recovery = ForeignKey(
        CaseStep,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    step = Text(null=False, default=None)
    due_on = Date(null=False, default=None)
    on_day = Date(null=False, default=None)
    created_at = Timestamptz(null=False, default=None)
