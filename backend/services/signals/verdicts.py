"""What a reviewer thinks of a signal, with a reason; nothing else follows from it by itself."""

from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import audit, policy
from backend.services.act import Act
from backend.services.signals import reading
from backend.services.signals.reading import SignalRecord, VerdictWord

DECIDE = """
insert into signal_verdict (id, signal, region, verdict, reason, decided_by, decided_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""


async def decide(signal_id: UUID, verdict: VerdictWord, reason: str, *, act: Act) -> SignalRecord:
    """Judge a signal; a later verdict stands beside the earlier one, and counts.

    It changes no visit, no evidence and no finding: what follows is another act of a person.
    Raises: Absent (also for a member of the visit's team), Denied.
    """
    policy.require(act.by, "signals.judge")
    async with DB.transaction(act.by.scope):
        found = await reading.one(signal_id, act=act)
        await DB.connection.execute(
            DECIDE, act.new_id(), signal_id, found.region, verdict, reason, act.by.id, act.at
        )
        await audit.record(
            act,
            f"signal.{verdict}",
            "signal",
            signal_id,
            region=found.region,
            title=found.kind,
            reason=reason,
        )
        return await reading.one(signal_id, act=act)
