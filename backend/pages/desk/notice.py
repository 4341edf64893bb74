"""One notice: its clocks, findings, replies and proofs, and whose turn it is."""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath

from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Filled
from backend.pages.routes import get
from backend.services import (
    clock_stops,
    consents,
    documents,
    names,
    notices,
    policy,
    reinspections,
    reminders,
    replies,
    reply_decisions,
    service_proofs,
    terms,
)
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.notices import Notice
from backend.services.terms import Term
from inspection_plans import gates
from inspection_plans.vocabulary import Severity

# deed → the action that the policy asks for
DEEDS = {
    "write": "notices.write",
    "legal": "notices.legal",
    "send_back": "notices.return",
    "approve": "notices.approve",
    "serve": "notices.serve",
    "review": "notices.review",
    "close": "notices.close",
    "decide": "replies.decide",
    "stop": "clocks.stop",
    "escalate": "cases.write",
}

# From its issue to its end a paper may be handed over in one way more.
SERVED = ("issued", "served", "answered", "under_review")


class Clock(msgspec.Struct, frozen=True):
    """One term as it is shown: its name, what it was counted from, and what is left."""

    key: str
    term: Term
    left: int


def clocks(notice: Notice, today: date) -> tuple[Clock, ...]:
    """The terms that run or ran: to rectify, to state one's case, the office's own."""
    named = (
        ("rectify", notice.term),
        ("statement", notice.statement_term),
        ("review", notice.review_term),
    )
    return tuple(
        Clock(key, term, terms.days_left(term.due_on, today)) for key, term in named if term
    )


async def shown(
    notice_id: UUID,
    request: Asked,
    act: Act,
    filled: Filled = EMPTY,
    status: int = 200,
) -> Response[Any]:
    """The page of a notice; deeds show it again with what was typed."""
    notice = await notices.get(notice_id, act=act)
    said = await replies.of(notice_id, act=act)
    proofs = await service_proofs.of(notice_id, act=act)
    may = {
        deed: policy.allowed(action, act.by.roles, signed_in=True)
        for deed, action in DEEDS.items()
    }
    people = [notice.institution, notice.visit, notice.author, notice.legal_by]
    people += [notice.approved_by, *(line.decided_by for line in notice.findings)]
    values = {
        "notice": notice,
        "clocks": clocks(notice, on_day(act.at)),
        "replies": said,
        "decisions": {one.reply: one for one in await reply_decisions.of(notice_id, act=act)},
        "proofs": proofs,
        "papers": await documents.about(notice_id, act=act),
        "stops": await clock_stops.of_notice(notice_id, act=act),
        "reminders": await reminders.of(notice_id, act=act),
        "reinspections": (await reinspections.of(notice_id, act=act) if may["review"] else ()),
        "ladder": (
            await consents.next_way(notice_id, act=act)
            if may["serve"] and notice.state in SERVED
            else None
        ),
        "names": await names.of(people, act=act),
        "needs_legal": gates.legal_review_needed(
            Severity(line.severity) for line in notice.findings
        ),
        "own": notice.author == act.by.id,
        "today": on_day(act.at),
        "may": may,
        "filled": filled,
    }
    return desk(request, act, "desk/notice.html", values, here="notices", status=status)


@get("/desk/notices/{notice_id:uuid}", action="visits.read")
async def one(notice_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """The notice with its clocks, findings, replies and what follows."""
    return await shown(notice_id, request, act)


HANDLERS = [one]
