"""Acts of two persons on evidence 证据处置: admitted, void, unlocked; the register of them all."""

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Meta, Struct

from backend.pages.desk.evidence import shown
from backend.pages.desk.frame import desk
from backend.pages.forms import Asked, Done, submitted
from backend.pages.lists import shelf, total
from backend.pages.routes import get, post
from backend.pages.words import language_of, say
from backend.services import custody_acts, names
from backend.services.act import Act
from backend.services.custody_acts import Kind

LIMIT = 50
STATES = ("proposed", "approved", "refused")
Reason = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]


class ProposalForm(Struct, frozen=True):
    kind: Kind
    reason: Reason


class DecisionForm(Struct, frozen=True):
    approve: Literal["yes", "no"]
    reason: Reason


@get("/desk/custody", action="evidence.acts")
async def page(
    request: Asked,
    act: Act,
    in_state: Annotated[
        str | None, QueryParameter(name="state", max_length=20, pattern=r"^[a-z_]*\Z")
    ] = None,
    after: FromQuery[UUID | None] = None,
) -> Response[Any]:
    """Acts of the scope, newest first."""
    rows = await custody_acts.page(act=act, state=in_state or None, after=after, limit=LIMIT)
    standing = in_state or None
    whole = await total("custody_acts", rows, standing, limit=LIMIT, after=after, act=act)
    language = language_of(request)
    who = [one for row in rows for one in (row.proposed_by, row.decided_by, row.visit)]
    values = {
        "rows": rows,
        "names": await names.of(who, act=act),
        "state_pairs": [(one, say(f"custody.state.{one}", language)) for one in STATES],
        "shelf": shelf(
            "/desk/custody", rows, {"state": in_state}, limit=LIMIT, after=after, total=whole
        ),
    }
    return desk(request, act, "desk/custody.html", values, here="custody")


@post("/desk/evidence/{evidence_id:uuid}/acts", action="evidence.propose")
async def propose(evidence_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Propose an act on a piece; another person decides it."""

    async def deed(form: ProposalForm) -> Done:
        await custody_acts.propose(evidence_id, form.kind, form.reason, act=act)
        return Done(f"/desk/evidence/{evidence_id}#custody", "custody.proposed")

    return await submitted(request, ProposalForm, deed, partial(shown, evidence_id, request, act))


@post("/desk/evidence/{evidence_id:uuid}/acts/{act_id:uuid}", action="evidence.decide")
async def decide(
    evidence_id: FromPath[UUID], act_id: FromPath[UUID], request: Asked, act: Act
) -> Response[Any]:
    """Approve or refuse, as the second person."""

    async def deed(form: DecisionForm) -> Done:
        done = await custody_acts.decide(
            act_id, form.reason, approve=form.approve == "yes", act=act
        )
        return Done(f"/desk/evidence/{evidence_id}#custody", f"custody.{done.state}")

    return await submitted(request, DecisionForm, deed, partial(shown, evidence_id, request, act))


HANDLERS = [page, propose, decide]
