"""Table of chains of secrets; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table


class DrawChain(Table, tablename="draw_chain"):
    """A party's chain of secrets for the draws of one year."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    party = Text(null=False, default=None)
    year = Integer(null=False, default=None)
    alg = Text(null=False, default=None)
    tip = Text(null=False, default=None)
    length = Integer(null=False, default=None)
    used = Integer(null=False, default=None)
    anchor = Bytea(null=False, default=None)
    root = Bytea(null=True, default=None)
    committed_at = Timestamptz(null=False, default=None)
