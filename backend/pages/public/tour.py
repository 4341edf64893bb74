"""The demo's tour 走一圈: the four faces, who may sign in, what to try.

It exists where a played year left its file and the site is on a loopback address; a site that
others can reach never has it.
"""

from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response

from backend.pages.render import HEADERS, html
from backend.pages.routes import public
from backend.services.errors import Absent
from backend.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")
TRIES = ("draw", "tip", "answer", "review", "phone", "correction")
# One login of each, in the order of the year.
SHOWN = (
    "supervisor",
    "approver",
    "legal",
    "publisher",
    "inspector",
    "institution_user",
    "sysadmin",
    "secadmin",
    "auditadmin",
)


class Login(msgspec.Struct, frozen=True):
    """Somebody of the played year."""

    login: str
    role: str
    office: str


class Tour(msgspec.Struct, frozen=True):
    """What the play left."""

    password: str
    logins: tuple[Login, ...]


def offered(settings: Settings) -> bool:
    """Whether this site shows a tour."""
    return settings.tour is not None and urlsplit(settings.origin).hostname in LOOPBACK


def _read(settings: Settings) -> Tour:
    """The tour; raises Absent where there is none."""
    if settings.tour is None or not offered(settings):
        raise Absent
    try:
        return msgspec.json.decode(settings.tour.read_bytes(), type=Tour)
    except (OSError, msgspec.MsgspecError):
        raise Absent from None


@public("/tour", action="public.read", sync_to_thread=True)
def tour(request: Request[Any, Any, Any], settings: Settings) -> Response[bytes]:
    """The four faces with logins, and six things to try."""
    found = _read(settings)
    first: dict[str, Login] = {}
    for one in found.logins:
        first.setdefault(one.role, one)
    values = {
        "password": found.password,
        "logins": [first[role] for role in SHOWN if role in first],
        "every": len(found.logins),
        "tries": TRIES,
    }
    headers = {**HEADERS, "Cache-Control": "no-store"}
    raw = html(request, "public/tour.html", values).encode()
    return Response(raw, media_type="text/html", headers=headers)


HANDLERS = [tour]
MAIN: tuple[str, ...] = ()
