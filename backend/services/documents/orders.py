"""Documents that issue themselves: a kind says which entries of the log call for it.

The numbered log is followed as for messages: reading upwards misses nothing, and the position
moves in the transaction that orders. Each document is ordered once in all: one that was voided is
issued anew by a person. Source: casework 2.
"""

from functools import cache
from typing import Any
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import tasks
from backend.services.act import SYSTEM_ID, Act
from backend.services.documents import issuing
from backend.services.documents.issuing import AlreadyIssued, Stamp
from backend.services.documents.of_case import PAPERS_OF, STEPS
from backend.services.documents.of_visit import EVENT_KINDS
from backend.services.documents.templates import kinds
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans.errors import Family

KIND = "document.issue"
NAME = "documents"
MOST = 500
BEGIN = """
insert into follower (name, position, moved_at)
values ($1, coalesce((select max(size) from aud.checkpoint), 0), $2) on conflict (name) do nothing
"""
POSITION = "select position from follower where name = $1 for update skip locked"
ENTRIES = """
select tree_index, region, body -> 'object' ->> 'id' as id, body ->> 'verb' as verb,
  body -> 'actor' ->> 'id' as actor
from aud.entry where tree_index >= $1 order by tree_index limit $2
"""
MOVE = "update follower set position = $2, moved_at = $3 where name = $1"
# What an entry's document is about, by the kind's matter: $1 is what the entry names, $2 the word
# of the event or step. A visit that could not be made has no result to tell.
ABOUT = {
    "visit": """
select id from visit where id = $1 and ($2::text <> 'concluded' or completed_at is not null)
""",
    "event": "select op_id as id from visit_event where visit = $1 and kind = $2",
    "notice": "select id from notice where id = $1 and $2::text is not null",
    "reply": """
select id from reply where id = $1 and $2::text is not null
union select reply from reply_decision where notice = $1 and kind = 'extension'
""",
    "step": """
select id from case_step where case_file = $1 and kind = $2 and number is not null
""",
    "case": "select id from case_file where id = $1 and $2::text is not null",
    "publication": """
select id from publication where id = $1 and kind = 'result' and $2::text is not null
""",
}
MADE = "select matter_id from document where kind = $1 and matter_id = any ($2)"
# Papers of a case that are not set yet, or not even issued: its index has to wait for them.
WAITING = f"""
select exists (select from document d where d.matter_id in ({PAPERS_OF})
    and d.standing = 'issued' and d.sha256 is null and d.fault is null)
  or exists (select from task t where t.kind = $3 and t.done_at is null
    and t.attempts < t.max_attempts and t.payload ->> 'kind' <> 'case_index'
    and (t.payload ->> 'matter')::uuid in ({PAPERS_OF}))
"""  # noqa: S608 - constants
CASE = "select findings from case_file where id = $1"


class PapersPending(ServiceRefusal):
    """Papers of the case are being set; its index comes after them."""

    code = "document.papers_pending"
    family = Family.UNAVAILABLE


@cache
def called_for() -> dict[str, tuple[str, ...]]:
    """The kinds that an entry calls for, by its verb."""
    verbs = {verb for kind in kinds().values() for verb in kind.at}
    return {
        verb: tuple(name for name, kind in kinds().items() if verb in kind.at) for verb in verbs
    }


def _word(kind: str, verb: str) -> str:
    return EVENT_KINDS.get(kind) or STEPS.get(kind) or verb.split(".", 1)[1]


async def _order(entry: Any, *, act: Act) -> None:  # noqa: ANN401 - a driver's row
    for kind in called_for().get(entry["verb"], ()):
        word = _word(kind, entry["verb"])
        about = await DB.connection.fetch(ABOUT[kinds()[kind].matter], UUID(entry["id"]), word)
        found = [row["id"] for row in about]
        made = {row["matter_id"] for row in await DB.connection.fetch(MADE, kind, found)}
        for matter in found:
            if matter not in made:
                await tasks.enqueue(
                    KIND,
                    {"kind": kind, "matter": str(matter), "by": entry["actor"]},
                    region=entry["region"],
                    at=act.at,
                    dedupe=f"{kind} {matter}",
                )


async def follow(*, act: Act) -> int:
    """Order what the next entries of the log call for; how many were read.

    An installation that learns this begins with what is done from then on.
    """
    async with DB.transaction(act.by.scope):
        position = await DB.connection.fetchval(POSITION, NAME)
        if position is None:
            await DB.connection.execute(BEGIN, NAME, act.at)
            position = await DB.connection.fetchval(POSITION, NAME)
        if position is None:  # another worker holds it
            return 0
        entries = await DB.connection.fetch(ENTRIES, position, MOST)
        for entry in entries:
            await _order(entry, act=act)
        if entries:
            await DB.connection.execute(MOVE, NAME, entries[-1]["tree_index"] + 1, act.at)
    return len(entries)


async def carry_out(order: dict[str, str], *, act: Act, stamp: Stamp) -> None:
    """Issue what was ordered; what a person issued meanwhile, or is not so any more, is no fault.

    Raises: PapersPending ("document.papers_pending") while a case's papers are being set.
    """
    kind, matter, actor = order["kind"], UUID(order["matter"]), UUID(order["by"])
    if kind == "case_index":
        await _ready(matter, act=act)
    by = None if actor == SYSTEM_ID else actor
    try:
        await issuing.issue(kind, matter, act=act, stamp=stamp, by=by)
    except (Absent, AlreadyIssued):
        return


async def _ready(case: UUID, *, act: Act) -> None:
    async with DB.transaction(act.by.scope, readonly=True):
        findings = await DB.connection.fetchval(CASE, case)
        if findings is not None and await DB.connection.fetchval(WAITING, case, findings, KIND):
            raise PapersPending
