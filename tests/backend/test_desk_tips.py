"""Tips on the desk, as a browser sees them: taken up, answered, the identity by two persons."""

import re

import httpx

from tests import casework
from tests.backend.test_desk_casework import as_person, done, send
from tests.backend.test_pages import DESK_POLICY, csrf, outline
from tests.backend.test_tips import read, sent
from tests.conftest import StillClock

WHO = {"name": "虚构举报人", "contact": "微信 abc"}


async def the_tip(client: httpx.AsyncClient) -> str:
    """The page of the only tip."""
    listed = await client.get("/desk/tips")
    outline(listed, DESK_POLICY)
    found = re.search(r'href="(/desk/tips/[0-9a-f-]{36})"', listed.text)
    assert found
    return found[1]


async def test_a_tip_is_taken_up_answered_and_closed(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    office = await casework.an_office(clock())
    code = await sent(client)
    await as_person(client, office.author)
    page = await the_tip(client)
    early = await send(client, page, f"{page}/deeds/answers", _which="answers", text="太早了")
    outline(early, DESK_POLICY)
    assert early.status_code == 409
    await done(client, page, f"{page}/deeds/triage", remark="")
    await done(client, page, f"{page}/deeds/answers", text="已安排核查，感谢您。")
    assert "已安排核查" in str(await read(client, code))
    empty = await send(client, page, f"{page}/deeds/closing", _which="closing", text="")
    assert (empty.status_code, "请填写此项" in empty.text) == (422, True)
    after = await done(client, page, f"{page}/deeds/closing", text="已办结")
    assert "已办结" in after.text
    assert (await send(client, page, f"{page}/deeds/no_such")).status_code == 404


async def test_an_identity_is_read_once_by_the_one_who_asked(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    office = await casework.an_office(clock())
    await sent(client, identity=WHO)
    await as_person(client, office.author)
    page = await the_tip(client)
    sealed = await client.get(page)
    outline(sealed, DESK_POLICY)
    assert WHO["name"] not in sealed.text
    await done(client, page, f"{page}/deeds/identity-request", text="需要当面核实")
    token = csrf(await client.get(page))
    early = await client.post(f"{page}/identity", data={"_csrf_token": token})
    assert early.status_code in (403, 404, 409)
    await as_person(client, office.legal)
    await done(client, page, f"{page}/identity-approval")
    await as_person(client, office.author)
    token = csrf(await client.get(page))
    opened = await client.post(f"{page}/identity", data={"_csrf_token": token})
    outline(opened, DESK_POLICY)
    assert WHO["name"] in opened.text
    again = await client.post(f"{page}/identity", data={"_csrf_token": token})
    assert again.status_code in (403, 404, 409)
    assert WHO["name"] not in again.text


async def test_who_does_not_work_on_tips_opens_none(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    office = await casework.an_office(clock())
    await sent(client)
    await as_person(client, office.approver)
    assert (await client.get("/desk/tips")).status_code == 403
    assert "/desk/tips" not in (await client.get("/desk")).text
