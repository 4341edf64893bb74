"""Draws: freeze, commitments, named chance, reveals, result, disclosure; void by two persons."""

from typing import Annotated, Any
from uuid import UUID

from litestar.datastructures import State
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api import chains, draw_events, parties, public_draws
from backend.api.draw_events import SourcesIn
from backend.api.routes import get, post
from backend.clock import token
from backend.keyring import Keyring
from backend.services import ceremony, countersigns, disclosure, draws, framediffs, voids
from backend.services.act import Act
from backend.services.framediffs import Difference
from backend.services.records.draws import (
    Ceremony,
    DrawRecord,
    Head,
    Hex64,
    Signature,
    Verdict,
)
from backend.services.records.plans import Name, PartyCode, Reason, Source

Value = Annotated[str, Meta(min_length=1, max_length=256)]


class CommitIn(Struct, frozen=True, forbid_unknown_fields=True):
    """``signature``: by the party's key over the tag ssj1.commit, padded, and the digest."""

    party: PartyCode
    commitment: Hex64
    signature: Signature


class EntropyIn(Struct, frozen=True, forbid_unknown_fields=True):
    source: Source
    ref: Name
    value: Value
    witnesses: Annotated[tuple[Name, ...], Meta(max_length=8)] = ()


class RevealIn(Struct, frozen=True, forbid_unknown_fields=True):
    """``signature``: by the party's key over ``head``, the hash of an entry of this draw.

    ``link``: of the party's chain, where it has left one for the year.
    """

    party: PartyCode
    secret: Hex64
    head: Hex64
    signature: Signature
    link: Hex64 | None = None


class CountersignIn(Struct, frozen=True, forbid_unknown_fields=True):
    party: PartyCode
    head: Hex64
    signature: Signature


class VoidIn(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


@get("/api/v1/draws", action="draws.read")
async def page(
    act: Act,
    plan: Annotated[UUID | None, QueryParameter(name="plan")] = None,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> tuple[DrawRecord, ...]:
    """Attempts of the caller's regions, newest first; void ones stay."""
    return await draws.draws(act=act, plan=plan, after=after, limit=limit)


@get("/api/v1/draws/{draw_id:uuid}", action="draws.read")
async def one(draw_id: FromPath[UUID], act: Act) -> Ceremony:
    """Where a draw stands: counts and digests, who is awaited, never a target."""
    return await draws.draw(draw_id, act=act)


@get("/api/v1/draws/{draw_id:uuid}/record", action="draws.read")
async def record(draw_id: FromPath[UUID], act: Act) -> dict[str, Any]:
    """What the public reads of the draw; its full record once it is disclosed."""
    return await disclosure.record(draw_id, act=act)


@get("/api/v1/draws/{draw_id:uuid}/verdict", action="draws.read")
async def verdict(draw_id: FromPath[UUID], act: Act) -> Verdict:
    """The verifier's answer to the disclosed record."""
    return await disclosure.verify(draw_id, act=act)


@get("/api/v1/draws/{draw_id:uuid}/frame-diff", action="draws.read")
async def frame_diff(draw_id: FromPath[UUID], act: Act) -> Difference:
    """What appeared, vanished or moved since the last frame, and what the catalogue says."""
    return await framediffs.difference(draw_id, act=act)


@post("/api/v1/plans/{plan_id:uuid}/draw", action="draws.run")
async def freeze(plan_id: FromPath[UUID], act: Act, keys: Keyring) -> DrawRecord:
    """Freeze the frames of a due plan; again, it answers with the open attempt."""
    return await draws.freeze(plan_id, act=act, keys=keys, token=token)


@post("/api/v1/plans/{plan_id:uuid}/further-draw", action="draws.run")
async def freeze_later(
    plan_id: FromPath[UUID], data: JSONBody[SourcesIn], act: Act, keys: Keyring
) -> DrawRecord:
    """Freeze a plan whose named values are past, naming later ones of the same sources."""
    return await draws.freeze(plan_id, act=act, keys=keys, token=token, named=data.entropy)


@get("/api/v1/draws/{draw_id:uuid}/head", action="draws.read")
async def head(draw_id: FromPath[UUID], act: Act, state: State) -> Head:
    """What a notice prints: 16 digits of the head, the line of text, who has not signed."""
    return await countersigns.head(draw_id, act=act, origin=state.jobs.settings.origin)


@post("/api/v1/draws/{draw_id:uuid}/commitments", action="draws.party")
async def commit(
    draw_id: FromPath[UUID], data: JSONBody[CommitIn], act: Act, keys: Keyring
) -> DrawRecord:
    """Take a party's commitment."""
    return await ceremony.commit(
        draw_id, data.party, data.commitment, data.signature, act=act, keys=keys
    )


@post("/api/v1/draws/{draw_id:uuid}/entropy", action="draws.run")
async def entropy(
    draw_id: FromPath[UUID], data: JSONBody[EntropyIn], act: Act, keys: Keyring
) -> DrawRecord:
    """Enter the value of a source named at the freeze."""
    return await ceremony.enter(
        draw_id, data.source, data.ref, data.value, data.witnesses, act=act, keys=keys
    )


@post("/api/v1/draws/{draw_id:uuid}/reveals", action="draws.party")
async def reveal(
    draw_id: FromPath[UUID], data: JSONBody[RevealIn], act: Act, keys: Keyring
) -> DrawRecord:
    """Take a party's secret; the last one orders the result."""
    return await ceremony.reveal(
        draw_id,
        data.party,
        data.secret,
        head=data.head,
        signature=data.signature,
        act=act,
        keys=keys,
        link=data.link,
    )


@post("/api/v1/draws/{draw_id:uuid}/countersignatures", action="draws.party")
async def countersign(
    draw_id: FromPath[UUID], data: JSONBody[CountersignIn], act: Act
) -> DrawRecord:
    """Keep a party's signature over a head of the log."""
    return await countersigns.countersign(draw_id, data.party, data.head, data.signature, act=act)


@post("/api/v1/draws/{draw_id:uuid}/result", action="draws.run")
async def run(draw_id: FromPath[UUID], act: Act, keys: Keyring) -> DrawRecord:
    """Draw what is revealed; again, nothing changes."""
    return await draws.run(draw_id, act=act, keys=keys)


@post("/api/v1/draws/{draw_id:uuid}/void-proposal", action="draws.void")
async def propose_void(draw_id: FromPath[UUID], data: JSONBody[VoidIn], act: Act) -> DrawRecord:
    """Propose to make an attempt without a result void."""
    return await voids.propose(draw_id, data.reason, act=act)


@post("/api/v1/draws/{draw_id:uuid}/void", action="draws.void")
async def void(draw_id: FromPath[UUID], act: Act) -> DrawRecord:
    """Make an attempt void that somebody else proposed; it stays visible with both names."""
    return await voids.agree(draw_id, act=act)


@post("/api/v1/draws/{draw_id:uuid}/disclosure", action="draws.run")
async def disclose(draw_id: FromPath[UUID], act: Act, keys: Keyring) -> DrawRecord:
    """Publish keys and secrets once the visits are done, or the plan's day has come."""
    return await disclosure.disclose(draw_id, act=act, keys=keys)


HANDLERS = [
    page,
    one,
    record,
    verdict,
    frame_diff,
    freeze,
    commit,
    entropy,
    reveal,
    countersign,
    run,
    propose_void,
    void,
    disclose,
    freeze_later,
    head,
    *parties.HANDLERS,
    *chains.HANDLERS,
    *draw_events.HANDLERS,
    *public_draws.HANDLERS,
]
