"""Tips 举报线索 on the desk: triage, answers, links, and the identity by two persons."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Meta, Struct

from backend.keyring import Keyring
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, submitted
from backend.pages.lists import shelf
from backend.pages.routes import get, post
from backend.pages.words import language_of, say
from backend.services import names, policy, tip_desk, tip_files, tip_identity
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.tip_desk import Wanted
from inspection_plans import states
from inspection_plans.states import Noun
from media.bucket import Bucket

LIMIT = 50
Text = Annotated[str, Meta(min_length=1, max_length=5000, pattern=r"\S")]
ATTACHED = {
    "Content-Disposition": "attachment",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class RemarkForm(Struct, frozen=True):
    remark: Annotated[str, Meta(max_length=1000)] = ""


class TextForm(Struct, frozen=True):
    text: Text


class LinkForm(Struct, frozen=True):
    kind: Literal["plan", "visit", "case"]
    target: UUID


class ReferralForm(Struct, frozen=True):
    to: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
    reason: Text


class MatterForm(Struct, frozen=True):
    title: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
    tip: tuple[UUID, ...] = ()


async def _listed(
    request: Asked,
    act: Act,
    in_state: str | None,
    after: UUID | None,
    filled: Filled = EMPTY,
    status: int = 200,
) -> Response[Any]:
    wanted = Wanted(state=in_state or None)  # type: ignore[arg-type]  # a state of the list
    rows = await tip_desk.page(wanted, act=act, after=after, limit=LIMIT)
    language = language_of(request)
    values = {
        "rows": rows,
        "state_pairs": [
            (state, say(f"tip.state.{state}", language)) for state in states.states(Noun.TIP)
        ],
        "may": policy.allowed("tips.handle", act.by.roles, signed_in=True),
        "filled": filled,
        "shelf": shelf("/desk/tips", rows, {"state": in_state}, limit=LIMIT, after=after),
    }
    return desk(request, act, "desk/tips.html", values, here="tips", status=status)


@get("/desk/tips", action="tips.read")
async def page(
    request: Asked,
    act: Act,
    in_state: Annotated[
        Literal["received", "triaged", "linked", "answered", "closed", ""] | None,
        QueryParameter(name="state"),
    ] = None,
    after: FromQuery[UUID | None] = None,
) -> Response[Any]:
    """Tips of the scope, newest first, with their answer clock."""
    return await _listed(request, act, in_state, after)


@post("/desk/tips", action="tips.handle")
async def group(request: Asked, act: Act) -> Response[Any]:
    """Put tips about one matter together."""

    async def deed(form: MatterForm) -> Done:
        await tip_desk.group(form.tip, form.title, act=act)
        return Done("/desk/tips", "tip.grouped")

    return await submitted(request, MatterForm, deed, partial(_listed, request, act, None, None))


async def _shown(
    tip_id: UUID,
    request: Asked,
    act: Act,
    filled: Filled = EMPTY,
    status: int = 200,
    *,
    identity: object = None,
) -> Response[Any]:
    found = await tip_desk.tip(tip_id, act=act)
    ids = [found.brief.institution, found.brief.link, *(e.by_account for e in found.events)]
    values = {
        "tip": found,
        "brief": found.brief,
        "identity": identity,
        "names": await names.of(ids, act=act),
        "may": {
            "handle": policy.allowed("tips.handle", act.by.roles, signed_in=True),
            "unseal": policy.allowed("tips.unseal", act.by.roles, signed_in=True),
        },
        "filled": filled,
    }
    return desk(request, act, "desk/tip.html", values, here="tips", status=status)


@get("/desk/tips/{tip_id:uuid}", action="tips.read")
async def one(tip_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """One tip with messages, files and what was done; that it was read is logged."""
    return await _shown(tip_id, request, act)


@get("/desk/tips/{tip_id:uuid}/files/{file_id:uuid}", action="tips.read")
async def file(
    tip_id: FromPath[UUID], file_id: FromPath[UUID], act: Act, bucket: Bucket
) -> Response[bytes]:
    """A file as an attachment, of a picture its preview."""
    raw, _ = await tip_files.shown(tip_id, file_id, act=act, bucket=bucket)
    return Response(raw, media_type="application/octet-stream", headers=ATTACHED)


Verb = Callable[[UUID, Any, Act], Awaitable[object]]
# What a supervisor does with a tip: the form, and the service that it calls.
VERBS: dict[str, tuple[type[Struct], Verb]] = {
    "triage": (RemarkForm, lambda i, f, a: tip_desk.triage(i, act=a, remark=f.remark)),
    "answers": (TextForm, lambda i, f, a: tip_desk.answer(i, f.text, act=a)),
    "link": (LinkForm, lambda i, f, a: tip_desk.link(i, f.kind, f.target, act=a)),
    "referrals": (ReferralForm, lambda i, f, a: tip_desk.refer(i, f.to, f.reason, act=a)),
    "paraphrase": (TextForm, lambda i, f, a: tip_desk.paraphrase(i, f.text, act=a)),
    "closing": (TextForm, lambda i, f, a: tip_desk.close(i, f.text, act=a)),
    "identity-request": (TextForm, lambda i, f, a: tip_identity.ask(i, f.text, act=a)),
}


@post("/desk/tips/{tip_id:uuid}/deeds/{key:str}", action="tips.handle")
async def handle(
    tip_id: FromPath[UUID], key: FromPath[str], request: Asked, act: Act
) -> Response[Any]:
    """Take up, answer, link, refer, paraphrase, close, or ask for the identity."""
    if key not in VERBS:
        raise Absent
    kind, verb = VERBS[key]

    async def deed(form: Struct) -> Done:
        await verb(tip_id, form, act)
        return Done(f"/desk/tips/{tip_id}", "tip.done")

    return await submitted(request, kind, deed, partial(_shown, tip_id, request, act))


@post("/desk/tips/{tip_id:uuid}/identity-approval", action="tips.unseal")
async def approve(tip_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Let the identity be opened, as the second person."""

    async def deed(_form: NothingForm) -> Done:
        await tip_identity.approve(tip_id, act=act)
        return Done(f"/desk/tips/{tip_id}", "tip.unsealed")

    return await submitted(request, NothingForm, deed, partial(_shown, tip_id, request, act))


@post("/desk/tips/{tip_id:uuid}/identity", action="tips.handle")
async def identity(
    tip_id: FromPath[UUID], request: Asked, act: Act, keys: Keyring
) -> Response[Any]:
    """The identity, once, to the person who asked; it is kept nowhere else."""
    found = await tip_identity.read(tip_id, act=act, box=keys.tips)
    return await _shown(tip_id, request, act, identity=found)


HANDLERS = [page, group, one, file, handle, approve, identity]
