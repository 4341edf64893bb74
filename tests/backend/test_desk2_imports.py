"""Imports from a page: tried, left, found, cancelled; every wrong cell; the very same bytes."""

from uuid import UUID

import asyncpg
from litestar import Litestar

from backend.services import exports, import_orders
from tests import world
from tests.backend.desk import Desk as Office
from tests.backend.rooms import Desk, at_the_desk, text_of
from tests.backend.sheets import an_institution
from tests.conftest import StillClock, Work

PAGE = "/desk/imports"


def a_file(*rows: dict[str, str]) -> bytes:
    """A CSV of institutions as the export writes it."""
    return exports.write("institutions", rows, "csv")


async def sent(at: Desk, content: bytes, mode: str = "try") -> str:
    """The page of an import that was just sent."""
    answer = await at.send(
        PAGE,
        PAGE,
        {"_which": "send", "kind": "institutions", "mode": mode},
        files={"file": ("机构.csv", content, "text/csv")},
    )
    return str(answer.headers["location"])


async def test_tried_then_imported_as_the_very_same_bytes(
    app: Litestar, desk: Office, work: Work
) -> None:
    at = await at_the_desk(app, desk.who)
    tried = await sent(at, a_file(an_institution(1), an_institution(2)))
    assert "等待处理" in (await at.open(tried)).text
    await work.drain()
    assert "试导通过" in (await at.open(tried)).text
    assert (await desk.held())["institution"] == 0
    done = (await at.send(tried, f"{tried}/confirmation")).headers["location"]
    await work.drain()
    shown = text_of(await at.open(done))
    assert "已导入" in shown
    assert (await desk.held())["institution"] == 2
    # What was tried can be imported once; its file is not kept any longer.
    await at.send(tried, f"{tried}/confirmation", status=409)
    assert await desk.owner.fetchval("select count(content) from import_order") == 0
    assert "机构.csv" in (await at.open(PAGE)).text
    assert "机构.csv" in (await at.open("/desk/works")).text


async def test_every_wrong_cell_is_named_and_nothing_is_half_imported(
    app: Litestar, desk: Office, work: Work
) -> None:
    at = await at_the_desk(app, desk.who)
    broken = a_file(an_institution(1), an_institution(2, credit_code="91370000MA00000018"))
    page = await sent(at, broken, "import")
    await work.drain()
    shown = text_of(await at.open(page))
    assert "没有改动任何内容" in shown
    assert "1 处错误" in shown
    assert (await desk.held())["institution"] == 0
    cells = (await at.open(f"{page}/errors.csv")).content.decode("utf-8-sig")
    assert "统一社会信用代码" in cells
    assert cells.count("\r\n") == 2


async def test_a_waiting_import_is_cancelled_and_a_begun_one_is_not(
    app: Litestar, desk: Office, work: Work
) -> None:
    at = await at_the_desk(app, desk.who)
    page = await sent(at, a_file(an_institution(1)), "import")
    await at.send(page, f"{page}/cancellation")
    await work.drain()
    assert "已取消" in (await at.open(page)).text
    assert (await desk.held())["institution"] == 0
    page = await sent(at, a_file(an_institution(1)), "import")
    await work.drain()
    refused = await at.send(PAGE, f"{page}/cancellation", status=409)
    assert "导入已经开始或结束" in refused.text


async def test_a_file_that_cannot_be_read_is_refused_in_words(
    app: Litestar, desk: Office, work: Work
) -> None:
    at = await at_the_desk(app, desk.who)
    fields = {"_which": "send", "kind": "institutions", "mode": "try"}
    empty = await at.send(PAGE, PAGE, fields, status=422)
    assert 'id="send-refused"' in empty.text
    page = await sent(at, b"\x00\x01\x02")
    await work.drain()
    assert "未能读取" in (await at.open(page)).text


async def test_who_lost_the_right_meanwhile_imports_nothing(
    app: Litestar, desk: Office, work: Work, owner: asyncpg.Connection, clock: StillClock
) -> None:
    at = await at_the_desk(app, desk.who)
    page = await sent(at, a_file(an_institution(1)), "import")
    await owner.execute("update role_assignment set revoked_at = $1", clock())
    await work.drain()
    ident = UUID(page.rsplit("/", 1)[1])
    found = await import_orders.ordered(ident, act=desk.act)
    assert (found.state, found.fault) == ("failed", "person.denied")
    assert (await desk.held())["institution"] == 0


async def test_rights_and_tokens_of_imports(
    app: Litestar, desk: Office, clock: StillClock
) -> None:
    approver = await at_the_desk(app, await world.a_person(clock(), "approver"))
    await approver.open(PAGE, 403)
    at = await at_the_desk(app, desk.who)
    bare = await at.http.post(PAGE, data={"kind": "institutions", "mode": "try"})
    assert bare.status_code == 403
    assert await desk.owner.fetchval("select count(*) from import_order") == 0
    elsewhere = await at_the_desk(
        app, await world.a_person(clock(), "supervisor", region=world.SHANXI)
    )
    mine = await sent(at, a_file(an_institution(1)))
    await elsewhere.open(mine, 404)
    for form in ("xlsx", "csv"):
        assert (await at.open(f"/desk/directories/institutions/template/{form}")).content
        assert (await at.open(f"/desk/directories/institutions/rows/{form}")).content
