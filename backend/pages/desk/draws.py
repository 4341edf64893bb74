"""The draw room 抽取室: counts, commitments, chance, reveals, names, the record and its check."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath, QueryParameter

from backend.pages.desk import names
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Filled
from backend.pages.lists import shelf, total
from backend.pages.routes import get
from backend.pages.words import language_of
from backend.services import disclosure, draws, framediffs, people, plans, policy, rolls
from backend.services.act import Act
from backend.services.draw_events import events
from backend.services.errors import Absent
from backend.services.framediffs import Difference
from backend.services.records.draws import DrawRecord

LIMIT = 50
STEPS = ("frozen", "revealed", "drawn", "published")


@get("/desk/draws", action="draws.watch")
async def page(
    request: Asked,
    act: Act,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
) -> Response[str]:
    """Attempts of the caller's regions, newest first; void ones stay."""
    found = await draws.draws(act=act, after=after, limit=LIMIT)
    whole = await total("draws", found, limit=LIMIT, after=after, act=act)
    shown = {
        "rows": found,
        "shelf": shelf("/desk/draws", found, {}, limit=LIMIT, after=after, total=whole),
    }
    return desk(request, act, "desk/draws.html", shown, here="draws")


def _may(draw: DrawRecord, missing: tuple[str, ...], act: Act) -> dict[str, bool]:
    """What this person may do now; the services decide again."""

    def allowed(action: str) -> bool:
        return policy.allowed(action, act.by.roles, signed_in=True)

    open_now = draw.state == "frozen"
    proposed = draw.void_proposed_by is not None
    kinds = {one.split(":")[0] for one in missing}
    return {
        "commit": open_now and "commit" in kinds and allowed("draws.party"),
        "entropy": open_now and "entropy" in kinds and allowed("draws.run"),
        "reveal": open_now and kinds == {"reveal"} and allowed("draws.party"),
        "countersign": draw.state != "void" and allowed("draws.party"),
        "run": draw.state == "revealed" and allowed("draws.run"),
        "disclose": draw.state == "drawn" and allowed("draws.run"),
        "propose": open_now and allowed("draws.void"),
        "void": open_now
        and proposed
        and draw.void_proposed_by != act.by.id
        and allowed("draws.void"),
    }


async def _difference(draw: DrawRecord, act: Act) -> Difference | None:
    """What changed in the frame; frames of another platform, or never compared, have none."""
    try:
        return await framediffs.difference(draw.id, act=act)
    except Absent:
        return None


async def shown(
    draw_id: UUID,
    request: Asked,
    act: Act,
    filled: Filled = EMPTY,
    status: int = 200,
    *,
    reveal: int | None = None,
) -> Response[Any]:
    """The room of one attempt; ``reveal`` shows that many of the names."""
    language = language_of(request)
    ceremony = await draws.draw(draw_id, act=act)
    it = ceremony.draw
    rolled = await rolls.roll(draw_id, act=act)
    reached = STEPS.index(it.state) if it.state in STEPS else -1
    values = {
        "it": it,
        "ceremony": ceremony,
        "steps": [(step, place <= reached) for place, step in enumerate(STEPS)],
        "roll": rolled,
        "named": rolled.named if reveal is None else rolled.named[: max(reveal, 0)],
        "reveal": reveal,
        "plan": await plans.plan(it.plan, act=act),
        "attempts": await draws.draws(act=act, plan=it.plan),
        "events": await events(draw_id, act=act),
        "diff": await _difference(it, act),
        "office": policy.allowed("draws.read", act.by.roles, signed_in=True),
        "people": await people.names((it.void_proposed_by, it.voided_by), act=act),
        "may": _may(it, ceremony.missing, act),
        "awaited": [tuple(one.split(":", 2)) for one in ceremony.missing],
        "filled": filled,
        "place": partial(names.place, language=language),
    }
    return desk(request, act, "desk/draw.html", values, here="draws", status=status)


@get("/desk/draws/{draw_id:uuid}", action="draws.watch")
async def one(
    draw_id: FromPath[UUID],
    request: Asked,
    act: Act,
    reveal: Annotated[int | None, QueryParameter(name="reveal", ge=0, le=1000)] = None,
) -> Response[Any]:
    """The room; before the disclosure no page of it names a target."""
    return await shown(draw_id, request, act, reveal=reveal)


@get("/desk/draws/{draw_id:uuid}/verdict", action="draws.watch")
async def verdict(draw_id: FromPath[UUID], request: Asked, act: Act) -> Response[str]:
    """The verifier's answer to the disclosed record: the program that every citizen runs."""
    found = await draws.draw(draw_id, act=act)
    values = {"it": found.draw, "verdict": await disclosure.verify(draw_id, act=act)}
    return desk(request, act, "desk/draw_verdict.html", values, here="draws")


@get("/desk/draws/{draw_id:uuid}/record.json", action="draws.watch")
async def record(draw_id: FromPath[UUID], act: Act) -> Response[bytes]:
    """What the public reads of the draw, as a file."""
    found = await disclosure.record(draw_id, act=act)
    return Response(
        msgspec.json.encode(found),
        media_type="application/json",
        headers={
            "Content-Disposition": 'attachment; filename="record.json"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


HANDLERS = [page, one, verdict, record]
