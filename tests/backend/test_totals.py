"""How many rows a list has: on the page without counting, else counted up to a bound."""

from typing import Any

import asyncpg
import httpx

from backend.pages import lists
from backend.services import totals
from tests import casework
from tests.backend.test_desk_casework import as_person
from tests.conftest import StillClock


def test_a_list_on_one_page_needs_no_count_and_a_long_one_says_how_long() -> None:
    short = lists.shelf("/desk/x", [object()] * 3, {}, limit=50)
    assert (short.total, short.whole) == (3, "3")
    unknown = lists.shelf("/desk/x", [object()] * 50, {}, limit=50)
    assert unknown.total is None
    long = lists.shelf("/desk/x", [object()] * 50, {}, limit=50, total=12_345)
    assert (long.total, long.whole) == (12_345, "10,000+")
    assert lists.shelf("/desk/x", [object()] * 50, {}, limit=50, total=1234).whole == "1,234"


async def test_every_list_counts_what_its_filter_leaves(
    owner: asyncpg.Connection,
    client: httpx.AsyncClient,
    clock: StillClock,
) -> None:
    matter = await casework.a_matter(owner, clock())
    for _ in range(3):
        await casework.another(owner, matter, clock())
    act = matter.office.author.act(clock())
    scope = (list(act.by.regions), act.at)
    assert await totals.of("visits", *scope, None, None, act=act) == 4
    assert await totals.of("visits", *scope, "concluded", None, act=act) == 0
    assert await totals.of("findings", "verified", matter.institution, act=act) == 4
    nothing: dict[totals.List, tuple[Any, ...]] = {
        "notices": (None, None),
        "cases": (None,),
        "publications": (None,),
        "plans": (None, None),
        "draws": (),
        "classes": (None, None),
        "custody_acts": (None,),
        "bad_records": (None,),
        "bundles": (),
        "inspectors": ("",),
    }
    for name, filters in nothing.items():
        assert await totals.of(name, *filters, act=act) == 0, name
    assert await totals.of("institutions", "training", None, "", act=act) == 1
    assert await totals.of("items", act=act) == 1
    assert totals.ROWS.keys() == {*nothing, "visits", "findings", "institutions", "items"}
    for _ in range(47):
        await casework.a_visit(matter.office, matter.institution, clock())
    await as_person(client, matter.office.author)
    assert "显示 50 条，共 51 条" in (await client.get("/desk/visits")).text
