"""Tables of visits; constraints and policies stand in the migrations."""

from typing import Any

from piccolo.columns import (
    JSONB,
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
from piccolo.columns.reference import LazyTableReference
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.classes import ClassSession, TrainingClass
from backend.db.tables.directories import Institution
from backend.db.tables.draws import Draw
from backend.db.tables.inspectors import Inspector
from backend.db.tables.plans import Plan


class Visit(Table, tablename="visit"):
    """One visit 现场检查."""

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
    plan = ForeignKey(
        Plan, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    draw = ForeignKey(
        Draw, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    origin_notice: ForeignKey[Any] = ForeignKey(
        LazyTableReference("Notice", module_path="backend.db.tables.notices"),
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    kind = Text(null=False, default=None)
    unannounced = Boolean(null=False, default=None)
    selection = Text(null=False, default=None)
    chance = Text(null=True, default=None)
    training_class = ForeignKey(
        TrainingClass,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    class_session = ForeignKey(
        ClassSession,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    sheet = Text(null=False, default=None)
    sheet_digest = Text(null=False, default=None)
    jurisdiction = Text(null=False, default=None)
    on_date = Date(null=False, default=None)
    sealed_until = Timestamptz(null=False, default=None)
    state = Text(null=False, default=None)
    epoch = Integer(null=False, default=None)
    challenge = Text(null=False, default=None)
    roster_sha256 = Text(null=True, default=None)
    sample_seed = Text(null=True, default=None)
    opened_at = Timestamptz(null=True, default=None)
    started_at = Timestamptz(null=True, default=None)
    submitted_at = Timestamptz(null=True, default=None)
    completed_at = Timestamptz(null=True, default=None)
    reviewed_at = Timestamptz(null=True, default=None)
    reviewed_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    review_reason = Text(null=True, default=None)
    concluded_at = Timestamptz(null=True, default=None)
    gap = JSONB(null=True, default=None)
    gap_reason = Text(null=True, default=None)
    gap_proposed_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    gap_approved_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    created_at = Timestamptz(null=False, default=None)
    doubted_at = Timestamptz(null=True, default=None)
    touched = BigInt(null=False, default=0)
    result_public = Boolean(null=True, default=None)


class Assignment(Table, tablename="assignment"):
    """An assignment."""

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
    place = Integer(null=False, default=None)
    lead = Boolean(null=False, default=None)
    epoch = Integer(null=False, default=None)
    state = Text(null=False, default=None)
    reason = Text(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    ended_at = Timestamptz(null=True, default=None)
    touched = BigInt(null=False, default=0)


class Claim(Table, tablename="claim"):
    """One claim."""

    visit = ForeignKey(
        Visit,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    dev = UUID(null=False, default=None)
    region = Integer(null=False, default=None)
    op_id = UUID(null=False, default=None)
    items = JSONB(null=False, default=None)
    answers_sha256 = Text(null=False, default=None)
    seq = BigInt(null=False, default=None)
    claimed_at = Timestamptz(null=False, default=None)
    closed_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    close_proposed_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    close_reason = Text(null=True, default=None)
    wave = Integer(null=False, default=1)


class VisitEvent(Table, tablename="visit_event"):
    """One visit event."""

    op_id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = UUID(null=False, default=None)
    visit = ForeignKey(
        Visit, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    dev = UUID(null=False, default=None)
    inspector = UUID(null=False, default=None)
    seq = BigInt(null=False, default=None)
    kind = Text(null=False, default=None)
    body = JSONB(null=False, default=None)
    flags = Array(base_column=Text(), null=False, default=None)
    recorded_at = Timestamptz(null=False, default=None)
    wave = Integer(null=False, default=1)
