"""Tables of what happens after a draw; constraints and policies stand in the migrations."""

from piccolo.columns import JSONB, UUID, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.draws import Draw
from backend.db.tables.inspectors import Inspector
from backend.db.tables.visits import Visit


class DrawEvent(Table, tablename="draw_event"):
    """One event after a result, sealed in the public log until the disclosure."""

    draw = ForeignKey(
        Draw,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    number = Integer(null=False, default=None)
    region = Integer(null=False, default=None)
    kind = Text(null=False, default=None)
    body = JSONB(null=False, default=None)
    salt = Text(null=False, default=None)
    digest = Text(null=False, default=None)
    recorded_by = UUID(null=False, default=None)
    recorded_at = Timestamptz(null=False, default=None)
    opened_at = Timestamptz(null=True, default=None)


class Withdrawal(Table, tablename="withdrawal"):
    """One withdrawal 撤出 of a drawn object."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    draw = ForeignKey(
        Draw, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    visit = ForeignKey(
        Visit, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    object = Text(null=False, default=None)
    reason = Text(null=False, default=None)
    paper = Text(null=False, default=None)
    evidence_sha256 = Text(null=False, default=None)
    state = Text(null=False, default=None)
    proposed_by = UUID(null=False, default=None)
    proposed_at = Timestamptz(null=False, default=None)
    decided_by = UUID(null=True, default=None)
    decided_at = Timestamptz(null=True, default=None)
    decision = Text(null=True, default=None)
    replacement = ForeignKey(
        Visit, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    returned_in = ForeignKey(
        Draw, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )


class RecusalRequest(Table, tablename="recusal_request"):
    """One request 回避申请 to release an inspector from a drawn visit."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    visit = ForeignKey(
        Visit, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    inspector = ForeignKey(
        Inspector,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    cause = Text(null=False, default=None)
    ground = Text(null=False, default=None)
    state = Text(null=False, default=None)
    asked_by = UUID(null=False, default=None)
    asked_at = Timestamptz(null=False, default=None)
    decided_by = UUID(null=True, default=None)
    decided_at = Timestamptz(null=True, default=None)
    decision = Text(null=True, default=None)
