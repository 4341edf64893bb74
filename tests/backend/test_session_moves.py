"""Sessions that do not take place: the next one of the class is visited, and it is on record."""

from typing import Any

import asyncpg
import msgspec
from litestar import Litestar

from backend.clock import token
from backend.services import disclosure, draws, session_moves, withdrawals
from backend.services.draw_events import Clerk
from backend.services.imports import take
from backend.services.records.draws import DrawRecord
from backend.services.records.plans import Stratum
from inspection_plans.loader import load
from tests import drawing
from tests.conftest import StillClock
from tests.drawing import Office

Owner = asyncpg.Connection
DAYS = {"K1": "2026-03-10", "K2": "2026-03-12", "K3": "2026-03-17", "K4": "2026-03-24"}


async def file_class(office: Office, **status: str) -> None:
    """One class with four sessions, as filed; filed again it is changed."""
    code = drawing.credit_code(1)
    row = {
        "credit_code": code,
        "code": "B1",
        "title": "虚构班次",
        "occupation": "ai",
        "level": "junior",
        "mode": "offline",
        "venue_region": "371000",
        "venue": "虚构教室",
        "teacher": "虚构教师",
        "starts_on": "2026-03-05",
        "ends_on": "2026-06-30",
    }
    await take("classes", [row], act=office.act, rules=load())
    sessions = [
        {
            "credit_code": code,
            "class_code": "B1",
            "code": session,
            "on_date": day,
            "starts": "09:00",
            "ends": "12:00",
            "mode": "offline",
            "status": status.get(session, "planned"),
        }
        for session, day in DAYS.items()
    ]
    await take("sessions", sessions, act=office.act, rules=load())


async def a_drawn_session(app: Litestar, clock: StillClock) -> tuple[Office, DrawRecord]:
    """A draw of one session out of four."""
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, [1])
    await drawing.inspectors(office.act, range(1, 5))
    await file_class(office)
    spec = drawing.a_spec(
        objects="class_session",
        visits=(drawing.SESSION,),
        strata=(Stratum(name="全部", ratio="1/4"),),
    )
    plan = await drawing.an_approved_plan(office, spec=spec)
    draw = await drawing.throw_dice(office, await drawing.a_frozen_draw(office, plan))
    return office, await draws.run(draw.id, act=office.act, keys=office.keys)


async def visited(owner: Owner) -> list[tuple[str, str]]:
    """Session and state of each visit."""
    rows = await owner.fetch(
        "select s.code, v.state from visit v join class_session s on s.id = v.class_session"
        " order by v.code"
    )
    return [(row["code"], row["state"]) for row in rows]


async def events(office: Office, owner: Owner, draw: DrawRecord) -> list[dict[str, Any]]:
    """The opened events of a record that verifies."""
    await owner.execute("update visit set state = 'concluded' where state <> 'closed'")
    await disclosure.disclose(draw.id, act=office.act, keys=office.keys)
    verdict = await disclosure.verify(draw.id, act=office.act)
    assert (verdict.problems, verdict.ok) == ((), True)
    record = (await disclosure.record(draw.id, act=office.act))["record"]
    return [entry for entry in record["log"] if "opens" in entry["body"]]


async def test_a_cancelled_session_is_followed_by_the_next_of_its_class(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_session(app, clock)
    ((first, _),) = await visited(owner)
    order = list(DAYS)
    await file_class(office, **{first: "cancelled"})
    clerk = Clerk(await office.product(), office.keys, token)
    assert await session_moves.follow(clerk=clerk) == 1
    assert await session_moves.follow(clerk=clerk) == 0
    later = order[order.index(first) + 1 :]
    expected = [(first, "closed"), *[(code, "assigned") for code in later[:1]]]
    assert await visited(owner) == expected
    dates = await owner.fetch("select on_date from visit where state = 'assigned'")
    assert [row["on_date"].isoformat() for row in dates] == [DAYS[code] for code in later[:1]]
    (rate,) = await withdrawals.rates(act=office.act)
    assert (rate.withdrawn, rate.sessions) == (0, 1)
    found = await events(office, owner, draw)
    assert found[0]["body"]["reason"] == "session_cancelled"
    assert [one["type"] for one in found][: 1 + len(later[:1])] == ["withdraw", "replace"][
        : 1 + len(later[:1])
    ]


async def test_when_no_session_of_the_class_is_left_it_is_a_shortfall(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_session(app, clock)
    context = app.state.jobs
    for done in range(1, 5):
        await file_class(office, **dict.fromkeys(list(DAYS), "cancelled"))
        clerk = Clerk(context.act(370000), office.keys, token)
        await session_moves.follow(clerk=clerk)
        states = [state for _, state in await visited(owner)]
        if set(states) == {"closed"}:
            break
        assert states.count("assigned") == 1, done
    assert {state for _, state in await visited(owner)} == {"closed"}
    shortfalls = await owner.fetchval("select count(*) from withdrawal where replacement is null")
    assert shortfalls == 1
    await events(office, owner, draw)
    pages = msgspec.json.decode((await disclosure.page(draw.code)).body)
    assert pages["draw"]["state"] == "published"
