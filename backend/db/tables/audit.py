"""Tables of audit; constraints and policies stand in the migrations."""

from piccolo.columns import (
    JSONB,
    UUID,
    BigInt,
    Boolean,
    Bytea,
    ForeignKey,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account


class Checkpoint(Table, tablename="checkpoint", schema="aud"):
    """One checkpoint."""

    size = BigInt(primary_key=True, null=False, default=None)
    root = Bytea(null=False, default=None)
    note = Text(null=False, default=None)
    tsr = Bytea(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    anchored_at = Timestamptz(null=True, default=None)
    urgent = Boolean(null=False, default=False)
    stamped_at = Timestamptz(null=True, default=None)
    authority = Text(null=True, default=None)


class Cosignature(Table, tablename="cosignature", schema="aud"):
    """A witness's statement that a head extends those it saw before."""

    size = BigInt(primary_key=True, null=False, default=None)
    name = Text(null=False, default=None)
    line = Text(null=False, default=None)
    signed_at = Timestamptz(null=False, default=None)
    received_at = Timestamptz(null=False, default=None)


class Verification(Table, tablename="verification", schema="aud"):
    """What one recomputation of the whole log found."""

    id = UUID(primary_key=True, null=False, default=None)
    verified_at = Timestamptz(null=False, default=None)
    size = BigInt(null=False, default=None)
    entries = BigInt(null=False, default=None)
    anchors = JSONB(null=False, default=None)
    faults = JSONB(null=False, default=None)
    gaps = JSONB(null=False, default=None)
    took_ms = Integer(null=False, default=None)


class Entry(Table, tablename="entry", schema="aud"):
    """An entry of the audit log."""

    id = BigInt(primary_key=True, null=False, default=None)
    xid = BigInt(null=False, default=None)
    region = Integer(null=False, default=None)
    leaf = Bytea(null=False, default=None)
    body = JSONB(null=False, default=None)
    tree_index = BigInt(null=True, default=None)


class Node(Table, tablename="node", schema="aud"):
    """One node."""

    level = Integer(primary_key=True, null=False, default=None)
    idx = BigInt(null=False, default=None)
    h = Bytea(null=False, default=None)


class Recovery(Table, tablename="recovery", schema="aud"):
    """One halt of the log's signing, and the recovery by two persons that ended it."""

    id = BigInt(primary_key=True, null=False, default=None)
    cause = Text(null=False, default=None)
    size = BigInt(null=False, default=None)
    known_from = Text(null=False, default=None)
    known_origin = Text(null=True, default=None)
    known_size = BigInt(null=True, default=None)
    known_root = Bytea(null=True, default=None)
    halted_at = Timestamptz(null=False, default=None)
    proposed_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    proposed_role = Text(null=True, default=None)
    proposed_at = Timestamptz(null=True, default=None)
    reason = Text(null=True, default=None)
    approved_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    approved_role = Text(null=True, default=None)
    approved_at = Timestamptz(null=True, default=None)
    origin = Text(null=True, default=None)
    entry = ForeignKey(
        Entry, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
