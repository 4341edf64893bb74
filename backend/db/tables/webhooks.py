"""Tables of webhooks: who is called on which events, every call, how far the log was followed."""

from piccolo.columns import UUID, Array, BigInt, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.columns.reference import LazyTableReference
from piccolo.table import Table

from backend.db.tables.accounts import Account


class Webhook(Table, tablename="webhook"):
    """An office's system that is told of events at an address."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    url = Text(null=False, default=None)
    events = Array(base_column=Text(), null=False, default=None)
    note = Text(null=False, default=None)
    created_by = ForeignKey(
        Account, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    created_at = Timestamptz(null=False, default=None)
    ended_by = ForeignKey(
        Account, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    ended_at = Timestamptz(null=True, default=None)


class WebhookCall(Table, tablename="webhook_call"):
    """One event for one webhook: the bytes that are signed, and what became of them."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    webhook = ForeignKey(
        Webhook, null=False, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    event = Text(null=False, default=None)
    place = BigInt(null=False, default=None)
    body = Bytea(null=False, default=None)
    progress = Text(null=False, default=None)
    attempts = Integer(null=False, default=None)
    status = Integer(null=True, default=None)
    fault = Text(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    due_at = Timestamptz(null=False, default=None)
    ended_at = Timestamptz(null=True, default=None)
    replay_of: "ForeignKey[WebhookCall]" = ForeignKey(
        LazyTableReference("WebhookCall", module_path="backend.db.tables.webhooks"),
        null=True,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )


class Follower(Table, tablename="follower"):
    """How far somebody inside the product has read the numbered log."""

    name = Text(primary_key=True, null=False, default=None)
    position = BigInt(null=False, default=None)
    moved_at = Timestamptz(null=False, default=None)
