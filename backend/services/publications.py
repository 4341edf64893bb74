"""Publication 公示: prepared, approved by another person, published; a correction keeps both."""

import unicodedata
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.db.engine import Scope
from backend.db.queries.paging import newest
from backend.db.tables.publications import Publication as Row
from backend.db.tables.visits import Visit
from backend.piccolo_conf import DB
from backend.services import audit, office_recusals, policy, public_facts, terms
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent, Changed, ServiceRefusal
from backend.services.public_facts import Fact, Subject
from inspection_plans import gates, publication, states
from inspection_plans.errors import Family
from inspection_plans.library import Library
from inspection_plans.states import Noun
from media import canon

PUBLIC = Scope(role="public")
Kind = Literal["plan", "draw", "result"]
INSERT = """
insert into publication (id, region, institution, kind, subject, state, wordings, body, digest,
  corrects, due_on, prepared_by, prepared_at)
values ($1, $2, $3, $4, $5, 'prepared', $6, $7, $8, $9, $10, $11, $12)
on conflict (kind, subject) where state in ('prepared', 'approved') do nothing returning id
"""
PUBLIC_PAGE = """
select * from publication where ($1::text is null or kind = $1) and ($2::uuid is null or id < $2)
  and (expires_on is null or expires_on >= $3)
order by id desc limit $4
"""
PUBLIC_ONE = """
select p.*, (select c.id from publication c where c.corrects = p.id) as corrected_by,
  (select o.body from publication o where o.id = p.corrects) as before
from publication p where p.id = $1 and p.state <> 'expired'
"""
DUE = """
select v.id as visit, v.region, v.code, i.name as institution_name, v.concluded_at,
  (select p.state from publication p where p.kind = 'result' and p.subject = v.id
    and p.state in ('prepared', 'approved')) as state
from visit v join institution i on i.id = v.institution
where v.concluded_at is not null and v.result_public is null
  and ($1::uuid is null or v.id > $1) and not exists (
  select from publication p where p.kind = 'result' and p.subject = v.id
    and p.state in ('published', 'corrected', 'expired'))
order by v.id limit $2
"""


# Read one by one under their locks; a page may still show what ends today.
EXPIRED = """
select id from publication where state in ('published', 'corrected') and expires_on < $1
order by id limit 500
"""


class AlreadyThere(ServiceRefusal):
    """The subject is published or being prepared; correct or revise that one."""

    code = "publication.already_there"
    family = Family.CONFLICT


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What the preparing person chooses: standard wordings, and facts about verified findings."""

    wordings: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """公示: ``body`` is exactly what the public will read, ``digest`` its SHA-256."""

    id: UUID
    region: int
    institution: UUID | None
    kind: Kind
    subject: UUID
    state: str
    wordings: tuple[str, ...]
    body: dict[str, Any]
    digest: str
    corrects: UUID | None
    due_on: date
    prepared_by: UUID
    approved_by: UUID | None
    prepared_at: datetime
    published_at: datetime | None
    expires_on: date | None
    objection_on: date | None


class Public(msgspec.Struct, frozen=True, kw_only=True):
    """What the public reads; ``before`` is the body that a correction replaced.

    ``objection_on``: the day since which an objection waits for its decision.
    """

    id: UUID
    kind: Kind
    state: str
    body: dict[str, Any]
    digest: str
    published_at: datetime
    expires_on: date | None
    corrects: UUID | None
    objection_on: date | None = None
    corrected_by: UUID | None = None
    before: dict[str, Any] | None = None


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A concluded visit whose result is not public yet; ``late`` is computed."""

    visit: UUID
    code: str
    institution_name: str
    concluded_on: date
    state: str | None
    due_on: date
    days_left: int
    late: bool
    provisional: bool


def _digest(body: dict[str, Any]) -> str:
    return sha256(canon.encode(body)).hexdigest()


def _body(subject: Subject, content: Content, rules: Library) -> dict[str, Any]:
    chosen = publication.result(content.wordings, rules.wordings) if content.wordings else ()
    return {
        **subject.body,
        "wordings": [{"code": w.code, "zh": w.zh, "en": w.en} for w in chosen],
        "wordings_version": rules.wordings.version,
    }


async def _lock(publication_id: UUID, *, digest: str | None = None) -> Publication:
    row = await DB.connection.fetchrow(
        "select * from publication where id = $1 for update", publication_id
    )
    if row is None:
        raise Absent
    if digest is not None and row["digest"] != digest:
        raise Changed(field="digest", digest=row["digest"], state=row["state"])
    return msgspec.convert(dict(row), Publication)


async def _entered(
    new: Publication, verb: str, *, act: Act, before: str = "", reason: str = ""
) -> Publication:
    if new.institution is not None:
        await office_recusals.refuse(new.institution, act=act)
    await audit.record(
        act,
        verb,
        "publication",
        new.id,
        region=new.region,
        title=new.kind,
        reason=reason,
        before_sha256=before,
        after_sha256=new.digest,
    )
    return new


async def _save(old: Publication, change: dict[Any, Any], verb: str, *, act: Act) -> Publication:
    await Row.update(change).where(Row.id == old.id)
    return await _entered(await _lock(old.id), verb, act=act, before=old.digest)


async def _compose(
    kind: Kind, subject: UUID, content: Content, *, rules: Library
) -> tuple[Subject, dict[str, Any]]:
    found = await public_facts.gather(kind, subject, content.wordings, content.facts, rules=rules)
    return found, _body(found, content, rules)


async def _insert(
    kind: Kind,
    subject: UUID,
    content: Content,
    *,
    corrects: Publication | None,
    reason: str,
    rules: Library,
    act: Act,
) -> Publication:
    found, body = await _compose(kind, subject, content, rules=rules)
    if corrects:
        body["correction"] = {
            "reason": unicodedata.normalize("NFC", reason),
            "of": str(corrects.id),
            "before": corrects.digest,
        }
    await public_facts.refuse_names(public_facts.free_text(body))
    due = terms.term(terms.PUBLISH, trigger=found.since, region=found.region)
    publication_id = await DB.connection.fetchval(
        INSERT,
        act.new_id(),
        found.region,
        found.institution,
        kind,
        subject,
        list(content.wordings),
        body,
        _digest(body),
        corrects.id if corrects else None,
        due.due_on,
        act.by.id,
        act.at,
    )
    if publication_id is None:
        raise AlreadyThere(field="subject")
    prepared = await _lock(publication_id)
    return await _entered(prepared, "publication.prepared", act=act, reason=reason)


async def prepare(
    kind: Kind, subject: UUID, content: Content, *, rules: Library, act: Act
) -> Publication:
    """The masked preview of a first publication, kept for another person's approval.

    Source: casework 1 (G4, G7, G9), 6. Raises: Absent, Denied, AlreadyThere, PersonalName and
    what ``public_facts.gather`` raises.
    """
    policy.require(act.by, "publications.prepare")
    async with DB.transaction(act.by.scope):
        if await DB.connection.fetchval(
            "select true from publication where kind = $1 and subject = $2"
            " and state = 'published'",
            kind,
            subject,
        ):
            raise AlreadyThere(field="subject")
        return await _insert(
            kind, subject, content, corrects=None, reason="", rules=rules, act=act
        )


async def correct(
    publication_id: UUID, content: Content, *, reason: str, rules: Library, act: Act
) -> Publication:
    """Prepare what shall replace a published one; both stay readable once it is published.

    Raises: Absent, Denied, PublicationWrongState and what ``prepare`` raises.
    """
    policy.require(act.by, "publications.prepare")
    async with DB.transaction(act.by.scope):
        old = await _lock(publication_id)
        states.require(Noun.PUBLICATION, old.state, "correct")
        if old.state == "corrected":  # another correction stands; that one is corrected next
            raise Changed(field="publication", state=old.state)
        return await _insert(
            old.kind, old.subject, content, corrects=old, reason=reason, rules=rules, act=act
        )


async def revise(
    publication_id: UUID, content: Content, *, digest: str, rules: Library, act: Act
) -> Publication:
    """Compose what is still prepared anew; ``digest`` is the version the caller has read.

    Raises: Absent, Denied, Changed, PublicationWrongState and what ``prepare`` raises.
    """
    policy.require(act.by, "publications.prepare")
    async with DB.transaction(act.by.scope):
        old = await _lock(publication_id, digest=digest)
        states.require(Noun.PUBLICATION, old.state, "approve")  # only what is not approved yet
        _, body = await _compose(old.kind, old.subject, content, rules=rules)
        if "correction" in old.body:
            body["correction"] = old.body["correction"]
        await public_facts.refuse_names(public_facts.free_text(body))
        change = {
            Row.wordings: list(content.wordings),
            Row.body: body,
            Row.digest: _digest(body),
            Row.prepared_by: act.by.id,
            Row.prepared_at: act.at,
        }
        return await _save(old, change, "publication.revised", act=act)


async def approve(publication_id: UUID, *, digest: str, act: Act) -> Publication:
    """Another person approves exactly the body with this digest.

    Source: casework 1 (G7, G9). Raises: Absent, Denied, Changed, PublicationWrongState,
    PublicationSamePerson, PersonalName.
    """
    policy.require(act.by, "publications.approve")  # a job has no roles, and may not approve
    async with DB.transaction(act.by.scope):
        old = await _lock(publication_id, digest=digest)
        state = states.require(Noun.PUBLICATION, old.state, "approve")
        gates.second_person(Noun.PUBLICATION, author=old.prepared_by, approver=act.by.id)
        # A roster may have come in since it was prepared.
        await public_facts.refuse_names(public_facts.free_text(old.body))
        change = {Row.state: state, Row.approved_by: act.by.id}
        return await _save(old, change, "publication.approved", act=act)


async def publish(publication_id: UUID, *, act: Act) -> Publication:
    """Make it public; what it corrects stays readable beside it.

    What was verified since its approval may have been withdrawn: that is asked again.
    Raises: Absent, Denied, PublicationWrongState, PersonalName, FindingNotVerified.
    """
    policy.require(act.by, "publications.prepare")
    async with DB.transaction(act.by.scope):
        old = await _lock(publication_id)
        state = states.require(Noun.PUBLICATION, old.state, "publish")
        await public_facts.refuse_names(public_facts.free_text(old.body))
        await public_facts.still_verified(old.body)
        if old.corrects:
            await _replace(old.corrects, act=act)
        if old.kind == "result":
            await Visit.update({Visit.result_public: True}).where(Visit.id == old.subject)
        kept = terms.term(terms.KEEP_PUBLIC, trigger=on_day(act.at), region=old.region, duty=False)
        change = {Row.state: state, Row.published_at: act.at, Row.expires_on: kept.due_on}
        return await _save(old, change, "publication.published", act=act)


async def _replace(publication_id: UUID, *, act: Act) -> None:
    before = await _lock(publication_id)
    state = states.require(Noun.PUBLICATION, before.state, "correct")
    await _save(before, {Row.state: state}, "publication.corrected", act=act)


async def expire(*, act: Act) -> int:
    """Take off what has been public for its years; how many there were.

    Source: casework 6 (expiry).
    """
    async with DB.transaction(act.by.scope):
        rows = await DB.connection.fetch(EXPIRED, on_day(act.at))
        for row in rows:
            old = await _lock(row["id"])
            state = states.require(Noun.PUBLICATION, old.state, "expire")
            await _save(old, {Row.state: state}, "publication.expired", act=act)
    return len(rows)


async def get(publication_id: UUID, *, act: Act) -> Publication:
    """One publication with its preview; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(
            "select * from publication where id = $1", publication_id
        )
    if row is None:
        raise Absent
    return msgspec.convert(dict(row), Publication)


async def page(
    *, act: Act, state: str | None = None, after: UUID | None = None, limit: int = 50
) -> tuple[Publication, ...]:
    """Publications of the scope, newest first, those older than ``after``."""
    tests = (("state = {0}", state), ("id < {0}", after))
    statement, values = newest("select * from publication", tests, limit)
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(statement, *values)
    return tuple(msgspec.convert(dict(row), Publication) for row in rows)


async def due(*, act: Act, after: UUID | None = None, limit: int = 50) -> tuple[Due, ...]:
    """Concluded visits whose result is not public, oldest first, each with its due day.

    Source: casework 6.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(DUE, after, limit)
    return tuple(_due(dict(row), today=on_day(act.at)) for row in rows)


def _due(row: dict[str, Any], *, today: date) -> Due:
    concluded_on = on_day(row["concluded_at"])
    term = terms.term(terms.PUBLISH, trigger=concluded_on, region=row["region"])
    full = {
        **row,
        "concluded_on": concluded_on,
        "due_on": term.due_on,
        "days_left": terms.days_left(term.due_on, today),
        "late": today > term.due_on,
        "provisional": term.provisional,
    }
    return msgspec.convert(full, Due)


async def public_page(
    *, today: date, kind: Kind | None = None, after: UUID | None = None, limit: int = 50
) -> tuple[Public, ...]:
    """What everybody may read, newest first; with the public's own database role."""
    async with DB.transaction(PUBLIC, readonly=True):
        rows = await DB.connection.fetch(PUBLIC_PAGE, kind, after, today, limit)
    return tuple(msgspec.convert(dict(row), Public) for row in rows)


async def public_one(publication_id: UUID) -> Public:
    """One publication with what it replaced and what replaced it; raises Absent."""
    async with DB.transaction(PUBLIC, readonly=True):
        row = await DB.connection.fetchrow(PUBLIC_ONE, publication_id)
    if row is None:
        raise Absent
    return msgspec.convert(dict(row), Public)


def etag(shown: tuple[Public, ...]) -> str:
    """A strong validator over what is shown: it changes with any body or state in it."""
    return '"' + sha256(msgspec.json.encode(shown)).hexdigest()[:32] + '"'
