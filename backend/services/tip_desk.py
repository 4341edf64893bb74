"""Tips on the desk: read, sorted, answered, grouped, linked to a check, referred, closed.

Only who works on tips gets here: no role of the field and nobody who inspects, so that neither
the inspected side nor the inspectors learn that there is a tip. What they are told of a matter is
a paraphrase.
"""

import unicodedata
from datetime import date, datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, policy, terms
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent, Denied, ServiceRefusal
from backend.services.policy import FIELD
from backend.services.terms import Term
from backend.services.tips import ADD, FILES_OF, MESSAGES_OF, File, Loan, Message
from inspection_plans import states, tips
from inspection_plans.errors import Family
from inspection_plans.states import Noun

Link = Literal["plan", "visit", "case"]
State = Literal["received", "triaged", "linked", "answered", "closed"]
SHARED_SIGNS = 7  # in a row: a name and two words, not a sentence
ENTER = "select set_config('app.tips', 'desk', true)"
PAGE = """
select id, region, institution, about, category, state, due_on, received_at, matter, link_kind,
  link, loan is not null as has_loan, identity is not null as identity_given, witness
from tip where ($1::text is null or state = $1) and ($2::text is null or category = $2)
  and ($3::uuid is null or institution = $3) and ($4::uuid is null or matter = $4)
  and ($5::uuid is null or id < $5)
order by id desc limit $6
"""
ONE = """
select t.*, t.loan is not null as has_loan, t.identity is not null as identity_given,
  m.title as matter_title from tip t left join tip_matter m on m.id = t.matter where t.id = $1
"""
LOCK = "select * from tip where id = $1 for update"
EVENTS = "select kind, detail, by_account, at from tip_event where tip = $1 order by id"
NOTE = """
insert into tip_event (id, tip, region, kind, detail, by_account, at)
values ($1, $2, $3, $4, $5, $6, $7)
"""
LINKED = {
    "plan": "select true from plan where id = $1",
    "visit": "select true from visit where id = $1",
    "case": "select true from case_file where id = $1",
}
SAID = "select text from tip_message where tip = $1 and sender = 'tipster'"


class LinkAbsent(ServiceRefusal):
    """The plan, visit or case is not there, or not the office's."""

    code: ClassVar[str] = "tip.link_absent"
    family: ClassVar[Family] = Family.ABSENT


class Unanswered(ServiceRefusal):
    """A tip is closed after its sender got an answer, never before."""

    code: ClassVar[str] = "tip.unanswered"
    family: ClassVar[Family] = Family.GATE


class FewTips(ServiceRefusal):
    """A matter has at least two tips of one office."""

    code: ClassVar[str] = "tip.few"


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list; ``days_left`` are working days, negative when the term is over."""

    id: UUID
    region: int
    institution: UUID | None
    about: str
    category: str
    state: State
    due_on: date
    days_left: int
    overdue: bool
    received_at: datetime
    matter: UUID | None
    link_kind: Link | None
    link: UUID | None
    has_loan: bool
    identity_given: bool
    witness: bool


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What the office did with a tip."""

    kind: str
    detail: dict[str, Any]
    by_account: UUID
    at: datetime


class Tip(msgspec.Struct, frozen=True, kw_only=True):
    """举报线索 as the desk reads it; it shows that there is an identity, never the identity."""

    brief: Brief
    text: str
    loan: Loan | None
    term: Term
    matter_title: str | None
    paraphrase: str | None
    answered_at: datetime | None
    closed_at: datetime | None
    messages: tuple[Message, ...]
    files: tuple[File, ...]
    events: tuple[Event, ...]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which tips a list shows; nothing set means all of the scope."""

    state: State | None = None
    category: str | None = None
    institution: UUID | None = None
    matter: UUID | None = None


async def enter(act: Act, action: str = "tips.handle") -> None:
    """Open the room of tips for the running transaction.

    Raises: Denied ("person.denied") for whoever inspects, whatever other roles they have.
    """
    policy.require(act.by, action)
    if act.by.roles & FIELD or act.by.inspector is not None:
        raise Denied(action=action)
    await DB.connection.execute(ENTER)


def _brief(row: Any, today: date) -> Brief:  # noqa: ANN401 - a row of the driver
    over = row["state"] not in ("answered", "closed") and today > row["due_on"]
    return Brief(
        **{name: row[name] for name in Brief.__struct_fields__ if name in row.keys()},  # noqa: SIM118 - a record's ``in`` looks at values
        days_left=terms.days_left(row["due_on"], today),
        overdue=over,
    )


async def page(
    wanted: Wanted, *, act: Act, after: UUID | None = None, limit: int = 50
) -> tuple[Brief, ...]:
    """Tips of the scope, newest first, those older than ``after``."""
    async with DB.transaction(act.by.scope, readonly=True):
        await enter(act, "tips.read")
        rows = await DB.connection.fetch(
            PAGE, wanted.state, wanted.category, wanted.institution, wanted.matter, after, limit
        )
    return tuple(_brief(row, on_day(act.at)) for row in rows)


async def _read(tip_id: UUID, act: Act) -> Tip:
    row = await DB.connection.fetchrow(ONE, tip_id)
    if row is None:
        raise Absent
    messages = await DB.connection.fetch(MESSAGES_OF, tip_id)
    files = await DB.connection.fetch(FILES_OF, tip_id)
    events = await DB.connection.fetch(EVENTS, tip_id)
    return Tip(
        brief=_brief(row, on_day(act.at)),
        text=row["text"],
        loan=row["loan"] and msgspec.convert(row["loan"], Loan),
        term=msgspec.convert(row["term"], Term),
        matter_title=row["matter_title"],
        paraphrase=row["paraphrase"],
        answered_at=row["answered_at"],
        closed_at=row["closed_at"],
        messages=tuple(Message(**dict(one)) for one in messages),
        files=tuple(File(**dict(one)) for one in files),
        events=tuple(Event(**dict(one)) for one in events),
    )


async def tip(tip_id: UUID, *, act: Act) -> Tip:
    """One tip; that it was looked at is an entry of the log. Raises: Absent, Denied."""
    async with DB.transaction(act.by.scope):
        await enter(act, "tips.read")
        found = await _read(tip_id, act)
        await audit.record(act, "tip.read", "tip", tip_id, region=found.brief.region)
    return found


async def lock(tip_id: UUID) -> Any:  # noqa: ANN401 - a row of the driver
    """The tip's row, held until the transaction ends; raises Absent."""
    row = await DB.connection.fetchrow(LOCK, tip_id)
    if row is None:
        raise Absent
    return row


async def note(row: Any, kind: str, detail: dict[str, Any], act: Act) -> None:  # noqa: ANN401 - a row
    """Write what was done, beside the tip and into the log."""
    await DB.connection.execute(
        NOTE, act.new_id(), row["id"], row["region"], kind, detail, act.by.id, act.at
    )
    await audit.record(act, f"tip.{kind}", "tip", row["id"], region=row["region"])


async def _say(row: Any, text: str, act: Act) -> None:  # noqa: ANN401 - a row
    """A message of the office to the sender."""
    said = unicodedata.normalize("NFC", text)
    await DB.connection.execute(
        ADD, act.new_id(), row["id"], row["region"], "office", said, act.by.id, act.at
    )


async def triage(
    tip_id: UUID, *, act: Act, institution: UUID | None = None, remark: str = ""
) -> Tip:
    """Take the tip up and say about which institution it is, where that is known.

    Raises: Absent, Denied, TipWrongState ("tip.wrong_state").
    """
    async with DB.transaction(act.by.scope):
        await enter(act)
        row = await lock(tip_id)
        state = states.require(Noun.TIP, row["state"], "triage")
        if institution is not None:
            seen = await DB.connection.fetchval(
                "select true from institution where id = $1", institution
            )
            if seen is None:
                raise Absent
        await DB.connection.execute(
            "update tip set state = $2, institution = coalesce($3, institution) where id = $1",
            tip_id,
            state,
            institution,
        )
        await note(row, "triaged", {"remark": remark}, act)
        return await _read(tip_id, act)


async def answer(tip_id: UUID, text: str, *, act: Act) -> Tip:
    """Answer the sender, who reads it with the code.

    The first answer ends the answer's term. Further messages may follow until the tip is closed.
    Raises: Absent, Denied, TipWrongState ("tip.wrong_state").
    """
    async with DB.transaction(act.by.scope):
        await enter(act)
        row = await lock(tip_id)
        state = row["state"]
        if state != "answered":
            state = states.require(Noun.TIP, state, "answer")
        await _say(row, text, act)
        await DB.connection.execute(
            "update tip set state = $2, answered_at = coalesce(answered_at, $3) where id = $1",
            tip_id,
            state,
            act.at,
        )
        await note(row, "answered", {}, act)
        return await _read(tip_id, act)


async def link(tip_id: UUID, kind: Link, target: UUID, *, act: Act) -> Tip:
    """Link the tip to a directed check, a visit or a case that follows it.

    Raises: Absent, Denied, LinkAbsent ("tip.link_absent"), TipWrongState ("tip.wrong_state").
    """
    async with DB.transaction(act.by.scope):
        await enter(act)
        row = await lock(tip_id)
        state = states.require(Noun.TIP, row["state"], "link")
        if await DB.connection.fetchval(LINKED[kind], target) is None:
            raise LinkAbsent(field="target", kind=kind)
        await DB.connection.execute(
            "update tip set state = $2, link_kind = $3, link = $4 where id = $1",
            tip_id,
            state,
            kind,
            target,
        )
        await note(row, "linked", {"kind": kind, "target": str(target)}, act)
        return await _read(tip_id, act)


async def refer(tip_id: UUID, to: str, reason: str, *, act: Act) -> Tip:
    """Record that the matter, or a part of it, is another authority's, and to whom it went.

    The sender reads it as a message. Raises: Absent, Denied, TipWrongState ("tip.wrong_state").
    """
    async with DB.transaction(act.by.scope):
        await enter(act)
        row = await lock(tip_id)
        if row["state"] in ("received", "closed"):
            states.require(Noun.TIP, row["state"], "answer")
        await _say(row, f"→ {to}\n{reason}", act)
        await note(row, "referred", {"to": to, "reason": reason}, act)
        return await _read(tip_id, act)


async def paraphrase(tip_id: UUID, text: str, *, act: Act) -> Tip:
    """Write what may be told of the tip to others, in other words than its sender's.

    Raises: Absent, Denied, TooClose ("tip.too_close").
    """
    async with DB.transaction(act.by.scope):
        await enter(act)
        row = await lock(tip_id)
        said = await DB.connection.fetch(SAID, tip_id)
        originals = [row["text"], *(one["text"] for one in said)]
        tips.require_paraphrase(originals, text, most=SHARED_SIGNS)
        await DB.connection.execute("update tip set paraphrase = $2 where id = $1", tip_id, text)
        await note(row, "paraphrased", {}, act)
        return await _read(tip_id, act)


async def group(tip_ids: tuple[UUID, ...], title: str, *, act: Act) -> UUID:
    """Put tips about one matter together; a tip that has a matter moves to this one.

    Raises: FewTips ("tip.few"), Absent, Denied.
    """
    async with DB.transaction(act.by.scope):
        await enter(act)
        rows = [await lock(tip_id) for tip_id in sorted(set(tip_ids))]
        regions = {row["region"] for row in rows}
        if len(rows) < 2 or len(regions) > 1:  # noqa: PLR2004 - a matter of one tip is that tip
            raise FewTips(field="tips", tips=len(rows), regions=sorted(regions))
        matter = act.new_id()
        await DB.connection.execute(
            "insert into tip_matter (id, region, title, created_by, created_at)"
            " values ($1, $2, $3, $4, $5)",
            matter,
            regions.pop(),
            title,
            act.by.id,
            act.at,
        )
        await DB.connection.execute(
            "update tip set matter = $2 where id = any($1)", [row["id"] for row in rows], matter
        )
        for row in rows:
            await note(row, "grouped", {"matter": str(matter)}, act)
    return matter


async def close(tip_id: UUID, remark: str, *, act: Act) -> Tip:
    """Close the tip; its sender had an answer.

    Raises: Absent, Denied, Unanswered ("tip.unanswered"), TipWrongState ("tip.wrong_state").
    """
    async with DB.transaction(act.by.scope):
        await enter(act)
        row = await lock(tip_id)
        state = states.require(Noun.TIP, row["state"], "close")
        if row["answered_at"] is None:
            raise Unanswered(field="state")
        await DB.connection.execute(
            "update tip set state = $2, closed_at = $3 where id = $1", tip_id, state, act.at
        )
        await note(row, "closed", {"remark": remark}, act)
        return await _read(tip_id, act)
