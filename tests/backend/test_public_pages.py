"""Public pages: kept as files, no query a hit, data and feeds beside them, the clause library."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import asyncpg
import httpx
import pytest
from litestar import Litestar

from backend.pages import press
from backend.pages.press import Press
from backend.piccolo_conf import DB
from backend.services import public_figures
from inspection_plans.loader import load
from tests.backend.test_pages import outline, published
from tests.conftest import StillClock

ATOM = "{http://www.w3.org/2005/Atom}"
KEPT = ("/", "/plans", "/draws", "/results", "/results.json", "/results.atom", "/statistics")


@pytest.fixture
def kept(app: Litestar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Press:
    """The app's press over a folder of this test."""
    made = Press(tmp_path / "site", app.state.press.main)
    monkeypatch.setattr(app.state, "press", made)
    return made


async def test_a_kept_page_asks_no_database(
    app: Litestar,
    kept: Press,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StillClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    second = await published(owner, clock)
    assert await kept.turn(app)
    await client.get(f"/publications/{second.id}")
    pools = DB.pools
    monkeypatch.setattr(DB, "pools", {})  # whoever asks a database now falls over
    client.cookies.set("session", "of somebody signed in")
    for path in (*kept.main, f"/publications/{second.id}"):
        for language in ("", "?lang=en"):
            if path.startswith("/publications") and language:
                continue
            answer = await client.get(path + language)
            assert answer.status_code == 200, path
            assert "set-cookie" not in answer.headers, path
            again = {"If-None-Match": answer.headers["etag"]}
            same = await client.get(path + language, headers=again)
            assert (same.status_code, same.content) == (304, b""), path
    assert (await client.get("/results?after=" + str(second.id))).status_code == 500
    monkeypatch.setattr(DB, "pools", pools)


async def test_what_is_published_turns_the_press(
    app: Litestar,
    kept: Press,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StillClock,
) -> None:
    assert await kept.turn(app)
    assert not await kept.turn(app)
    before = await client.get("/results")
    assert "目前没有公示" in before.text
    second = await published(owner, clock)
    assert "目前没有公示" in (await client.get("/results")).text  # until the press turns
    assert await kept.turn(app)
    after = await client.get("/results")
    assert f"/publications/{second.id}" in outline(after).links
    assert after.headers["etag"] != before.headers["etag"]
    await owner.execute("update publication set objection_on = $1", clock().date())
    assert await kept.turn(app)
    assert "有异议，正在处理" in (await client.get("/results")).text
    clock.tick(days=1)
    assert await kept.turn(app)  # what expires overnight goes
    assert len(list(kept.folder.iterdir())) <= press.KEPT_GENERATIONS


async def test_a_database_that_is_away_leaves_the_pages(
    app: Litestar, kept: Press, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await kept.turn(app)

    async def nothing(**_: object) -> None:
        return None

    monkeypatch.setattr(public_figures, "mark", nothing)
    assert not await kept.turn(app)
    assert (await client.get("/")).status_code == 200


async def test_nothing_outside_the_folder_is_read(
    app: Litestar, kept: Press, client: httpx.AsyncClient
) -> None:
    assert await kept.turn(app)
    (kept.folder.parent / "secret.zh.html").write_text("secret", encoding="utf-8")
    answer = await client.get("/clauses/%2e%2e%2f%2e%2e%2f%2e%2e%2fsecret")
    assert answer.status_code == 404
    assert "secret" not in answer.text


async def test_every_public_page_is_whole_in_both_languages(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StillClock
) -> None:
    await published(owner, clock)
    seen: set[str] = set()
    ahead = ["/", "/feeds"]
    while ahead:
        path = ahead.pop()
        seen.add(path)
        answer = await client.get(path)
        assert answer.status_code in (200, 303), path
        if not answer.headers["content-type"].startswith("text/html") or "check" in path:
            continue
        found = outline(answer)
        links = {link.partition("#")[0] for link in found.links if link.startswith("/")}
        ahead += [one for one in links - seen - set(ahead) if one.count("/") < 3]
    assert {"/results", "/clauses", "/statistics", "/licence", "/contact"} <= seen
    assert any(path.endswith("?lang=en") for path in seen)


async def test_feeds_and_data_say_the_same(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StillClock
) -> None:
    second = await published(owner, clock)
    data = (await client.get("/results.json")).json()
    feed = ET.fromstring((await client.get("/results.atom")).text)  # noqa: S314 - ours
    entries = feed.findall(f"{ATOM}entry")
    assert [f"urn:uuid:{one['id']}" for one in data] == [
        one.findtext(f"{ATOM}id") for one in entries
    ]
    assert str(data[0]["id"]) == str(second.id)
    link = entries[0].find(f"{ATOM}link")
    assert link is not None
    assert (await client.get(link.attrib["href"])).status_code == 200
    one = (await client.get(f"/publications/{second.id}/json")).json()
    assert one["before"]["wordings"][0]["code"] == "correction_ordered"
    empty = ET.fromstring((await client.get("/plans.atom")).text)  # noqa: S314 - ours
    assert empty.findtext(f"{ATOM}updated") == "1970-01-01T00:00:00Z"


async def test_figures_count_what_stands(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StillClock
) -> None:
    await published(owner, clock)
    found = (await client.get("/statistics.json")).json()
    assert (found["results"], found["corrected"]) == (1, 1)
    assert [share["name"] for share in found["wordings"]] == ["further_handling"]
    page = await client.get("/statistics")
    outline(page)
    assert "发现问题待后续处理" in page.text
    table = await client.get("/statistics/wordings/csv")
    assert table.content.startswith("\ufeff".encode())
    assert "发现问题待后续处理,1" in table.text
    assert (await client.get("/statistics/nothing/csv")).status_code == 404


async def test_every_clause_has_its_page(client: httpx.AsyncClient) -> None:
    rules = load()
    for pack in rules.packs:
        notice = await client.get(f"/clauses/{pack}")
        outline(notice)
        held = [one for one in rules.clauses.values() if one.pack == pack]
        assert all(f'href="/clauses/{one.id}"' in notice.text for one in held), pack
    for clause in list(rules.clauses.values())[::13]:
        answer = await client.get(f"/clauses/{clause.id}?lang=en")
        assert answer.status_code == 200, clause.id
        assert clause.id in answer.text
    assert (await client.get("/clauses/no-such")).status_code == 404
    assert (await client.get("/clauses/national-2021-71/9/none")).status_code == 404


async def test_the_library_is_searched_by_word_and_by_who_is_bound(
    client: httpx.AsyncClient,
) -> None:
    every = await client.get("/clauses?q=培训")
    outline(every)
    held = [int(n) for n in re.findall(r"找到 (\d+) 条", every.text)]
    assert held[0] > 0
    fewer = await client.get("/clauses?q=培训&subject=trainee")
    assert [int(n) for n in re.findall(r"找到 (\d+) 条", fewer.text)] <= held
    nothing = await client.get("/clauses?q=%3Cscript%3E")
    assert "没有找到" in nothing.text
    assert "<script>" not in nothing.text
