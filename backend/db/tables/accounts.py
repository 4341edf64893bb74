"""Tables of accounts; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, Bytea, Date, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.offices import Office


class Account(Table, tablename="account"):
    """An account."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = UUID(null=True, default=None)
    office = ForeignKey(
        Office, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    kind = Text(null=False, default=None)
    login = Text(null=False, default=None)
    display_name = Text(null=False, default=None)
    password_hash = Text(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    disabled_at = Timestamptz(null=True, default=None)
    failed_count = Integer(null=False, default=None)
    locked_until = Timestamptz(null=True, default=None)
    password_changed_at = Timestamptz(null=True, default=None)


class OneTimeLink(Table, tablename="one_time_link"):
    """One one time link."""

    hash = Bytea(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    account = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    purpose = Text(null=False, default=None)
    created_at = Timestamptz(null=False, default=None)
    expires_at = Timestamptz(null=False, default=None)
    used_at = Timestamptz(null=True, default=None)


class RoleAssignment(Table, tablename="role_assignment"):
    """One role assignment."""

    id = UUID(primary_key=True, null=False, default=None)
    account = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    region = Integer(null=False, default=None)
    institution = UUID(null=True, default=None)
    role = Text(null=False, default=None)
    department = Text(null=True, default=None)
    valid_from = Date(null=False, default=None)
    valid_until = Date(null=True, default=None)
    delegated_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    created_at = Timestamptz(null=False, default=None)
    revoked_at = Timestamptz(null=True, default=None)
