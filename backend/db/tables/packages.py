"""Tables of emergency packages; constraints and policies stand in the migrations."""

from piccolo.columns import JSONB, UUID, BigInt, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account


class Package(Table, tablename="package"):
    """One package: ``taken`` bytes of it are here."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    brought_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    sha256 = Text(null=False, default=None)
    size = BigInt(null=False, default=None)
    taken = BigInt(null=False, default=None)
    host = Text(null=False, default=None)
    state = Text(null=False, default=None)
    object_key = Text(null=False, default=None)
    version_id = Text(null=True, default=None)
    facts = JSONB(null=False, default=None)
    opened_at = Timestamptz(null=False, default=None)
    touched_at = Timestamptz(null=False, default=None)
    done_at = Timestamptz(null=True, default=None)


class PackageItem(Table, tablename="package_item"):
    """What became of one operation, blob or damaged stretch of a package."""

    package = ForeignKey(
        Package, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    number = Integer(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    kind = Text(null=False, default=None)
    subject = Text(null=False, default=None)
    result = Text(null=False, default=None)
    code = Text(null=False, default=None)
    facts = JSONB(null=False, default=None)
