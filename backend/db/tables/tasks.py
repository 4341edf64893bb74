"""Tables of tasks; constraints and policies stand in the migrations."""

from piccolo.columns import JSONB, BigInt, Integer, Text, Timestamptz
from piccolo.table import Table


class Task(Table, tablename="task"):
    """One task."""

    id = BigInt(primary_key=True, null=False, default=None)
    queue = Text(null=False, default=None)
    kind = Text(null=False, default=None)
    region = Integer(null=False, default=None)
    payload = JSONB(null=False, default=None)
    dedupe = Text(null=True, default=None)
    run_at = Timestamptz(null=False, default=None)
    attempts = Integer(null=False, default=None)
    max_attempts = Integer(null=False, default=None)
    locked_until = Timestamptz(null=True, default=None)
    done_at = Timestamptz(null=True, default=None)
    last_error = Text(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
