"""Tables of stores; constraints and policies stand in the migrations."""

from piccolo.columns import Bytea, Text, Timestamptz
from piccolo.table import Table


class RateKv(Table, tablename="rate_kv"):
    """One rate kv."""

    key = Text(primary_key=True, null=False, default=None)
    value = Bytea(null=False, default=None)
    expires_at = Timestamptz(null=True, default=None)


class SessionKv(Table, tablename="session_kv"):
    """One session kv."""

    key = Text(primary_key=True, null=False, default=None)
    value = Bytea(null=False, default=None)
    expires_at = Timestamptz(null=True, default=None)
