"""Lists: how many are shown, which filter is on, where it goes on; and the same rows as CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

import msgspec
from litestar import Response

from backend.services import listings, totals
from backend.services.act import Act
from backend.services.totals import MOST

# A list's page, and the list as it is exported; filters that are named otherwise there.
EXPORTED = {
    "/desk/visits": "visits",
    "/desk/findings": "findings",
    "/desk/notices": "notices",
    "/desk/cases": "cases",
    "/desk/publications": "publications",
    "/desk/plans": "plans",
    "/desk/draws": "draws",
    "/desk/filings": "filings",
    "/desk/hits": "hits",
    "/desk/institutions": "institutions",
    "/desk/inspectors": "inspectors",
    "/desk/classes": "classes",
    "/desk/people": "people",
    "/desk/phones": "phones",
}
SAME = {"status": "state", "register": "kind", "rule": "kind"}
BOM = "\ufeff"
# A sheet program would take these for a formula: = + - @, tab, CR, and their full-width forms.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class Export(msgspec.Struct, frozen=True):
    """What a page shows, as it is exported: a list, and the filters that are on."""

    list: str
    filters: Mapping[str, str]


class Shelf(msgspec.Struct, frozen=True):
    """One page of a list: ``shown`` rows of ``total`` where it is known, ``older`` the next page.

    ``on`` are the filters that were chosen, by field.
    """

    path: str
    shown: int
    on: Mapping[str, str]
    older: str | None
    total: int | None = None
    first: bool = True

    @property
    def whole(self) -> str:
        """The total in figures; counting stops at a bound, and then it says so."""
        return f"{MOST:,}+" if (self.total or 0) > MOST else f"{self.total or 0:,}"

    @property
    def export(self) -> Export | None:
        """The same rows as a file; None where the list or one of its filters is not exported."""
        name = EXPORTED.get(self.path)
        given = {SAME.get(field, field): value for field, value in self.on.items()}
        if name is None or not given.keys() <= set(listings.narrowing(name)):
            return None
        return Export(name, given)


def shelf(
    path: str,
    rows: Sequence[object],
    chosen: Mapping[str, object],
    *,
    limit: int,
    after: object = None,
    total: int | None = None,
) -> Shelf:
    """The page of a list whose rows have an ``id``; the last one is the next ``after``."""
    on = {name: str(value) for name, value in chosen.items() if value not in (None, "")}
    last = getattr(rows[-1], "id", None) if len(rows) >= limit else None
    if total is None and after is None and len(rows) < limit:
        total = len(rows)
    older = f"{path}?{urlencode({**on, 'after': str(last)})}" if last else None
    return Shelf(path, len(rows), on, older, total, after is None)


async def total(
    name: totals.List,
    rows: Sequence[object],
    *filters: object,
    limit: int,
    after: object,
    act: Act,
) -> int:
    """How many rows the whole list has; where the first page shows them all nobody counts."""
    if after is None and len(rows) < limit:
        return len(rows)
    return await totals.of(name, *filters, act=act)


def safe(cell: object) -> str:
    """A cell that no sheet program calculates."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA) else text


def sheet(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response[bytes]:
    """Rows as CSV to be kept: UTF-8 with its mark, every cell harmless."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([safe(cell) for cell in head])
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return Response(
        (BOM + out.getvalue()).encode(),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
