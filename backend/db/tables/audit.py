"""Tables of audit; constraints and policies stand in the migrations."""

from piccolo.columns import JSONB, BigInt, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table


class Checkpoint(Table, tablename="checkpoint", schema="aud"):
    """One checkpoint."""

    size = BigInt(primary_key=True, null=False, default=None)
    root = Bytea(null=False, default=None)
    note = Text(null=False, default=None)
    tsr = Bytea(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    anchored_at = Timestamptz(null=True, default=None)


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
