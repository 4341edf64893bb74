"""A simulation 推演: how far it is, its plots with their figures, and the figures as CSV."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath

from backend.pages import plots
from backend.pages.desk import names
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, submitted
from backend.pages.lists import sheet
from backend.pages.routes import get, post
from backend.pages.words import Language, language_of, say, words
from backend.services import plans, simulations
from backend.services.act import Act
from inspection_plans.simulation import Report, Share

Part = Literal["cities", "classes", "loads", "unseen", "missing", "exclusions"]
HUNDREDTHS = 10_000


class Plot(msgspec.Struct, frozen=True):
    """One plot and the table behind it; every share stands beside its two counts."""

    part: Part
    drawn: plots.Bars
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def percent(part: int, whole: int) -> str:
    """A share for showing, two decimals, half up; nothing of nothing is a dash."""
    if not whole:
        return "—"
    units = (2 * part * HUNDREDTHS + whole) // (2 * whole)
    return f"{units // 100}.{units % 100:02d} %"


def _shares(
    part: Part,
    found: dict[str, Share],
    years: int,
    language: Language,
    *,
    named: Callable[[str], str],
) -> Plot:
    """Institution-years with a visit, of all institution-years."""
    keys = ("place" if part == "cities" else "class", "institutions", "visits", "seen", "share")
    rows, bars = [], []
    for key in sorted(found):
        one = found[key]
        whole = one.institutions * years
        shown = percent(one.seen, whole)
        label = named(key)
        rows.append(
            (label, str(one.institutions), str(one.visits), f"{one.seen} / {whole}", shown)
        )
        bars.append((label, one.seen * HUNDREDTHS // (whole or 1), shown))
    heads = tuple(say(f"sim.head.{one}", language) for one in keys)
    return Plot(part, plots.bars(bars), heads, tuple(rows))


def _counts(part: Part, found: Iterable[tuple[str, int]], whole: int, language: Language) -> Plot:
    """Counts by key, each of one whole."""
    rows, bars = [], []
    for label, count in found:
        shown = percent(count, whole)
        rows.append((label, f"{count} / {whole}", shown))
        bars.append((label, count, str(count)))
    heads = tuple(say(f"sim.head.{one}", language) for one in (part, "count", "share"))
    return Plot(part, plots.bars(bars), heads, tuple(rows))


def _most(found: dict[str, int], most: int = 20) -> list[tuple[str, int]]:
    return sorted(found.items(), key=lambda one: (-one[1], one[0]))[:most]


def _rule(code: str, language: Language) -> str:
    """What an exclusion's code means."""
    key = f"room.exclusion.{code.lower()}"
    return say(key, language) if key in words() else code


def plotted(report: Report, language: Language) -> Sequence[Plot]:
    """Everything a reader judges a plan by."""
    city = partial(names.place, language=language)
    people = sum(report.loads.values())
    loads = [(str(visits), count) for visits, count in sorted(report.loads.items())]
    gaps = [(str(places), count) for places, count in sorted(report.missing.items())]
    unseen = [one for one in _most(report.unseen) if one[1]]
    found = [
        _shares("cities", report.cities, report.years, language, named=lambda key: city(int(key))),
        _shares("classes", report.classes, report.years, language, named=str),
        _counts("loads", loads, people, language),
        *([_counts("unseen", unseen, report.terms, language)] if unseen else []),
    ]
    if gaps:
        found.append(_counts("missing", gaps, report.draws, language))
    if report.exclusions:
        objects = max(report.exclusions.values())
        rules = [(_rule(code, language), n) for code, n in _most(report.exclusions)]
        found.append(_counts("exclusions", rules, objects, language))
    return found


async def _shown(
    simulation_id: UUID, request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    found = await simulations.simulation(simulation_id, act=act)
    report = found.report
    institution_terms = found.notes.institutions * (report.terms if report else 0)
    unseen = sum(report.unseen.values()) if report else 0
    shown = {
        "it": found,
        "plan": await plans.plan(found.plan, act=act),
        "plots": plotted(report, language_of(request)) if report else (),
        "never": (unseen, institution_terms, percent(unseen, institution_terms)),
        "filled": filled,
    }
    return desk(request, act, "desk/simulation.html", shown, here="plans", status=status)


@get("/desk/simulations/{simulation_id:uuid}", action="plans.read")
async def one(simulation_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """How far a simulation is and what it has counted."""
    return await _shown(simulation_id, request, act)


@get("/desk/simulations/{simulation_id:uuid}/csv/{part:str}", action="plans.read")
async def figures(
    simulation_id: FromPath[UUID], part: FromPath[Part], request: Asked, act: Act
) -> Response[bytes]:
    """The figures behind one plot."""
    found = await simulations.simulation(simulation_id, act=act)
    drawn = plotted(found.report, language_of(request)) if found.report else ()
    plot = next((each for each in drawn if each.part == part), None)
    return sheet(f"simulation-{part}", plot.heads if plot else (), plot.rows if plot else ())


@post("/desk/simulations/{simulation_id:uuid}/cancellation", action="plans.write")
async def cancel(simulation_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """End it; what was counted stays."""

    async def deed(_form: NothingForm) -> Done:
        await simulations.cancel(simulation_id, act=act)
        return Done(f"/desk/simulations/{simulation_id}", "sim.cancelled")

    return await submitted(
        request, NothingForm, deed, partial(_shown, simulation_id, request, act)
    )


HANDLERS = [one, figures, cancel]
