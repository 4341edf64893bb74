"""The institution's own record: catalogue, visits, results, its class with every factor."""

from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, QueryParameter

from backend.keyring import Keyring
from backend.pages.forms import Asked
from backend.pages.portal.frame import portal
from backend.pages.routes import get
from backend.pages.words import language_of, say, words
from backend.services import disclosure, lookups, openings, own_records
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent

DRAWS = 50


@get("/portal/record", action="institution.own")
async def record(request: Asked, act: Act) -> Response[str]:
    """All that the product knows of the caller's institution and may say."""
    found = await own_records.record(act=act)
    drawn = await disclosure.pages(today=on_day(act.at), after=None, limit=DRAWS)
    language = language_of(request)
    values = {
        "record": found,
        "draws": [one for one in drawn if one.state == "published"],
        "occupations": lookups.names(),
        "kinds": [
            say(f"kind.{kind}", language) if f"kind.{kind}" in words() else kind
            for kind in found.institution.kinds
        ],
    }
    return portal(request, act, "portal/record.html", values, here="portal_record")


@get("/portal/draws/{draw_id:uuid}", action="institution.own")
async def opening(
    draw_id: FromPath[UUID], request: Asked, act: Act, keys: Keyring
) -> Response[Any]:
    """The institution's own rows of a disclosed draw, each with its proof."""
    found = await openings.own(draw_id, None, act=act, keys=keys)
    values = {"opening": found}
    return portal(request, act, "portal/opening.html", values, here="portal_record")


@get("/portal/people", action="institution.own")
async def people(request: Asked, act: Act) -> Response[str]:
    """Who of the institution may sign in, and what they may do."""
    values = {"people": await own_records.people(act=act)}
    return portal(request, act, "portal/people.html", values, here="portal_people")


@get("/portal/inspector", action="institution.own")
async def inspector(
    request: Asked,
    act: Act,
    licence: Annotated[str, QueryParameter(name="licence", max_length=40)] = "",
) -> Response[str]:
    """Who bears a licence: its number typed, or brought by the square code on the card."""
    values: dict[str, object] = {"licence": licence.strip(), "bearer": None}
    if values["licence"]:
        with suppress(Absent):
            values["bearer"] = await own_records.bearer(licence.strip(), act=act)
    return portal(request, act, "portal/inspector.html", values, here="portal_inspector")


HANDLERS = [record, opening, people, inspector]
