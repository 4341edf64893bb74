"""Table of upkeep; constraints stand in the migrations."""

from piccolo.columns import JSONB, UUID, Boolean, Text, Timestamptz
from piccolo.table import Table


class UpkeepRun(Table, tablename="upkeep_run"):
    """One scrub, backup or restore: where it stands, what it counted."""

    id = UUID(primary_key=True, null=False, default=None)
    kind = Text(null=False, default=None)
    started_at = Timestamptz(null=False, default=None)
    ended_at = Timestamptz(null=True, default=None)
    ok = Boolean(null=True, default=None)
    position = JSONB(null=False, default=None)
    facts = JSONB(null=False, default=None)
