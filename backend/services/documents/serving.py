"""A notice's own paper reaches the party with the notice: served together, handed together."""

from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.act import Act

# The way and the receiver are those of the proof; left before a witness means not signed for.
HANDED = """
update document d set handed_at = $2, handed_by = coalesce(p.recorded_by, d.issued_by),
  handed = jsonb_build_object('way', p.way, 'receiver', p.receiver,
    'refused', p.way = 'left_with_witness')
from (select * from service_proof where notice = $1 order by id desc limit 1) p
where d.matter_id = $1 and d.kind in ('order', 'advice') and d.standing = 'issued'
  and d.handed_at is null returning d.id, d.region, d.number
"""


async def with_notice(notice: UUID, *, act: Act) -> None:
    """Let the party see the paper of a notice that was served, in the caller's transaction."""
    for row in await DB.connection.fetch(HANDED, notice, act.at):
        await audit.record(
            act,
            "document.handed",
            "document",
            row["id"],
            region=row["region"],
            title=row["number"],
        )
