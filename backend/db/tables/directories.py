"""Tables of directories; constraints and policies stand in the migrations."""

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
from piccolo.table import Table

from backend.db.tables.accounts import Account


class DirectoryVersion(Table, tablename="directory_version"):
    """One directory version."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = UUID(null=True, default=None)
    kind = Text(null=False, default=None)
    subject = UUID(null=False, default=None)
    rev = Integer(null=False, default=None)
    valid_from = Timestamptz(null=False, default=None)
    payload = JSONB(null=False, default=None)
    recorded_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    import_run = UUID(null=True, default=None)


class Institution(Table, tablename="institution"):
    """An institution 机构."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    credit_code = Text(null=False, default=None)
    name = Text(null=False, default=None)
    kinds = Array(base_column=Text(), null=False, default=None)
    home_region = Integer(null=False, default=None)
    is_base = Boolean(null=False, default=None)
    risk_class = Text(null=False, default=None)
    frequency_cap = Integer(null=True, default=None)
    status = Text(null=False, default=None)
    legal_person = Text(null=True, default=None)
    phone = Text(null=True, default=None)
    address = Text(null=True, default=None)
    lat_e7 = Integer(null=True, default=None)
    lon_e7 = Integer(null=True, default=None)
    crs = Text(null=True, default=None)
    fictional = Boolean(null=False, default=None)
    rev = Integer(null=False, default=None)
    created_at = Timestamptz(null=False, default=None)
    updated_at = Timestamptz(null=False, default=None)
    touched = BigInt(null=False, default=0)


class Occupation(Table, tablename="occupation"):
    """An occupation."""

    code = Text(primary_key=True, null=False, default=None)
    name_zh = Text(null=False, default=None)
    name_en = Text(null=False, default=None)
    levels = Array(base_column=Text(), null=False, default=None)
    source = Text(null=False, default=None)


class CatalogueEntry(Table, tablename="catalogue_entry"):
    """One catalogue entry 目录条目."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    kind = Text(null=False, default=None)
    occupation = ForeignKey(
        Occupation,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    levels = Array(base_column=Text(), null=False, default=None)
    listed_on = Date(null=False, default=None)
    valid_until = Date(null=False, default=None)
    source_notice = Text(null=False, default=None)
    delisted_on = Date(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
