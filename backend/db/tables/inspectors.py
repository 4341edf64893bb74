"""Tables of inspectors; constraints and policies stand in the migrations."""

from piccolo.columns import (
    UUID,
    Array,
    BigInt,
    Boolean,
    Date,
    ForeignKey,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.directories import Institution


class Inspector(Table, tablename="inspector"):
    """An inspector 执法检查人员."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    account = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    staff_code = Text(null=False, default=None)
    name = Text(null=False, default=None)
    department = Text(null=False, default=None)
    unit = Text(null=False, default=None)
    licence_no = Text(null=False, default=None)
    licence_until = Date(null=False, default=None)
    lead = Boolean(null=False, default=None)
    skills = Array(base_column=Text(), null=False, default=None)
    areas = Array(base_column=Integer(), null=False, default=None)
    cap = Integer(null=False, default=None)
    available = Boolean(null=False, default=None)
    rev = Integer(null=False, default=None)
    created_at = Timestamptz(null=False, default=None)
    updated_at = Timestamptz(null=False, default=None)
    touched = BigInt(null=False, default=0)


class InspectorRelation(Table, tablename="inspector_relation"):
    """An inspector relation 回避关系."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    inspector = ForeignKey(
        Inspector,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    ground = Text(null=False, default=None)
    declared_on = Date(null=False, default=None)
    until = Date(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
