"""The shipped codes: structure, counts, samples, years; the credit code's check digit."""

from collections.abc import Iterable

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.services import credit_code, occupations, regions
from backend.services.errors import Absent
from inspection_plans.loader import load
from tests.backend.desk import Desk

LETTERS = st.sampled_from(credit_code.ALPHABET)
BODIES = st.builds(
    "{}{}{}".format,
    st.text(LETTERS, min_size=2, max_size=2),
    st.integers(0, 999_999).map("{:06d}".format),
    st.text(LETTERS, min_size=9, max_size=9),
)


def in_year(year: int) -> list[regions.Region]:
    return [region for region in regions.shipped().values() if region.stands_in(year)]


def count(found: Iterable[regions.Region], level: str) -> int:
    return sum(region.level == level for region in found)


def test_every_code_has_its_place() -> None:
    shipped = regions.shipped()
    for code, region in shipped.items():
        if region.level == "prefecture":
            assert code % 10_000 != 0
            assert code % 100 == 0
            assert region.parent == code // 10_000 * 10_000
        elif region.level == "province":
            assert (code % 10_000, region.parent) == (0, regions.NATION)
        else:
            assert (code, region.parent) == (regions.NATION, None)
        assert region.parent is None or region.parent in shipped
        assert region.valid_until is None or region.valid_from <= region.valid_until
    assert list(shipped) == sorted(shipped)
    lines = regions.FILE.read_text("utf-8").splitlines()[1:]
    assert len(lines) == len(shipped)  # a code that stands twice would have been swallowed


def test_names_are_written_in_full_and_once_within_a_province() -> None:
    endings = ("省", "市", "区", "州", "盟", "国")
    assert all(region.name_zh.endswith(endings) for region in regions.shipped().values())
    now = in_year(2026)
    names = [(region.parent, region.name_zh) for region in now]
    english = [(region.parent, region.name_en) for region in now]
    assert len(set(names)) == len(names)
    assert len(set(english)) == len(english)


@pytest.mark.parametrize(
    ("year", "prefectures"),
    # Published totals of prefecture-level units at the end of each year.
    [(2010, 333), (2011, 332), (2012, 333), (2014, 333), (2015, 334), (2018, 334), (2019, 333)],
)
def test_the_totals_of_each_year(year: int, prefectures: int) -> None:
    assert count(in_year(year), "prefecture") == prefectures
    assert count(in_year(year), "province") == 34


def test_one_successor_for_each_code_that_ended_by_upgrade() -> None:
    """地区 that became cities kept their name under a new code of the same province."""
    for old in regions.shipped().values():
        if old.valid_until is None or not old.name_zh.endswith("地区"):
            continue
        name = old.name_zh.removesuffix("地区") + "市"
        (new,) = [r for r in regions.shipped().values() if r.name_zh == name]
        assert (new.parent, new.valid_from) == (old.parent, old.valid_until + 1)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (370000, "山东省"),
        (370100, "济南市"),
        (371000, "威海市"),
        (371700, "菏泽市"),
        (140100, "太原市"),
        (230100, "哈尔滨市"),
        (232700, "大兴安岭地区"),
        (110000, "北京市"),
        (222400, "延边朝鲜族自治州"),
        (460400, "儋州市"),
        (654300, "阿勒泰地区"),
        (820000, "澳门特别行政区"),
    ],
)
def test_known_codes(code: int, name: str) -> None:
    assert regions.shipped()[code].name_zh == name


def test_laiwu_ended_with_2018() -> None:
    laiwu = regions.shipped()[371200]
    assert (laiwu.name_zh, laiwu.stands_in(2018), laiwu.stands_in(2019)) == ("莱芜市", True, False)


async def test_loading_again_changes_nothing(desk: Desk, owner: asyncpg.Connection) -> None:
    before = await owner.fetch("select * from region order by code")
    await regions.load(owner)
    await occupations.load(owner)
    assert await owner.fetch("select * from region order by code") == before
    assert len(before) == len(regions.shipped())
    assert len(await occupations.occupations(act=desk.act)) == 10


async def test_below_and_under(desk: Desk) -> None:
    shandong = await regions.below(370000, act=desk.act)
    assert (shandong[0], len(shandong)) == (370000, 18)
    assert await regions.below(371000, act=desk.act) == (371000,)
    assert await regions.below(999999, act=desk.act) == ()
    nation = await regions.below(regions.NATION, act=desk.act)
    assert set(nation) == set(regions.shipped())
    under = await regions.regions(370000, act=desk.act)
    assert [region.code for region in under] == list(shandong[1:])
    (top,) = await regions.regions(None, act=desk.act)
    assert top == await regions.region(regions.NATION, act=desk.act)
    with pytest.raises(Absent):
        await regions.region(999999, act=desk.act)


def test_occupations_are_those_of_the_national_paper() -> None:
    shipped, rules = occupations.shipped(), load()
    words = rules.clause(shipped.source).key_terms
    levels = rules.clause("national-2021-71/3.1/three-levels").parameters["levels"]
    assert len(shipped.occupations) == rules.clause(shipped.source).parameters["count"]
    for name in shipped.occupations.values():  # the paper breaks 数字化管理 at a line's end
        assert any(name.zh.startswith(word) for word in words)
    assert [name.zh for name in shipped.levels.values()] == levels


@given(BODIES)
def test_a_completed_code_is_valid(body: str) -> None:
    assert credit_code.is_valid(credit_code.complete(body))


@given(BODIES, st.integers(0, 17), LETTERS)
def test_one_wrong_character_is_found(body: str, place: int, sign: str) -> None:
    """31 is prime and no weight is a multiple of it: every single slip changes the check."""
    code = credit_code.complete(body)
    slipped = code[:place] + sign + code[place + 1 :]
    assert credit_code.is_valid(slipped) == (slipped == code)


@given(BODIES, st.integers(0, 15))
def test_two_exchanged_neighbours_are_found(body: str, place: int) -> None:
    code = credit_code.complete(body)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert credit_code.is_valid(swapped) == (swapped == code)


@pytest.mark.parametrize("code", ["91350100M000100Y43"])
def test_the_sample_of_the_standard(code: str) -> None:
    assert credit_code.is_valid(code)


@pytest.mark.parametrize("code", ["", "1", "91350100M000100Y4O", "９1350100M000100Y43", "X" * 30])
def test_what_is_no_code(code: str) -> None:
    assert not credit_code.is_valid(code)


def test_a_malformed_body_is_refused() -> None:
    with pytest.raises(credit_code.MalformedBody):
        credit_code.complete("9135010")
