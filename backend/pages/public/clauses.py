"""The clause library 条款库: each notice, each rule, who is bound, and what checks it."""

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.params import FromPath, QueryParameter

from backend.pages.press import served
from backend.pages.render import html
from backend.pages.routes import public
from backend.services.errors import Absent
from inspection_plans.coverage import Checks, coverage
from inspection_plans.library import Library
from inspection_plans.loader import load_rulebook
from inspection_plans.vocabulary import Clause

SHOWN = 100
Words = Annotated[str, QueryParameter(name="q", max_length=60)]
Bound = Annotated[str, QueryParameter(name="subject", max_length=40)]


class Found(msgspec.Struct, frozen=True):
    """What a search came to; ``total`` may be more than what is shown."""

    clauses: tuple[Clause, ...]
    total: int


@cache
def _checks() -> Checks:
    rules = load_rulebook()
    return coverage(rules.library, {rule.id: rule.clauses for rule in rules.desk.values()})


def _says(clause: Clause, words: list[str]) -> bool:
    """Whether every word stands somewhere in the clause, in either language."""
    parts = (clause.id, clause.section, clause.rule.zh, clause.rule.en, *clause.key_terms)
    text = "\n".join(parts).casefold()
    return all(word in text for word in words)


def search(rules: Library, q: str, subject: str) -> Found:
    """The clauses that hold every word and bind the subject, in the order of the papers."""
    words = q.casefold().split()
    every = [
        clause
        for clause in rules.clauses.values()
        if (not subject or subject in clause.subject) and _says(clause, words)
    ]
    return Found(tuple(every[:SHOWN]), len(every))


def _counts(rules: Library) -> Mapping[str, int]:
    found = dict.fromkeys(rules.packs, 0)
    for clause in rules.clauses.values():
        found[clause.pack] += 1
    return found


@public("/clauses", action="public.read")
async def first(
    request: Request[Any, Any, Any], rules: Library, q: Words = "", subject: Bound = ""
) -> Response[bytes | None]:
    """The five notices, and a search through all of them."""

    async def make() -> str:
        asked = bool(q.strip() or subject)
        values = {
            "packs": rules.packs.values(),
            "counts": _counts(rules),
            "subjects": rules.terms.subjects,
            "q": q,
            "subject": subject,
            "found": search(rules, q, subject) if asked else None,
        }
        return html(request, "public/clauses.html", values)

    return await served(request, make)


@public("/clauses/{pack:str}", action="public.read")
async def notice(
    pack: FromPath[str], request: Request[Any, Any, Any], rules: Library
) -> Response[bytes | None]:
    """One notice with all its clauses."""
    if pack not in rules.packs:
        raise Absent

    async def make() -> str:
        sections: dict[str, list[Clause]] = {}
        for one in rules.clauses.values():
            if one.pack == pack:
                sections.setdefault(one.section, []).append(one)
        values = {
            "pack": rules.packs[pack],
            "packs": rules.packs,
            "count": _counts(rules)[pack],
            "sections": sections,
            "subjects": rules.terms.subjects,
        }
        return html(request, "public/notice.html", values)

    return await served(request, make)


@public("/clauses/{pack:str}/{section:str}/{name:str}", action="public.read")
async def clause(
    pack: FromPath[str],
    section: FromPath[str],
    name: FromPath[str],
    request: Request[Any, Any, Any],
    rules: Library,
) -> Response[bytes | None]:
    """One clause: the rule, its numbers, its consequence, its neighbours, what checks it."""
    found = rules.clauses.get(f"{pack}/{section}/{name}")  # type: ignore[call-overload]
    if found is None:
        raise Absent

    async def make() -> str:
        checks = await asyncio.to_thread(_checks)
        near = (*found.related, *found.also_consequences)
        values = {
            "clause": found,
            "pack": rules.packs[found.pack],
            "packs": rules.packs,
            "consequence": rules.clauses.get(found.consequence) if found.consequence else None,
            "related": [rules.clauses[one] for one in near],
            "terms": rules.terms,
            "checks": checks[found.id],
        }
        return html(request, "public/clause.html", values)

    return await served(request, make)


HANDLERS = [first, notice, clause]
MAIN = ("/clauses",)
