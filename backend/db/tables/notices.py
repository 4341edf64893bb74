"""Tables of notices; constraints and policies stand in the migrations."""

from typing import Any

from piccolo.columns import JSONB, UUID, Date, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.directories import Institution
from backend.db.tables.findings import Finding
from backend.db.tables.offices import Office
from backend.db.tables.visits import Visit


class Notice(Table, tablename="notice"):
    """One notice 责令整改通知书."""

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
    office = ForeignKey(
        Office, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    follows: ForeignKey[Any] = ForeignKey(
        "self", null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    kind = Text(null=False, default=None)
    state = Text(null=False, default=None)
    number = Text(null=True, default=None)
    year = Integer(null=True, default=None)
    seq = Integer(null=True, default=None)
    basis = Text(null=True, default=None)
    competent_authority = Text(null=True, default=None)
    body = JSONB(null=False, default=None)
    rev = Integer(null=False, default=None)
    author = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    legal_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    legal_reason = Text(null=True, default=None)
    approved_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    approved_at = Timestamptz(null=True, default=None)
    issued_at = Timestamptz(null=True, default=None)
    served_on = Date(null=True, default=None)
    due_on = Date(null=True, default=None)
    due_basis = JSONB(null=True, default=None)
    closed_at = Timestamptz(null=True, default=None)
    closed_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    void_at = Timestamptz(null=True, default=None)
    void_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    void_reason = Text(null=True, default=None)
    closing = JSONB(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    updated_at = Timestamptz(null=False, default=None)


class NoticeFinding(Table, tablename="notice_finding"):
    """One notice finding."""

    notice = ForeignKey(
        Notice,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    finding = ForeignKey(
        Finding, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    region = Integer(null=False, default=None)
    institution = UUID(null=False, default=None)
    demand = Text(null=False, default=None)
    evidence_asked = Text(null=False, default=None)
    due_on = Date(null=True, default=None)
    outcome = Text(null=True, default=None)
    outcome_reason = Text(null=True, default=None)
    refused_count = Integer(null=False, default=None)
    decided_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    decided_at = Timestamptz(null=True, default=None)
    due_basis = JSONB(null=True, default=None)


class NumberSequence(Table, tablename="number_sequence"):
    """One number sequence."""

    region = Integer(null=False, default=None)
    issuer = ForeignKey(
        Office,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    kind = Text(null=False, default=None)
    year = Integer(null=False, default=None)
    last = Integer(null=False, default=None)


class ServiceConsent(Table, tablename="service_consent"):
    """One confirmation of an address 送达地址确认书."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    reference = Text(null=False, default=None)
    address = Text(null=False, default=None)
    receiver = Text(null=False, default=None)
    agreed_on = Date(null=False, default=None)
    withdrawn_on = Date(null=True, default=None)
    recorded_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    recorded_at = Timestamptz(null=False, default=None)


class ServiceProof(Table, tablename="service_proof"):
    """One service proof 送达回证."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = UUID(null=False, default=None)
    notice = ForeignKey(
        Notice, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    way = Text(null=False, default=None)
    receiver = Text(null=False, default=None)
    details = JSONB(null=False, default=None)
    served_at = Timestamptz(null=False, default=None)
    recorded_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    first_viewed_at = Timestamptz(null=True, default=None)
    first_viewed_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    arrived_at = Timestamptz(null=True, default=None)
    consent = ForeignKey(
        ServiceConsent,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )


class ServiceAttempt(Table, tablename="service_attempt"):
    """One attempt to serve that failed."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    notice = ForeignKey(
        Notice, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    way = Text(null=False, default=None)
    outcome = Text(null=False, default=None)
    on_day = Date(null=False, default=None)
    details = Text(null=False, default=None)
    recorded_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    recorded_at = Timestamptz(null=False, default=None)
