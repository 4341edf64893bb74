"""Findings, notices, cases and publications on the desk, over HTTP as a browser does it."""

import re
from uuid import UUID

import asyncpg
import httpx

from backend.clock import new_id
from backend.services import findings, notices, publications
from backend.services.publications import Content
from inspection_plans.loader import load
from tests import casework, world
from tests.backend.rooms import queries
from tests.backend.test_pages import DESK_POLICY, csrf, outline, signed_in
from tests.casework import Matter
from tests.conftest import StillClock

Client = httpx.AsyncClient


async def as_person(client: Client, who: world.Login) -> None:
    client.cookies.clear()
    assert (await signed_in(client, who)).status_code == 303


async def send(client: Client, page: str, path: str, **fields: object) -> httpx.Response:
    """Send a form of a page as a browser does, with the token of that page."""
    form = await client.get(page)
    data = {"_csrf_token": csrf(form), **fields}
    return await client.post(path, data=data)


async def done(client: Client, page: str, path: str, **fields: object) -> httpx.Response:
    """The page after a deed that was done."""
    answer = await send(client, page, path, **fields)
    assert answer.status_code == 303, answer.text
    after = await client.get(answer.headers["location"])
    outline(after, DESK_POLICY)
    return after


def demand(finding: UUID, text: str = "限期改正", days: int = 15) -> dict[str, object]:
    return {
        "finding": str(finding),
        f"demand-{finding}": text,
        f"asked-{finding}": "整改照片",
        f"days-{finding}": str(days),
    }


async def a_draft(client: Client, matter: Matter) -> UUID:
    """A notice drafted by the author through the page."""
    await as_person(client, matter.office.author)
    page = f"/desk/notices/new?visit={matter.visit}"
    fields = {"kind": "order", "text": "责令限期改正。", "inspection_item": matter.item}
    after = await done(client, page, page, **fields, **demand(matter.findings[0].id))
    found = re.search(r"/desk/notices/([0-9a-f-]{36})/edit", after.text)
    assert found
    return UUID(found[1])


async def test_a_finding_is_verified_by_the_evidence_named(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), verified=False)
    (finding,) = matter.findings
    piece = await casework.a_piece(owner, visit=matter.visit)
    await as_person(client, matter.office.author)
    page = f"/desk/findings/{finding.id}"
    bare = await send(client, page, f"{page}/verification", _which="verify")
    outline(bare, DESK_POLICY)
    assert (bare.status_code, 'role="alert"' in bare.text) == (409, True)
    assert (await findings.get(finding.id, act=matter.office.author.act(clock()))).state == (
        "suspected"
    )
    after = await done(client, page, f"{page}/verification", _which="verify", evidence=str(piece))
    assert "已核实，可以起草通知书" in after.text
    again = await client.get(page)
    assert "已核实，可以起草通知书" not in again.text  # it is said once
    assert f"/desk/evidence/{piece}" in again.text


async def test_what_was_typed_stays_when_a_dismissal_is_refused(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())  # verified: it cannot be dismissed any more
    page = f"/desk/findings/{matter.findings[0].id}"
    await as_person(client, matter.office.author)
    answer = await send(client, page, f"{page}/dismissal", _which="waive", reason="写了<很多>字")
    outline(answer, DESK_POLICY)
    assert answer.status_code == 409
    assert "写了&lt;很多&gt;字</textarea>" in answer.text
    empty = await send(client, page, f"{page}/waiver", _which="waive", reason="")
    assert (empty.status_code, "请填写此项" in empty.text) == (422, True)
    after = await done(client, page, f"{page}/waiver", _which="waive", reason="情节轻微")
    assert "情节轻微" in after.text


async def test_a_notice_goes_from_its_draft_to_its_closing(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), "TI-02")
    office = matter.office
    notice = await a_draft(client, matter)
    page = f"/desk/notices/{notice}"

    async def rev() -> str:
        return str((await notices.get(notice, act=office.author.act(clock()))).rev)

    await done(client, page, f"{page}/legal-review/request", rev=await rev())
    await as_person(client, office.legal)
    await done(client, page, f"{page}/legal-review", rev=await rev(), reason="合法适当")
    await as_person(client, office.approver)
    await done(client, page, f"{page}/approval", rev=await rev())
    await as_person(client, office.author)
    issued = await done(client, page, f"{page}/issue")
    assert "已制发，文号 威人社" in issued.text
    today = clock().date().isoformat()
    way = {"way": "in_person", "receiver": "李某", "receiver_title": "校长"}
    wrong = await send(client, page, f"{page}/service", _which="serve-in_person", way="in_person")
    assert (wrong.status_code, "请填写此项" in wrong.text) == (422, True)
    clocks = await done(client, page, f"{page}/service", **way, served_on=today)
    assert "陈述申辩" in clocks.text
    assert "个工作日" in clocks.text
    clock.tick(days=40)
    await done(client, page, f"{page}/review", rev=await rev())
    (finding,) = matter.findings
    line = f"{page}/findings/{finding.id}"
    refused = await send(client, page, line, rev=await rev(), outcome="not_accepted", reason="")
    assert refused.status_code == 422
    await done(client, page, line, rev=await rev(), outcome="accepted", reason="")
    same = await send(client, page, f"{page}/closing", rev=await rev())
    assert same.status_code == 403  # who decided does not close: the role is the approver's
    await as_person(client, office.approver)
    after = await done(client, page, f"{page}/closing", rev=await rev())
    assert "已销号" in after.text


async def test_a_draft_in_two_windows_loses_nothing(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await a_draft(client, matter)
    page = f"/desk/notices/{notice}/edit"
    form = await client.get(page)
    outline(form, DESK_POLICY)
    found = re.search(r'name="rev" value="(\d+)"', form.text)
    assert found
    fields = {"kind": "order", "inspection_item": matter.item, **demand(matter.findings[0].id)}
    await done(client, page, page, _which="draft", rev=found[1], text="第一个窗口的正文", **fields)
    answer = await send(
        client, page, page, _which="draft", rev=found[1], text="第二个窗口的正文", **fields
    )
    outline(answer, DESK_POLICY)
    assert answer.status_code == 409
    assert "第二个窗口的正文</textarea>" in answer.text
    assert "第一个窗口的正文" in answer.text  # what stands is shown beside it
    newer = re.search(r'name="rev" value="(\d+)"', answer.text)
    assert newer
    after = await done(
        client, page, page, _which="draft", rev=newer[1], text="合并之后的正文", **fields
    )
    assert "合并之后的正文" in after.text


async def test_a_draft_says_which_demand_is_missing(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    await as_person(client, matter.office.author)
    page = f"/desk/notices/new?visit={matter.visit}"
    fields = {**demand(matter.findings[0].id, text=""), "kind": "order", "text": "不会丢失"}
    answer = await send(client, page, page, _which="draft", **fields)
    outline(answer, DESK_POLICY)
    assert answer.status_code == 422
    assert "不会丢失</textarea>" in answer.text
    assert f'id="draft-demand-{matter.findings[0].id}-wrong"' in answer.text


async def test_a_result_is_prepared_approved_published_and_corrected(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    await casework.served(matter, clock())
    await casework.concluded(owner, matter.visit, clock())
    await as_person(client, matter.office.author)
    due = await client.get("/desk/publications")
    outline(due, DESK_POLICY)
    page = f"/desk/publications/new?kind=result&subject={matter.visit}"
    assert page.replace("&", "&amp;") in due.text
    wrong = await send(client, page, page, _which="content", wordings="no_problem_found")
    assert (wrong.status_code, "checked" in wrong.text) == (409, True)
    preview = await done(client, page, page, wordings="correction_ordered")
    found = re.search(r"/desk/publications/([0-9a-f-]{36})/revision", preview.text)
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', preview.text)
    assert found
    assert digest
    one = f"/desk/publications/{found[1]}"
    own = await send(client, one, f"{one}/approval", digest=digest[1])
    assert own.status_code == 403
    await as_person(client, matter.office.approver)
    await done(client, one, f"{one}/approval", digest=digest[1])
    await as_person(client, matter.office.author)
    await done(client, one, f"{one}/publishing")
    fields = {"reason": "用语有误", "wordings": "further_handling"}
    correction = await done(client, one, f"{one}/correction", **fields)
    assert "用语有误" in correction.text
    assert "<del>" in correction.text


async def test_a_case_is_opened_from_a_critical_finding(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), "TI-02")
    await as_person(client, matter.office.author)
    fields = {"finding": str(matter.findings[0].id), "reason": "情节严重"}
    after = await done(client, "/desk/cases", "/desk/cases", **fields)
    assert "情节严重" in after.text
    found = re.search(r"/desk/cases/([0-9a-f-]{36})/", after.text)
    assert found
    page = f"/desk/cases/{found[1]}"
    early = await send(client, page, f"{page}/verification", _which="verify")
    outline(early, DESK_POLICY)
    assert early.status_code == 409  # the party was not heard
    today = clock().date().isoformat()
    step = {"kind": "statement", "text": "机构当面陈述", "stated_on": today, "stated_by": "李某"}
    after = await done(client, page, f"{page}/steps", **step, paper="笔录一")
    assert "机构当面陈述" in after.text
    nobody = await send(client, page, f"{page}/deeds/no_such")
    assert nobody.status_code == 404
    assert (await send(client, page, f"{page}/deeds/legal", cleared="true")).status_code == 403


async def test_who_may_not_is_told_so_and_strangers_see_nothing(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await a_draft(client, matter)
    paths = (
        f"/desk/findings/{matter.findings[0].id}",
        f"/desk/notices/{notice}",
        f"/desk/visits/{matter.visit}",
    )
    for path in paths:
        assert (await client.get(path)).status_code == 200
        assert (await client.get(f"{path}?lang=en")).status_code == 200
    stranger = await casework.an_office(clock(), world.HARBIN, "哈人社")
    await as_person(client, stranger.author)
    for path in paths:
        assert (await client.get(path)).status_code == 404, path
    await as_person(client, matter.user)
    for path in paths:
        assert (await client.get(path)).status_code == 403, path
    await as_person(client, matter.office.legal)
    refused = await client.get(f"/desk/notices/new?visit={matter.visit}")
    assert refused.status_code == 403
    await as_person(client, matter.office.author)
    gone = await client.get(f"/desk/notices/{new_id()}")
    assert gone.status_code == 404


async def test_a_form_without_its_token_changes_nothing(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), verified=False)
    await as_person(client, matter.office.author)
    page = f"/desk/findings/{matter.findings[0].id}"
    answer = await client.post(f"{page}/dismissal", data={"reason": "伪造"})
    assert answer.status_code == 403
    by_header = await client.post(
        f"{page}/dismissal",
        data={"reason": "页面脚本发送"},
        headers={"x-csrftoken": csrf(await client.get(page))},
    )
    assert by_header.status_code == 303


async def test_a_list_asks_as_often_for_many_rows_as_for_one(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    await casework.served(matter, clock())
    await casework.concluded(owner, matter.visit, clock())
    act = matter.office.author.act(clock())
    content = Content(wordings=("correction_ordered",))
    await publications.prepare("result", matter.visit, content, rules=load(), act=act)
    await as_person(client, matter.office.author)
    paths = ("/desk/findings", "/desk/notices", "/desk/publications", "/desk/visits")
    few = [await asked(client, path) for path in paths]
    for _ in range(4):
        other = await casework.another(owner, matter, clock())
        await casework.served(other, clock())
        await casework.concluded(owner, other.visit, clock())
        await publications.prepare("result", other.visit, content, rules=load(), act=act)
    many = [await asked(client, path) for path in paths]
    assert many == few


async def asked(client: Client, path: str) -> int:
    """How many statements a page sends."""
    with queries() as said:
        answer = await client.get(path)
    assert answer.status_code == 200
    return len(said)
