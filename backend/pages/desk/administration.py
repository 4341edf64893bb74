"""Administration 系统管理: settings with their basis, holidays, packs, the queue, the doctor."""

from functools import partial
from typing import Annotated, Any

from litestar import Response
from litestar.params import FromPath, QueryParameter

from backend.pages.desk import names
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, submitted
from backend.pages.routes import get, post
from backend.pages.words import language_of
from backend.services import backlog, checkup, upkeep
from backend.services.act import Act
from inspection_plans.coverage import coverage, unchecked
from inspection_plans.library import Library
from inspection_plans.loader import load_rulebook, load_settings, load_years


@get("/desk/settings", action="rules.desk")
async def settings(
    request: Asked,
    act: Act,
    search: Annotated[str, QueryParameter(max_length=60, pattern=r"^[^\x00]*$")] = "",
) -> Response[str]:
    """Everything the notices leave open: value, bounds, and where it comes from."""
    wanted = search.strip().lower()
    found = [
        one
        for one in load_settings().values()
        if wanted in f"{one.name} {one.zh} {one.en}".lower()
    ]
    shown = {
        "rows": found,
        "search": search,
        "total": len(load_settings()),
        "place": partial(names.jurisdiction, language=language_of(request)),
    }
    return desk(request, act, "desk/settings.html", shown, here="settings")


@get("/desk/holidays", action="rules.desk")
async def holidays(request: Asked, act: Act) -> Response[str]:
    """The published rest and make-up days 调休 that every term is counted by."""
    shown = {"years": sorted(load_years(), key=lambda one: -one.year)}
    return desk(request, act, "desk/holidays.html", shown, here="holidays")


@get("/desk/packs", action="rules.desk")
async def packs(request: Asked, act: Act, rules: Library) -> Response[str]:
    """The notices as data: how many clauses each has, and what checks them."""
    book = load_rulebook()
    checks = coverage(rules, {rule.id: rule.clauses for rule in book.desk.values()})
    left = {one.id for one in unchecked(rules, checks)}
    counts = {
        pack: (
            sum(one.pack == pack for one in rules.clauses.values()),
            sum(bool(checks[one.id]) for one in rules.clauses.values() if one.pack == pack),
            sum(one.id in left for one in rules.clauses.values() if one.pack == pack),
        )
        for pack in rules.packs
    }
    place = partial(names.jurisdiction, language=language_of(request))
    shown = {"packs": rules.packs, "counts": counts, "place": place}
    return desk(request, act, "desk/packs.html", shown, here="packs")


@get("/desk/packs/{pack:str}", action="rules.desk")
async def pack(pack: FromPath[str], request: Asked, act: Act, rules: Library) -> Response[str]:
    """One notice, clause by clause, with what checks each."""
    book = load_rulebook()
    checks = coverage(rules, {rule.id: rule.clauses for rule in book.desk.values()})
    clauses = [one for one in rules.clauses.values() if one.pack == pack]
    shown = {"it": rules.packs.get(pack), "pack": pack, "clauses": clauses, "checks": checks}
    return desk(request, act, "desk/pack.html", shown, here="packs")


async def _queue(
    request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    shown = {
        "kinds": await backlog.kinds(at=act.at),
        "parked": await backlog.parked(),
        "retries": "sysadmin" in act.by.roles,
        "filled": filled,
        "place": partial(names.place, language=language_of(request)),
    }
    return desk(request, act, "desk/queue.html", shown, here="queue", status=status)


@get("/desk/queue", action="upkeep.read")
async def queue(request: Asked, act: Act) -> Response[Any]:
    """What the workers have to do, and what they could not."""
    return await _queue(request, act)


@post("/desk/queue/{task:int}/again", action="tasks.retry")
async def again(task: FromPath[int], request: Asked, act: Act) -> Response[Any]:
    """Let a parked task be tried anew."""

    async def deed(_form: NothingForm) -> Done:
        await backlog.again(task, act=act)
        return Done("/desk/queue", "admin.again")

    return await submitted(request, NothingForm, deed, partial(_queue, request, act))


@get("/desk/doctor", action="upkeep.read")
async def doctor(request: Asked, act: Act) -> Response[str]:
    """The state of every part, in sentences, and the runs of scrub, backup and restore."""
    shown = {"findings": await checkup.checkup(at=act.at), "runs": await upkeep.runs(limit=30)}
    return desk(request, act, "desk/doctor.html", shown, here="doctor")


HANDLERS = [settings, holidays, packs, pack, queue, again, doctor]
