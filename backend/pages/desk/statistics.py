"""Statistics 统计: three indicators, coverage, results by place, clause and month, each as CSV."""

from collections.abc import Iterable
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response
from litestar.params import FromPath, QueryParameter

from backend.pages import plots
from backend.pages.desk import names
from backend.pages.desk.frame import desk
from backend.pages.desk.simulations import percent
from backend.pages.forms import Asked
from backend.pages.lists import sheet
from backend.pages.routes import get
from backend.pages.words import Language, language_of, say
from backend.services import reports
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.reports import Covered, Pair, Report, Results
from inspection_plans.library import Library

Part = Literal[
    "attendance",
    "passes",
    "employment",
    "coverage",
    "classes",
    "selections",
    "months",
    "cities",
    "clauses",
]
SCALE = 10_000
BARS = 24
Since = Annotated[date | None, QueryParameter(name="since")]
Until = Annotated[date | None, QueryParameter(name="until")]


class Table(msgspec.Struct, frozen=True):
    """One table with its plot; every share stands beside its two counts."""

    part: Part
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    bars: plots.Bars | None = None
    lines: plots.Lines | None = None


def _heads(language: Language, *keys: str) -> tuple[str, ...]:
    return tuple(say(f"stats.head.{key}", language) for key in keys)


def _shares(part: Part, found: Iterable[tuple[str, Pair]], language: Language) -> Table:
    rows, bars = [], []
    for label, pair in found:
        shown = percent(pair.part, pair.whole)
        rows.append((label, str(pair.part), str(pair.whole), shown))
        bars.append((label, pair.part * SCALE // (pair.whole or 1), shown))
    heads = _heads(language, "place", f"{part}.part", f"{part}.whole", "share")
    return Table(part, heads, tuple(rows), bars=plots.bars(bars[:BARS]))


def _covered(part: Part, found: Iterable[Covered], language: Language, *, by: str) -> Table:
    """Institutions visited, of those active; visits at random apart from all."""
    sums: dict[str, list[int]] = {}
    for one in found:
        own = sums.setdefault(str(getattr(one, by)), [0, 0, 0, 0])
        for place, count in enumerate((one.seen, one.listed, one.visits, one.random)):
            own[place] += count
    rows, bars = [], []
    for key, (seen, listed, visits, random) in sorted(sums.items()):
        label = names.place(int(key), language) if by == "place" else key
        shown = percent(seen, listed)
        rows.append((label, str(seen), str(listed), shown, str(visits), str(random)))
        bars.append((label, seen * SCALE // (listed or 1), shown))
    first = "place" if by == "place" else "class"
    heads = _heads(language, first, "seen", "listed", "share", "visits", "random")
    return Table(part, heads, tuple(rows), bars=plots.bars(bars[:BARS]))


def _results(
    part: Part, found: Iterable[tuple[str, Results]], language: Language, first: str
) -> Table:
    rows, bars = [], []
    for label, one in found:
        shown = percent(one.with_findings, one.visits)
        rows.append((label, str(one.visits), str(one.with_findings), shown, str(one.findings)))
        bars.append((label, one.visits, str(one.visits)))
    heads = _heads(language, first, "visits", "with_findings", "share", "findings")
    return Table(part, heads, tuple(rows), bars=plots.bars(bars[:BARS]))


def _months(found: tuple[Results, ...], language: Language) -> Table:
    plain = _results("months", ((one.heading, one) for one in found), language, "month")
    steps = [one.heading for one in found]
    series = [
        (
            say(f"stats.head.{name}", language),
            [(getattr(one, name), str(getattr(one, name))) for one in found],
        )
        for name in ("visits", "with_findings", "findings")
    ]
    drawn = plots.lines(steps, series) if found else None
    return msgspec.structs.replace(plain, bars=None, lines=drawn)


def _clauses(found: Report, language: Language, rules: Library) -> Table:
    rows, bars = [], []
    for one in found.clauses:
        clause = rules.clauses.get(one.clause)  # type: ignore[call-overload]  # a text from a row
        title = (clause.rule.en if language == "en" else clause.rule.zh) if clause else one.clause
        rows.append(
            (
                one.clause,
                title,
                str(one.findings),
                str(one.suspected),
                str(one.dismissed),
                str(one.critical),
                str(one.institutions),
            )
        )
        bars.append((title, one.findings, str(one.findings)))
    heads = _heads(
        language,
        "clause",
        "rule",
        "findings",
        "suspected",
        "dismissed",
        "critical",
        "institutions",
    )
    return Table("clauses", heads, tuple(rows), bars=plots.bars(bars[:BARS]))


def tables(found: Report, language: Language, rules: Library) -> tuple[Table, ...]:
    """Every table of the page, in its order."""
    place = partial(names.place, language=language)
    indicators = found.indicators
    return (
        _shares(
            "attendance",
            ((place(code), pair) for code, pair in sorted(indicators.attendance.items())),
            language,
        ),
        _shares(
            "passes",
            ((place(code), pair) for code, pair in sorted(indicators.passes.items())),
            language,
        ),
        _shares(
            "employment",
            ((place(code), pair) for code, pair in sorted(indicators.employment.items())),
            language,
        ),
        _covered("coverage", found.coverage, language, by="place"),
        _covered("classes", found.coverage, language, by="risk_class"),
        _results(
            "selections",
            ((say(f"stats.selection.{one.heading}", language), one) for one in found.selections),
            language,
            "selection",
        ),
        _results(
            "cities",
            ((place(int(one.heading)), one) for one in found.cities),
            language,
            "place",
        ),
        _months(found.months, language),
        _clauses(found, language, rules),
    )


def _span(since: date | None, until: date | None, today: date) -> tuple[date, date]:
    """The days asked for; without them this year until today, and never backwards."""
    last = until or today
    first = since or date(last.year, 1, 1)
    return min(first, last), max(first, last)


@get("/desk/statistics", action="statistics.read")
async def page(
    request: Asked, act: Act, rules: Library, since: Since = None, until: Until = None
) -> Response[str]:
    """The report of a span."""
    first, last = _span(since, until, on_day(act.at))
    found = await reports.report(first, last, act=act)
    shown: dict[str, Any] = {
        "since": first,
        "until": last,
        "tables": tables(found, language_of(request), rules),
        "attended": found.indicators.attended,
        "passed": found.indicators.passed,
        "employed": found.indicators.employed,
        "percent": percent,
    }
    return desk(request, act, "desk/statistics.html", shown, here="statistics")


@get("/desk/statistics/csv/{part:str}", action="statistics.read")
async def figures(
    part: FromPath[Part],
    request: Asked,
    act: Act,
    rules: Library,
    since: Since = None,
    until: Until = None,
) -> Response[bytes]:
    """The figures behind one plot."""
    first, last = _span(since, until, on_day(act.at))
    found = await reports.report(first, last, act=act)
    table = next(one for one in tables(found, language_of(request), rules) if one.part == part)
    return sheet(f"{part}-{first}-{last}", table.heads, table.rows)


HANDLERS = [page, figures]
