"""The board, a visit under review, its evidence and blind counts, as a browser sees them."""

import asyncpg
import httpx

from backend.clock import new_id
from backend.pages import built, scripts
from backend.pages.desk import home as home_page
from backend.pages.desk import menu
from backend.pages.plots import around
from backend.services import boards, recounts, visit_lists, waiting
from backend.services.names import of as names_of
from tests import casework, world
from tests.backend.rooms import queries
from tests.backend.test_desk_casework import as_person, done, send
from tests.backend.test_pages import DESK_POLICY, outline
from tests.casework import Matter
from tests.conftest import StillClock

Client = httpx.AsyncClient


async def complete(owner: asyncpg.Connection, matter: Matter, state: str = "complete") -> str:
    """The visit as it stands when all its evidence has come; its page."""
    await owner.execute(
        "update visit set state = $2, completed_at = now() where id = $1", matter.visit, state
    )
    return f"/desk/visits/{matter.visit}"


async def test_the_board_counts_what_is_not_over_and_hides_what_is_sealed(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    await complete(owner, matter)
    hidden = await casework.another(owner, matter, clock())
    await owner.execute(
        "update visit set state = 'assigned', sealed_until = $2 where id = $1",
        hidden.visit,
        clock().replace(year=2027),
    )
    act = matter.office.author.act(clock())
    board = await boards.board(act=act)
    assert board.states == {"complete": 1}
    assert board.places[matter.office.region].total == 1
    await as_person(client, matter.office.author)
    page = await client.get("/desk/visits")
    outline(page, DESK_POLICY)
    assert 'hx-trigger="every 20s"' in page.text
    assert "待审核" in page.text
    assert str(hidden.visit) not in page.text
    assert (await client.get(f"/desk/visits/{hidden.visit}")).status_code == 404
    only = await client.get("/desk/visits?state=concluded")
    outline(only, DESK_POLICY)
    assert "没有符合筛选的检查" in only.text
    assert "清除筛选" in only.text


async def test_a_visit_shows_answers_beside_evidence_and_is_accepted(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    piece = await casework.a_piece(owner, visit=matter.visit)
    page = await complete(owner, matter)
    await as_person(client, matter.office.author)
    shown = await client.get(page)
    outline(shown, DESK_POLICY)
    assert 'id="TI-01"' in shown.text
    assert "现场核对不一致" in shown.text
    assert f"/desk/evidence/{piece}" in shown.text
    assert shown.text.count('<li class="done"><span>') >= 1  # stages
    after = await done(client, page, f"{page}/acceptance", _which="accept")
    assert "已审核通过" in after.text
    again = await send(client, page, f"{page}/acceptance", _which="accept")
    outline(again, DESK_POLICY)
    assert again.status_code == 409


async def test_a_return_says_what_is_wanted_of_which_item(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    page = await complete(owner, matter)
    await as_person(client, matter.office.author)
    silent = await send(client, page, f"{page}/return", _which="return", reason="")
    outline(silent, DESK_POLICY)
    assert (silent.status_code, "没有写明要求" in silent.text) == (422, True)
    fields = {"item-TI-01": "请补拍门牌", "item-TI-02": " "}
    after = await done(client, page, f"{page}/return", _which="return", reason="总体", **fields)
    assert "TI-01：请补拍门牌" in after.text
    act = matter.office.author.act(clock())
    assert (
        await visit_lists.get(matter.visit, act=act)
    ).review_reason == "总体\nTI-01：请补拍门牌"


async def test_a_visit_is_not_concluded_without_its_record(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    page = await complete(owner, matter, "accepted")
    await as_person(client, matter.office.author)
    answer = await send(client, page, f"{page}/conclusion", _which="conclude")
    outline(answer, DESK_POLICY)
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    await as_person(client, matter.office.approver)
    assert (await client.post(f"{page}/conclusion")).status_code == 403


async def test_a_blind_count_is_ordered_by_one_and_given_by_another(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    piece = await casework.a_piece(owner, visit=matter.visit)
    page = await complete(owner, matter)
    await as_person(client, matter.office.author)
    await done(client, page, f"{page}/recounts", _which="recount", evidence=str(piece))
    assert "没有待清点的图片" in (await client.get("/desk/recounts")).text
    await as_person(client, matter.office.approver)
    list_page = await client.get("/desk/recounts")
    outline(list_page, DESK_POLICY)
    assert str(matter.visit) not in list_page.text
    act = matter.office.author.act(clock())
    (asked,) = await recounts.of_visit(matter.visit, act=act)
    path = f"/desk/recounts/{asked.id}"
    which = f"count-{asked.id}"
    wrong = await send(client, "/desk/recounts", path, _which=which, heads="many")
    outline(wrong, DESK_POLICY)
    assert (wrong.status_code, 'value="many"' in wrong.text) == (422, True)
    await done(client, "/desk/recounts", path, _which=which, heads="31")
    (asked,) = await recounts.of_visit(matter.visit, act=act)
    assert asked.heads == 31


async def test_evidence_is_shown_with_its_neighbours(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    piece = await casework.a_piece(owner, visit=matter.visit)
    await as_person(client, matter.office.author)
    page = await client.get(f"/desk/evidence/{piece}")
    outline(page, DESK_POLICY)
    assert 'rel="prev"' in page.text
    assert 'rel="next"' not in page.text
    assert (await client.get(f"/desk/evidence/{new_id()}")).status_code == 404
    await as_person(client, matter.user)
    assert (await client.get(f"/desk/evidence/{piece}")).status_code == 403


async def test_a_page_of_a_visit_asks_as_often_for_many_answers_as_for_one(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    few = await casework.a_matter(owner, clock())
    many = await casework.a_matter(
        owner, clock(), *[f"TI-{n:02}" for n in range(1, 11)], office=few.office
    )
    for _ in range(20):
        await casework.a_piece(owner, visit=many.visit)
    await as_person(client, few.office.author)
    counts = []
    for matter in (few, many):
        with queries() as said:
            answer = await client.get(f"/desk/visits/{matter.visit}")
        assert answer.status_code == 200
        counts.append(len(said))
    assert counts[0] == counts[1]


async def test_search_finds_by_name_and_whole_code(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    act = matter.office.author.act(clock())
    known = await names_of([matter.institution, matter.visit], act=act)
    await as_person(client, matter.office.author)
    by_name = await client.get("/desk/search", params={"q": known[matter.institution][2:8]})
    outline(by_name, DESK_POLICY)
    assert f"/desk/institutions/{matter.institution}" in by_name.text
    by_code = await client.get("/desk/search", params={"q": known[matter.visit].lower()})
    assert f"/desk/visits/{matter.visit}" in by_code.text
    nothing = await client.get("/desk/search", params={"q": "<b>不存在</b>"})
    outline(nothing, DESK_POLICY)
    assert "&lt;b&gt;" in nothing.text
    stranger = await casework.an_office(clock(), world.HARBIN, "哈人社")
    await as_person(client, stranger.author)
    foreign = await client.get("/desk/search", params={"q": known[matter.visit]})
    assert str(matter.visit) not in foreign.text


async def test_every_page_of_the_menu_opens_for_those_who_see_it(
    client: Client, clock: StillClock
) -> None:
    office = await casework.an_office(clock())
    for who in (office.author, office.approver, office.legal):
        await as_person(client, who)
        for _, entries in menu.of(who.person):
            for entry in entries:
                page = await client.get(entry.href)
                assert page.status_code == 200, entry.href
                assert 'aria-current="page"' in page.text, entry.href


async def test_a_person_chooses_light_or_dark(client: Client, clock: StillClock) -> None:
    office = await casework.an_office(clock())
    await as_person(client, office.author)
    fields = {"theme": "dark", "back": "/desk/visits"}
    after = await done(client, "/desk", "/desk/theme", **fields)
    assert "mingcha-dark.css" in after.text
    assert 'content="dark"' in after.text
    away = await send(client, "/desk", "/desk/theme", theme="dark", back="//elsewhere.invalid")
    assert away.status_code == 400
    odd = await send(client, "/desk", "/desk/theme", theme="pink")
    assert odd.status_code == 400


async def test_files_of_the_desk_are_kept_by_their_digest(client: Client) -> None:
    for address in (scripts.address("desk/keys.js"), built.address("htmx.min.js")):
        if address is None:  # before the first build pages work without
            continue
        answer = await client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        plain = await client.get(address, headers={"accept-encoding": "identity"})
        assert plain.content == answer.content
    assert (await client.get("/assets/0000/built/htmx.min.js")).status_code == 404


async def test_what_went_astray_is_settled_with_a_reason(
    owner: asyncpg.Connection, client: Client, clock: StillClock
) -> None:
    office = await casework.an_office(clock())
    letter = new_id()
    await owner.execute(
        "insert into dead_letter (id, region, code, envelope, envelope_sha256, state, created_at)"
        " values ($1, $2, 'op.malformed', 'x', $3, 'open', now())",
        letter,
        office.region,
        letter.bytes * 2,
    )
    await as_person(client, office.author)
    home = await client.get("/desk?lang=en")
    outline(home, DESK_POLICY)
    assert "/desk/strays?lang=en#letters" in home.text
    page = await client.get("/desk/strays")
    outline(page, DESK_POLICY)
    path, which = f"/desk/strays/letters/{letter}", f"letter-{letter}"
    empty = await send(client, "/desk/strays", path, _which=which, what="close", reason="")
    outline(empty, DESK_POLICY)
    assert (empty.status_code, "请填写此项" in empty.text) == (422, True)
    after = await done(client, "/desk/strays", path, _which=which, what="close", reason="重复发送")
    assert "没有异常" in after.text
    await as_person(client, office.approver)
    assert (await client.post(path, data={"what": "close"})).status_code == 403


def test_every_matter_that_waits_has_a_page() -> None:
    assert set(waiting.MATTERS) - set(home_page.PAGES) == set()


def test_places_stay_in_the_drawing_however_far_they_are() -> None:
    drawn = around([(0, 0, 5, "", True), (12, -40, 8, "TI-01", False), (90_000, 0, 9, "", False)])
    assert all(0 <= mark.x <= drawn.size and 0 <= mark.y <= drawn.size for mark in drawn.marks)
    assert drawn.rings[0][0] < drawn.rings[1][0] <= drawn.size // 2
    assert around([]).marks == ()
