"""Acts of two persons on evidence: admit, void, unlock."""

from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import custody_acts
from backend.services.act import Act
from backend.services.custody_acts import CustodyAct, Kind

Reason = Annotated[str, Meta(min_length=1, max_length=2000)]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]
State = Annotated[str | None, QueryParameter(name="state", max_length=20, pattern=r"^[a-z_]+\Z")]


class ProposalIn(Struct, frozen=True, forbid_unknown_fields=True):
    """``admit`` a quarantined piece, make one ``void``, or ``unlock`` an original."""

    kind: Kind
    reason: Reason


class DecisionIn(Struct, frozen=True, forbid_unknown_fields=True):
    approve: bool
    reason: Reason


class ActsOut(Struct, frozen=True):
    acts: tuple[CustodyAct, ...]


@post("/api/v1/evidence/{evidence_id:uuid}/acts", action="evidence.propose", status_code=201)
async def propose(evidence_id: FromPath[UUID], data: JSONBody[ProposalIn], act: Act) -> CustodyAct:
    """Propose an act on a piece; another person decides it."""
    return await custody_acts.propose(evidence_id, data.kind, data.reason, act=act)


@get("/api/v1/evidence/{evidence_id:uuid}/acts", action="evidence.acts")
async def of_evidence(evidence_id: FromPath[UUID], act: Act) -> ActsOut:
    """All acts on one piece, oldest first."""
    return ActsOut(await custody_acts.of_evidence(evidence_id, act=act))


@get("/api/v1/custody-acts", action="evidence.acts")
async def page(
    act: Act, after: FromQuery[UUID | None] = None, limit: Limit = 100, in_state: State = None
) -> ActsOut:
    """Acts of the caller's regions, newest first; the last id is the next ``after``."""
    return ActsOut(await custody_acts.page(act=act, state=in_state, after=after, limit=limit))


@post("/api/v1/custody-acts/{act_id:uuid}/decision", action="evidence.decide", status_code=200)
async def decide(act_id: FromPath[UUID], data: JSONBody[DecisionIn], act: Act) -> CustodyAct:
    """Approve or refuse, by a second person."""
    return await custody_acts.decide(act_id, data.reason, approve=data.approve, act=act)


HANDLERS = [propose, of_evidence, page, decide]
