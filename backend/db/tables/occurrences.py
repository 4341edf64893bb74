"""Tables of occurrences; constraints and policies stand in the migrations."""

from piccolo.columns import Integer, Text, Timestamptz
from piccolo.table import Table


class Occurrence(Table, tablename="occurrence"):
    """An occurrence."""

    schedule = Text(primary_key=True, null=False, default=None)
    fire_at = Timestamptz(null=False, default=None)
    region = Integer(null=False, default=None)
    late_by_s = Integer(null=False, default=None)
    created_at = Timestamptz(null=False, default=None)
