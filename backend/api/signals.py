"""Signals for reviewers: of a visit, of a reply, page by page, counted; and their verdicts."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services.act import Act
from backend.services.signals import reading, verdicts
from backend.services.signals.reading import Overview, SignalRecord, VerdictWord, Wanted

Limit = Annotated[int, QueryParameter(ge=1, le=200)]
Word = Annotated[str | None, QueryParameter(max_length=40, pattern=r"^[a-z_]+\Z")]


class SignalsOut(Struct, frozen=True):
    signals: tuple[SignalRecord, ...]


class VerdictIn(Struct, frozen=True, forbid_unknown_fields=True):
    """``confirmed``: as suspected; ``explained``: true and harmless; ``unfounded``: not true."""

    verdict: VerdictWord
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]


@get("/api/v1/visits/{visit_id:uuid}/signals", action="signals.read")
async def of_visit(visit_id: FromPath[UUID], act: Act) -> SignalsOut:
    """What looks odd about a visit and its class, the gravest first; hints, no findings."""
    return SignalsOut(await reading.of_visit(visit_id, act=act))


@get("/api/v1/notices/{notice_id:uuid}/signals", action="signals.read")
async def of_notice(notice_id: FromPath[UUID], act: Act) -> SignalsOut:
    """What looks odd about the files of a reply."""
    return SignalsOut(await reading.of_notice(notice_id, act=act))


@get("/api/v1/signals", action="signals.read")
async def page(
    act: Act,
    after: FromQuery[UUID | None] = None,
    limit: Limit = 100,
    kind: Word = None,
    strength: Word = None,
    standing: Word = None,
    institution: FromQuery[UUID | None] = None,
) -> SignalsOut:
    """Signals of the caller's regions, newest first; the last id is the next ``after``."""
    wanted = Wanted(kind=kind, strength=strength, institution=institution, standing=standing)
    return SignalsOut(await reading.page(wanted, act=act, after=after, limit=limit))


@get("/api/v1/signals/overview", action="signals.read")
async def overview(act: Act, since: FromQuery[datetime]) -> Overview:
    """How many signals of which kind stand, what became of them, where most of them are."""
    return await reading.overview(since, act=act)


@get("/api/v1/signals/{signal_id:uuid}", action="signals.read")
async def one(signal_id: FromPath[UUID], act: Act) -> SignalRecord:
    """One signal in words and figures."""
    return await reading.one(signal_id, act=act)


@post("/api/v1/signals/{signal_id:uuid}/verdicts", action="signals.judge", status_code=201)
async def decide(signal_id: FromPath[UUID], data: JSONBody[VerdictIn], act: Act) -> SignalRecord:
    """Say with a reason what a signal is worth; nothing else follows by itself."""
    return await verdicts.decide(signal_id, data.verdict, data.reason, act=act)


HANDLERS = [of_visit, of_notice, page, overview, one, decide]
