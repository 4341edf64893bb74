"""Table of evidence bundles; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, BigInt, Boolean, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.cases import CaseFile
from backend.db.tables.directories import Institution
from backend.db.tables.visits import Visit


class Dossier(Table, tablename="dossier"):
    """One evidence bundle 证据包: ordered, made in the background, fetched."""

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
    case_file = ForeignKey(
        CaseFile, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    audience = Text(null=False, default=None)
    purpose = Text(null=False, default=None)
    witness = Text(null=True, default=None)
    state = Text(null=False, default=None)
    done_bytes = BigInt(null=False, default=None)
    total_bytes = BigInt(null=False, default=None)
    pieces = Integer(null=False, default=None)
    left_out = Integer(null=False, default=None)
    object_key = Text(null=True, default=None)
    sha256 = Text(null=True, default=None)
    size = BigInt(null=True, default=None)
    stamped = Boolean(null=True, default=None)
    fault = Text(null=True, default=None)
    entry = BigInt(null=False, default=None)
    ordered_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    ordered_at = Timestamptz(null=False, default=None)
    ended_at = Timestamptz(null=True, default=None)
    deleted_at = Timestamptz(null=True, default=None)
