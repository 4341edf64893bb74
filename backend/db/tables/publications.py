"""Tables of publications; constraints and policies stand in the migrations."""

from typing import Any

from piccolo.columns import JSONB, UUID, Array, Date, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.directories import Institution


class Publication(Table, tablename="publication"):
    """One publication 公示."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    kind = Text(null=False, default=None)
    subject = UUID(null=False, default=None)
    state = Text(null=False, default=None)
    wordings = Array(base_column=Text(), null=False, default=None)
    body = JSONB(null=False, default=None)
    digest = Text(null=False, default=None)
    corrects: ForeignKey[Any] = ForeignKey(
        "self", null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    due_on = Date(null=False, default=None)
    prepared_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    approved_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    prepared_at = Timestamptz(null=False, default=None)
    published_at = Timestamptz(null=True, default=None)
    expires_on = Date(null=True, default=None)
    objection_on = Date(null=True, default=None)
