"""Tables of messages to persons: inbox, ways to reach them, deliveries."""

from piccolo.columns import UUID, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.columns.column_types import JSONB
from piccolo.table import Table

from backend.db.tables.accounts import Account
from backend.db.tables.directories import Institution


class Message(Table, tablename="message"):
    """One line of a person's inbox 消息: a subject of the texts, about one matter."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    account = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    subject = Text(null=False, default=None)
    facts = JSONB(null=False, default=None)
    matter = Text(null=False, default=None)
    matter_id = UUID(null=False, default=None)
    dedupe = Text(null=False, default=None)
    written_at = Timestamptz(null=False, default=None)
    read_at = Timestamptz(null=True, default=None)


class Reach(Table, tablename="reach"):
    """How a person is reached: addresses, language, the digest of the calendar's secret."""

    account = ForeignKey(
        Account,
        primary_key=True,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    email = Text(null=True, default=None)
    mobile = Text(null=True, default=None)
    language = Text(null=False, default=None)
    calendar_hash = Bytea(null=True, default=None)
    updated_at = Timestamptz(null=False, default=None)


class Delivery(Table, tablename="delivery"):
    """One message on its way outside: by which channel, how often tried, what became of it."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    institution = ForeignKey(
        Institution,
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    message = ForeignKey(
        Message, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    channel = Text(null=False, default=None)
    progress = Text(null=False, default=None)
    attempts = Integer(null=False, default=None)
    fault = Text(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    due_at = Timestamptz(null=False, default=None)
    ended_at = Timestamptz(null=True, default=None)
