"""Filings: an institution drafts and submits, the office accepts or returns."""

from typing import Annotated, Any
from uuid import UUID

from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter
from msgspec import Meta, Struct

from backend.api.routes import get, post, put
from backend.keyring import Keyring
from backend.services import filing_terms, filings
from backend.services.act import Act
from backend.services.filing_terms import Missing, Owed
from backend.services.filings import Filing, State, Version
from inspection_plans.library import Library

NUMBER = r"^R\d{2}b?$"
PAYLOAD_BYTES = 8_000_000
Register = Annotated[str, PathParameter(max_length=8, pattern=NUMBER)]
Period = Annotated[str, PathParameter(max_length=40, pattern=r"^[0-9A-Za-z._-]+$")]
After = Annotated[UUID | None, QueryParameter(name="after")]
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=200)]
Rev = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Line = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"\S")]


class FilingIn(Struct, frozen=True, forbid_unknown_fields=True):
    """The payload of the register, and the revision it was based on when there was one.

    ``institution`` is left out where the register is about the office itself.
    """

    register: Annotated[str, Meta(max_length=8, pattern=NUMBER)]
    period: Annotated[str, Meta(min_length=1, max_length=40)]
    payload: dict[str, Any]
    institution: UUID | None = None
    rev: Rev | None = None


class ReturnIn(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Line


@put("/api/v1/filings", action="filings.write", request_max_body_size=PAYLOAD_BYTES)
async def save(data: JSONBody[FilingIn], act: Act, rules: Library) -> Filing:
    """Write a draft or rewrite one that is still open."""
    return await filings.save(
        data.institution,
        data.register,
        data.period,
        data.payload,
        act=act,
        rules=rules,
        rev=data.rev,
    )


@get("/api/v1/filings", action="filings.read")
async def page(
    act: Act,
    rules: Library,
    register: Annotated[
        str | None, QueryParameter(name="register", max_length=8, pattern=NUMBER)
    ] = None,
    standing: Annotated[State | None, QueryParameter(name="state")] = None,
    institution: Annotated[UUID | None, QueryParameter(name="institution")] = None,
    after: After = None,
    limit: Limit = 50,
) -> tuple[Filing, ...]:
    """Filings the caller may see, newest first; ``after`` is the last id of the page before."""
    return await filings.filings(
        act=act,
        rules=rules,
        register=register,
        state=standing,
        institution=institution,
        after=after,
        limit=limit,
    )


@get("/api/v1/filings/{filing_id:uuid}", action="filings.read")
async def one(filing_id: FromPath[UUID], act: Act, rules: Library) -> Filing:
    """One filing with its due day and receipt."""
    return await filings.filing(filing_id, act=act, rules=rules)


@get("/api/v1/filings/{filing_id:uuid}/versions", action="filings.read")
async def versions(filing_id: FromPath[UUID], act: Act) -> tuple[Version, ...]:
    """What the filing said at every submission and decision."""
    return await filings.versions(filing_id, act=act)


@post("/api/v1/filings/{filing_id:uuid}/submission", action="filings.write")
async def submit(filing_id: FromPath[UUID], act: Act, rules: Library, keys: Keyring) -> Filing:
    """Hand the filing in; the answer carries the signed receipt."""
    return await filings.submit(filing_id, act=act, rules=rules, key=keys.server)


@post("/api/v1/filings/{filing_id:uuid}/acceptance", action="filings.decide")
async def accept(filing_id: FromPath[UUID], act: Act, rules: Library) -> Filing:
    """Accept a submitted filing."""
    return await filings.accept(filing_id, act=act, rules=rules)


@post("/api/v1/filings/{filing_id:uuid}/return", action="filings.decide")
async def send_back(
    filing_id: FromPath[UUID], data: JSONBody[ReturnIn], act: Act, rules: Library
) -> Filing:
    """Return a submitted filing with the reason."""
    return await filings.send_back(filing_id, data.reason, act=act, rules=rules)


@get("/api/v1/institutions/{institution_id:uuid}/filings-owed", action="filings.read")
async def owed(institution_id: FromPath[UUID], act: Act, rules: Library) -> tuple[Owed, ...]:
    """What the institution has to file, until when, by which clause, and how far it is."""
    return await filing_terms.owed(institution_id, act=act, rules=rules)


@get("/api/v1/registers/{register:str}/periods/{period:str}/missing", action="filings.decide")
async def missing(
    register: Register,
    period: Period,
    act: Act,
    rules: Library,
    after: After = None,
    limit: Limit = 50,
) -> tuple[Missing, ...]:
    """Institutions that have not filed although the day is past."""
    return await filing_terms.missing(
        register, period, act=act, rules=rules, after=after, limit=limit
    )


HANDLERS = [save, page, one, versions, submit, accept, send_back, owed, missing]
