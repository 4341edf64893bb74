"""Tables of tips; constraints and policies stand in the migrations."""

from piccolo.columns import (
    JSONB,
    UUID,
    BigInt,
    Boolean,
    Bytea,
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


class TipMatter(Table, tablename="tip_matter"):
    """Several tips about one matter."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    title = Text(null=False, default=None)
    created_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    created_at = Timestamptz(null=False, default=None)


class Tip(Table, tablename="tip"):
    """One tip 举报; its return code is kept as a digest alone."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    about = Text(null=False, default=None)
    category = Text(null=False, default=None)
    text = Text(null=False, default=None)
    loan = JSONB(null=True, default=None)
    code_hash = Bytea(null=False, default=None)
    identity = Bytea(null=True, default=None)
    identity_kid = Text(null=True, default=None)
    witness = Boolean(null=False, default=None)
    state = Text(null=False, default=None)
    term = JSONB(null=False, default=None)
    due_on = Date(null=False, default=None)
    matter = ForeignKey(
        TipMatter,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    paraphrase = Text(null=True, default=None)
    link_kind = Text(null=True, default=None)
    link = UUID(null=True, default=None)
    received_at = Timestamptz(null=False, default=None)
    answered_at = Timestamptz(null=True, default=None)
    closed_at = Timestamptz(null=True, default=None)


class TipMessage(Table, tablename="tip_message"):
    """One message between a tipster and the office."""

    id = UUID(primary_key=True, null=False, default=None)
    tip = ForeignKey(
        Tip, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    region = Integer(null=False, default=None)
    sender = Text(null=False, default=None)
    text = Text(null=False, default=None)
    by_account = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    sent_at = Timestamptz(null=False, default=None)


class TipFile(Table, tablename="tip_file"):
    """One file of a tip; its name was never kept."""

    id = UUID(primary_key=True, null=False, default=None)
    tip = ForeignKey(
        Tip, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    region = Integer(null=False, default=None)
    mime = Text(null=False, default=None)
    size = BigInt(null=False, default=None)
    sha256 = Text(null=False, default=None)
    object_key = Text(null=False, default=None)
    state = Text(null=False, default=None)
    reason = Text(null=True, default=None)
    preview_key = Text(null=True, default=None)
    received_at = Timestamptz(null=False, default=None)
    settled_at = Timestamptz(null=True, default=None)


class TipEvent(Table, tablename="tip_event"):
    """What the office did with a tip."""

    id = UUID(primary_key=True, null=False, default=None)
    tip = ForeignKey(
        Tip, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    region = Integer(null=False, default=None)
    kind = Text(null=False, default=None)
    detail = JSONB(null=False, default=None)
    by_account = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    at = Timestamptz(null=False, default=None)


class TipOpening(Table, tablename="tip_opening"):
    """The opening of a sealed identity, by two persons."""

    id = UUID(primary_key=True, null=False, default=None)
    tip = ForeignKey(
        Tip, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    region = Integer(null=False, default=None)
    reason = Text(null=False, default=None)
    asked_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    asked_at = Timestamptz(null=False, default=None)
    approved_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    approved_at = Timestamptz(null=True, default=None)
    opened_at = Timestamptz(null=True, default=None)
