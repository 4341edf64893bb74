"""Table of links left in advance; constraints and policies stand in the migrations."""

from piccolo.columns import UUID, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.table import Table

from backend.db.tables.chains import DrawChain
from backend.db.tables.draws import Draw


class DrawDeposit(Table, tablename="draw_deposit"):
    """One sealed link for one attempt of one announced draw."""

    id = UUID(primary_key=True, null=False, default=None)
    region = Integer(null=False, default=None)
    chain = ForeignKey(
        DrawChain,
        null=False,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    party = Text(null=False, default=None)
    code = Text(null=False, default=None)
    attempt = Integer(null=False, default=None)
    link_index = Integer(null=False, default=None)
    commitment = Text(null=False, default=None)
    commit_signature = Text(null=False, default=None)
    sealed = Bytea(null=False, default=None)
    signature = Text(null=False, default=None)
    deposited_at = Timestamptz(null=False, default=None)
    used_in = ForeignKey(
        Draw, null=True, default=None, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
