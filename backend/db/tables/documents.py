"""Tables of documents; constraints and policies stand in the migrations."""

from piccolo.columns import (
    JSONB,
    UUID,
    BigInt,
    Bytea,
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
from backend.db.tables.offices import Office


class DocumentSource(Table, tablename="document_source"):
    """The bytes of a template as they were used, under their SHA-256."""

    digest = Text(primary_key=True, null=False, default=None)
    content = Bytea(null=False, default=None)
    recorded_at = Timestamptz(null=False, default=None)


class DocumentTemplate(Table, tablename="document_template"):
    """An office's own text of one kind, a version a row; none means the product's own."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    office = ForeignKey(
        Office, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    kind = Text(null=False, default=None)
    rev = Integer(null=False, default=None)
    body = Text(null=False, default=None)
    note = Text(null=False, default=None)
    made_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    made_at = Timestamptz(null=False, default=None)


class Document(Table, tablename="document"):
    """One document 文书: what it says, its number, what was rendered, whom it was handed to."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    office = ForeignKey(
        Office, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    kind = Text(null=False, default=None)
    matter = Text(null=False, default=None)
    matter_id = UUID(null=False, default=None)
    number = Text(null=False, default=None)
    code = Text(null=False, default=None)
    standing = Text(null=False, default=None)
    facts = Bytea(null=False, default=None)
    facts_sha256 = Text(null=False, default=None)
    source = ForeignKey(
        DocumentSource,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    sha256 = Text(null=True, default=None)
    size = BigInt(null=True, default=None)
    pages = Integer(null=True, default=None)
    object_key = Text(null=True, default=None)
    rendered_at = Timestamptz(null=True, default=None)
    fault = Text(null=True, default=None)
    void_sha256 = Text(null=True, default=None)
    void_key = Text(null=True, default=None)
    issued_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    issued_at = Timestamptz(null=False, default=None)
    issued_on = Date(null=False, default=None)
    handed = JSONB(null=True, default=None)
    handed_at = Timestamptz(null=True, default=None)
    handed_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    void_at = Timestamptz(null=True, default=None)
    void_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    void_reason = Text(null=True, default=None)
