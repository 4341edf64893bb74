"""Tables of evidence; constraints and policies stand in the migrations."""

from typing import Any

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Bytea,
    ForeignKey,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.columns.reference import LazyTableReference
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.visits import Visit


class Evidence(Table, tablename="evidence"):
    """One piece of evidence 证据."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = UUID(null=False, default=None)
    visit = ForeignKey(
        Visit, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    notice: ForeignKey[Any] = ForeignKey(
        LazyTableReference("Notice", module_path="backend.db.tables.notices"),
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    channel = Text(null=False, default=None)
    item = Text(null=True, default=None)
    dev = UUID(null=True, default=None)
    kid = Text(null=True, default=None)
    inst_epoch = Text(null=True, default=None)
    seq = BigInt(null=True, default=None)
    manifest = Bytea(null=False, default=None)
    manifest_sha256 = Text(null=False, default=None)
    signature = Bytea(null=True, default=None)
    sha256 = Text(null=False, default=None)
    size = BigInt(null=False, default=None)
    mime = Text(null=False, default=None)
    source = Text(null=False, default=None)
    transport = JSONB(null=False, default=None)
    state = Text(null=False, default=None)
    reason = Text(null=True, default=None)
    flags = Array(base_column=Text(), null=False, default=None)
    late = Boolean(null=False, default=None)
    disclosed = Boolean(null=False, default=None)
    object_key = Text(null=True, default=None)
    version_id = Text(null=True, default=None)
    captured_at = Timestamptz(null=True, default=None)
    location = JSONB(null=True, default=None)
    facts = JSONB(null=True, default=None)
    declared_at = Timestamptz(null=False, default=None)
    received_at = Timestamptz(null=True, default=None)
    verified_at = Timestamptz(null=True, default=None)
    sealed_at = Timestamptz(null=True, default=None)
    entry = BigInt(null=True, default=None)
    retain_until = Timestamptz(null=True, default=None)
    lock_mode = Text(null=True, default=None)


class Derivative(Table, tablename="derivative"):
    """One derivative 派生件."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = UUID(null=False, default=None)
    evidence = ForeignKey(
        Evidence,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    kind = Text(null=False, default=None)
    parent_sha256 = Text(null=False, default=None)
    sha256 = Text(null=False, default=None)
    size = BigInt(null=False, default=None)
    object_key = Text(null=False, default=None)
    recipe = JSONB(null=False, default=None)
    created_at = Timestamptz(null=False, default=None)
    variant = Integer(null=False, default=0)
    made_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    entry = BigInt(null=True, default=None)


class CustodyAct(Table, tablename="custody_act"):
    """An act of two persons on one piece: admit, void, unlock."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    evidence = ForeignKey(
        Evidence,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    kind = Text(null=False, default=None)
    state = Text(null=False, default=None)
    reason = Text(null=False, default=None)
    proposed_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    proposed_at = Timestamptz(null=False, default=None)
    decided_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    decided_at = Timestamptz(null=True, default=None)
    decision = Text(null=True, default=None)


class Receipt(Table, tablename="receipt"):
    """One receipt."""

    id = BigInt(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    dev = UUID(null=True, default=None)
    evidence = ForeignKey(
        Evidence,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    body = Bytea(null=False, default=None)
    signature = Bytea(null=False, default=None)
    created_at = Timestamptz(null=False, default=None)
