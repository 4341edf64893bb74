"""Filings 备案 and the hits of desk review 案头审查, judged by a person."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, QueryParameter
from msgspec import Meta, Struct

from backend.pages.desk import names
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, submitted
from backend.pages.lists import shelf
from backend.pages.routes import get, post
from backend.pages.words import Language, language_of, say
from backend.pages.words import words as texts
from backend.services import (
    desk_hits,
    directories,
    filing_shapes,
    filing_terms,
    filings,
    people,
    policy,
)
from backend.services.act import Act
from backend.services.desk_hits import Wanted
from backend.services.registers import registers
from inspection_plans.library import Library
from inspection_plans.loader import load_rulebook
from inspection_plans.vocabulary import ClauseId

LIMIT = 50
STATES: tuple[filings.State, ...] = ("draft", "submitted", "accepted", "returned")
HIT_STATES: tuple[desk_hits.State, ...] = ("suspected", "upheld", "dismissed")
After = Annotated[UUID | None, QueryParameter(name="after")]
Code = Annotated[str, QueryParameter(max_length=8, pattern=r"^[A-Za-z0-9-]*$")]


class ReasonForm(Struct, frozen=True):
    reason: Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"\S")]


def _named(language: Language) -> list[tuple[str, str]]:
    return [
        (code, f"{code} {one.en if language == 'en' else one.zh}")
        for code, one in registers().items()
    ]


@get("/desk/filings", action="directories.browse")
async def page(
    request: Asked,
    act: Act,
    rules: Library,
    register: Code = "",
    standing: Annotated[str, QueryParameter(name="state", max_length=20)] = "",
    institution: Annotated[UUID | None, QueryParameter(name="institution")] = None,
    after: After = None,
) -> Response[str]:
    """Filings, newest first; late and overdue ones say so."""
    found = await filings.filings(
        act=act,
        rules=rules,
        register=register if register in registers() else None,
        state=next((one for one in STATES if one == standing), None),
        institution=institution,
        after=after,
        limit=LIMIT,
    )
    chosen = {"register": register, "state": standing, "institution": institution}
    shown = {
        "rows": found,
        "registers": _named(language_of(request)),
        "states": STATES,
        "institutions": await directories.names((one.institution for one in found), act=act),
        "shelf": shelf("/desk/filings", found, chosen, limit=LIMIT, after=after),
    }
    return desk(request, act, "desk/filings.html", shown, here="filings")


async def _shown(
    filing_id: UUID,
    request: Asked,
    act: Act,
    rules: Library,
    filled: Filled = EMPTY,
    status: int = 200,
) -> Response[Any]:
    found = await filings.filing(filing_id, act=act, rules=rules)
    language = language_of(request)
    named = dict(_named(language))
    decides = policy.allowed("filings.decide", act.by.roles, signed_in=True)
    shown = {
        "it": found,
        "register": named.get(found.register, found.register),
        "institution": await directories.names([found.institution], act=act),
        "versions": await filings.versions(filing_id, act=act),
        "people": await people.names((found.by_account, found.decided_by), act=act),
        "decides": decides and found.state == "submitted" and found.by_account != act.by.id,
        "words": filing_shapes.words(),
        "filled": filled,
    }
    return desk(request, act, "desk/filing.html", shown, here="filings", status=status)


@get("/desk/filings/{filing_id:uuid}", action="directories.browse")
async def one(
    filing_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """One filing: what it says, when it was due and by which clause, every version."""
    return await _shown(filing_id, request, act, rules)


@post("/desk/filings/{filing_id:uuid}/acceptance", action="filings.decide")
async def accept(
    filing_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Accept a submitted filing."""

    async def deed(_form: NothingForm) -> Done:
        await filings.accept(filing_id, act=act, rules=rules)
        return Done(f"/desk/filings/{filing_id}", "filed.accepted")

    again = partial(_shown, filing_id, request, act, rules)
    return await submitted(request, NothingForm, deed, again)


@post("/desk/filings/{filing_id:uuid}/return", action="filings.decide")
async def send_back(
    filing_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Return a submitted filing with the reason."""

    async def deed(form: ReasonForm) -> Done:
        await filings.send_back(filing_id, form.reason, act=act, rules=rules)
        return Done(f"/desk/filings/{filing_id}", "filed.returned")

    again = partial(_shown, filing_id, request, act, rules)
    return await submitted(request, ReasonForm, deed, again)


@get("/desk/filings/missing", action="filings.decide")
async def missing(
    request: Asked,
    act: Act,
    rules: Library,
    register: Code = "R38",
    period: Annotated[str, QueryParameter(max_length=40, pattern=r"^[0-9A-Za-z._-]*$")] = "",
    after: After = None,
) -> Response[str]:
    """Institutions that have not filed although the day is past."""
    found: tuple[filing_terms.Missing, ...] = ()
    if period:
        found = await filing_terms.missing(
            register, period, act=act, rules=rules, after=after, limit=LIMIT
        )
    language = language_of(request)
    due = {code for code, one in registers().items() if one.due is not None}
    shown = {
        "rows": found,
        "register": register,
        "period": period,
        "registers": [pair for pair in _named(language) if pair[0] in due],
        "place": partial(names.place, language=language),
    }
    return desk(request, act, "desk/filings_missing.html", shown, here="filings")


def _about(about: str, language: Language) -> str:
    """What a hit is about, in words: list, key without the institution's code, part of it."""
    register, _, rest = about.partition("/")
    key, *parts = rest.split("/")
    named, found = load_rulebook().filing_words, []
    for bit in (register, *key.split(":")[1:], *parts):
        own = f"filed.part.{bit}"
        word = named.get(bit)
        if own in texts():
            found.append(say(own, language))
        elif word is None:
            found.append(bit)
        else:
            found.append(word.en if language == "en" else word.zh)
    return " · ".join(found)


@get("/desk/hits", action="desk.read")
async def hits(
    request: Asked,
    act: Act,
    standing: Annotated[str, QueryParameter(name="state", max_length=20)] = "",
    rule: Annotated[str, QueryParameter(max_length=8, pattern=r"^(DR-\d{2,3})?$")] = "",
    institution: Annotated[UUID | None, QueryParameter(name="institution")] = None,
    gone: Annotated[bool, QueryParameter(name="gone")] = False,
    after: After = None,
) -> Response[str]:
    """Hits with what each says; suspicions, never findings by themselves."""
    wanted = Wanted(
        state=next((one for one in HIT_STATES if one == standing), None),
        institution=institution,
        rule=rule or None,
        gone=gone,
    )
    found = await desk_hits.page(wanted, act=act, after=after, limit=LIMIT)
    chosen = {"state": standing, "rule": rule, "institution": institution}
    shown = {
        "rows": found,
        "about": partial(_about, language=language_of(request)),
        "states": HIT_STATES,
        "shelf": shelf("/desk/hits", found, chosen, limit=LIMIT, after=after),
    }
    return desk(request, act, "desk/hits.html", shown, here="hits")


async def _hit(
    hit_id: UUID, request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    found = await desk_hits.hit(hit_id, act=act)
    clauses = load_rulebook().library.clauses
    judges = policy.allowed("desk.judge", act.by.roles, signed_in=True)
    shown = {
        "it": found,
        "about": _about(found.about, language_of(request)),
        "words": filing_shapes.words(),
        "clauses": [clauses[one] for one in map(ClauseId, found.clauses) if one in clauses],
        "people": await people.names([found.judged_by], act=act),
        "judges": judges and found.state == "suspected",
        "filled": filled,
    }
    return desk(request, act, "desk/hit.html", shown, here="hits", status=status)


@get("/desk/hits/{hit_id:uuid}", action="desk.read")
async def hit(hit_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """One hit with its formula and the very inputs it was counted with."""
    return await _hit(hit_id, request, act)


async def _judged(
    hit_id: UUID, request: Asked, act: Act, verb: Callable[[str], Awaitable[object]], said: str
) -> Response[Any]:
    async def deed(form: ReasonForm) -> Done:
        await verb(form.reason)
        return Done(f"/desk/hits/{hit_id}", f"filed.{said}")

    return await submitted(request, ReasonForm, deed, partial(_hit, hit_id, request, act))


@post("/desk/hits/{hit_id:uuid}/finding", action="desk.judge")
async def uphold(hit_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Take the hit up as a suspected finding."""

    async def deed(_form: NothingForm) -> Done:
        await desk_hits.uphold(hit_id, act=act)
        return Done(f"/desk/hits/{hit_id}", "filed.upheld")

    return await submitted(request, NothingForm, deed, partial(_hit, hit_id, request, act))


@post("/desk/hits/{hit_id:uuid}/dismissal", action="desk.judge")
async def dismiss(hit_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Dismiss the hit with the reason."""

    async def verb(reason: str) -> None:
        await desk_hits.dismiss(hit_id, reason=reason, act=act)

    return await _judged(hit_id, request, act, verb, "dismissed")


HANDLERS = [page, missing, one, accept, send_back, hits, hit, uphold, dismiss]
