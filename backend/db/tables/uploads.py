"""Table of uploads under way; constraints and policies stand in the migrations."""

from piccolo.columns import BigInt, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.directories import Institution
from backend.db.tables.evidence import Evidence


class Upload(Table, tablename="upload"):
    """One upload: ``taken`` bytes are promised, ``stored`` of them are parts in the store."""

    evidence = ForeignKey(
        Evidence,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    channel = Text(null=False, default=None)
    size = BigInt(null=False, default=None)
    taken = BigInt(null=False, default=None)
    stored = BigInt(null=False, default=None)
    store_upload = Text(null=True, default=None)
    host = Text(null=False, default=None)
    state = Text(null=False, default=None)
    created_at = Timestamptz(null=False, default=None)
    touched_at = Timestamptz(null=False, default=None)
