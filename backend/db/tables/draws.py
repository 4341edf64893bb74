"""Tables of draws; constraints and policies stand in the migrations."""

from piccolo.columns import JSONB, UUID, Array, Bytea, Date, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.chains import DrawChain
from backend.db.tables.plans import Plan


class Draw(Table, tablename="draw"):
    """One draw 抽取."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    plan = ForeignKey(
        Plan, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    code = Text(null=False, default=None)
    attempt = Integer(null=False, default=None)
    stage = Text(null=False, default="draw")
    alg = Text(null=False, default=None)
    origin = Text(null=False, default=None)
    level = Text(null=False, default=None)
    state = Text(null=False, default=None)
    parties = Array(base_column=Text(), null=False, default=None)
    entropy = JSONB(null=False, default=None)
    object_count = Integer(null=False, default=None)
    inspector_count = Integer(null=False, default=None)
    frame_objects = Text(null=False, default=None)
    frame_inspectors = Text(null=False, default=None)
    blocked_digest = Text(null=False, default=None)
    plan_digest = Text(null=False, default=None)
    reveal_by = Timestamptz(null=False, default=None)
    disclose_on = Date(null=False, default=None)
    late_by_s = Integer(null=False, default=None)
    seed = Text(null=True, default=None)
    void_reason = Text(null=True, default=None)
    voided_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    void_proposed_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    frozen_at = Timestamptz(null=False, default=None)
    drawn_at = Timestamptz(null=True, default=None)
    published_at = Timestamptz(null=True, default=None)
    head = Text(null=False, default=None)


class DrawFrame(Table, tablename="draw_frame"):
    """One draw frame."""

    draw = ForeignKey(
        Draw,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    region = Integer(null=False, default=None)
    plan_doc = JSONB(null=False, default=None)
    object_rows = JSONB(null=False, default=None, db_column_name="objects")
    inspectors = JSONB(null=False, default=None)
    blocked = JSONB(null=False, default=None)
    pseudonyms = JSONB(null=False, default=None)
    object_key = Bytea(null=False, default=None)
    inspector_key = Bytea(null=False, default=None)


class DrawLog(Table, tablename="draw_log"):
    """One draw log."""

    region = Integer(primary_key=True, null=False, default=None)
    year = Integer(null=False, default=None)
    seq = Integer(null=False, default=None)
    draw = ForeignKey(
        Draw, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    prev = Text(null=False, default=None)
    at = Timestamptz(null=False, default=None)
    type = Text(null=False, default=None)
    body = JSONB(null=False, default=None)
    hash = Text(null=False, default=None)


class DrawPage(Table, tablename="draw_page"):
    """What the public may read of one draw: exactly these bytes."""

    draw = ForeignKey(
        Draw,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    region = Integer(null=False, default=None)
    code = Text(null=False, default=None)
    attempt = Integer(null=False, default=None)
    state = Text(null=False, default=None)
    disclose_on = Date(null=False, default=None)
    etag = Text(null=False, default=None)
    body = Bytea(null=False, default=None)
    updated_at = Timestamptz(null=False, default=None)


class DrawResult(Table, tablename="draw_result"):
    """One draw result."""

    draw = ForeignKey(
        Draw,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    region = Integer(null=False, default=None)
    selection = JSONB(null=False, default=None)
    assignment = JSONB(null=False, default=None)
    days = JSONB(null=False, default=None)


class DrawShare(Table, tablename="draw_share"):
    """One draw share."""

    draw = ForeignKey(
        Draw,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    party = Text(null=False, default=None)
    region = Integer(null=False, default=None)
    commitment = Text(null=False, default=None)
    secret = Bytea(null=True, default=None)
    committed_at = Timestamptz(null=False, default=None)
    revealed_at = Timestamptz(null=True, default=None)
    chain = ForeignKey(
        DrawChain,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    link_index = Integer(null=True, default=None)
    link = Bytea(null=True, default=None)
