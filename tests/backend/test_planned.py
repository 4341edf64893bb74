"""The draws a year owes: announced at the approval, overdue when there is no result in time."""

import httpx
from litestar import Litestar

from backend.services import draws
from tests import drawing
from tests.conftest import StillClock


async def test_a_draw_that_never_came_shows_by_itself(
    app: Litestar, client: httpx.AsyncClient, clock: StillClock
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 9))
    await drawing.inspectors(office.act, range(1, 9))
    plan = await drawing.an_approved_plan(office)
    await drawing.an_approved_plan(office, code="never")

    async def owed() -> list[tuple[str, str | None, int, bool]]:
        answer = await client.get("/api/v1/public/draw-years/370000/2026")
        assert answer.status_code == 200
        names = ("draw", "state", "attempts", "overdue")
        return [tuple(one[name] for name in names) for one in answer.json()]

    never = ("370000-never", None, 0)
    code = f"370000-{plan.code}"
    assert await owed() == [(code, None, 0, False), (*never, False)]
    draw = await drawing.a_frozen_draw(office, plan)
    assert await owed() == [(code, "frozen", 1, False), (*never, False)]
    clock.tick(days=(plan.window_until - clock().date()).days + 2)
    assert await owed() == [(code, "frozen", 1, True), (*never, True)]
    await drawing.throw_dice(office, draw)
    await draws.run(draw.id, act=office.act, keys=office.keys)
    assert await owed() == [(code, "drawn", 1, False), (*never, True)]
    assert (await client.get("/api/v1/public/draw-years/140000/2026")).json() == []
