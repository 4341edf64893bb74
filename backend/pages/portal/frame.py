"""The frame of the portal: the desk's, with the institution's own menu."""

from collections.abc import Mapping

from litestar import Response

from backend.pages.desk.frame import desk
from backend.pages.desk.menu import Entry
from backend.pages.forms import Asked
from backend.services.act import Act

MENU = [
    (
        "portal",
        [
            Entry("portal_home", "/portal", "institution.own", icon="inbox"),
            Entry("portal_filings", "/portal/filings", "institution.own", icon="file-text"),
            Entry("portal_record", "/portal/record", "institution.own", icon="building-2"),
            Entry("portal_inspector", "/portal/inspector", "institution.own", icon="badge-check"),
            Entry("portal_people", "/portal/people", "institution.own", icon="users"),
        ],
    )
]


def portal(
    request: Asked,
    act: Act,
    template: str,
    values: Mapping[str, object],
    *,
    here: str,
    status: int = 200,
) -> Response[str]:
    """A page of the portal; ``here`` is its key in the menu."""
    shown = {"menu": MENU, **values}
    return desk(request, act, template, shown, here=here, status=status)
