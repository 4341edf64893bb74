"""Parties of draws and the keys they sign by."""

from uuid import UUID

from litestar.params import FromPath, JSONBody

from backend.api.routes import delete, get, post
from backend.services import parties
from backend.services.act import Act
from backend.services.records.draws import NewParty, PartyRecord


@get("/api/v1/parties", action="draws.read")
async def page(act: Act) -> tuple[PartyRecord, ...]:
    """The parties of the caller's regions, retired ones included."""
    return await parties.parties(act=act)


@post("/api/v1/parties", action="draws.run")
async def register(data: JSONBody[NewParty], act: Act) -> PartyRecord:
    """Register a party with its Ed25519 key for the draws of the caller's office."""
    return await parties.register(data, act=act)


@delete("/api/v1/parties/{party_id:uuid}", action="draws.run", status_code=200)
async def retire(party_id: FromPath[UUID], act: Act) -> PartyRecord:
    """Let a party take part in no further draw; the old ones keep it."""
    return await parties.retire(party_id, act=act)


HANDLERS = [page, register, retire]
