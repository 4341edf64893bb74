"""Rows come in whole or not at all; every wrong cell is named and nothing is changed."""

import asyncio
from datetime import date, time
from typing import Any, get_args

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.services import exports, imports, versions
from backend.services.errors import Absent
from backend.services.imports import cells, refusals, sheets
from backend.services.imports.rows import letter
from tests.backend.desk import Desk
from tests.backend.sheets import (
    ONE_OF_EACH,
    Cells,
    a_catalogue_entry,
    a_class,
    a_credit_code,
    a_relation,
    a_session,
    a_trainee,
    an_inspector,
    an_institution,
)
from tests.world import SHANXI, WEIHAI, a_person, signed_in

WRONG_CHECK = a_credit_code()[:-1] + ("0" if a_credit_code()[-1] != "0" else "1")

# kind, changed cells, the cell that is named, its code
WRONG: list[tuple[str, Cells, str, str]] = [
    ("institutions", {"name": ""}, "name", "cell.required"),
    ("institutions", {"name": "　"}, "name", "cell.required"),
    ("institutions", {"name": "长" * 121}, "name", "cell.too_long"),
    ("institutions", {"name": "两\n行"}, "name", "cell.control_character"),
    ("institutions", {"name": "零\0字节"}, "name", "cell.control_character"),
    ("institutions", {"credit_code": WRONG_CHECK}, "credit_code", "cell.credit_code"),
    ("institutions", {"credit_code": "12345"}, "credit_code", "cell.credit_code"),
    ("institutions", {"credit_code": "９1350100M000100Y43"}, "credit_code", "cell.full_width"),
    ("institutions", {"kinds": "培训机构;学校"}, "kinds", "cell.choice"),
    ("institutions", {"kinds": ";"}, "kinds", "cell.required"),
    ("institutions", {"risk_class": "E"}, "risk_class", "cell.choice"),
    ("institutions", {"home_region": "３７００００"}, "home_region", "cell.full_width"),
    ("institutions", {"home_region": "379900"}, "home_region", "cell.region_unknown"),
    ("institutions", {"home_region": "371200"}, "home_region", "cell.region_unknown"),
    ("institutions", {"home_region": "山东"}, "home_region", "cell.form"),
    ("institutions", {"region": "140000"}, "region", "cell.region_foreign"),
    ("institutions", {"is_base": "也许"}, "is_base", "cell.choice"),
    ("institutions", {"frequency_cap": "-1"}, "frequency_cap", "cell.form"),
    ("institutions", {"frequency_cap": "366"}, "frequency_cap", "cell.range"),
    ("institutions", {"frequency_cap": "１２"}, "frequency_cap", "cell.full_width"),
    ("institutions", {"latitude": "91"}, "latitude", "cell.range"),
    ("institutions", {"latitude": "北纬37度"}, "latitude", "cell.form"),
    ("institutions", {"crs": ""}, "crs", "cell.position"),
    ("institutions", {"longitude": ""}, "longitude", "cell.position"),
    ("catalogue", {"credit_code": a_credit_code(9)}, "credit_code", "cell.owner_unknown"),
    ("catalogue", {"region": "371000"}, "credit_code", "cell.owner_unknown"),
    ("catalogue", {"kind": "合作方"}, "kind", "cell.choice"),
    ("catalogue", {"occupation": "算命"}, "occupation", "cell.choice"),
    ("catalogue", {"levels": "特级"}, "levels", "cell.choice"),
    ("catalogue", {"listed_on": "2024-02-30"}, "listed_on", "cell.form"),
    ("catalogue", {"listed_on": "２０２４-05-01"}, "listed_on", "cell.full_width"),
    ("catalogue", {"valid_until": "2024-04-30"}, "valid_until", "cell.order"),
    ("catalogue", {"valid_until": "2027-05-02"}, "valid_until", "cell.term"),
    ("catalogue", {"delisted_on": "2024-04-30"}, "delisted_on", "cell.order"),
    ("inspectors", {"licence_until": "2026-03-01"}, "licence_until", "cell.licence_expired"),
    ("inspectors", {"areas": "370100;999999"}, "areas", "cell.region_unknown"),
    ("inspectors", {"areas": "371200"}, "areas", "cell.region_unknown"),
    ("inspectors", {"cap": ""}, "cap", "cell.required"),
    ("inspectors", {"staff_code": "S 1"}, "staff_code", "cell.form"),
    ("inspectors", {"staff_code": "S9", "licence_no": "37-00001"}, "licence_no", "cell.taken"),
    ("relations", {"licence_no": "37-99999"}, "licence_no", "cell.owner_unknown"),
    ("relations", {"until": "2026-01-04"}, "until", "cell.order"),
    ("classes", {"ends_on": "2026-02-28"}, "ends_on", "cell.order"),
    ("classes", {"venue_region": "371200"}, "venue_region", "cell.region_unknown"),
    ("classes", {"level": "初级;中级"}, "level", "cell.choice"),
    ("sessions", {"class_code": "C999"}, "class_code", "cell.owner_unknown"),
    ("sessions", {"ends": "09:00"}, "ends", "cell.order"),
    ("sessions", {"starts": "25:00"}, "starts", "cell.form"),
    ("sessions", {"starts": "上午"}, "starts", "cell.form"),
    ("sessions", {"on_date": "2026-04-01"}, "on_date", "cell.outside_class"),
    ("rosters", {"id_tail": "12345"}, "id_tail", "cell.form"),
    ("rosters", {"id_tail": "X123"}, "id_tail", "cell.form"),
    ("rosters", {"roster_no": "0"}, "roster_no", "cell.range"),
    ("items", {"object_kind": "学校"}, "object_kind", "cell.choice"),
    ("items", {"region": "140000"}, "region", "cell.region_foreign"),
]


@pytest.mark.parametrize(("kind", "changed", "key", "code"), WRONG)
async def test_a_wrong_cell_is_named_and_nothing_changes(
    desk: Desk, kind: str, changed: Cells, key: str, code: str
) -> None:
    await desk.fill()
    held = await desk.held()
    good = ONE_OF_EACH[kind][0]
    with pytest.raises(refusals.ImportRefused) as refused:
        await desk.take(kind, good | changed)
    (run, *_) = await imports.runs(act=desk.act)
    (error,) = run.errors
    place = [column.key for column in sheets.sheet(kind).columns].index(key)
    assert (error.row, error.column, error.key, error.code) == (2, letter(place), key, code)
    assert error.reason_zh
    assert error.reason_en
    assert (run.state, run.error_count) == ("refused", 1)
    assert refused.value.facts["errors"][0]["code"] == code  # type: ignore[index]
    assert refused.value.facts["run"] == str(run.id)
    assert await desk.held() == held


async def test_one_bad_row_among_many_keeps_all_out(desk: Desk) -> None:
    rows = [an_institution(n) for n in range(1, 101)]
    rows[57] |= {"risk_class": "Z", "home_region": ""}
    rows[80] |= {"credit_code": a_credit_code(3)}
    held = await desk.held()
    with pytest.raises(refusals.ImportRefused):
        await desk.take("institutions", *rows)
    (run,) = await imports.runs(act=desk.act)
    named = [(error.row, error.key, error.code) for error in run.errors]
    assert named == [
        (59, "home_region", "cell.required"),
        (59, "risk_class", "cell.choice"),
        (82, "credit_code", "cell.duplicate"),
    ]
    assert run.errors[2].facts == {"first_row": 4}
    assert await desk.held() == held


async def test_rows_are_created_updated_and_left_alone(desk: Desk) -> None:
    first = await desk.take("institutions", an_institution(1), an_institution(2))
    desk.clock.tick(days=1)
    second = await desk.take(
        "institutions", an_institution(1), an_institution(2, name="改名"), an_institution(3)
    )
    counts = (second.created_count, second.updated_count, second.unchanged_count)
    assert (first.created_count, counts) == (2, (1, 1, 1))
    stored = await desk.owner.fetch("select name, rev from institution order by credit_code")
    assert [tuple(row) for row in stored] == [
        ("虚构培训机构1", 1),
        ("改名", 2),
        ("虚构培训机构3", 1),
    ]
    assert (await desk.held())["directory_version"] == 4


@pytest.mark.parametrize("kind", imports.kinds())
async def test_the_same_rows_again_change_nothing(desk: Desk, kind: str) -> None:
    await desk.fill()
    held = await desk.held()
    again = await desk.take(kind, *ONE_OF_EACH[kind])
    assert (again.unchanged_count, again.updated_count, again.created_count) == (1, 0, 0)
    assert await desk.held() == held


CHANGES: dict[str, Cells] = {
    "institutions": {"phone": "0631-0000000", "risk_class": "D"},
    "catalogue": {"levels": "高级", "delisted_on": "2026-02-01"},
    "inspectors": {"available": "否", "skills": "", "areas": "371000"},
    "relations": {"until": "2026-12-31"},
    "classes": {"teacher": "另一教师", "status": "结业"},
    "sessions": {"on_date": "2026-03-06", "status": "改期"},
    "rosters": {"name": "改名学员"},
    "items": {"way": "书面检查", "frequency_cap": "3"},
}


@pytest.mark.parametrize("kind", imports.kinds())
async def test_an_update_is_stored_and_versioned(desk: Desk, kind: str) -> None:
    await desk.fill()
    held = await desk.held()
    desk.clock.tick(hours=1)
    run = await desk.take(kind, ONE_OF_EACH[kind][0] | CHANGES[kind])
    content = await exports.export(kind, "csv", act=desk.act)
    assert run.updated_count == 1
    again = await desk.run(kind, content)
    assert again.unchanged_count == 1
    for value in filter(None, CHANGES[kind].values()):
        assert value in content.decode()
    assert await desk.held() == held | {"directory_version": held["directory_version"] + 1}


async def test_a_dry_run_says_what_it_would_do(desk: Desk) -> None:
    await desk.take("institutions", an_institution(1))
    held = await desk.held()
    rows = (an_institution(1, name="改名"), an_institution(2))
    good = await desk.take("institutions", *rows, dry_run=True)
    bad = await desk.take("institutions", an_institution(3, risk_class="Z"), dry_run=True)
    assert (good.state, good.created_count, good.updated_count) == ("checked", 1, 1)
    assert (bad.state, bad.error_count) == ("refused", 1)
    assert await desk.held() == held
    assert [run.id for run in await imports.runs(act=desk.act)][:2] == [bad.id, good.id]


async def test_the_same_code_in_two_regions_must_be_told_apart(desk: Desk) -> None:
    await desk.take("institutions", an_institution(1), an_institution(1, region=str(WEIHAI)))
    with pytest.raises(refusals.ImportRefused) as refused:
        await desk.take("catalogue", a_catalogue_entry(1))
    told: Any = refused.value.facts["errors"]
    assert told[0]["code"] == "cell.owner_ambiguous"
    run = await desk.take("catalogue", a_catalogue_entry(1, region=str(WEIHAI)))
    assert run.created_count == 1
    assert await desk.owner.fetchval("select region from catalogue_entry") == WEIHAI


async def test_a_term_that_begins_on_a_leap_day_ends_on_the_last_of_february(desk: Desk) -> None:
    await desk.fill()
    await desk.take("catalogue", a_catalogue_entry(listed_on="2024-02-29", kind="评价机构"))
    last = await desk.owner.fetchval(
        "select valid_until from catalogue_entry where kind = 'evaluation'"
    )
    assert last == date(2027, 2, 28)


async def test_a_licence_runs_out_in_peace(desk: Desk) -> None:
    """Only a day that is entered now must lie ahead: the rest of the row can still change."""
    await desk.fill()
    desk.clock.tick(days=1000)
    run = await desk.take("inspectors", an_inspector(available="否"))
    assert run.updated_count == 1


async def test_two_licences_in_one_file_are_told_apart(desk: Desk) -> None:
    with pytest.raises(refusals.ImportRefused) as refused:
        await desk.take("inspectors", an_inspector(1), an_inspector(2, licence_no="37-00001"))
    told: Any = refused.value.facts["errors"]
    assert [(error["row"], error["code"]) for error in told] == [(3, "cell.taken")]


async def test_an_update_keeps_the_linked_account(desk: Desk) -> None:
    await desk.fill()
    account = (await a_person(desk.clock(), "inspector")).person.id
    await desk.owner.execute("update inspector set account = $1", account)
    await desk.take("inspectors", an_inspector(unit="另一单位"))
    again = await desk.take("inspectors", an_inspector(unit="另一单位"))
    latest = await versions.versions("inspector", await desk.id_of("inspector"), act=desk.act)
    assert await desk.owner.fetchval("select account from inspector") == account
    assert latest[0].payload["account"] == str(account)
    assert again.unchanged_count == 1


async def test_two_imports_at_once_make_each_row_once(desk: Desk) -> None:
    rows = [an_institution(n) for n in range(1, 21)]
    both = await asyncio.gather(desk.take("institutions", *rows), desk.take("institutions", *rows))
    assert sorted(run.created_count for run in both) == [0, 20]
    assert sorted(run.unchanged_count for run in both) == [0, 20]
    assert (await desk.held())["institution"] == 20


async def test_another_region_does_not_see_the_runs_nor_the_rows(desk: Desk) -> None:
    run = await desk.take("institutions", an_institution(1))
    other = await a_person(desk.clock(), "supervisor", region=SHANXI)
    stranger = Desk(other, desk.clock, desk.rules, desk.owner)
    assert await imports.runs(act=stranger.act) == ()
    with pytest.raises(Absent):
        await imports.import_run(run.id, act=stranger.act)
    with pytest.raises(refusals.ImportRefused):
        await stranger.take("catalogue", a_catalogue_entry(1))
    mine = await stranger.take("institutions", an_institution(1))
    assert mine.created_count == 1


async def test_an_import_is_in_the_audit_log(desk: Desk) -> None:
    run = await desk.take("institutions", an_institution(1))
    body = await desk.owner.fetchval(
        "select body from aud.entry where body ->> 'verb' = 'import.imported'"
    )
    assert str(run.id) in body
    assert run.sha256 in body


async def test_unknown_columns_and_kinds(desk: Desk) -> None:
    with pytest.raises(refusals.WrongColumns) as refused:
        await desk.take("institutions", an_institution() | {"colour": "red"})
    assert refused.value.facts["unknown"] == ["colour"]
    with pytest.raises(sheets.KindUnknown):
        await desk.take("teachers", an_institution())
    with pytest.raises(refusals.EmptyFile):
        await desk.take("institutions")


async def test_the_size_of_a_province(desk: Desk) -> None:
    """300 institutions, 60 inspectors, 40 classes, 1,600 trainees."""
    files = {
        "institutions": [an_institution(n) for n in range(1, 301)],
        "inspectors": [an_inspector(n) for n in range(1, 61)],
        "classes": [a_class(n) for n in range(1, 41)],
        "rosters": [a_trainee(n, p) for n in range(1, 41) for p in range(1, 41)],
    }
    contents = {kind: exports.write(kind, rows, "xlsx") for kind, rows in files.items()}
    runs = [await desk.run(kind, content) for kind, content in contents.items()]
    assert [run.created_count for run in runs] == [300, 60, 40, 1600]


def columns(*types: str) -> list[sheets.Column]:
    every = [column for kind in sheets.kinds() for column in sheets.sheet(kind).columns]
    return [column for column in every if column.type in types]


TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40).filter(
    lambda text: text.strip() == text
)


@given(st.sampled_from(columns("text")), TEXTS)
def test_a_text_is_what_its_cell_says(column: sheets.Column, text: str) -> None:
    value = cells.parse(column, text)
    assert cells.parse(column, cells.text_of(column, value)) == value


@given(
    st.sampled_from(columns("degrees")),
    st.integers(-90 * cells.E7, 90 * cells.E7),
)
def test_a_position_keeps_its_last_place(column: sheets.Column, value: int) -> None:
    assert cells.parse(column, cells.text_of(column, value)) == value


@given(st.sampled_from(columns("date")), st.dates(date(1000, 1, 1)))
def test_a_date_makes_the_round_trip(column: sheets.Column, value: date) -> None:
    assert cells.parse(column, cells.text_of(column, value)) == value


@given(st.sampled_from(columns("time")), st.times())
def test_a_time_makes_the_round_trip(column: sheets.Column, value: time) -> None:
    minute = value.replace(second=0, microsecond=0)
    assert cells.parse(column, cells.text_of(column, minute)) == minute


@given(st.sampled_from(columns("choices", "levels")), st.data())
def test_choices_make_the_round_trip_in_one_order(
    column: sheets.Column, data: st.DataObject
) -> None:
    chosen = data.draw(st.sets(st.sampled_from(sorted(column.choices)), min_size=1))
    value = cells.parse(column, ";".join(chosen))
    assert set(value) == chosen
    assert cells.parse(column, cells.text_of(column, value)) == value


@given(st.sampled_from(columns(*get_args(sheets.ColumnType))), st.text(max_size=60))
def test_any_text_is_a_value_or_a_refusal(column: sheets.Column, text: str) -> None:
    named, value = None, None
    try:
        value = cells.parse(column, text)
    except refusals.CellRefusal as refusal:
        named = refusal.field
    assert named in (None, column.key)
    if named is None and value is not None:
        assert cells.parse(column, cells.text_of(column, value)) == value


def test_columns_have_letters() -> None:
    assert [letter(place) for place in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]


async def test_relations_and_sessions_of_the_factories_are_good(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    """The template's columns over HTTP, filled in and imported, one directory after another."""
    headers = await signed_in(client, desk.who)
    for kind, (row,) in ONE_OF_EACH.items():
        template = await client.get(f"/api/v1/templates/{kind}/csv", headers=headers)
        heads = template.content.decode("utf-8-sig").strip().split(",")
        names = {column.title: column.key for column in sheets.sheet(kind).columns}
        line = ",".join(row.get(names[head], "") for head in heads)
        body = template.content + f"{line}\r\n".encode()
        answer = await client.post(
            f"/api/v1/imports/{kind}?file_name={kind}.csv", content=body, headers=headers
        )
        assert (answer.status_code, answer.json()["state"]) == (201, "imported"), answer.text
    assert set((await desk.held()).values()) == {0, 1, 8}
    assert a_relation()["licence_no"] == an_inspector()["licence_no"]
    assert a_session()["class_code"] == a_class()["code"]
