"""Tables of installation; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, Text, Timestamptz
from piccolo.table import Table


class Installation(Table, tablename="installation"):
    """The installation: one row, its identity."""

    id = UUID(primary_key=True, null=False, default=None)
    name = Text(null=False, default=None)
    log_origin = Text(null=False, default=None)
    created_at = Timestamptz(null=False, default=None)
