"""Look-ups 信息查询: listed institutions with the six items; certificates by number and day."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, Response
from litestar.di import Provide
from litestar.params import QueryParameter

from backend.pages.press import served
from backend.pages.render import HEADERS, html
from backend.pages.routes import public
from backend.pages.words import Language, language_of
from backend.services import lookups, regions
from backend.services.errors import Absent
from backend.services.lookups import Asked
from backend.services.visitors import Visitor
from inspection_plans.library import Library

SHOWN = 50
TEXT = r"^[^\x00]*$"


def places(rules: Library, language: Language) -> Iterator[tuple[int, str]]:
    """Provinces with a notice of their own and their cities, by code, as a form offers them."""
    known = regions.shipped()
    ours = sorted(
        {
            int(pack.jurisdiction.removeprefix("CN-")[:2]) * 10_000
            for pack in rules.packs.values()
            if pack.jurisdiction.startswith("CN-")
        }
    )
    for province in ours:
        for code, region in known.items():
            if code // 10_000 * 10_000 == province and region.valid_until is None:
                name = region.name_en if language == "en" else region.name_zh
                yield code, name if code == province else f"\N{IDEOGRAPHIC SPACE}{name}"


def _name(code: int, language: Language) -> str:
    region = regions.shipped().get(code)
    if region is None:
        return str(code)
    return region.name_en if language == "en" else region.name_zh


def _wanted(
    name: Annotated[str, QueryParameter(name="name", max_length=100, pattern=TEXT)] = "",
    region: Annotated[str, QueryParameter(name="region", pattern=r"^([0-9]{6})?$")] = "",
    kind: Annotated[Literal["training", "evaluation", ""], QueryParameter(name="kind")] = "",
    occupation: Annotated[
        str, QueryParameter(name="occupation", max_length=40, pattern=r"^[a-z-]*$")
    ] = "",
) -> dict[str, str]:
    """What the form asks for, as it was typed."""
    return {"name": name, "region": region, "kind": kind, "occupation": occupation}


@public(
    "/institutions",
    action="public.read",
    dependencies={"wanted": Provide(_wanted, sync_to_thread=False)},
)
async def institutions(
    request: Request[Any, Any, Any],
    visitor: Visitor,
    rules: Library,
    wanted: dict[str, str],
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
) -> Response[bytes | None]:
    """Listed institutions by name or credit code, place, kind and occupation."""

    async def make() -> str:
        on = {key: value for key, value in wanted.items() if value.strip()}
        asked = Asked(
            name=on.get("name", "").strip() or None,
            region=int(on["region"]) if "region" in on else None,
            kind=on.get("kind"),
            occupation=on.get("occupation"),
        )
        found = await lookups.institutions(asked, visitor=visitor, after=after, limit=SHOWN)
        language = language_of(request)
        older = {**on, "after": str(found[-1].id)} if len(found) == SHOWN else None
        values = {
            "found": found,
            "chosen": wanted,
            "on": on,
            "older": f"/institutions?{urlencode(older)}" if older else None,
            "places": list(places(rules, language)),
            "occupations": lookups.names(),
            "region_name": {one.region: _name(one.region, language) for one in found},
        }
        return html(request, "public/institutions.html", values)

    return await served(request, make)


@public("/certificates", action="public.read")
async def certificates(
    request: Request[Any, Any, Any],
    visitor: Visitor,
    number: Annotated[str, QueryParameter(name="number", max_length=80, pattern=TEXT)] = "",
    issued_on: Annotated[date | None, QueryParameter(name="issued_on")] = None,
) -> Response[Any]:
    """Whether a certificate of this number was issued on this day."""
    found = None
    if number.strip() and issued_on:
        with suppress(Absent):
            found = await lookups.certificate(number.strip(), issued_on, visitor=visitor)
    values = {"number": number.strip(), "issued_on": issued_on, "found": found}

    async def make() -> str:
        return html(request, "public/certificates.html", values)

    if number or issued_on:  # an answer about one person's paper is kept nowhere
        headers = {**HEADERS, "Cache-Control": "no-store"}
        return Response((await make()).encode(), media_type="text/html", headers=headers)
    return await served(request, make)


HANDLERS = [institutions, certificates]
MAIN = ("/institutions", "/certificates")
