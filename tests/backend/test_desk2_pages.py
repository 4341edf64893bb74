"""Every further room of the desk opens, in both languages, for those who may and nobody else."""

import json
import re

import asyncpg
import pytest
from litestar import Litestar

from tests import drawing, world
from tests.backend.desk import Desk as Office
from tests.backend.rooms import at_the_desk, text_of
from tests.conftest import StillClock, Work

OPEN_TO_OFFICES = (
    "/desk/plans",
    "/desk/draws",
    "/desk/filings",
    "/desk/hits",
    "/desk/statistics",
    "/desk/statistics/csv/coverage",
    "/desk/institutions",
    "/desk/inspectors",
    "/desk/classes",
    "/desk/items",
    "/desk/exports",
    "/desk/works",
    "/desk/rules",
    "/desk/cards",
    "/desk/settings",
    "/desk/holidays",
    "/desk/packs",
    "/desk/packs/weihai-2023-25",
)
SUPERVISOR_ALONE = ("/desk/imports", "/desk/plans/new", "/desk/filings/missing?period=2025Q4")
OPEN_TO_ADMINISTRATORS = (
    "/desk/people",
    "/desk/phones",
    "/desk/log",
    "/desk/queue",
    "/desk/doctor",
    "/desk/exports",
)


def english(path: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}lang=en"


async def test_a_supervisor_opens_every_room(app: Litestar, desk: Office) -> None:
    await desk.fill()
    at = await at_the_desk(app, desk.who)
    for path in (*OPEN_TO_OFFICES, *SUPERVISOR_ALONE):
        zh, en = await at.open(path), await at.open(english(path))
        assert "None" not in zh.text, path
        assert zh.text != en.text or "/csv/" in path, path
    await at.open("/desk/log", 403)
    await at.open("/desk/log/entries", 403)


@pytest.mark.parametrize("role", ["sysadmin", "secadmin", "auditadmin"])
async def test_administrators_see_people_and_parts_and_no_case(
    app: Litestar, clock: StillClock, role: str
) -> None:
    at = await at_the_desk(app, await world.a_person(clock(), role))
    for path in OPEN_TO_ADMINISTRATORS:
        assert "None" not in (await at.open(path)).text, path
        await at.open(english(path))
    for path in ("/desk/plans", "/desk/institutions", "/desk/filings", "/desk/works"):
        await at.open(path, 403)


async def test_every_question_of_the_rules_has_its_form_and_its_answer(
    app: Litestar, desk: Office
) -> None:
    at = await at_the_desk(app, desk.who)
    asked = {
        "effective_set": {"jurisdiction": "CN-37", "on": "2026-03-02"},
        "deadline": {
            "jurisdiction": "CN-37",
            "concept": "trainee_list_report",
            "trigger": "2024-07-01",
        },
        "indicator": {"name": "attendance", "attended": "744", "due": "800"},
        "attendance": {"roster": "40", "called": "12", "absent": "3"},
        "pass": {"theory": "60", "ability": "59.5"},
        "advert": {"jurisdiction": "CN-37", "text": "保过 包就业"},
        "sheet": {"jurisdiction": "CN-37", "sheet": "TI", "on": "2026-03-02"},
    }
    for question in (await at.open("/desk/rules")).text.split('href="/desk/rules/')[1:]:
        await at.open("/desk/rules/" + question.split('"')[0])
    for question, fields in asked.items():
        path = f"/desk/rules/{question}"
        answer = await at.send(path, path, fields, status=200)
        assert 'id="answer"' in answer.text, question
        await at.send(path, english(path), fields, status=200)
    wrong = await at.send("/desk/rules/deadline", "/desk/rules/deadline", {}, status=422)
    assert 'role="alert"' in wrong.text
    due = await at.send(
        "/desk/rules/deadline", "/desk/rules/deadline", asked["deadline"], status=200
    )
    assert "2024-07-31" in text_of(due)


async def test_a_draw_room_names_nobody_before_the_disclosure(
    app: Litestar, clock: StillClock, owner: asyncpg.Connection, work: Work
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 11))
    await drawing.inspectors(office.act, range(1, 7))
    plan = await drawing.an_approved_plan(office)
    clock.set(plan.fire_at)
    at = await at_the_desk(app, office.supervisor)
    await at.send(f"/desk/plans/{plan.id}", f"/desk/plans/{plan.id}/draw")
    draw_id = await owner.fetchval("select id from draw")
    room = f"/desk/draws/{draw_id}"
    dice = {
        "source": drawing.DICE.source,
        "ref": drawing.DICE.ref,
        "value": drawing.DIGITS,
        "witnesses": "\n".join(drawing.WITNESSES),
    }
    await at.send(room, f"{room}/chance", dice | {"value": "7"}, status=422)
    await at.send(room, f"{room}/chance", dice)
    await work.drain()
    shown = (await at.open(room)).text + (await at.open(english(room))).text
    assert "已抽取（封存）" in shown
    assert "虚构培训机构" not in shown
    assert "虚构人员" not in shown
    watcher = await world.a_person(clock(), "auditadmin")
    assert "已抽取" in (await (await at_the_desk(app, watcher)).open(room)).text
    await owner.execute("update visit set state = 'concluded'")
    await at.send(room, f"{room}/disclosure")
    opened = await at.open(room)
    assert "虚构培训机构" in opened.text
    one = await at.open(f"{room}?reveal=1")
    assert one.text.count("虚构培训机构") == 1
    assert "验证通过" in (await at.open(f"{room}/verdict")).text
    assert (await at.open(f"{room}/record.json")).json()["record"]


async def test_an_export_is_ordered_found_again_and_cancelled(
    app: Litestar, desk: Office, owner: asyncpg.Connection
) -> None:
    at = await at_the_desk(app, desk.who)
    offered = (await at.open("/desk/exports")).text
    name = offered.split('name="list"', 1)[1].split('<option value="')[2].split('"')[0]
    fields = {"_which": "order", "list": name, "form": "csv"}
    await at.send("/desk/exports", "/desk/exports", fields | {"list": "nothing"}, status=422)
    await at.send("/desk/exports", "/desk/exports", fields)
    assert "正在写出" in (await at.open("/desk/exports")).text
    assert "导出" in (await at.open("/desk/works?kind=export")).text
    ident = await owner.fetchval("select id from export_order")
    await at.send("/desk/exports", f"/desk/exports/{ident}/cancellation")
    assert "已取消" in (await at.open("/desk/exports")).text


async def test_a_list_is_exported_as_it_is_narrowed(
    app: Litestar, desk: Office, owner: asyncpg.Connection
) -> None:
    await desk.fill()
    at = await at_the_desk(app, desk.who)
    for room, filters in (
        ("/desk/institutions?status=active&search=虚构", {"state": "active", "search": "虚构"}),
        ("/desk/filings?register=R16", {"kind": "R16"}),
        ("/desk/findings?state=verified", {"state": "verified"}),
        ("/desk/plans?year=2026", {"year": 2026}),
    ):
        form = (await at.open(room)).text.split('class="export"', 1)[1].split("</form>", 1)[0]
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
        del fields["_csrf_token"]
        await at.send("/desk/exports", "/desk/exports", fields | {"form": "json"})
        row = await owner.fetchrow("select * from export_order order by id desc limit 1")
        assert (room, row["list"]) == (room, room.split("?", 1)[0].removeprefix("/desk/"))
        assert (row["form"], json.loads(row["filters"])) == ("json", filters)
    # No file could hold just these rows, so none is offered.
    assert 'class="export"' not in (await at.open("/desk/notices?overdue=true")).text
