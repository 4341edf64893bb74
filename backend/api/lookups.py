"""Look-ups for everybody, and the cards of information."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from litestar.params import QueryParameter

from backend.api.routes import get
from backend.services import cards, lookups
from backend.services.accounts import on_day
from backend.services.cards import Card
from backend.services.lookups import Asked, Certificate, Listed, Standard
from backend.services.visitors import Visitor
from inspection_plans.library import Library

Region = Annotated[int | None, QueryParameter(name="region", ge=100_000, le=999_999)]
Text = r"^[^\x00]+$"


@get("/api/v1/public/institutions", action="public.read")
async def institutions(
    visitor: Visitor,
    name: Annotated[
        str | None, QueryParameter(name="name", min_length=1, max_length=100, pattern=Text)
    ] = None,
    region: Region = None,
    kind: Annotated[Literal["training", "evaluation"] | None, QueryParameter(name="kind")] = None,
    occupation: Annotated[
        str | None, QueryParameter(name="occupation", max_length=40, pattern=r"^[a-z-]+$")
    ] = None,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(name="limit", ge=1, le=200)] = 50,
) -> tuple[Listed, ...]:
    """Listed institutions, by a part of the name or the credit code, and their entries."""
    asked = Asked(name=name, region=region, kind=kind, occupation=occupation)
    return await lookups.institutions(asked, visitor=visitor, after=after, limit=limit)


@get("/api/v1/public/certificates", action="public.read")
async def certificate(
    visitor: Visitor,
    number: Annotated[
        str, QueryParameter(name="number", min_length=1, max_length=80, pattern=Text)
    ],
    issued_on: Annotated[date, QueryParameter(name="issued_on")],
) -> Certificate:
    """Whether a certificate of this number was issued on this day; no name of a holder."""
    return await lookups.certificate(number, issued_on, visitor=visitor)


@get("/api/v1/public/standards", action="public.read")
async def standards() -> tuple[Standard, ...]:
    """Occupation standards, by occupation and level."""
    return await lookups.standards()


@get("/api/v1/public/cards", action="public.read")
async def information(
    visitor: Visitor,
    rules: Library,
    region: Annotated[int, QueryParameter(name="region", ge=100_000, le=999_999)] = 100_000,
) -> tuple[Card, ...]:
    """The registers R39 to R45: what the papers in force at a place say."""
    return cards.cards(region, on_day(visitor.at), rules)


HANDLERS = [institutions, certificate, standards, information]
