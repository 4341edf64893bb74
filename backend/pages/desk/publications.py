"""Publication 公示 on the desk: what is due, the masked preview, approval, correction."""

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Meta, Struct

from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, submitted
from backend.pages.lists import shelf, total
from backend.pages.routes import get, post
from backend.pages.words import Language, language_of, say, words
from backend.services import findings, names, policy, publications, revisions
from backend.services.act import Act
from backend.services.findings import Finding, Wanted
from backend.services.public_facts import Fact
from backend.services.publications import Content, Kind
from inspection_plans import states
from inspection_plans.library import Library
from inspection_plans.states import Noun

LIMIT = 50
# A finding's sentence in the form, by its id.
FACT = "fact-"
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class ContentForm(Struct, frozen=True):
    """Standard wordings; sentences about findings travel as ``fact-<id>``."""

    wordings: tuple[str, ...] = ()


class ReviseForm(ContentForm, frozen=True, kw_only=True):
    digest: Digest


class CorrectForm(ContentForm, frozen=True, kw_only=True):
    reason: Annotated[str, Meta(min_length=1, max_length=600)]


class DigestForm(Struct, frozen=True):
    digest: Digest


@get("/desk/publications", action="publications.read")
async def page(
    request: Asked,
    act: Act,
    in_state: Annotated[
        Literal["prepared", "approved", "published", "corrected", "expired", ""] | None,
        QueryParameter(name="state"),
    ] = None,
    after: FromQuery[UUID | None] = None,
) -> Response[Any]:
    """What is due first, then everything, newest first."""
    rows = await publications.page(act=act, state=in_state or None, after=after, limit=LIMIT)
    language = language_of(request)
    chosen = {"state": in_state}
    standing = in_state or None
    whole = await total("publications", rows, standing, limit=LIMIT, after=after, act=act)
    values = {
        "due": await publications.due(act=act, limit=LIMIT),
        "rows": rows,
        "names": await names.of([row.institution for row in rows], act=act),
        "state_pairs": [
            (state, say(f"publication.state.{state}", language))
            for state in states.states(Noun.PUBLICATION)
        ],
        "may": policy.allowed("publications.prepare", act.by.roles, signed_in=True),
        "shelf": shelf("/desk/publications", rows, chosen, limit=LIMIT, after=after, total=whole),
    }
    return desk(request, act, "desk/publications.html", values, here="publications")


async def _content(request: Asked, wordings: tuple[str, ...]) -> Content:
    """The content of a form: wordings, and a sentence for each finding that got one."""
    form = await request.form()
    facts = [
        Fact(finding=UUID(name.removeprefix(FACT)), text=value.strip()[:300])
        for name, value in form.multi_items()
        if name.startswith(FACT) and isinstance(value, str) and value.strip()
    ]
    return Content(wordings=wordings, facts=tuple(facts))


async def _of_visit(visit: UUID, act: Act) -> tuple[Finding, ...]:
    found = await findings.page(Wanted(visit=visit), act=act, limit=200)
    return tuple(one for one in found if one.state not in ("suspected", "dismissed"))


async def _new(
    kind: Kind,
    subject: UUID,
    request: Asked,
    act: Act,
    rules: Library,
    filled: Filled = EMPTY,
    status: int = 200,
) -> Response[Any]:
    about = await _of_visit(subject, act) if kind == "result" else ()
    values = {
        "kind": kind,
        "subject": subject,
        "about": about,
        "wordings": rules.wordings.wordings if kind == "result" else (),
        "names": await names.of([subject], act=act),
        "filled": filled,
    }
    return desk(
        request, act, "desk/publication_new.html", values, here="publications", status=status
    )


@get("/desk/publications/new", action="publications.prepare")
async def new(
    request: Asked,
    act: Act,
    rules: Library,
    kind: FromQuery[Kind],
    subject: FromQuery[UUID],
) -> Response[Any]:
    """Choose wordings and sentences for a first publication."""
    return await _new(kind, subject, request, act, rules)


@post("/desk/publications/new", action="publications.prepare")
async def prepare(
    request: Asked,
    act: Act,
    rules: Library,
    kind: FromQuery[Kind],
    subject: FromQuery[UUID],
) -> Response[Any]:
    """Compose the masked preview."""

    async def deed(form: ContentForm) -> Done:
        content = await _content(request, form.wordings)
        kept = await publications.prepare(kind, subject, content, rules=rules, act=act)
        return Done(f"/desk/publications/{kept.id}", "publication.prepared")

    again = partial(_new, kind, subject, request, act, rules)
    return await submitted(request, ContentForm, deed, again)


def _changes(
    before: dict[str, Any], after: dict[str, Any], language: Language
) -> list[tuple[str, str, str]]:
    """What a correction changes, in words: (part, before, after)."""
    other = "zh" if language == "en" else "en"
    found = []
    for one in revisions.compare(before, after):
        head, _, leaf = one.path.rpartition(".")
        part = one.path.split(".")[0]
        # A code stands for its words, and the words of the other language say the same.
        if part == "correction" or leaf in ("code", "clauses", f"title_{other}", other):
            continue
        said = [_said(head, leaf, value, language) for value in (one.before, one.after)]
        key = f"public.{part}"
        found.append((say(key, language) if key in words() else part, said[0], said[1]))
    return found


def _said(head: str, leaf: str, value: object, language: Language) -> str:
    if value is None:
        return "—"
    key = f"finding.state.{value}"
    state = head.startswith("findings") and leaf == "state" and key in words()
    return say(key, language) if state else str(value)


async def _shown(
    publication_id: UUID,
    request: Asked,
    act: Act,
    rules: Library,
    filled: Filled = EMPTY,
    status: int = 200,
) -> Response[Any]:
    item = await publications.get(publication_id, act=act)
    before = await publications.get(item.corrects, act=act) if item.corrects else None
    people = [item.institution, item.prepared_by, item.approved_by]
    values = {
        "item": item,
        "before": before,
        "changes": _changes(before.body, item.body, language_of(request)) if before else (),
        "about": await _of_visit(item.subject, act) if item.kind == "result" else (),
        "wordings": rules.wordings.wordings if item.kind == "result" else (),
        "names": await names.of([*people, item.subject], act=act),
        "may": {
            "prepare": policy.allowed("publications.prepare", act.by.roles, signed_in=True),
            "approve": policy.allowed("publications.approve", act.by.roles, signed_in=True),
        },
        "filled": filled,
    }
    return desk(request, act, "desk/publication.html", values, here="publications", status=status)


@get("/desk/publications/{publication_id:uuid}", action="publications.read")
async def one(
    publication_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Exactly what the public will read, what it changes, and what follows."""
    return await _shown(publication_id, request, act, rules)


@post("/desk/publications/{publication_id:uuid}/revision", action="publications.prepare")
async def revise(
    publication_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Compose the preview anew."""

    async def deed(form: ReviseForm) -> Done:
        content = await _content(request, form.wordings)
        await publications.revise(
            publication_id, content, digest=form.digest, rules=rules, act=act
        )
        return Done(f"/desk/publications/{publication_id}", "publication.revised")

    again = partial(_shown, publication_id, request, act, rules)
    return await submitted(request, ReviseForm, deed, again)


@post("/desk/publications/{publication_id:uuid}/approval", action="publications.approve")
async def approve(
    publication_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Another person approves exactly what is shown."""

    async def deed(form: DigestForm) -> Done:
        await publications.approve(publication_id, digest=form.digest, act=act)
        return Done(f"/desk/publications/{publication_id}", "publication.approved")

    again = partial(_shown, publication_id, request, act, rules)
    return await submitted(request, DigestForm, deed, again)


@post("/desk/publications/{publication_id:uuid}/publishing", action="publications.prepare")
async def publish(
    publication_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Make it public."""

    async def deed(_form: NothingForm) -> Done:
        await publications.publish(publication_id, act=act)
        return Done(f"/desk/publications/{publication_id}", "publication.published")

    again = partial(_shown, publication_id, request, act, rules)
    return await submitted(request, NothingForm, deed, again)


@post("/desk/publications/{publication_id:uuid}/correction", action="publications.prepare")
async def correct(
    publication_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Prepare what shall replace it; the public keeps both."""

    async def deed(form: CorrectForm) -> Done:
        content = await _content(request, form.wordings)
        kept = await publications.correct(
            publication_id, content, reason=form.reason, rules=rules, act=act
        )
        return Done(f"/desk/publications/{kept.id}", "publication.prepared")

    again = partial(_shown, publication_id, request, act, rules)
    return await submitted(request, CorrectForm, deed, again)


HANDLERS = [page, new, prepare, one, revise, approve, publish, correct]
