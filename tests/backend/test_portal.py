"""The portal over HTTP: a notice answered with files and receipts, and nothing of a stranger's."""

import re
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.clock import new_id
from backend.services import replies
from backend.services.notices import Notice
from tests import casework, world
from tests.backend.test_pages import DESK_POLICY, csrf, outline, signed_in
from tests.casework import Matter
from tests.conftest import StillClock, Work
from tests.field import a_jpeg

ADDRESSES = ("/portal", "/portal/record", "/portal/people", "/portal/inspector")


async def a_served(
    owner: asyncpg.Connection, clock: StillClock, client: httpx.AsyncClient
) -> tuple[Matter, Notice]:
    """A served notice, and its institution's user signed in."""
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    await signed_in(client, matter.user)
    return matter, notice


def fields(page: httpx.Response, which: str) -> dict[str, str]:
    """The hidden fields of one answer's form, as a browser would send them."""
    form = next(part for part in page.text.split("<form ") if f'value="{which}"' in part)
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


async def kept(
    client: httpx.AsyncClient,
    notice: UUID,
    which: str,
    files: list[tuple[str, tuple[str, bytes, str]]] | None = None,
    **typed: str,
) -> httpx.Response:
    """Keep a draft by its form."""
    page = await client.get(f"/portal/notices/{notice}")
    body = {**fields(page, which), "kind": "rectified", **typed}
    return await client.post(f"/portal/notices/{notice}/replies", data=body, files=files)


async def test_a_notice_is_answered_with_files_and_leaves_receipts(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock, work: Work
) -> None:
    matter, notice = await a_served(owner, clock, client)
    home = await client.get("/portal")
    outline(home, DESK_POLICY)
    assert str(notice.number) in home.text
    assert "个工作日" in home.text
    page = await client.get(f"/portal/notices/{notice.id}")
    outline(page, DESK_POLICY)
    assert "限期改正" in page.text
    finding = str(matter.findings[0].id)
    photo = [("files", ("撤除后.jpg", a_jpeg(), "image/jpeg"))]
    answer = await kept(client, notice.id, finding, photo, text="已撤除<b>", finding=finding)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == f"/portal/notices/{notice.id}#{finding}"
    await work.drain()
    page = await client.get(f"/portal/notices/{notice.id}")
    assert "已撤除&lt;b&gt;" in page.text
    assert "已核验" in page.text or "已封存" in page.text
    (draft,) = await replies.of(notice.id, act=matter.user.act(clock()))
    assert (draft.state, len(draft.evidence)) == ("draft", 1)
    body = {"_csrf_token": csrf(page), "_which": "send", "replies": str(draft.id)}
    sent = await client.post(f"/portal/notices/{notice.id}/sending", data=body)
    assert sent.status_code == 303, sent.text
    page = await client.get(f"/portal/notices/{notice.id}")
    outline(page, DESK_POLICY)
    receipt = await client.get(f"/portal/receipts/{notice.id}/{draft.id}")
    assert receipt.json()["digest"] in page.text
    assert receipt.headers["content-disposition"].startswith("attachment")
    file = await client.get(f"/portal/evidence/{draft.evidence[0]}/files/original")
    assert file.status_code == 303


async def test_a_refused_file_costs_no_words(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    matter, notice = await a_served(owner, clock, client)
    finding = str(matter.findings[0].id)
    program = [("files", ("a.exe", b"MZ", "application/x-msdownload"))]
    answer = await kept(client, notice.id, finding, program, text="写了很久", finding=finding)
    outline(answer, DESK_POLICY)
    assert answer.status_code == 422
    assert "写了很久" in answer.text
    (draft,) = await replies.of(notice.id, act=matter.user.act(clock()))
    assert (draft.text, draft.evidence) == ("写了很久", ())


async def test_two_colleagues_lose_no_words(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    matter, notice = await a_served(owner, clock, client)
    finding = str(matter.findings[0].id)
    await kept(client, notice.id, finding, text="第一稿", finding=finding)
    page = await client.get(f"/portal/notices/{notice.id}")
    mine = {**fields(page, finding), "kind": "rectified", "text": "甲的改动", "finding": finding}
    theirs = {**mine, "text": "乙的改动"}
    where = f"/portal/notices/{notice.id}/replies"
    assert (await client.post(where, data=mine)).status_code == 303
    late = await client.post(where, data=theirs)
    assert late.status_code == 409
    assert "乙的改动" in late.text
    (draft,) = await replies.of(notice.id, act=matter.user.act(clock()))
    assert draft.text == "甲的改动"


async def test_a_strangers_notice_answers_like_one_that_never_was(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    matter, notice = await a_served(owner, clock, client)
    client.cookies.clear()
    other = await casework.a_matter(owner, clock(), office=matter.office)
    await signed_in(client, other.user)
    token = csrf(await client.get("/portal"))
    body = {"_csrf_token": token, "kind": "rectified", "reply": str(new_id()), "text": "x"}
    for path in ("", "/replies", "/sending"):
        answers = []
        for wanted in (notice.id, new_id()):
            where = f"/portal/notices/{wanted}{path}"
            if path:
                sent = {**body, "replies": body["reply"]}
                answer = await client.post(where, data=sent)
            else:
                answer = await client.get(where)
            said = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64,}", "", answer.text)
            answers.append((answer.status_code, said))
        assert answers[0] == answers[1], path
        assert answers[0][0] == 404, path


@pytest.mark.parametrize("address", ADDRESSES)
async def test_each_page_opens_for_the_institution_alone(
    address: str, owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    away = await client.get(address)
    assert (away.status_code, away.headers["location"]) == (303, "/desk/sign-in")
    matter, _ = await a_served(owner, clock, client)
    for language in ("", "?lang=en"):
        outline(await client.get(address + language), DESK_POLICY)
    client.cookies.clear()
    await signed_in(client, matter.office.author)
    assert (await client.get(address)).status_code == 403


async def test_the_own_record_shows_class_visits_and_people(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    matter, _ = await a_served(owner, clock, client)
    await casework.concluded(owner, matter.visit, clock())
    page = await client.get("/portal/record")
    assert "登记的类别" in page.text
    assert "V-" in page.text
    assert "1 次（每年最多 2 次）" in page.text
    people = await client.get("/portal/people")
    assert matter.user.person.name in people.text
    assert matter.office.author.person.name not in people.text


async def test_a_licence_is_checked_and_tells_nothing_of_a_coming_visit(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    matter, _ = await a_served(owner, clock, client)
    unknown = await client.get("/portal/inspector?licence=SD-0")
    assert "没有这个证号" in unknown.text
    inspector = new_id()
    await owner.execute(
        "insert into inspector (id, region, staff_code, name, department, unit, licence_no,"
        " licence_until, lead, skills, areas, cap, available, rev, created_at, updated_at)"
        " values ($1, $2, 'S-1', '检查员甲', '人社', '监察支队', 'SD-1', $3, true, '{}', '{}', 9,"
        " true, 1, $4, $4)",
        inspector,
        world.SHANDONG,
        clock().date(),
        clock(),
    )
    await owner.execute(
        "insert into assignment (id, region, visit, inspector, place, lead, epoch, state,"
        " created_at) select $1, region, id, $2, 1, true, 1, 'active', $4 from visit"
        " where id = $3",
        new_id(),
        inspector,
        matter.visit,
        clock(),
    )
    known = await client.get("/portal/inspector?licence=SD-1")
    assert "检查员甲" in known.text
    assert "证件有效" in known.text
    assert "没有已开始的检查" in known.text
    await owner.execute("update visit set started_at = $2 where id = $1", matter.visit, clock())
    assert "有，已开始" in (await client.get("/portal/inspector?licence=SD-1")).text


async def test_a_filing_is_written_handed_in_and_kept(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    await a_served(owner, clock, client)
    page = await client.get("/portal/filings")
    outline(page, DESK_POLICY)
    go = await client.get("/portal/filings/begin?register=R06b&period=2026")
    assert go.headers["location"] == "/portal/filings/R06b/2026"
    form = await client.get("/portal/filings/R06b/2026")
    outline(form, DESK_POLICY)
    body = {**fields(form, "head"), "classes": "3", "trained": "80", "certified": "x"}
    where = "/portal/filings/R06b/2026/form"
    wrong = await client.post(where, data=body)
    outline(wrong, DESK_POLICY)
    assert wrong.status_code == 422
    assert 'value="80"' in wrong.text
    right = await client.post(where, data={**body, "certified": "70", "text": "全年开班三期。"})
    assert right.status_code == 303, right.text
    page = await client.get("/portal/filings/R06b/2026")
    assert "全年开班三期。" in page.text
    stale = await client.post(
        where, data={**body, "certified": "60", "text": "另一稿。", "rev": "9"}
    )
    assert stale.status_code == 409
    body = fields(page, "submit")
    sent = await client.post("/portal/filings/R06b/2026/submission", data=body)
    assert sent.status_code == 303, sent.text
    page = await client.get("/portal/filings/R06b/2026")
    outline(page, DESK_POLICY)
    assert "回执" in page.text
    assert "正式报送" not in page.text
    assert "R06b" in (await client.get("/portal/filings")).text


async def test_a_workbook_is_checked_row_by_row(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    await a_served(owner, clock, client)
    path = "/portal/filings/R11/2026"
    page = await client.get(path)
    outline(page, DESK_POLICY)
    book = await client.get(f"{path}/template")
    assert book.content[:2] == b"PK"
    token = {"_csrf_token": csrf(page), "_which": "book"}
    noise = [("book", ("a.xlsx", b"no workbook", "application/octet-stream"))]
    refused = await client.post(f"{path}/workbook", data=token, files=noise)
    outline(refused, DESK_POLICY)
    assert refused.status_code in (400, 422)
    assert (await client.get("/portal/filings/R99/2026")).status_code == 404
