"""Chains of secrets of the parties, and the links they leave in advance."""

from typing import Annotated, Literal
from uuid import UUID

from litestar.params import JSONBody, QueryParameter
from msgspec import Struct

from backend.api.routes import get, post
from backend.keyring import Keyring
from backend.services import chains, deposits
from backend.services.act import Act
from backend.services.records.chains import ChainRecord, DepositRecord, NewChain, NewDeposit


class ChainIn(NewChain, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tip and the digest the year's log is chained with."""

    alg: Literal["sha256", "sm3"] = "sha256"


class DrawKey(Struct, frozen=True):
    """The X25519 key (hex) for which a link is sealed: sender's key, then AES-256-GCM."""

    public: str


@get("/api/v1/chains", action="draws.read")
async def page(act: Act) -> tuple[ChainRecord, ...]:
    """The chains of the caller's regions, and when each runs out."""
    return await chains.chains(act=act)


@post("/api/v1/chains", action="draws.party")
async def commit(data: JSONBody[ChainIn], act: Act, keys: Keyring) -> ChainRecord:
    """Take the tip of a party's chain for a year, signed by its key."""
    return await chains.commit(data, alg=data.alg, act=act, keys=keys)


@get("/api/v1/chain-key", action="draws.read")
async def key(keys: Keyring) -> DrawKey:
    """The key for which links are sealed."""
    return DrawKey(keys.box.public.hex())


@get("/api/v1/chain-deposits", action="draws.read")
async def deposited(
    act: Act, after: Annotated[UUID | None, QueryParameter(name="after")] = None
) -> tuple[DepositRecord, ...]:
    """The links left in advance, newest first; nothing sealed in them."""
    return await deposits.deposits(act=act, after=after)


@post("/api/v1/chain-deposits", action="draws.party")
async def deposit(data: JSONBody[NewDeposit], act: Act, keys: Keyring) -> DepositRecord:
    """Keep one link for one attempt of an announced draw."""
    return await deposits.deposit(data, act=act, keys=keys)


HANDLERS = [page, commit, key, deposited, deposit]
