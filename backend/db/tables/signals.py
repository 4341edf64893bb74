"""Tables of signals and what they compare; constraints and policies stand in the migrations."""

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Bytea,
    ForeignKey,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.classes import TrainingClass
from backend.db.tables.directories import Institution
from backend.db.tables.evidence import Evidence
from backend.db.tables.notices import Notice
from backend.db.tables.visits import Visit


class Likeness(Table, tablename="likeness"):
    """What one picture looks like: its hashes, and the position in its EXIF."""

    evidence = ForeignKey(
        Evidence,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    region = Integer(null=False, default=None)
    occasion = UUID(null=False, default=None)
    p = BigInt(null=False, default=None)
    w = BigInt(null=False, default=None)
    dh = BigInt(null=False, default=None)
    dv = BigInt(null=False, default=None)
    fine = Bytea(null=False, default=None)
    detail = Integer(null=False, default=None)
    lat_e7 = Integer(null=True, default=None)
    lon_e7 = Integer(null=True, default=None)
    hashed_at = Timestamptz(null=False, default=None)


class Signal(Table, tablename="signal"):
    """One signal 疑点提示, about a visit, a reply to a notice, or a class."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    visit = ForeignKey(
        Visit, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    notice = ForeignKey(
        Notice, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    training_class = ForeignKey(
        TrainingClass,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    kind = Text(null=False, default=None)
    subject = Text(null=False, default=None)
    strength = Text(null=False, default=None)
    score = Integer(null=False, default=None)
    facts = JSONB(null=False, default=None)
    links = JSONB(null=False, default=None)
    evidence = Array(base_column=UUID(), null=False, default=None)
    found_at = Timestamptz(null=False, default=None)
    changed_at = Timestamptz(null=False, default=None)
    gone_at = Timestamptz(null=True, default=None)


class SignalVerdict(Table, tablename="signal_verdict"):
    """What a reviewer thinks of a signal, with a reason; a later one stands beside it."""

    id = UUID(primary_key=True, null=False, default=None)
    signal = ForeignKey(
        Signal, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    region = Integer(null=False, default=None)
    verdict = Text(null=False, default=None)
    reason = Text(null=False, default=None)
    decided_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    decided_at = Timestamptz(null=False, default=None)


class SignalRun(Table, tablename="signal_run"):
    """When the signals of a visit or a reply were computed, and from which facts."""

    occasion = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    inputs_sha256 = Text(null=False, default=None)
    computed_at = Timestamptz(null=False, default=None)


class SignalSweep(Table, tablename="signal_sweep"):
    """How far the look-out for late operations has come."""

    name = Text(primary_key=True, null=False, default=None)
    swept_until = Timestamptz(null=False, default=None)


class Recount(Table, tablename="recount"):
    """One blind recount 盲数 of the heads in a picture."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    visit = ForeignKey(
        Visit, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    evidence = ForeignKey(
        Evidence,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    ordered_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    ordered_at = Timestamptz(null=False, default=None)
    counted_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    counted_at = Timestamptz(null=True, default=None)
    heads = Integer(null=True, default=None)
    note = Text(null=True, default=None)


class RosterIndex(Table, tablename="roster_index"):
    """The blind index of a class's roster: keyed digests, no name."""

    training_class = ForeignKey(
        TrainingClass,
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
    rev = Integer(null=False, default=None)
    names = Array(base_column=BigInt(), null=False, default=None)
    indexed_at = Timestamptz(null=False, default=None)
