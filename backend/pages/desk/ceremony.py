"""Deeds of the draw room: commit, enter named chance, reveal, draw, disclose, make void."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from msgspec import Meta, Struct

from backend.keyring import Keyring
from backend.pages.desk.draws import shown
from backend.pages.forms import Asked, Done, NothingForm, submitted
from backend.pages.routes import post
from backend.services import ceremony, countersigns, disclosure, draws, voids
from backend.services.act import Act
from backend.services.records.draws import Hex64, Signature
from backend.services.records.plans import Name, PartyCode, Source

WITNESSES = 8


class CommitForm(Struct, frozen=True):
    party: PartyCode
    commitment: Hex64
    signature: Signature


class RevealForm(Struct, frozen=True):
    party: PartyCode
    secret: Hex64
    head: Hex64
    signature: Signature
    link: Hex64 | None = None


class CountersignForm(Struct, frozen=True):
    party: PartyCode
    head: Hex64
    signature: Signature


class ChanceForm(Struct, frozen=True):
    """``witnesses`` are names, one a line."""

    source: Source
    ref: Name
    value: Annotated[str, Meta(min_length=1, max_length=256)]
    witnesses: Annotated[str, Meta(max_length=800)] = ""


class ReasonForm(Struct, frozen=True):
    reason: Annotated[str, Meta(min_length=2, max_length=600)]


@post("/desk/draws/{draw_id:uuid}/commitments", action="draws.party")
async def commit(
    draw_id: FromPath[UUID], request: Asked, act: Act, keys: Keyring
) -> Response[Any]:
    """Take a party's commitment."""

    async def deed(form: CommitForm) -> Done:
        await ceremony.commit(
            draw_id, form.party, form.commitment, form.signature, act=act, keys=keys
        )
        return Done(f"/desk/draws/{draw_id}", "room.committed")

    return await submitted(request, CommitForm, deed, partial(shown, draw_id, request, act))


@post("/desk/draws/{draw_id:uuid}/chance", action="draws.run")
async def enter(draw_id: FromPath[UUID], request: Asked, act: Act, keys: Keyring) -> Response[Any]:
    """Enter the value of a source named at the freeze, such as the dice with its witnesses."""

    async def deed(form: ChanceForm) -> Done:
        lines = [line.strip() for line in form.witnesses.splitlines()]
        await ceremony.enter(
            draw_id,
            form.source,
            form.ref,
            form.value.strip(),
            tuple(line for line in lines if line)[:WITNESSES],
            act=act,
            keys=keys,
        )
        return Done(f"/desk/draws/{draw_id}", "room.entered")

    return await submitted(request, ChanceForm, deed, partial(shown, draw_id, request, act))


@post("/desk/draws/{draw_id:uuid}/reveals", action="draws.party")
async def reveal(
    draw_id: FromPath[UUID], request: Asked, act: Act, keys: Keyring
) -> Response[Any]:
    """Take a party's secret; the last one orders the result."""

    async def deed(form: RevealForm) -> Done:
        await ceremony.reveal(
            draw_id,
            form.party,
            form.secret,
            head=form.head,
            signature=form.signature,
            act=act,
            keys=keys,
            link=form.link,
        )
        return Done(f"/desk/draws/{draw_id}", "room.revealed")

    return await submitted(request, RevealForm, deed, partial(shown, draw_id, request, act))


@post("/desk/draws/{draw_id:uuid}/countersignatures", action="draws.party")
async def countersign(draw_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Keep a party's signature over a head of the log."""

    async def deed(form: CountersignForm) -> Done:
        await countersigns.countersign(draw_id, form.party, form.head, form.signature, act=act)
        return Done(f"/desk/draws/{draw_id}", "room.countersigned")

    return await submitted(request, CountersignForm, deed, partial(shown, draw_id, request, act))


async def _pressed(
    draw_id: UUID, request: Asked, act: Act, verb: Callable[[], Awaitable[object]], said: str
) -> Response[Any]:
    """A deed without fields."""

    async def deed(_form: NothingForm) -> Done:
        await verb()
        return Done(f"/desk/draws/{draw_id}", f"room.{said}")

    return await submitted(request, NothingForm, deed, partial(shown, draw_id, request, act))


@post("/desk/draws/{draw_id:uuid}/result", action="draws.run")
async def run(draw_id: FromPath[UUID], request: Asked, act: Act, keys: Keyring) -> Response[Any]:
    """Draw what is revealed; again, nothing changes."""
    verb = partial(draws.run, draw_id, act=act, keys=keys)
    return await _pressed(draw_id, request, act, verb, "drawn")


@post("/desk/draws/{draw_id:uuid}/disclosure", action="draws.run")
async def disclose(
    draw_id: FromPath[UUID], request: Asked, act: Act, keys: Keyring
) -> Response[Any]:
    """Publish keys and secrets once the visits are done, or the plan's day has come."""
    verb = partial(disclosure.disclose, draw_id, act=act, keys=keys)
    return await _pressed(draw_id, request, act, verb, "disclosed")


@post("/desk/draws/{draw_id:uuid}/void", action="draws.void")
async def agree(draw_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Make an attempt void that somebody else proposed; it stays visible with both names."""
    return await _pressed(draw_id, request, act, partial(voids.agree, draw_id, act=act), "void")


@post("/desk/draws/{draw_id:uuid}/void-proposal", action="draws.void")
async def propose(draw_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Propose to make an attempt without a result void."""

    async def deed(form: ReasonForm) -> Done:
        await voids.propose(draw_id, form.reason, act=act)
        return Done(f"/desk/draws/{draw_id}", "room.void_proposed")

    return await submitted(request, ReasonForm, deed, partial(shown, draw_id, request, act))


HANDLERS = [commit, enter, reveal, countersign, run, disclose, agree, propose]
