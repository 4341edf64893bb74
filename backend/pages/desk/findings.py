"""Findings 问题: suspected until a person verifies them and names the evidence, or dismisses."""

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Meta, Struct

from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, submitted
from backend.pages.lists import shelf, total
from backend.pages.routes import get, post
from backend.pages.words import language_of, say
from backend.services import answers, exhibits, findings, names, policy
from backend.services.act import Act
from backend.services.findings import Finding, Wanted
from inspection_plans import states
from inspection_plans.library import Library
from inspection_plans.states import Noun
from inspection_plans.vocabulary import ClauseId

LIMIT = 50
PROVED = ("verified", "sealed")
State = Literal[
    "suspected", "verified", "dismissed", "ordered", "no_action", "corrected", "open", ""
]


class VerifyForm(Struct, frozen=True):
    """The evidence that a person looked at and names."""

    evidence: tuple[UUID, ...] = ()


class ReasonForm(Struct, frozen=True):
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]


@get("/desk/findings", action="findings.read")
async def page(
    request: Asked,
    act: Act,
    in_state: Annotated[State | None, QueryParameter(name="state")] = None,
    institution: FromQuery[UUID | None] = None,
    after: FromQuery[UUID | None] = None,
) -> Response[Any]:
    """Findings of the scope, newest first."""
    wanted = Wanted(state=in_state or None, institution=institution)
    rows = await findings.page(wanted, act=act, after=after, limit=LIMIT)
    chosen = (in_state or None, institution)
    whole = await total("findings", rows, *chosen, limit=LIMIT, after=after, act=act)
    language = language_of(request)
    ids = [one for row in rows for one in (row.institution, row.visit)]
    values = {
        "rows": rows,
        "names": await names.of(ids, act=act),
        "state_pairs": [
            (state, say(f"finding.state.{state}", language))
            for state in states.states(Noun.FINDING)
        ],
        "shelf": shelf(
            "/desk/findings",
            rows,
            {"state": in_state, "institution": institution},
            limit=LIMIT,
            after=after,
            total=whole,
        ),
    }
    return desk(request, act, "desk/findings.html", values, here="findings")


async def _beside(finding: Finding, act: Act) -> dict[str, object]:
    """Answers and evidence of the finding's item, and the rest of its visit's evidence."""
    if finding.visit is None:
        return {"said": (), "pieces": (), "others": ()}
    said = await answers.of_visit(finding.visit, act=act)
    evidence = await exhibits.of_visit(finding.visit, act=act)
    fit = [one for one in evidence if one.state in PROVED]
    return {
        "said": [one for one in said if one.item == finding.item],
        "pieces": [one for one in fit if one.item == finding.item],
        "others": [one for one in fit if one.item != finding.item],
    }


async def _shown(
    finding_id: UUID,
    request: Asked,
    act: Act,
    rules: Library,
    filled: Filled = EMPTY,
    status: int = 200,
) -> Response[Any]:
    finding = await findings.get(finding_id, act=act)
    beside = await _beside(finding, act)
    ids = [finding.institution, finding.visit, finding.verified_by]
    ids += [one.inspector for one in beside["said"]]  # type: ignore[attr-defined]  # AnswerRecords
    values = {
        "finding": finding,
        **beside,
        "clauses": [rules.clauses[ClauseId(c)] for c in finding.clauses if c in rules.clauses],
        "names": await names.of(ids, act=act),
        "may": policy.allowed("findings.verify", act.by.roles, signed_in=True),
        "filled": filled,
    }
    return desk(request, act, "desk/finding.html", values, here="findings", status=status)


@get("/desk/findings/{finding_id:uuid}", action="findings.read")
async def one(
    finding_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """One finding with its clauses, what was answered, and the evidence to look at."""
    return await _shown(finding_id, request, act, rules)


@post("/desk/findings/{finding_id:uuid}/verification", action="findings.verify")
async def verify(
    finding_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """State that it is true, by the evidence named."""

    async def deed(form: VerifyForm) -> Done:
        await findings.verify(finding_id, evidence=form.evidence, act=act)
        return Done(f"/desk/findings/{finding_id}", "finding.verified")

    again = partial(_shown, finding_id, request, act, rules)
    return await submitted(request, VerifyForm, deed, again)


@post("/desk/findings/{finding_id:uuid}/dismissal", action="findings.verify")
async def dismiss(
    finding_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """State that it is not so, with the reason."""

    async def deed(form: ReasonForm) -> Done:
        await findings.dismiss(finding_id, reason=form.reason, act=act)
        return Done(f"/desk/findings/{finding_id}", "finding.dismissed")

    again = partial(_shown, finding_id, request, act, rules)
    return await submitted(request, ReasonForm, deed, again)


@post("/desk/findings/{finding_id:uuid}/waiver", action="findings.verify")
async def waive(
    finding_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Leave a verified finding without an order, with the reason."""

    async def deed(form: ReasonForm) -> Done:
        await findings.waive(finding_id, reason=form.reason, act=act)
        return Done(f"/desk/findings/{finding_id}", "finding.waived")

    again = partial(_shown, finding_id, request, act, rules)
    return await submitted(request, ReasonForm, deed, again)


HANDLERS = [page, one, verify, dismiss, waive]
