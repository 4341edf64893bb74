"""Tables of classes; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, BigInt, Date, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.directories import Institution


class TrainingClass(Table, tablename="training_class"):
    """One training class 班次."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    code = Text(null=False, default=None)
    title = Text(null=False, default=None)
    occupation = Text(null=False, default=None)
    level = Text(null=False, default=None)
    mode = Text(null=False, default=None)
    venue_region = Integer(null=False, default=None)
    venue = Text(null=False, default=None)
    teacher = Text(null=False, default=None)
    starts_on = Date(null=False, default=None)
    ends_on = Date(null=False, default=None)
    status = Text(null=False, default=None)
    created_at = Timestamptz(null=False, default=None)
    touched = BigInt(null=False, default=0)


class ClassSession(Table, tablename="class_session"):
    """One class session 课次."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    training_class = ForeignKey(
        TrainingClass,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    code = Text(null=False, default=None)
    on_date = Date(null=False, default=None)
    starts_at = Timestamptz(null=False, default=None)
    ends_at = Timestamptz(null=False, default=None)
    mode = Text(null=False, default=None)
    minutes = Integer(null=False, default=None)
    status = Text(null=False, default=None)


class Trainee(Table, tablename="trainee"):
    """One trainee 学员名册."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    training_class = ForeignKey(
        TrainingClass,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    roster_no = Integer(null=False, default=None)
    name = Text(null=False, default=None)
    id_tail = Text(null=False, default=None)
