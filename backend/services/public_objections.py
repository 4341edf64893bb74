"""Pending objections 异议 beside what is public: shown while one waits for its decision."""

from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.notices import Notice

# Results of the visits that a notice's findings come from, as long as they are public.
MARK = """
update publication p set objection_on = $2 where p.kind = 'result' and p.objection_on is null
  and p.state in ('published', 'corrected') and p.subject in (
    select f.visit from notice_finding nf join finding f on f.id = nf.finding
    where nf.notice = $1) returning p.id, p.region, p.digest
"""
CLEAR = """
update publication p set objection_on = null where p.kind = 'result'
  and p.objection_on is not null and p.subject in (
    select f.visit from notice_finding nf join finding f on f.id = nf.finding
    where nf.notice = $1)
  and not exists (select from reply r join notice_finding nf on nf.notice = r.notice
    join finding f on f.id = nf.finding where f.visit = p.subject and r.kind = 'objection'
    and r.state = 'submitted' and not exists (select from reply_decision d where d.reply = r.id))
returning p.id, p.region, p.digest
"""


async def mark(notice: Notice, *, act: Act) -> None:
    """Show beside the published result that an objection waits, in the deed's transaction.

    Source: casework 6 (pending objections).
    """
    await _enter(MARK, (notice.id, on_day(act.at)), "publication.objected", act=act)


async def settle(notice: Notice, *, act: Act) -> None:
    """Take the mark off once no objection waits, in the deed's transaction."""
    await _enter(CLEAR, (notice.id,), "publication.objection_settled", act=act)


async def _enter(query: str, values: tuple[object, ...], verb: str, *, act: Act) -> None:
    for row in await DB.connection.fetch(query, *values):
        await audit.record(
            act,
            verb,
            "publication",
            row["id"],
            region=row["region"],
            title="result",
            after_sha256=row["digest"],
        )
