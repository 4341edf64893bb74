"""Tables of filings; constraints and policies stand in the migrations."""

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
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
from backend.db.tables.findings import Finding


class Filing(Table, tablename="filing"):
    """One filing 备案报送."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    register = Text(null=False, default=None)
    period = Text(null=False, default=None)
    state = Text(null=False, default=None)
    payload = JSONB(null=False, default=None)
    rev = Integer(null=False, default=None)
    reason = Text(null=True, default=None)
    by_account = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    created_at = Timestamptz(null=False, default=None)
    submitted_at = Timestamptz(null=True, default=None)
    decided_at = Timestamptz(null=True, default=None)
    decided_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    receipt = JSONB(null=True, default=None)


class FilingVersion(Table, tablename="filing_version"):
    """What a filing said at one of its revisions; never changed."""

    filing = ForeignKey(
        Filing,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    rev = Integer(null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    state = Text(null=False, default=None)
    payload = JSONB(null=False, default=None)
    sha256 = Text(null=False, default=None)
    reason = Text(null=True, default=None)
    by_account = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    at = Timestamptz(null=False, default=None)


class FiledRow(Table, tablename="filed_row"):
    """One row of the document that desk review reads; ``reviewed`` is what it saw last."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    filing = ForeignKey(
        Filing, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    register = Text(null=False, default=None)
    key = Text(null=False, default=None)
    person = Text(null=True, default=None)
    refs = Array(base_column=Text(), null=False, default=None)
    body = JSONB(null=True, default=None)
    reviewed = JSONB(null=True, default=None)
    changed_at = Timestamptz(null=False, default=None)


class DeskRun(Table, tablename="desk_run"):
    """The last review of one institution; ``lacking``: registers nobody filed."""

    institution = ForeignKey(
        Institution,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    region = Integer(null=False, default=None)
    as_of = Date(null=False, default=None)
    whole = Boolean(null=False, default=None)
    judged = Integer(null=False, default=None)
    lacking = Array(base_column=Text(), null=False, default=None)
    reviewed_at = Timestamptz(null=False, default=None)


class DeskHit(Table, tablename="desk_hit"):
    """One hit of a desk rule: a suspicion until a person judges it."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    rule = Text(null=False, default=None)
    judgement = Text(null=False, default=None)
    row_key = Text(null=False, default=None)
    about = Text(null=False, default=None)
    outcome = Text(null=False, default=None)
    verdict = Text(null=False, default=None)
    severity = Text(null=False, default=None)
    on_day = Date(null=False, default=None)
    inputs = JSONB(null=False, default=None)
    clauses = Array(base_column=Text(), null=False, default=None)
    state = Text(null=False, default=None)
    found_at = Timestamptz(null=False, default=None)
    changed_at = Timestamptz(null=False, default=None)
    gone_at = Timestamptz(null=True, default=None)
    judged_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    judged_at = Timestamptz(null=True, default=None)
    reason = Text(null=True, default=None)
    finding = ForeignKey(
        Finding, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
