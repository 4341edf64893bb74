"""Tables of answers; constraints and policies stand in the migrations."""

from piccolo.columns import JSONB, UUID, Array, BigInt, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.visits import Visit


class Answer(Table, tablename="answer"):
    """An answer."""

    visit = ForeignKey(
        Visit,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    dev = UUID(null=False, default=None)
    item = Text(null=False, default=None)
    region = Integer(null=False, default=None)
    institution = UUID(null=False, default=None)
    inspector = UUID(null=False, default=None)
    seq = BigInt(null=False, default=None)
    value = JSONB(null=True, default=None)
    verdict = Text(null=False, default=None)
    failed = Array(base_column=Text(), null=True, default=None)
    reason = Text(null=True, default=None)
    flags = Array(base_column=Text(), null=False, default=None)
    canon = Text(null=False, default=None)
    op_id = UUID(null=False, default=None)
    recorded_at = Timestamptz(null=False, default=None)
    wave = Integer(null=False, default=1)


class AnswerChoice(Table, tablename="answer_choice"):
    """Which of several devices' answers to one item counts."""

    visit = ForeignKey(
        Visit,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    item = Text(null=False, default=None)
    region = Integer(null=False, default=None)
    keep = UUID(null=True, default=None)
    compared = JSONB(null=False, default=None)
    reason = Text(null=True, default=None)
    chosen_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    chosen_at = Timestamptz(null=False, default=None)
