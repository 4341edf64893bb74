"""A stranger learns nothing and changes nothing: every route of the app, every kind of caller.

The routes come from the app itself; a new route is tried at once, and one whose parameter no
thing of the estate answers to fails here until the estate has it.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from litestar import Litestar

from backend.clock import new_id
from backend.services import notices, policy
from tests import casework, world
from tests.conftest import StillClock, Work
from tests.field import a_phone
from tests.journeys.bodies import Document
from tests.journeys.estate import Estate, an_estate, held, text_of
from tests.phone import Phone

Send = Callable[[str, str, bytes | None], Awaitable[httpx.Response]]
# Parameters that name no tenant's thing: one good value each.
PLAIN = {
    "kind": "institution",
    "day": "2026-03-02",
    "file": "original",
    "sheet": "TI",
    "code": "371000",
    "clause_id": "national-2021-71/6.3/pass-guarantee",
    "register": "R38",
    "period": "2026Q1",
    "quarter": "2026Q1",
    "region": "370000",
    "year": "2026",
    "version": "0",
    "secret": "x" * 43,
    "name": "draw.js",
    "part": "counts",
    "section": "6.3",
    "table": "regions",
    "question": "deadline",
    "key": "investigate",
    "task": "1",
    "form": "csv",
    "pack": "national-2021-71",
}
# Body fields whose name says less than their route.
IN_BODY = {
    "POST /api/v1/publications subject": "plan",
    "GET /api/v1/documents matter": "visit_id",
    "POST /api/v1/documents matter": "visit_id",
    "messages": "message_id",
    "GET /api/v1/tips matter": "tip_id",
    "finding": "finding_id",
    "findings": "finding_id",
    "evidence": "evidence_id",
    "institution": "institution_id",
    "draw": "draw_id",
    "inspector": "inspector_id",
    "inspectors": "inspector_id",
    "visit": "visit_id",
    "notice": "notice_id",
    "subject": "institution_id",
    "replies": "reply_id",
    "consent": "consent_id",
    "account": "account_id",
    "request": "step_id",
    "recovery": "step_id",
    "id": "evidence_id",
    "target": "visit_id",
    "tips": "tip_id",
}
A_REPLY = {"kind": "rectified", "text": "已经整改"}
A_DEMAND = {"finding": "finding_id", "demand": "限期改正", "evidence_asked": "照片", "days": 15}
A_DRAFT = {"kind": "advice", "text": "建议改正", "demands": [A_DEMAND]}
A_TEAM = {"team": [{"inspector": "inspector_id", "lead": True}], "reason": "调换"}
# How many calls must come as far as the thing they name, and how many lists must show one.
# A phone says what it holds, of whatever visit; it reads and changes nothing of it.
OF_ONESELF = frozenset({"POST /api/v1/devices/me/heartbeat"})
PASSING = frozenset({"content-length", "set-cookie"})  # a page's CSRF token is new each time
PAGING = frozenset({"after", "before"})
MANY, LISTS = 150, 30
UUIDS = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}")


@dataclass(frozen=True)
class Route:
    """One method of one path of the app, with what the document says of its input."""

    method: str
    path: str
    action: str
    operation: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """(name, type) in the order of the path."""
        return re.findall(r"{(\w+):(\w+)}", self.path)

    @property
    def names_things(self) -> bool:
        return any(kind == "uuid" for _, kind in self.parameters)


def routes_of(app: Litestar) -> Iterator[Route]:
    """Every route and method of the app; not the framework's OPTIONS nor its own document."""
    paths = app.openapi_schema.to_schema()["paths"]
    for route in app.routes:
        handlers: dict[str, tuple[Any, Any]] = getattr(route, "route_handler_map", {})
        for method, (handler, _) in handlers.items():
            if method in ("OPTIONS", "HEAD") or route.path.startswith("/api/schema"):
                continue
            operation = paths.get(route.path_format, {}).get(method.lower(), {})
            yield Route(method, route.path, handler.opt["action"], operation)


@dataclass(frozen=True)
class Call:
    """A route with its ids put in: the real things' or such as never were."""

    route: Route
    path: str
    body: bytes | None
    used: frozenset[str]

    @property
    def names_things(self) -> bool:
        return bool(self.used)


class Speller:
    """Writes calls: path, query and body with the ids that ``thing`` answers."""

    def __init__(self, app: Litestar, estate: Estate) -> None:
        self.document = Document(app.openapi_schema.to_schema())
        self.estate = estate

    def call(self, route: Route, *, real: bool) -> Call:
        used: set[str] = set()

        def thing(name: str) -> UUID:
            known = IN_BODY.get(f"{route.name} {name}") or IN_BODY.get(name, name)
            assert known in self.estate.ids, (
                f"{route.name}: which thing is {name!r}? Name it here."
            )
            made = self.estate.ids[known] if real else new_id()
            used.add(str(made))
            return made

        path = re.sub(
            r"{(\w+):(\w+)}", lambda m: self._filled(route, m[1], m[2], thing), route.path
        )
        query = self._query(route, thing)
        return Call(route, path + query, self._body(route, thing), frozenset(used))

    def _filled(self, route: Route, name: str, kind: str, thing: Callable[[str], UUID]) -> str:
        if kind == "uuid":
            return str(thing("subject" if name == "subject" else name))
        assert name in PLAIN, f"{route.name}: what is {name!r}? Name it here."
        return (
            "institutions" if "ports/" in route.path or "templates/" in route.path else PLAIN[name]
        )

    def _query(self, route: Route, thing: Callable[[str], UUID]) -> str:
        spell = self.document.instance
        parts = [
            f"{one['name']}={quote(str(spell(one['schema'], thing, one['name'])))}"
            for one in route.operation.get("parameters", [])
            if one["in"] == "query" and one["name"] not in PAGING and self._wanted(one)
        ]
        return "?" + "&".join(parts) if parts else ""

    def _wanted(self, parameter: dict[str, Any]) -> bool:
        """Whether a query must carry it, or may name a thing by it."""
        return bool(parameter.get("required")) or self.document.names_a_thing(parameter["schema"])

    def _body(self, route: Route, thing: Callable[[str], UUID]) -> bytes | None:
        content = route.operation.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema is None:
            return None
        return msgspec.json.encode(self.document.instance(schema, thing))


@dataclass(frozen=True)
class Caller:
    """Somebody who may know nothing of the estate."""

    name: str
    send: Send
    roles: frozenset[str] = frozenset()


def with_headers(http: httpx.AsyncClient, headers: dict[str, str]) -> Send:
    async def send(method: str, path: str, body: bytes | None) -> httpx.Response:
        sent = headers | ({"Content-Type": "application/json"} if body is not None else {})
        return await http.request(method, path, content=body, headers=sent)

    return send


def with_proof(phone: Phone) -> Send:
    """As a phone sends: what changes something carries its Device-Proof."""

    async def send(method: str, path: str, body: bytes | None) -> httpx.Response:
        if method == "POST":
            return await phone.post(path, body or b"")
        return await with_headers(phone.http, phone.headers)(method, path, body)

    return send


async def strangers(estate: Estate) -> tuple[list[Caller], Phone]:
    """People outside: another region and prefecture, institution, team, administrators, nobody."""
    at, http = estate.clock(), estate.http

    async def person(name: str, *roles: str, region: int, **more: UUID) -> Caller:
        who = await world.a_person(at, *roles, region=region, **more)
        return Caller(name, with_headers(http, await world.signed_in(http, who)), frozenset(roles))

    far = await world.an_office(at, world.SHANXI, "晋人社")
    near = await world.an_office(at, world.JINAN, "济人社")
    school = await casework.an_institution(estate.matter.office, at, "别家培训学校")
    phone = await a_phone(estate.field.desk, http, estate.field.inspectors[2])
    callers = [
        Caller("nobody", with_headers(http, {})),
        await person("another region", *sorted(policy.OFFICE), region=world.SHANXI, office=far),
        await person(
            "another prefecture", *sorted(policy.OFFICE), region=world.JINAN, office=near
        ),
        await person(
            "another school", "institution_user", region=world.WEIHAI, institution=school
        ),
        Caller("another inspector", with_proof(phone), policy.FIELD),
    ]
    for role in sorted(policy.ADMINS):
        callers.append(await person(f"far {role}", role, region=world.SHANXI))
        callers.append(await person(f"own {role}", role, region=world.SHANDONG))
    return callers, phone


def told(answer: httpx.Response) -> tuple[object, ...]:
    """What an answer tells: everything but ids, its own and those that were sent."""
    headers = {key: text for key, text in answer.headers.items() if key not in PASSING}
    return answer.status_code, headers, UUIDS.sub("*", answer.text)


def code_of(answer: httpx.Response) -> str:
    """The code of a problem; empty for pages and successes."""
    if "json" not in answer.headers.get("content-type", "") or answer.is_success:
        return ""
    code: str = answer.json()["code"]
    return code


def duties(caller: Caller, route: Route) -> bool:
    """Whether an administrator of this very region is asked to do this: then it is no stranger."""
    return caller.name.startswith("own ") and policy.allowed(
        route.action, caller.roles, signed_in=True
    )


@pytest.fixture
async def estate(
    app: Litestar,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StillClock,
    work: Work,
) -> Estate:
    return await an_estate(app, client, owner, clock, work)


async def test_a_foreign_thing_answers_like_one_that_never_was(
    app: Litestar, estate: Estate
) -> None:
    callers, _ = await strangers(estate)
    speller, faults, reached = Speller(app, estate), [], 0
    for caller in callers:
        before = await held(estate.owner)
        for route in routes_of(app):
            call, other = (speller.call(route, real=real) for real in (True, False))
            if not call.names_things or duties(caller, route) or route.name in OF_ONESELF:
                continue
            answer = await caller.send(route.method, call.path, call.body)
            twin = await caller.send(route.method, other.path, other.body)
            # A list of a foreign thing's rows.
            nothing = answer.text in ("[]", '{"visits":[]}', '{"signals":[]}')
            if told(answer) != told(twin) or (answer.is_success and not nothing):
                faults.append((caller.name, route.name, answer.text, twin.text))
            reached += code_of(answer) == "thing.absent"
        after = await held(estate.owner)
        changed = [name for name, digest in before.items() if after[name] != digest]
        if changed:
            faults.append((caller.name, "changed", str(changed), ""))
    assert faults == [], [(who, route) for who, route, *_ in faults]
    assert reached > MANY, "the bodies no longer reach the things they name"


async def test_no_list_shows_a_foreign_row(app: Litestar, estate: Estate) -> None:
    callers, phone = await strangers(estate)
    marks = estate.marks - {str(phone.inspector)}
    speller, faults = Speller(app, estate), []
    for caller in callers:
        for route in routes_of(app):
            public = policy.PUBLIC in policy.ACTIONS[route.action]
            if route.method != "GET" or route.names_things or public or duties(caller, route):
                continue
            call = speller.call(route, real=False)
            answer = await caller.send("GET", call.path.partition("?")[0], None)
            if seen := {mark for mark in marks if mark in text_of(answer)}:
                faults.append((caller.name, route.name, seen))
    assert faults == []


async def test_the_office_itself_sees_its_things(app: Litestar, estate: Estate) -> None:
    """The same calls by the people of the estate: the marks are real, the lists not empty."""
    who = await world.a_person(estate.clock(), *sorted(policy.OFFICE), region=world.SHANDONG)
    send = with_headers(estate.http, await world.signed_in(estate.http, who))
    speller, seen = Speller(app, estate), 0
    for route in routes_of(app):
        if route.method != "GET" or route.action not in policy.ACTIONS:
            continue
        call = speller.call(route, real=True)
        answer = await send("GET", call.path, None)
        seen += answer.is_success and any(mark in text_of(answer) for mark in estate.marks)
    assert seen > LISTS


async def test_nothing_is_made_upon_a_foreign_thing(
    estate: Estate, client: httpx.AsyncClient
) -> None:
    """References in bodies: a foreign office, institution, finding, file or inspector."""
    at = estate.clock()
    admin = await world.a_person(at, "sysadmin", region=world.SHANXI)
    far = await casework.an_office(at, world.SHANXI, "晋人社")
    mine = await casework.a_matter(estate.owner, at, office=far)
    notice = await casework.served(mine, at)
    draft = await notices.draft(
        (await casework.another(estate.owner, mine, at, "TI_02")).draft(), act=far.author.act(at)
    )
    asked: list[tuple[world.Login, str, str, dict[str, Any]]] = [
        (admin, "POST", "/api/v1/accounts", an_account("office", "office")),
        (admin, "POST", "/api/v1/accounts", an_account("institution", "institution_id")),
        (
            mine.user,
            "PUT",
            f"/api/v1/notices/{notice.id}/replies/{new_id()}",
            A_REPLY | {"finding": "finding_id"},
        ),
        (
            mine.user,
            "PUT",
            f"/api/v1/notices/{notice.id}/replies/{new_id()}",
            A_REPLY | {"evidence": ["evidence_id"]},
        ),
        (
            mine.user,
            "POST",
            f"/api/v1/notices/{notice.id}/replies/sending",
            {"replies": ["reply_id"]},
        ),
        (far.author, "PUT", f"/api/v1/notices/{draft.id}", A_DRAFT | {"rev": draft.rev}),
        (far.author, "POST", "/api/v1/notices", A_DRAFT),
        (far.author, "POST", f"/api/v1/visits/{mine.visit}/assignments", A_TEAM),
        (
            far.author,
            "POST",
            f"/api/v1/findings/{mine.findings[0].id}/verification",
            {"evidence": ["evidence_id"]},
        ),
    ]
    faults = []
    for who, method, path, body in asked:
        headers = await world.signed_in(client, who)
        before = await held(estate.owner)
        answers: list[tuple[object, ...]] = []
        for real in (True, False):
            said = put(body, estate.ids, real=real)
            answer = await client.request(method, path, json=said, headers=headers)
            answers.append(told(answer))
        if answers[0] != answers[1] or answer.is_success:
            faults.append((path, *answers))
        if before != await held(estate.owner):
            faults.append((path, "changed", ""))
    assert faults == []


def put(value: Any, ids: dict[str, UUID], *, real: bool) -> Any:
    """The body with its names replaced by ids: of the estate, or of nothing."""
    if isinstance(value, dict):
        return {key: put(one, ids, real=real) for key, one in value.items()}
    if isinstance(value, list):
        return [put(one, ids, real=real) for one in value]
    return str(ids[value] if real else new_id()) if value in ids else value


def an_account(kind: str, reference: str) -> dict[str, Any]:
    """A new account of Shanxi that belongs to a foreign office or institution."""
    field = reference.removesuffix("_id")
    said = {"login": "someone.new", "name": "某人", "kind": kind, "region": world.SHANXI}
    return said | {field: reference}
