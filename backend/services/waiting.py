"""What waits for a person 待办: one capped count a matter, only matters their roles may act on."""

import msgspec

from backend.piccolo_conf import DB
from backend.services import holdings, policy, second_looks
from backend.services.accounts import on_day
from backend.services.act import Act

CAP = 99
# matter → (action that settles it, where the list is, one row a thing that waits)
MATTERS: dict[str, tuple[str, str, str]] = {
    "plans": (
        "plans.approve",
        "/api/v1/plans?state=submitted",
        "select from plan where state = 'submitted'",
    ),
    "second": (
        "visits.approve",
        "/api/v1/second-looks",
        f"select from ({second_looks.OPEN}) looks",
    ),
    "decisions": (
        "visits.review",
        "/api/v1/visits?state=needs_decision",
        "select from visit where state = 'needs_decision'",
    ),
    "doubts": (
        "visits.review",
        "/api/v1/doubts",
        "select from op_doubt where standing = 'waiting'",
    ),
    "letters": (
        "visits.review",
        "/api/v1/dead-letters?state=open",
        "select from dead_letter where state = 'open'",
    ),
    "unsent": (
        "visits.review",
        "/api/v1/devices?overdue=true",
        (
            "select from device where (heartbeat ->> 'pending_count')::bigint > 0"
            " and (heartbeat ->> 'oldest_pending_at')::timestamptz <= $1"
        ),
    ),
    "alarms": (
        "visits.review",
        "/api/v1/devices/alarms",
        "select from device_alarm where settled_at is null",
    ),
    "visits": (
        "visits.review",
        "/api/v1/visits?state=complete",
        "select from visit where state = 'complete'",
    ),
    "findings": (
        "findings.verify",
        "/api/v1/findings?state=suspected",
        "select from finding where state = 'suspected'",
    ),
    "legal": (
        "notices.legal",
        "/api/v1/notices?state=legal_review",
        "select from notice where state = 'legal_review' and legal_by is null",
    ),
    "approvals": (
        "notices.approve",
        "/api/v1/notices?state=draft",
        (
            "select from notice where state = 'draft'"
            " or (state = 'legal_review' and legal_by is not null)"
        ),
    ),
    "service": (
        "notices.serve",
        "/api/v1/notices?state=approved",
        "select from notice where state in ('approved', 'issued')",
    ),
    "lost": (
        "visits.review",
        "/api/v1/evidence/lost",
        "select from evidence where state = 'missing' and verified_at is not null",
    ),
    "overdue": (
        "notices.review",
        "/api/v1/notices?overdue=true",
        (
            "select from notice n where n.state = 'served' and exists (select from notice_finding"
            " nf where nf.notice = n.id and nf.due_on < $1"
            " and coalesce(nf.outcome, '') not in ('accepted', 'withdrawn'))"
            " and not exists (select from clock_stop s where s.notice = n.id"
            " and s.whose = 'party' and s.last_on is null)"
        ),
    ),
    "replies": (
        "notices.review",
        "/api/v1/notices?state=answered",
        "select from notice where state = 'answered'",
    ),
    "asked": (
        "replies.decide",
        "/api/v1/replies/waiting",
        (
            "select from reply r join notice n on n.id = r.notice where r.state = 'submitted'"
            " and r.kind in ('extension', 'objection')"
            " and n.state in ('served', 'answered', 'under_review')"
            " and not exists (select from reply_decision d where d.reply = r.id)"
        ),
    ),
    "teams": (
        "visits.assign",
        "/api/v1/visits?state=drawn",
        "select from visit where state = 'drawn' and selection = 'reinspection'",
    ),
    "case_reviews": (
        "cases.legal",
        "/api/v1/cases?state=verified",
        (
            "select from case_file c where c.state = 'verified' and exists (select from case_step"
            " s where s.case_file = c.id and s.kind = 'investigation')"
            " and not exists (select from case_step s where s.case_file = c.id"
            " and s.kind = 'legal_review')"
        ),
    ),
    "due": (
        "publications.prepare",
        "/api/v1/publications/due",
        (
            "select from visit v where v.concluded_at is not null and v.result_public is null and"
            " not exists (select from publication p where p.kind = 'result' and p.subject = v.id)"
        ),
    ),
    "previews": (
        "publications.approve",
        "/api/v1/publications?state=prepared",
        "select from publication where state = 'prepared'",
    ),
    "answers": (
        "notices.reply",
        "/api/v1/notices?state=served",
        "select from notice where state = 'served'",
    ),
}


class Waiting(msgspec.Struct, frozen=True):
    """One matter and how many wait; counting stops at 99."""

    matter: str
    count: int
    address: str

    @property
    def shown(self) -> str:
        return f"{CAP}+" if self.count > CAP else str(self.count)


async def lines(*, act: Act) -> tuple[Waiting, ...]:
    """What waits for the caller, in the order of the circle; nothing that is not there."""
    found = []
    since = {"overdue": on_day(act.at), "unsent": holdings.overdue(act.at)}
    async with DB.transaction(act.by.scope, readonly=True):
        for matter, (action, address, rows) in MATTERS.items():
            if not policy.allowed(action, act.by.roles, signed_in=True):
                continue
            days = [since[matter]] if "$1" in rows else []
            count = await DB.connection.fetchval(
                f"select count(*) from ({rows} limit {CAP + 1}) waits",  # noqa: S608 - constants
                *days,
            )
            found.append(Waiting(matter, count, address))
    return tuple(line for line in found if line.count)
