"""Directories at the desk: pages and versions, the account of an inspector, queries a page."""

from litestar import Litestar

from backend.services import plans
from backend.services.act import Act
from tests import drawing, world
from tests.backend.desk import Desk as Office
from tests.backend.rooms import at_the_desk, queries, text_of
from tests.conftest import StillClock


async def test_every_directory_page_opens_in_both_languages(app: Litestar, desk: Office) -> None:
    await desk.fill()
    at = await at_the_desk(app, desk.who)
    ids = {
        "institutions": await desk.id_of("institution"),
        "inspectors": await desk.id_of("inspector"),
        "classes": await desk.id_of("training_class"),
    }
    item = await desk.id_of("inspection_item")
    paths = [
        "/desk/institutions?kind=training&search=",
        "/desk/items",
        *(f"/desk/{kind}/{one}" for kind, one in ids.items()),
        f"/desk/versions/institution/{ids['institutions']}?on=2026-03-02",
        f"/desk/versions/roster/{ids['classes']}",
        f"/desk/versions/inspection_item/{item}",
    ]
    for path in paths:
        zh = await at.open(path)
        en = await at.open(f"{path}{'&' if '?' in path else '?'}lang=en")
        assert zh.text != en.text
        assert "None" not in zh.text
    await at.open(f"/desk/versions/nothing/{item}", 404)


async def test_a_filter_narrows_the_list_and_says_so(app: Litestar, desk: Office) -> None:
    await desk.fill()
    at = await at_the_desk(app, desk.who)
    none = text_of(await at.open("/desk/institutions?status=closed"))
    assert "没有符合条件的记录" in none
    assert "注销" in none
    stranger = await world.a_person(desk.clock(), "supervisor", region=world.SHANXI)
    elsewhere = await at_the_desk(app, stranger)
    assert "没有符合条件的记录" in text_of(await elsewhere.open("/desk/institutions"))
    ident = await desk.id_of("institution")
    await elsewhere.open(f"/desk/institutions/{ident}", 404)


async def test_an_inspector_is_joined_to_an_account_once(app: Litestar, desk: Office) -> None:
    await desk.fill()
    at = await at_the_desk(app, desk.who)
    page = f"/desk/inspectors/{await desk.id_of('inspector')}"
    field = await world.a_person(desk.clock(), "inspector")
    await at.send(page, f"{page}/account", {"_which": "join", "account": str(field.person.id)})
    assert "已关联登录账号" in text_of(await at.open(page))
    other = await world.a_person(desk.clock(), "inspector")
    await at.send(page, f"{page}/account", {"account": str(other.person.id)}, status=409)


async def _people(act: Act, numbers: range) -> None:
    await drawing.institutions(act, numbers)
    await drawing.inspectors(act, numbers)
    for number in numbers:
        await world.a_person(act.at, "inspector")
        await plans.create(drawing.a_draft(act.at, f"P-{number}"), act=act)


async def test_a_list_asks_as_often_for_a_hundred_rows_as_for_one(
    app: Litestar, clock: StillClock
) -> None:
    office = await drawing.an_office(app, clock())
    at = await at_the_desk(app, office.supervisor)
    pages = ("institutions", "inspectors", "plans", "people", "works", "draws", "statistics")

    async def asked() -> dict[str, int]:
        found = {}
        for name in pages:
            await at.open(f"/desk/{name}")
            with queries() as said:
                await at.open(f"/desk/{name}")
            found[name] = len(said)
        return found

    await _people(office.act, range(1, 2))
    one = await asked()
    await _people(office.act, range(2, 41))
    assert await asked() == one
    assert max(one.values()) < 40
