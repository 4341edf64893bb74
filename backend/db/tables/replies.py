"""Tables of replies; constraints and policies stand in the migrations."""

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    Boolean,
    Date,
    ForeignKey,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.directories import Institution
from backend.db.tables.findings import Finding
from backend.db.tables.notices import Notice


class Reply(Table, tablename="reply"):
    """One reply 陈述申辩与整改答复."""

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
    finding = ForeignKey(
        Finding, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    kind = Text(null=False, default=None)
    text = Text(null=False, default=None)
    evidence = Array(base_column=UUID(), null=False, default=None)
    state = Text(null=False, default=None)
    digest = Text(null=True, default=None)
    receipt = JSONB(null=True, default=None)
    by_account = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    created_at = Timestamptz(null=False, default=None)
    submitted_at = Timestamptz(null=True, default=None)
    wanted_on = Date(null=True, default=None)


class ReplyDecision(Table, tablename="reply_decision"):
    """One decision 延期、异议决定 about a reply."""

    reply = ForeignKey(
        Reply,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
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
    finding = ForeignKey(
        Finding, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    kind = Text(null=False, default=None)
    granted = Boolean(null=False, default=None)
    reason = Text(null=False, default=None)
    number = Text(null=True, default=None)
    due_before = Date(null=True, default=None)
    due_on = Date(null=True, default=None)
    decided_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    decided_at = Timestamptz(null=False, default=None)
