"""Bad input at the desk and the portal: a code, the field, what to do in two languages, no change.

A phone's is tested where its room is: replayed, altered and renumbered operations in
``tests/backend/test_ops.py``; a file that is not what it says, an empty one and a clock two years
off in ``tests/backend/test_evidence.py``; duplicate rows and files of lies in
``tests/backend/test_imports.py`` and ``test_import_files.py``; bodies no decoder reads in
``tests/test_schema.py``; foreign ids in ``test_isolation.py``.
"""

from dataclasses import dataclass
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from litestar import Litestar

from backend.clock import new_id
from backend.piccolo_conf import DB
from inspection_plans.loader import load
from tests import casework, world
from tests.backend import sheets
from tests.backend.desk import Desk
from tests.conftest import StillClock
from tests.journeys.estate import held

SHA = "ab" * 32
TEN_GB = 10 * 1024**3


@dataclass
class Place:
    """A served order, its office and institution, and an inspector whose licence is over."""

    author: dict[str, str]
    user: dict[str, str]
    ids: dict[str, UUID]


@pytest.fixture
async def place(
    app: Litestar,  # noqa: ARG001 - its lifespan holds the pools
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StillClock,
) -> Place:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    desk = Desk(matter.office.author, clock, load(), owner)
    for number, until in ((1, "2026-03-02"), (2, "2027-12-31")):
        row = sheets.an_inspector(number, licence_until=until, areas="371000")
        await desk.take("inspectors", row)
    clock.tick(days=2)
    visit = await casework.a_visit(matter.office, matter.institution, clock())
    async with DB.transaction(desk.act.by.scope):
        found = await DB.connection.fetch("select id from inspector order by staff_code")
    ids = {"notice": notice.id, "visit": visit, "over": found[0]["id"], "fit": found[1]["id"]}
    return Place(
        await world.signed_in(client, desk.who), await world.signed_in(client, matter.user), ids
    )


def intake(mime: str, size: int) -> bytes:
    """The announcement of one file of a reply."""
    return msgspec.json.encode({"id": new_id(), "sha256": SHA, "size": size, "mime": mime})


FILES = "/api/v1/notices/{notice}/evidence"
TEAM = (
    b'{"team":[{"inspector":"{over}","lead":true},{"inspector":"{fit}","lead":false}],'
    b'"reason":"x"}'
)
CASES: dict[str, tuple[str, str, bytes, int, str, str]] = {
    "malformed": ("author", "/api/v1/cases", b'{"findings":', 400, "request.malformed", ""),
    "unknown field": ("user", FILES, b'{"colour":"red"}', 422, "request.invalid", "colour"),
    "wrong state": (
        "author", "/api/v1/notices/{notice}/issue", b"", 409, "notice.wrong_state", "state"
    ),
    "certificate over": (
        "author", "/api/v1/visits/{visit}/assignments", TEAM,
        409, "visit.certificate_expired", "inspectors",
    ),
    "empty file": ("user", FILES, intake("image/jpeg", 0), 422, "media.empty", "size"),
    "ten gigabytes": ("user", FILES, intake("video/mp4", TEN_GB), 429, "media.too_large", "size"),
    "unknown type": ("user", FILES, intake("text/html", 9), 422, "media.type_refused", "mime"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
async def test_a_refusal_says_what_to_do_and_changes_nothing(
    case: str, place: Place, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    who, path, body, status, code, field = CASES[case]
    for name, found in place.ids.items():
        path, body = (
            path.replace(f"{{{name}}}", str(found)),
            body.replace(f"{{{name}}}".encode(), str(found).encode()),
        )
    before = await held(owner)
    told = []
    for language in ("zh", "en"):
        headers = getattr(place, who) | {"Accept-Language": language}
        answer = await client.post(
            path, content=body, headers=headers | {"Content-Type": "application/json"}
        )
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code), problem
        assert problem["title"]
        assert field in f"{problem.get('field')} {problem.get('errors')}"
        told.append(problem["todo"])
    assert all(told)
    assert told[0] != told[1]
    assert await held(owner) == before
