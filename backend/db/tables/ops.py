"""Tables of ops; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, Array, BigInt, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.visits import Visit


class Op(Table, tablename="op"):
    """One operation of a phone, with its stored result."""

    op_id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    dev = UUID(null=False, default=None)
    inst_epoch = Text(null=False, default=None)
    seq = BigInt(null=False, default=None)
    kind = Text(null=False, default=None)
    visit = UUID(null=True, default=None)
    digest = Text(null=False, default=None)
    envelope = Bytea(null=False, default=None)
    status = Text(null=False, default=None)
    result = Bytea(null=False, default=None)
    received_at = Timestamptz(null=False, default=None)


class DeadLetter(Table, tablename="dead_letter"):
    """One dead letter."""

    id = UUID(primary_key=True, null=False, default=None)
    op_id = UUID(null=True, default=None)
    region = Integer(null=False, default=None)
    visit = UUID(null=True, default=None)
    code = Text(null=False, default=None)
    envelope = Bytea(null=False, default=None)
    envelope_sha256 = Bytea(null=False, default=None)
    state = Text(null=False, default=None)
    reason = Text(null=True, default=None)
    closed_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    created_at = Timestamptz(null=False, default=None)
    closed_at = Timestamptz(null=True, default=None)
    tried_at = Timestamptz(null=True, default=None)
    tried_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    tried_code = Text(null=True, default=None)


class OpDoubt(Table, tablename="op_doubt"):
    """One operation in doubt 存疑操作, and what was decided about it."""

    op_id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    visit = ForeignKey(
        Visit, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    dev = UUID(null=False, default=None)
    inspector = UUID(null=False, default=None)
    kind = Text(null=False, default=None)
    grounds = Array(base_column=Text(), null=False, default=None)
    standing = Text(null=False, default=None)
    raised_at = Timestamptz(null=False, default=None)
    proposed_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    reason = Text(null=True, default=None)
    decided_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    decided_at = Timestamptz(null=True, default=None)
