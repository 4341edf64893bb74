"""Tables of parties; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, Boolean, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table


class DrawCountersign(Table, tablename="draw_countersign"):
    """One draw countersign."""

    region = Integer(null=False, default=None)
    hash = Text(primary_key=True, null=False, default=None)
    party = Text(null=False, default=None)
    signature = Bytea(null=False, default=None)
    signed_at = Timestamptz(null=False, default=None)


class Party(Table, tablename="party"):
    """One party 抽取参与方."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    code = Text(null=False, default=None)
    name = Text(null=False, default=None)
    kind = Text(null=False, default=None)
    public_key = Bytea(null=False, default=None)
    active = Boolean(null=False, default=None)
    created_at = Timestamptz(null=False, default=None)
