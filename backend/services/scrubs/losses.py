"""What a loss changes: the piece is missing, its visit is in doubt, and the log says so.

Source: evidence spec 5 (missing: expected object absent or altered: alarm), 0.1 (no false
complete). The record keeps its state, for it was complete once; whoever sees it sees the doubt.
"""

from datetime import datetime
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.act import Act
from backend.services.scrubs.judging import Damage
from backend.services.scrubs.pages import Piece
from inspection_plans import states
from inspection_plans.states import Noun

LOCK = "select state, version_id from evidence where id = $1 for no key update"
LOSE = "update evidence set state = $2, reason = $3 where id = $1"
DOUBT = """
update visit set doubted_at = $2 where id = $1 and doubted_at is null
  and state in ('complete', 'accepted', 'returned', 'concluded', 'concluded_with_gap')
  and exists (select from visit_missing($1) where what = 'evidence') returning region, code
"""
SETTLE = """
update visit set doubted_at = null where id = $1 and doubted_at is not null
  and not exists (select from visit_missing($1) where what = 'evidence') returning region, code
"""
EXTEND = "update evidence set retain_until = $2 where id = $1"


async def lose(damage: Damage, piece: Piece, *, act: Act) -> bool:
    """A piece whose bytes are gone or other ones is missing; False when it moved on meanwhile.

    One that was made void or withdrawn keeps that state; the log names the loss all the same.
    """
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(LOCK, piece.id)
        if row is None or (row["state"], row["version_id"]) != (piece.state, piece.version):
            return False
        target = states.TRANSITIONS[Noun.EVIDENCE][piece.state].get("lose")
        if target is not None:
            await DB.connection.execute(LOSE, piece.id, target, f"scrub.{damage.what}")
        await audit.record(
            act,
            "evidence.lost",
            "evidence",
            piece.id,
            region=piece.region,
            reason=f"scrub.{damage.what}",
            before_sha256=piece.sha256,
            after_sha256=damage.found,
        )
        if piece.visit is not None:
            await _doubt(piece.visit, act)
    return True


async def _doubt(visit_id: UUID, act: Act) -> None:
    row = await DB.connection.fetchrow(DOUBT, visit_id, act.at)
    if row is not None:
        await audit.record(
            act, "visit.doubted", "visit", visit_id, region=row["region"], title=row["code"]
        )


async def settle(visit_id: UUID, *, act: Act) -> None:
    """Everything that a doubted visit lists is proved again: the doubt ends.

    In the transaction that proved the last piece.
    """
    row = await DB.connection.fetchrow(SETTLE, visit_id)
    if row is not None:
        await audit.record(
            act, "visit.proved_again", "visit", visit_id, region=row["region"], title=row["code"]
        )


async def locked_again(piece: Piece, *, act: Act) -> None:
    """A lock or hold that was taken off without two persons, and is on again."""
    async with DB.transaction(act.by.scope):
        await audit.record(
            act,
            "evidence.locked_again",
            "evidence",
            piece.id,
            region=piece.region,
            reason="scrub.unlocked",
            after_sha256=piece.sha256,
        )


async def extend(piece: Piece, until: datetime, *, act: Act) -> None:
    """The matter closed later than the piece was verified: it is kept longer.

    Source: evidence spec 12.8 (retain_until).
    """
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(EXTEND, piece.id, until)
        await audit.record(
            act,
            "evidence.kept_longer",
            "evidence",
            piece.id,
            region=piece.region,
            reason=until.isoformat(),
            after_sha256=piece.sha256,
        )
