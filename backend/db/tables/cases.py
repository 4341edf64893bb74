"""Tables of cases; constraints and policies stand in the migrations."""

from piccolo.columns import JSONB, UUID, Array, Date, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.directories import Institution
from backend.db.tables.notices import Notice


class CaseFile(Table, tablename="case_file"):
    """One case file 案件."""

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
    findings = Array(base_column=UUID(), null=False, default=None)
    state = Text(null=False, default=None)
    reason = Text(null=False, default=None)
    opened_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    closed_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    outcome = Text(null=True, default=None)
    opened_at = Timestamptz(null=False, default=None)
    closed_at = Timestamptz(null=True, default=None)


class CaseStep(Table, tablename="case_step"):
    """One step of a case, never rewritten."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    case_file = ForeignKey(
        CaseFile,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    kind = Text(null=False, default=None)
    body = JSONB(null=False, default=None)
    number = Text(null=True, default=None)
    by_account = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    at = Timestamptz(null=False, default=None)


class BadRecord(Table, tablename="bad_record"):
    """One bad record 不良信息记录 and its bar."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    case_file = ForeignKey(
        CaseFile,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    clause = Text(null=False, default=None)
    reason = Text(null=False, default=None)
    decided_on = Date(null=False, default=None)
    entered_on = Date(null=False, default=None)
    until_on = Date(null=False, default=None)
    ended_on = Date(null=True, default=None)
    ended_reason = Text(null=True, default=None)
    ended_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    entered_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    entered_at = Timestamptz(null=False, default=None)
