"""Cases 案件: what was done step by step, what the papers say follows, and the next deed."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Meta, Struct

from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, sent, submitted
from backend.pages.lists import shelf, total
from backend.pages.render import yuan
from backend.pages.routes import get, post
from backend.pages.words import language_of, say
from backend.services import (
    bad_records,
    case_deeds,
    case_steps,
    cases,
    clock_stops,
    consequences,
    documents,
    exhibits,
    findings,
    names,
    people,
    policy,
    recoveries,
)
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.case_deeds import Outcome
from backend.services.consequences import Following
from backend.services.errors import Absent
from backend.services.findings import Wanted
from backend.services.records.case_steps import (
    CaseStep,
    Decision,
    HandOver,
    LegalReview,
    Proposal,
    Receipt,
    Recorded,
    RecusalDecision,
    RecusalRequest,
    Statement,
)
from inspection_plans import states
from inspection_plans.library import Library
from inspection_plans.states import Noun

LIMIT = 50
# What one kind of step asks for: (field, how it is typed in).
Fields = tuple[tuple[str, str], ...]
RECORDED: dict[str, Fields] = {
    "investigation": (("facts", "area"), ("evidence", "evidence")),
    "statement": (
        ("text", "area"),
        ("stated_on", "date"),
        ("stated_by", "line"),
        ("paper", "line"),
    ),
    "discussion": (
        ("held_on", "date"),
        ("present", "number"),
        ("conclusion", "area"),
        ("paper", "line"),
    ),
    "hearing_offer": (("about", "about"), ("served_on", "date"), ("paper", "line")),
    "hearing_held": (("about", "about"), ("held_on", "date"), ("paper", "line")),
    "hearing_waived": (("about", "about"), ("waived_on", "date"), ("paper", "line")),
}


class Deed(NamedTuple):
    """A deed with gates of its own: who may, in which states, what it asks for."""

    action: str
    states: tuple[str, ...]
    fields: Fields
    body: Any


DEEDS: dict[str, Deed] = {
    "legal": Deed(
        "cases.legal", ("verified",), (("cleared", "cleared"), ("opinion", "area")), LegalReview
    ),
    "proposal": Deed(
        "cases.propose", ("verified",), (("text", "area"), ("remedies", "area")), Proposal
    ),
    "decision": Deed(
        "cases.write",
        ("delisting_proposed",),
        (
            ("removed", "removed"),
            ("decided_on", "date"),
            ("reference", "line"),
            ("catalogue_version", "optional"),
        ),
        Decision,
    ),
    "hand_over": Deed(
        "cases.propose",
        ("verified", "decided"),
        (("receiver", "line"), ("subject", "line"), ("text", "area"), ("handed_on", "date")),
        HandOver,
    ),
    "receipt": Deed(
        "cases.write", ("handed_over",), (("received_on", "date"), ("reference", "line")), Receipt
    ),
}


class OpenForm(Struct, frozen=True):
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]
    finding: tuple[UUID, ...] = ()


class CloseForm(Struct, frozen=True):
    outcome: Outcome
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]


async def _listed(
    request: Asked,
    act: Act,
    in_state: str | None,
    after: UUID | None,
    filled: Filled = EMPTY,
    status: int = 200,
) -> Response[Any]:
    rows = await cases.page(act=act, state=in_state or None, after=after, limit=LIMIT)
    whole = await total("cases", rows, in_state or None, limit=LIMIT, after=after, act=act)
    language = language_of(request)
    critical = await findings.page(Wanted(state="verified"), act=act, limit=200)
    grave = [one for one in critical if one.severity == "critical"]
    ids = [row.institution for row in rows] + [one.institution for one in grave]
    values = {
        "rows": rows,
        "grave": grave,
        "names": await names.of(ids, act=act),
        "state_pairs": [
            (state, say(f"case.state.{state}", language)) for state in states.states(Noun.CASE)
        ],
        "may": policy.allowed("cases.write", act.by.roles, signed_in=True),
        "filled": filled,
        "shelf": shelf(
            "/desk/cases", rows, {"state": in_state}, limit=LIMIT, after=after, total=whole
        ),
    }
    return desk(request, act, "desk/cases.html", values, here="cases", status=status)


@get("/desk/cases", action="visits.read")
async def page(
    request: Asked,
    act: Act,
    in_state: Annotated[
        str | None, QueryParameter(name="state", max_length=40, pattern=r"^[a-z_]*\Z")
    ] = None,
    after: FromQuery[UUID | None] = None,
) -> Response[Any]:
    """Cases of the scope, newest first, and the critical findings that may become one."""
    return await _listed(request, act, in_state, after)


@post("/desk/cases", action="cases.write")
async def begin(request: Asked, act: Act) -> Response[Any]:
    """Open a case from verified critical findings."""

    async def deed(form: OpenForm) -> Done:
        case = await cases.open_critical(form.finding, reason=form.reason, act=act)
        return Done(f"/desk/cases/{case.id}", "case.opened")

    return await submitted(request, OpenForm, deed, partial(_listed, request, act, None, None))


def _open_requests(steps: tuple[CaseStep, ...]) -> list[tuple[CaseStep, RecusalRequest]]:
    """Requests for recusal that nobody decided yet."""
    done = {step.body.request for step in steps if isinstance(step.body, RecusalDecision)}
    return [
        (step, step.body)
        for step in steps
        if isinstance(step.body, RecusalRequest) and step.id not in done
    ]


def _stated(following: tuple[Following, ...], concept: str) -> bool:
    """Whether the papers state such a consequence for one of the findings."""
    return any(what.concept == concept for one in following for what in one.consequences)


async def shown(
    case_id: UUID,
    request: Asked,
    act: Act,
    rules: Library,
    filled: Filled = EMPTY,
    status: int = 200,
) -> Response[Any]:
    case = await cases.get(case_id, act=act)
    steps = await case_steps.of(case_id, act=act)

    def may(action: str) -> bool:
        return policy.allowed(action, act.by.roles, signed_in=True)

    standing = case.state != "closed"
    following = await consequences.of_case(case_id, rules=rules, act=act)
    asked = _open_requests(steps)
    who = [case.institution, case.opened_by, case.closed_by]
    who += [getattr(step.body, "account", None) for step in steps]
    today = on_day(act.at)
    values = {
        "case": case,
        "steps": [(step, _facts(step.body)) for step in steps],
        "following": following,
        "states_recovery": _stated(following, recoveries.RECOVERY[0]),
        "states_ban": _stated(following, bad_records.BAN),
        "barred_until": bad_records.foreseen(case.region, rules=rules, today=today),
        "pieces": (
            await exhibits.of_case(case.notice, case.findings, act=act)
            if standing and may("cases.write")
            else ()
        ),
        "entered": any(step.kind == "bad_record" for step in steps),
        "stops": await clock_stops.of_case(case_id, act=act),
        "requests": asked,
        "staff": (
            await people.page(act=act, limit=200) if standing and may("cases.write") else ()
        ),
        "today": today,
        "money": await recoveries.of(case_id, act=act),
        "papers": await documents.about(case_id, act=act),
        "recorded": RECORDED if may("cases.write") and case.state != "closed" else {},
        "deeds": {
            key: deed
            for key, deed in DEEDS.items()
            if case.state in deed.states and may(deed.action)
        },
        "may": {
            "write": may("cases.write"),
            "close": may("cases.close"),
            "propose": standing and may("cases.propose"),
            "recuse": standing and may("cases.recuse"),
            "stop": standing and may("clocks.stop"),
        },
        "outcomes": Outcome.__args__,  # type: ignore[attr-defined]  # the words of a Literal
        "names": await names.of([*who, *(step.by_account for step in steps)], act=act),
        "filled": filled,
    }
    return desk(request, act, "desk/case.html", values, here="cases", status=status)


# Ids of other steps and registers, which say nothing to a reader.
UNSAID = frozenset({"kind", "bad_record", "recovery", "request"})


def _facts(body: Any) -> list[tuple[str, object]]:  # noqa: ANN401 - any kind of step
    """What a step says, field by field; lists by their number, money in 元, a person by id."""
    plain: dict[str, object] = msgspec.to_builtins(body)
    found: list[tuple[str, object]] = []
    for name, value in plain.items():
        if name in UNSAID or value in ("", None, []):
            continue
        if name == "account":
            found.append((name, body.account))
        elif name == "amount_fen":
            found.append((name, yuan(body.amount_fen)))
        else:
            found.append((name, len(value) if isinstance(value, list | tuple) else value))
    return found


@get("/desk/cases/{case_id:uuid}", action="visits.read")
async def one(case_id: FromPath[UUID], request: Asked, act: Act, rules: Library) -> Response[Any]:
    """One case with its steps, its consequences and the next deed."""
    return await shown(case_id, request, act, rules)


@post("/desk/cases/{case_id:uuid}/verification", action="cases.write")
async def verify(
    case_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """The facts hold and the party was heard."""

    async def deed(_form: NothingForm) -> Done:
        await cases.verify(case_id, act=act)
        return Done(f"/desk/cases/{case_id}", "case.verified")

    again = partial(shown, case_id, request, act, rules)
    return await submitted(request, NothingForm, deed, again)


@post("/desk/cases/{case_id:uuid}/steps", action="cases.write")
async def record(
    case_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Record an investigation, statement, discussion or hearing."""

    async def deed(_form: NothingForm) -> Done:
        typed: dict[str, object] = dict(await sent(request))
        if "evidence" in typed:
            form = await request.form()
            typed["evidence"] = [value for name, value in form.multi_items() if name == "evidence"]
        step: Statement = msgspec.convert(typed, Recorded, strict=False)
        await case_steps.record(case_id, step, act=act)
        return Done(f"/desk/cases/{case_id}", "case.recorded")

    again = partial(shown, case_id, request, act, rules)
    return await submitted(request, NothingForm, deed, again)


def _verb(key: str, rules: Library) -> Callable[..., Awaitable[object]]:
    """The service that a deed calls."""
    verbs: dict[str, Callable[..., Awaitable[object]]] = {
        "legal": case_deeds.review,
        "proposal": partial(case_deeds.propose, rules=rules),
        "decision": case_deeds.decide,
        "hand_over": case_deeds.hand_over,
        "receipt": case_deeds.receipt,
    }
    return verbs[key]


@post("/desk/cases/{case_id:uuid}/deeds/{key:str}", action="visits.read")
async def carry_out(
    case_id: FromPath[UUID], key: FromPath[str], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """A deed of the case; its own action is asked of the policy by the service, too."""
    if key not in DEEDS:
        raise Absent
    chosen = DEEDS[key]
    policy.require(act.by, chosen.action)

    async def deed(_form: NothingForm) -> Done:
        body = msgspec.convert(await sent(request), chosen.body, strict=False)
        await _verb(key, rules)(case_id, body, act=act)
        return Done(f"/desk/cases/{case_id}", "case.recorded")

    again = partial(shown, case_id, request, act, rules)
    return await submitted(request, NothingForm, deed, again)


@post("/desk/cases/{case_id:uuid}/closing", action="cases.close")
async def close(
    case_id: FromPath[UUID], request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Close with the outcome that its steps bear out."""

    async def deed(form: CloseForm) -> Done:
        await case_deeds.close(case_id, outcome=form.outcome, reason=form.reason, act=act)
        return Done(f"/desk/cases/{case_id}", "case.closed")

    again = partial(shown, case_id, request, act, rules)
    return await submitted(request, CloseForm, deed, again)


HANDLERS = [page, begin, one, verify, record, carry_out, close]
