"""Parties of draws 抽取参与方 with their keys, their chains of secrets, and links left ahead.

Secrets and signatures are made with the party's own key on its own device, never here.
"""

from functools import partial
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, FromQuery
from msgspec import Meta, Struct

from backend.keyring import Keyring
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, submitted
from backend.pages.lists import shelf
from backend.pages.routes import get, post
from backend.services import chains, deposits, parties, policy
from backend.services.act import Act
from backend.services.records.chains import LinkIndex, NewChain, NewDeposit
from backend.services.records.draws import Hex64, NewParty, PartyKind, Signature
from backend.services.records.plans import Name, PartyCode

KINDS: tuple[str, ...] = tuple(kind for kind in get_args(PartyKind) if kind != "operator")
DEPOSITS = 200


class PartyForm(Struct, frozen=True):
    code: PartyCode
    name: Name
    kind: PartyKind
    public_key: Hex64


class ChainForm(Struct, frozen=True):
    party: PartyCode
    year: Annotated[int, Meta(ge=2021, le=2100)]
    tip: Hex64
    length: LinkIndex
    signature: Signature
    alg: Literal["sha256", "sm3"] = "sha256"


class DepositForm(Struct, frozen=True):
    party: PartyCode
    draw: Annotated[str, Meta(pattern=r"^[0-9A-Za-z-]{1,64}$")]
    index: LinkIndex
    commitment: Hex64
    commit_signature: Signature
    sealed: Annotated[str, Meta(pattern=r"^[0-9a-f]{160}$")]
    signature: Signature
    attempt: Annotated[int, Meta(ge=1, le=20)] = 1


async def _shown(
    request: Asked,
    act: Act,
    keys: Keyring,
    filled: Filled = EMPTY,
    status: int = 200,
    *,
    after: UUID | None = None,
) -> Response[Any]:
    found = await parties.parties(act=act)
    left = await deposits.deposits(act=act, after=after)

    def may(action: str) -> bool:
        return policy.allowed(action, act.by.roles, signed_in=True)

    values = {
        "parties": found,
        "own": [one for one in found if one.active and one.kind != "operator"],
        "chains": await chains.chains(act=act),
        "deposits": left,
        "shelf": shelf("/desk/parties", left, {}, limit=DEPOSITS, after=after),
        "kinds": KINDS,
        "year": act.at.year,
        "box": keys.box.public.hex(),
        "registers": may("draws.run"),
        "takes": may("draws.party"),
        "filled": filled,
    }
    return desk(request, act, "desk/parties.html", values, here="parties", status=status)


@get("/desk/parties", action="draws.read")
async def page(
    request: Asked, act: Act, keys: Keyring, after: FromQuery[UUID | None] = None
) -> Response[Any]:
    """The parties, their chains with what is left of them, and the links left ahead."""
    return await _shown(request, act, keys, after=after)


@post("/desk/parties", action="draws.run")
async def register(request: Asked, act: Act, keys: Keyring) -> Response[Any]:
    """Register a party with its key."""

    async def deed(form: PartyForm) -> Done:
        new = NewParty(code=form.code, name=form.name, kind=form.kind, public_key=form.public_key)
        await parties.register(new, act=act)
        return Done("/desk/parties", "parties.registered")

    return await submitted(request, PartyForm, deed, partial(_shown, request, act, keys))


@post("/desk/parties/{party_id:uuid}/retirement", action="draws.run")
async def retire(
    party_id: FromPath[UUID], request: Asked, act: Act, keys: Keyring
) -> Response[Any]:
    """Let a party take part in no further draw."""

    async def deed(_form: NothingForm) -> Done:
        await parties.retire(party_id, act=act)
        return Done("/desk/parties", "parties.retired")

    return await submitted(request, NothingForm, deed, partial(_shown, request, act, keys))


@post("/desk/parties/chains", action="draws.party")
async def commit(request: Asked, act: Act, keys: Keyring) -> Response[Any]:
    """Take the tip of a party's chain for a year."""

    async def deed(form: ChainForm) -> Done:
        new = NewChain(
            party=form.party,
            year=form.year,
            tip=form.tip,
            length=form.length,
            signature=form.signature,
        )
        await chains.commit(new, alg=form.alg, act=act, keys=keys)
        return Done("/desk/parties#chains", "parties.committed")

    return await submitted(request, ChainForm, deed, partial(_shown, request, act, keys))


@post("/desk/parties/deposits", action="draws.party")
async def deposit(request: Asked, act: Act, keys: Keyring) -> Response[Any]:
    """Keep one link for one attempt of an announced draw."""

    async def deed(form: DepositForm) -> Done:
        new = NewDeposit(
            party=form.party,
            draw=form.draw,
            attempt=form.attempt,
            index=form.index,
            commitment=form.commitment,
            commit_signature=form.commit_signature,
            sealed=form.sealed,
            signature=form.signature,
        )
        await deposits.deposit(new, act=act, keys=keys)
        return Done("/desk/parties#deposits", "parties.deposited")

    return await submitted(request, DepositForm, deed, partial(_shown, request, act, keys))


HANDLERS = [page, register, retire, commit, deposit]
