"""What goes out can come in again; nothing in a cell runs."""

import csv
import io
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from backend.services import exports, imports
from backend.services.imports import child, sheets
from tests.backend.desk import Desk
from tests.backend.sheets import ONE_OF_EACH, a_trainee, an_institution
from tests.world import SHANXI, a_person, signed_in

SPITEFUL = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠x", "'quoted", "'=1"]
CELLS = st.lists(st.lists(st.text(st.characters(exclude_categories=("Cc", "Cs"))), min_size=1))


@pytest.mark.parametrize("form", ["xlsx", "csv"])
@pytest.mark.parametrize("kind", imports.kinds())
async def test_an_export_imports_as_unchanged(desk: Desk, kind: str, form: exports.Form) -> None:
    await desk.fill()
    held = await desk.held()
    content = await exports.export(kind, form, act=desk.act)
    run = await desk.run(kind, content)
    assert (run.state, run.row_count, run.unchanged_count) == ("imported", 1, 1)
    assert await desk.held() == held


@pytest.mark.parametrize("form", ["xlsx", "csv"])
async def test_a_name_that_would_run_goes_out_as_text(desk: Desk, form: exports.Form) -> None:
    await desk.take(
        "institutions", *[an_institution(n, name=name) for n, name in enumerate(SPITEFUL, 1)]
    )
    content = await exports.export("institutions", form, act=desk.act)
    if form == "csv":
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        assert [line[1] for line in lines[1:]] == [f"'{name}" for name in SPITEFUL]
    else:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
        assert [row[1] for row in sheet.to_python()[1:]] == SPITEFUL
    run = await desk.run("institutions", content)
    assert (run.unchanged_count, run.updated_count) == (len(SPITEFUL), 0)


@given(CELLS)
def test_csv_keeps_any_text(rows: list[list[str]]) -> None:
    """Rows that say nothing are left out; everything else comes back as it went."""
    read = child.read(child.write_csv(["列"], rows))
    said = [row for row in rows if any(cell.strip() for cell in row)]
    assert [cells for _, cells in read["lines"]] == [["列"], *said]


@given(CELLS)
def test_no_cell_of_csv_begins_like_a_formula(rows: list[list[str]]) -> None:
    text = child.write_csv(["列"], rows).decode("utf-8-sig")
    for line in csv.reader(io.StringIO(text, newline="")):
        assert not any(cell[:1] and cell[0] in child.ACTIVE for cell in line)


def test_csv_begins_with_a_mark_for_spreadsheets() -> None:
    assert exports.template("rosters", "csv").startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("kind", imports.kinds())
def test_a_template_explains_its_columns(kind: str) -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(exports.template(kind, "xlsx")))
    described = sheets.sheet(kind)
    assert book.sheet_names == [described.zh, sheets.guide().title]
    heads: list[list[Any]] = book.get_sheet_by_index(0).to_python()
    guide = book.get_sheet_by_index(1).to_python()
    assert heads == [[column.title for column in described.columns]]
    assert [line[0] for line in guide[1:]] == heads[0]
    assert {line[1] for line in guide[1:]} == {"", sheets.guide().required}


async def test_a_template_filled_in_by_its_own_words_is_good(desk: Desk) -> None:
    """Every heading may be written as key, in Chinese, in English or as both."""
    for form in range(4):
        heads = [column.names[form] for column in sheets.sheet("institutions").columns]
        keys = [column.key for column in sheets.sheet("institutions").columns]
        row = an_institution(form + 1)
        content = child.write_csv(heads, [[row.get(key, "") for key in keys]])
        assert (await desk.run("institutions", content)).created_count == 1


async def test_an_export_holds_the_callers_rows_alone(desk: Desk) -> None:
    await desk.take("institutions", an_institution(1), an_institution(2, region="371000"))
    other = await a_person(desk.clock(), "supervisor", region=SHANXI)
    stranger = Desk(other, desk.clock, desk.rules, desk.owner)
    await stranger.take("institutions", an_institution(3))

    async def codes(who: Desk, region: int | None = None) -> int:
        content = await exports.export("institutions", "csv", act=who.act, region=region)
        return content.count(b"\n") - 1

    assert (await codes(desk), await codes(stranger)) == (2, 1)
    assert (await codes(desk, 371000), await codes(desk, SHANXI)) == (1, 0)


async def test_more_rows_than_a_file_takes(desk: Desk) -> None:
    await desk.fill()
    await desk.owner.execute(
        "insert into trainee select gen_random_uuid(), region, institution, training_class,"
        " roster_no + n, name, id_tail from trainee, generate_series(1, $1::int) n",
        child.ROWS,
    )
    with pytest.raises(exports.TooManyRows):
        await exports.export("rosters", "csv", act=desk.act)


@pytest.mark.parametrize(
    ("form", "mime"),
    [
        ("csv", "text/csv; charset=utf-8"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
async def test_files_over_http(
    desk: Desk, client: httpx.AsyncClient, form: str, mime: str
) -> None:
    await desk.fill()
    headers = await signed_in(client, desk.who)
    for kind in imports.kinds():
        for door in ("templates", "exports"):
            answer = await client.get(f"/api/v1/{door}/{kind}/{form}", headers=headers)
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"] == mime
            assert f'filename="{kind}.{form}"' in answer.headers["content-disposition"]
    unknown = await client.get(f"/api/v1/exports/teachers/{form}", headers=headers)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "import.kind_unknown")
    assert ONE_OF_EACH["rosters"] == [a_trainee()]
