"""Forms of everybody: a tip with its code, look-ups of institutions and certificates."""

import re

import asyncpg
import httpx

from backend.clock import new_id
from backend.pages.public.tips import fen
from tests import casework, world
from tests.backend.test_pages import outline
from tests.conftest import StillClock, Work
from tests.field import a_jpeg

TIP = {
    "_which": "tip",
    "category": "loan",
    "about": "海岬职业培训学校",
    "region": str(world.WEIHAI),
    "text": "要求学员贷款交费，说保证通过考试。",
}


async def a_code(client: httpx.AsyncClient, **typed: str) -> str:
    """Send a tip by the form; its code."""
    answer = await client.post("/tips", data={**TIP, **typed})
    assert answer.status_code == 200, answer.text
    outline(answer)
    found = re.search(r"<code>([A-Z2-7-]+)</code>", answer.text)
    assert found
    return found[1]


async def test_a_tip_is_sent_read_and_added_to_without_an_account(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StillClock, work: Work
) -> None:
    await casework.an_office(clock())
    form = await client.get("/tips")
    outline(form)
    assert "set-cookie" not in form.headers
    code = await a_code(client, lender="某小贷公司", principal="12800.5", instalments="12")
    held = await owner.fetchval("select (loan ->> 'principal_fen')::int from tip")
    assert held == 1_280_050
    answer = await client.post("/tips/answer", data={"code": code.lower()})
    outline(answer)
    assert "要求学员贷款交费" in answer.text
    assert "no-store" in answer.headers["cache-control"]
    photo = [("files", ("合同.jpg", a_jpeg(), "image/jpeg"))]
    body = {"_which": "more", "code": code, "text": "补充：还有三个人<b>"}
    more = await client.post("/tips/answer/more", data=body, files=photo)
    outline(more)
    assert "补充：还有三个人&lt;b&gt;" in more.text
    assert "检查中" in more.text
    assert "合同.jpg" not in more.text
    await work.drain()
    again = await client.post("/tips/answer", data={"code": code})
    assert "已收下" in again.text


async def test_a_refused_tip_keeps_what_was_typed(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    answer = await client.post("/tips", data={**TIP, "text": "短"})
    outline(answer)
    assert answer.status_code == 422
    assert "海岬职业培训学校" in answer.text
    witness = await client.post("/tips", data={**TIP, "witness": "true"})
    assert witness.status_code == 422
    assert "要求学员贷款交费" in witness.text
    assert await owner.fetchval("select count(*) from tip") == 0
    wrong = await client.post("/tips/answer", data={"code": "ABCD-EFGH"})
    outline(wrong)
    assert wrong.status_code == 404


async def test_a_code_is_nowhere_in_an_address(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    await casework.an_office(clock())
    code = await a_code(client)
    page = await client.post("/tips/answer", data={"code": code})
    assert str(page.url).endswith("/tips/answer")
    assert f'href="/tips/answer?{code}' not in page.text
    assert not re.findall(rf'(?:href|action)="[^"]*{code}', page.text)


def test_money_is_read_as_it_is_written() -> None:
    assert [fen(text) for text in (None, "0", "12", "12.5", "12.50", "0.07")] == [
        None,
        0,
        1200,
        1250,
        1250,
        7,
    ]


async def test_institutions_are_found_with_their_listings(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StillClock
) -> None:
    office = await casework.an_office(clock())
    institution = await casework.an_institution(office, clock(), name="<i>海岬")
    code = await owner.fetchval("select code from occupation order by code limit 1")
    await owner.execute(
        "insert into catalogue_entry (id, region, institution, kind, occupation, levels,"
        " listed_on, valid_until, source_notice, created_at)"
        " values ($1, $2, $3, 'training', $4, '{初级}', $5, $6, '虚构公告1号', $7)",
        new_id(),
        office.region,
        institution,
        code,
        clock().date(),
        clock().date().replace(year=2029),
        clock(),
    )
    page = await client.get("/institutions?name=海岬&kind=training")
    outline(page)
    assert "&lt;i&gt;海岬" in page.text
    assert "虚构公告1号" in page.text
    assert "已筛选" in page.text
    none = await client.get("/institutions?name=无此校")
    outline(none)
    assert "目录里没有这样的机构" in none.text
    assert (await client.get("/institutions?region=12")).status_code == 400


async def test_a_certificate_that_is_not_there_says_so_and_is_kept_nowhere(
    client: httpx.AsyncClient,
) -> None:
    form = await client.get("/certificates")
    outline(form)
    answer = await client.get("/certificates?number=SY-1&issued_on=2026-01-05")
    outline(answer)
    assert "没有查到" in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_a_paper_that_never_was_is_not_there(client: httpx.AsyncClient) -> None:
    form = await client.get("/documents")
    outline(form)
    typed = await client.get("/documents?code=abcd efgh ijkl mnop qrst uvwx yz")
    assert typed.headers["location"] == "/documents/ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    answer = await client.get(typed.headers["location"])
    outline(answer)
    assert answer.status_code == 404
    assert "没有这份文书" in answer.text
    assert answer.headers["cache-control"] == "no-store"
