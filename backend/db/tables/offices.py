"""Tables of offices; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, Integer, Text, Timestamptz
from piccolo.table import Table


class Office(Table, tablename="office"):
    """One office 人社部门."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    name = Text(null=False, default=None)
    short_name = Text(null=False, default=None)
    department = Text(null=False, default=None)
    created_at = Timestamptz(null=False, default=None)
