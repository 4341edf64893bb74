"""Public statistics 公示统计: figures of what is public, each with its plot, table and CSV."""

import csv
import io
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.params import PathParameter

from backend.pages import plots
from backend.pages.press import served
from backend.pages.render import html
from backend.pages.routes import public
from backend.pages.words import Language, language_of, say, words
from backend.services import public_figures
from backend.services.accounts import on_day
from backend.services.errors import Absent
from backend.services.public_figures import Figures, Share
from inspection_plans.loader import load
from inspection_plans.vocabulary import ClauseId

TABLES = ("months", "regions", "wordings", "severities", "clauses")


def label(table: str, share: Share, language: Language) -> str:
    """What a bar is called: its own words, the table's words for its code, or the code."""
    own = share.en if language == "en" else share.zh
    if table == "clauses" and (clause := load().clauses.get(ClauseId(share.name))):
        said = clause.rule.en if language == "en" else clause.rule.zh
        return f"{said} ({share.name})"
    key = f"severity.{share.name}"
    known = say(key, language) if table == "severities" and key in words() else share.name
    return own or known


def rows(found: Figures, table: str, language: Language) -> list[tuple[str, int]]:
    """Name and number of every bar of a table, in the order shown."""
    shares: tuple[Share, ...] = getattr(found, table)
    return [(label(table, share, language), share.n) for share in shares]


@public("/statistics", action="public.read")
async def page(request: Request[Any, Any, Any], state: State) -> Response[bytes | None]:
    """All figures on one page."""

    async def make() -> str:
        found = await public_figures.figures(today=on_day(state.clock()))
        language = language_of(request)
        tables = {table: rows(found, table, language) for table in TABLES}
        drawn = {
            table: plots.bars([(name, n, str(n)) for name, n in shares])
            for table, shares in tables.items()
        }
        values = {"figures": found, "tables": tables, "drawn": drawn}
        return html(request, "public/statistics.html", values)

    return await served(request, make)


@public("/statistics.json", action="public.read")
async def data(request: Request[Any, Any, Any], state: State) -> Response[bytes | None]:
    """The figures as data."""

    async def make() -> str:
        found = await public_figures.figures(today=on_day(state.clock()))
        return msgspec.json.encode(found).decode()

    return await served(request, make, kind="json")


@public("/statistics/{table:str}/csv", action="public.read")
async def sheet(
    table: Annotated[str, PathParameter(max_length=20)],
    request: Request[Any, Any, Any],
    state: State,
) -> Response[bytes | None]:
    """One table as CSV with its byte order mark, for office programs."""
    if table not in TABLES:
        raise Absent

    async def make() -> str:
        found = await public_figures.figures(today=on_day(state.clock()))
        language = language_of(request)
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow([say(f"figures.{table}", language), say("figures.n", language)])
        writer.writerows(rows(found, table, language))
        return "\N{ZERO WIDTH NO-BREAK SPACE}" + out.getvalue()

    return await served(request, make, kind="csv")


HANDLERS = [page, data, sheet]
MAIN = ("/statistics", "/statistics.json")
