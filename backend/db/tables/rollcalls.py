"""Tables of rollcalls; constraints and policies stand in the migrations."""

from piccolo.columns import JSONB, UUID, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.classes import Trainee, TrainingClass
from backend.db.tables.visits import Visit


class Rollcall(Table, tablename="rollcall"):
    """One rollcall 点名."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = UUID(null=False, default=None)
    visit = ForeignKey(
        Visit, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    training_class = ForeignKey(
        TrainingClass,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    dev = UUID(null=False, default=None)
    op_id = UUID(null=False, default=None)
    roster_sha256 = Text(null=False, default=None)
    roster_count = Integer(null=False, default=None)
    called_count = Integer(null=False, default=None)
    present_count = Integer(null=False, default=None)
    absent_count = Integer(null=False, default=None)
    stranger_count = Integer(null=False, default=None)
    head_count = Integer(null=True, default=None)
    at_least_absent = Integer(null=False, default=None)
    statement = JSONB(null=False, default=None)
    taken_at = Timestamptz(null=False, default=None)


class RollcallMark(Table, tablename="rollcall_mark"):
    """One rollcall mark."""

    rollcall = ForeignKey(
        Rollcall,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    trainee = ForeignKey(
        Trainee, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    region = Integer(null=False, default=None)
    state = Text(null=False, default=None)
