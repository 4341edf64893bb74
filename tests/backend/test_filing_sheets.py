"""Filings as workbooks: what goes out comes in again, and wrong cells are named."""

import io
from typing import Any

import httpx
import msgspec
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from backend.services import filing_shapes, filing_sheets, filings, registers
from backend.services.imports import child, refusals
from backend.services.imports.process import Table
from backend.services.registers import LISTS
from inspection_plans.loader import load_rulebook
from inspection_plans.records import plain
from tests.backend.desk import Desk
from tests.backend.test_filings import GOOD, Parties, parties
from tests.world import signed_in

__all__ = ["parties"]
TRAINEE = {"id": "1", "person": "p-0001", "enrolled_on": "2026-02-20", "retired": False}


def example(code: str) -> tuple[str, dict[str, Any]]:
    """A good payload of every register: of the form, and the rules' example of every list."""
    found = registers.register(code)
    period, payload = GOOD.get(code, OTHERS.get(code, ("", {})))
    period = (
        period
        or {"year": "2026", "quarter": "2026Q1", "class": "C001", "batch": "B001"}[found.period]
    )
    shown = plain(load_rulebook().example)
    lists = {}
    for name in found.lists:
        said = registers.implied(registers.records()[name], found, period)
        lists[name] = [
            {key: value for key, value in row.items() if key not in said and value is not None}
            for row in shown[name]
        ]
    return period, payload | ({LISTS: lists} if lists else {})


OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "R06b": ("2025", {"classes": 3, "trained": 90, "certified": 60, "text": "全年总结"}),
    "R08": (
        "C009",
        {"title": "一班", "starts_on": "2026-04-01", "venue": "虚构路1号", "persons": 40},
    ),
    "R09": ("2026", {"items": [{"occupation": "ai", "persons": 100}], "source": "虚构计划"}),
    "R14": (
        "C001",
        {
            "evaluated_on": "2026-03-31",
            "method": "问卷",
            "answered": 40,
            "satisfied": 38,
            "result": "良好",
        },
    ),
    "R24": (
        "2026",
        {
            "question_experts": 5,
            "examiners": 8,
            "supervisors": 2,
            "rooms": ["一号考场", "二号考场"],
            "platform": "虚构平台",
            "bank_version": "2026.1",
            "exam_rules": True,
            "secrecy_rules": True,
            "certificate_rules": False,
        },
    ),
    "R25": ("2026", {"items": [{"kind": "专业课", "persons": 40, "hours": 72}]}),
    "R26": ("2026", {"training_certificates": 100, "level_certificates": 60}),
}


def reopened(order: dict[str, Any]) -> list[Table]:
    """A workbook as the child writes and reads it, without a process for each."""
    read = child.read_sheets(child.write_book(order))
    return msgspec.convert([one for one in read["sheets"] if one["lines"]], list[Table])


@pytest.mark.parametrize("code", sorted(registers.registers()))
def test_what_goes_out_comes_in_again(code: str) -> None:
    """Every register, its form and every list, with a value in every field that has one."""
    period, payload = example(code)
    whole = registers.read(code, period, payload).written()
    read = filing_sheets.judge(code, period, reopened(filing_sheets.order(code, whole)))
    assert read.errors == ()
    assert registers.read(code, period, read.payload).written() == whole


@pytest.mark.parametrize("code", sorted(registers.registers()))
def test_an_empty_template_has_headings_and_a_guide(code: str) -> None:
    raw = child.write_book(filing_sheets.order(code, {}))
    book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
    shapes = filing_shapes.shapes(code)
    assert len(set(book.sheet_names)) == len(book.sheet_names)
    assert book.sheet_names == [s.name.zh for s in shapes] + [filing_shapes.guide().title]
    for place, shape in enumerate(shapes):
        heads = book.get_sheet_by_index(place).to_python()[0]
        assert len(heads) == len(shape.fields)
        assert all(" / " in str(head) for head in heads)


def a_book(sheets: dict[str, list[list[Any]]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        for name, lines in sheets.items():
            sheet = book.add_worksheet(name)
            for row, cells in enumerate(lines):
                sheet.write_row(row, 0, cells)
    return out.getvalue()


def trainees(*rows: dict[str, Any]) -> bytes:
    keys = [field.key for field in filing_shapes.shapes("R12")[-1].fields]
    return a_book({"学员名册": [keys, *[[row.get(key, "") for key in keys] for row in rows]]})


WRONG = [
    ({"enrolled_on": "二月"}, "enrolled_on", "cell.form"),
    ({"enrolled_on": ""}, "enrolled_on", "cell.required"),
    ({"ground": "好人"}, "ground", "cell.choice"),
    ({"retired": "也许"}, "retired", "cell.choice"),
    ({"home_region": "12"}, "home_region", "cell.range"),
    ({"person": "有 空格"}, "person", "filing.payload_invalid"),
    ({"person": "1" * 81}, "person", "cell.too_long"),
]


@pytest.mark.parametrize(("changed", "key", "code"), WRONG)
async def test_a_wrong_cell_is_named(changed: dict[str, Any], key: str, code: str) -> None:
    draft = {"roster_rev": 1, "persons": 1}
    content = trainees(TRAINEE, TRAINEE | {"id": "2"} | changed)
    read = await filing_sheets.read("R12", "C001", content, draft=draft)
    (error,) = read.errors
    assert (error.sheet, error.row, error.key, error.code) == ("学员名册", 3, key, code)
    assert error.column
    assert error.reason_zh
    assert error.reason_en


async def test_errors_come_back_in_the_workbook() -> None:
    content = trainees(TRAINEE, TRAINEE | {"id": "2", "enrolled_on": "二月"})
    marked = await filing_sheets.marked("R12", "C001", content)
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(marked)).get_sheet_by_index(0)
    heads, right, wrong = sheet.to_python()
    assert heads[-1] == filing_shapes.guide().errors
    assert right[-1] == ""
    assert "2026-01-31" in str(wrong[-1]) or "格式" in str(wrong[-1])


async def test_a_sheet_replaces_what_it_names_alone(parties: Parties) -> None:
    desk = parties.desk
    saved = await parties.save("R12")

    async def take(content: bytes) -> filings.Filing:
        return await filing_sheets.take(
            parties.institution, "R12", "C001", content, act=parties.act, rules=desk.rules
        )

    taken = await take(trainees(TRAINEE))
    assert taken.id == saved.id
    assert taken.payload["persons"] == saved.payload["persons"]
    assert len(taken.payload[LISTS]["trainees"]) == 1
    with pytest.raises(filing_sheets.SheetsRefused) as refused:
        await take(trainees(TRAINEE | {"enrolled_on": "?"}))
    assert refused.value.facts["error_count"] == 1
    held = await filings.filing(saved.id, act=parties.act, rules=desk.rules)
    assert held == taken


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", refusals.EmptyFile),
        (b"a,b", refusals.Unreadable),
        (b"PK\x03\x04 broken", refusals.Unreadable),
        (a_book({"别的": [["a"]]}), filing_sheets.SheetsForeign),
        (a_book({"学员名册": [["编号", "没有的列"]]}), refusals.WrongColumns),
        (a_book({"学员名册": []}), refusals.EmptyFile),
    ],
)
async def test_a_foreign_file_is_refused(content: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        await filing_sheets.read("R12", "C001", content)


async def test_workbooks_over_http(
    parties: Parties, client: httpx.AsyncClient, desk: Desk
) -> None:
    headers = await signed_in(client, parties.user)
    path = f"/api/v1/registers/R12/periods/C001/workbook?institution={parties.institution}"
    await parties.save("R12")
    taken = await client.post(path, content=trainees(TRAINEE), headers=headers)
    wrong = await client.post(path, content=trainees({}, TRAINEE | {"id": ""}), headers=headers)
    assert taken.status_code == 201, taken.text
    assert wrong.json()["code"] == "filing.sheets_refused"
    out = await client.get(f"/api/v1/filings/{taken.json()['id']}/workbook", headers=headers)
    back = await client.post(path, content=out.content, headers=headers)
    assert back.json()["payload"] == taken.json()["payload"]
    bad = path.replace("/workbook", "/marked")
    marked = await client.post(bad, content=trainees(TRAINEE | {"id": ""}), headers=headers)
    clean = await client.post(bad, content=trainees(TRAINEE), headers=headers)
    ends = [
        CalamineWorkbook.from_filelike(io.BytesIO(a.content)).get_sheet_by_index(0).to_python()[1]
        for a in (marked, clean)
    ]
    assert [bool(line[-1]) for line in ends] == [True, False]
    office = await signed_in(client, desk.who)
    shape = await client.get("/api/v1/registers/R12/shape", headers=office)
    known = await client.get("/api/v1/registers", headers=office)
    assert [sheet["key"] for sheet in shape.json()] == ["head", "grounds", "trainees"]
    assert set(known.json()) == set(registers.registers())
