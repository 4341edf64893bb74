"""HTML for desk, portal and public: the same services as the API.

How to add a page of the desk:

1. **The module** ``desk/<noun>.py`` with ``HANDLERS``, named in ``FACES`` below. A GET loads
   with the services that the API calls, with the same ``act``, and answers
   ``frame.desk(request, act, "desk/<noun>.html", values, here="<menu key>")``. Routes come from
   ``routes.py`` and name their action.
2. **The menu.** One ``Entry`` in ``desk/menu.py`` for a page that people go to by themselves,
   with ``menu.<key>`` in the texts and the name of a Lucide icon.
3. **The template** extends ``desk/base.html`` and fills ``title``, ``where`` (``show.trail``)
   and ``content``. Parts: ``parts/list.html`` (filters, table, pager, empty),
   ``parts/form.html`` (open, field, area, choose, group, tick, file, submit, asking, press,
   close), ``parts/show.html`` (state, tag, notice, facts, timeline), ``parts/plot.html`` (bars,
   lines), ``parts/icon.html``. Import them ``with context``. In every template: ``t(key)``,
   ``link(path)``, ``day``, ``moment``, ``yuan``, ``tone``, ``language``, ``csrf``.
4. **Words** in ``backend/texts/pages/<topic>.yaml``; states are ``<noun>.state.<state>`` with a
   tone in ``tones.py``; what was done is ``said.<key>``.
5. **Forms** by ``forms.submitted``: POST, service, 303; a refusal shows the page again with
   what was typed. Its pattern stands at the top of ``forms.py``. A page that updates by itself
   names an element and lets htmx fetch the same page: ``hx-get="{{ address }}"
   hx-select="#part" hx-target="#part" hx-swap="outerHTML" hx-trigger="every 20s"``. Without
   script the page is as good as when it was loaded.
6. **Lists** by ``lists.shelf`` (and ``lists.sheet`` for CSV), plots by ``plots.bars`` and
   ``plots.lines``. No page asks once a row. No ``style=`` and no inline script: the policy of
   the answer forbids them.
7. **Looks** in ``assets/css/*.css``, tokens only; scripts in ``assets/desk/*.js`` by
   ``script_at(name)``.
"""

from litestar.handlers import HTTPRouteHandler

from backend.pages import papers, phone, portal, static
from backend.pages.desk import circle, frame, home, inbox, rooms, sign_in
from backend.pages.press import PRESSING, Press, pressing
from backend.pages.public import (
    about,
    bundles,
    check,
    clauses,
    codes,
    documents,
    front,
    log,
    lookups,
    publications,
    slips,
    statistics,
    tips,
    tour,
)

__all__ = ["PRESSING", "Press", "handlers", "main", "pressing"]
# What everybody may read, and the pages of it that are rendered before anybody asks.
PUBLIC = (
    static,
    codes,
    front,
    publications,
    check,
    log,
    bundles,
    clauses,
    statistics,
    about,
    slips,
    lookups,
    tips,
    documents,
    tour,
)
PRESSED = (
    front,
    publications,
    clauses,
    statistics,
    about,
    lookups,
    tips,
    documents,
    tour,
)

FACES = {
    "field": (static, codes, slips, phone),
    "portal": (static, codes, sign_in, frame, home, inbox, papers, *portal.MODULES),
    "public": PUBLIC,
    "desk": (static, codes, sign_in, frame, home, inbox, papers, rooms, circle),
}


def handlers(faces: tuple[str, ...]) -> list[HTTPRouteHandler]:
    """The pages of the faces switched on, each once."""
    modules = dict.fromkeys(module for face in faces for module in FACES[face])
    return [handler for module in modules for handler in module.HANDLERS]


def main(faces: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses that the press renders ahead, none where the public face is off."""
    if "public" not in faces:
        return ()
    return tuple(path for module in PRESSED for path in module.MAIN)
