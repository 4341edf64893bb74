"""Tables of devices; constraints and policies stand in the migrations."""

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    Boolean,
    Bytea,
    ForeignKey,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account


class Device(Table, tablename="device"):
    """One device."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    account = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    spki = Bytea(null=False, default=None)
    kid = Text(null=False, default=None)
    user_agent = Text(null=False, default=None)
    platform = Text(null=False, default=None)
    persisted = Boolean(null=False, default=None)
    enrolled_at = Timestamptz(null=False, default=None)
    approved_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    revoked_at = Timestamptz(null=True, default=None)
    compromised_since = Timestamptz(null=True, default=None)
    last_seen_at = Timestamptz(null=True, default=None)
    heartbeat = JSONB(null=True, default=None)
    cursors = Array(base_column=Text(), null=False, default=list)


class DeviceStorage(Table, tablename="device_storage"):
    """One storage of a device, between two wipes."""

    dev = ForeignKey(
        Device,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    inst_epoch = Text(null=False, default=None)
    region = Integer(null=False, default=None)
    wave = Integer(null=False, default=None)
    seen_at = Timestamptz(null=False, default=None)


class DeviceAlarm(Table, tablename="device_alarm"):
    """One alarm about a device."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    dev = ForeignKey(
        Device, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    kind = Text(null=False, default=None)
    subject = Text(null=False, default=None)
    raised_at = Timestamptz(null=False, default=None)
    settled_at = Timestamptz(null=True, default=None)
    settled_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    reason = Text(null=True, default=None)


class AccessToken(Table, tablename="access_token"):
    """An access token."""

    hash = Bytea(primary_key=True, null=False, default=None)
    refresh_hash = Bytea(null=False, default=None)
    region = Integer(null=False, default=None)
    account = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    device = ForeignKey(
        Device, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    issued_at = Timestamptz(null=False, default=None)
    expires_at = Timestamptz(null=False, default=None)
    refresh_expires_at = Timestamptz(null=False, default=None)
    family_expires_at = Timestamptz(null=False, default=None)
    revoked_at = Timestamptz(null=True, default=None)


class Enrolment(Table, tablename="enrolment"):
    """An enrolment."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    account = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    code_hash = Bytea(null=False, default=None)
    approved_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    created_at = Timestamptz(null=False, default=None)
    expires_at = Timestamptz(null=False, default=None)
    used_at = Timestamptz(null=True, default=None)
