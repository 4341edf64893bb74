"""Tables of slips; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, Boolean, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.visits import Visit


class Slip(Table, tablename="slip"):
    """One one-time slip 问卷条: handed out, spent or not; never what it said."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    visit = ForeignKey(
        Visit, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    code_sha256 = Text(null=False, default=None)
    until = Timestamptz(null=False, default=None)
    spent = Boolean(null=False, default=None)


class SlipCount(Table, tablename="slip_count"):
    """How many persons chose one answer of one question at one visit."""

    visit = ForeignKey(
        Visit,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    region = Integer(null=False, default=None)
    question = Text(null=False, default=None)
    option = Text(null=False, default=None)
    persons = Integer(null=False, default=None)
