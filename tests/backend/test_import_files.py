"""Files as people and attackers send them: each wrong one is refused and nothing is changed."""

import io
import os
import zipfile
from datetime import UTC, date, datetime, time

import httpx
import pytest
import xlsxwriter

from backend.services import exports, imports
from backend.services.imports import child, process, refusals, sheets
from tests.backend.desk import Desk
from tests.backend.sheets import ONE_OF_EACH, a_credit_code, a_session, an_institution
from tests.world import a_person, signed_in

HEADS = [column.title for column in sheets.sheet("institutions").columns]
KEYS = [column.key for column in sheets.sheet("institutions").columns]
GOOD = exports.write("institutions", [an_institution()], "xlsx")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def rewritten(name: str, body: bytes) -> bytes:
    """The good workbook with one member replaced."""
    out = io.BytesIO()
    assert name in zipfile.ZipFile(io.BytesIO(GOOD)).namelist()
    with zipfile.ZipFile(io.BytesIO(GOOD)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for member in old.namelist():
            new.writestr(member, body if member == name else old.read(member))
    return out.getvalue()


def far_cell(corner: str) -> bytes:
    """A sheet of two cells; a reader that makes the rectangle between them needs it all."""
    cell = '<row r="{0}"><c r="{1}" t="inlineStr"><is><t>x</t></is></c></row>'
    rows = cell.format(1, "A1") + cell.format(1048576, corner)
    body = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    return rewritten("xl/worksheets/sheet1.xml", body.encode())


def bomb() -> bytes:
    """A few kilobytes that unpack to a hundred megabytes."""
    return rewritten("xl/worksheets/sheet1.xml", b" " * 100_000_000)


def liar() -> bytes:
    """A bomb whose table of contents says that it is small."""
    raw = bytearray(bomb())
    size = (100_000_000).to_bytes(4, "little")
    while (place := raw.find(size)) >= 0:
        raw[place : place + 4] = (1000).to_bytes(4, "little")
    return bytes(raw)


def crowd() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        for n in range(child.MEMBERS + 1):
            book.writestr(f"xl/{n}.xml", "")
    return out.getvalue()


def rows(count: int) -> bytes:
    return child.write_csv(HEADS, [["x"]] * count)


def without(key: str) -> bytes:
    return child.write_csv(
        [head for head, k in zip(HEADS, KEYS, strict=True) if k != key], [["x"]]
    )


OLD = bytes.fromhex("d0cf11e0a1b11ae1")
ROSTER = exports.write("rosters", ONE_OF_EACH["rosters"], "csv")
WRONG: list[tuple[str, bytes, str]] = [
    ("no bytes", b"", "import.empty"),
    ("headings alone", exports.template("institutions", "xlsx"), "import.empty"),
    ("blank lines alone", b"\r\n\r\n", "import.empty"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(100), "import.unreadable"),
    (
        "an old or encrypted workbook",
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100),
        "import.unreadable",
    ),
    ("half a workbook", GOOD[: len(GOOD) // 2], "import.unreadable"),
    ("a zip of something else", b"PK\x03\x04" + bytes(50), "import.unreadable"),
    ("a sheet that is no XML", rewritten("xl/worksheets/sheet1.xml", b"<<<"), "import.unreadable"),
    ("no sheet", rewritten("xl/workbook.xml", b"<workbook/>"), "import.unreadable"),
    ("noise", os.urandom(50) + b"\xff\xff\0", "import.unreadable"),
    ("an open quote", b'"a,b\n', "import.unreadable"),
    ("a bomb", bomb(), "import.too_heavy"),
    ("too many members", crowd(), "import.too_heavy"),
    ("a cell at the end of the world", far_cell("XFD1048576"), "import.too_heavy"),
    ("a cell two gigabytes away", far_cell("BL1048576"), "import.too_heavy"),
    ("too many rows", rows(child.ROWS + 1), "import.too_long"),
    ("too many columns", b"," * child.COLUMNS + b"x", "import.too_long"),
    ("a cell like a book", child.write_csv(HEADS, [["x" * (child.CELL + 1)]]), "import.too_long"),
    ("a column less", without("phone"), "import.columns"),
    ("a column more", child.write_csv([*HEADS, "颜色"], [["x"]]), "import.columns"),
    ("a column twice", child.write_csv([*HEADS, "name"], [["x"]]), "import.columns"),
    (
        "another directory",
        exports.write("rosters", ONE_OF_EACH["rosters"], "csv"),
        "import.columns",
    ),
]


@pytest.mark.parametrize(("what", "content", "code"), WRONG, ids=[what for what, _, _ in WRONG])
@pytest.mark.parametrize("dry_run", ["true", "false"])
async def test_a_wrong_file_is_refused(
    desk: Desk, client: httpx.AsyncClient, what: str, content: bytes, code: str, dry_run: str
) -> None:
    del what
    held = await desk.held()
    headers = await signed_in(client, desk.who)
    answer = await client.post(
        f"/api/v1/imports/institutions?dry_run={dry_run}", content=content, headers=headers
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert answer.json()["todo"]
    assert await desk.held() == held
    assert await imports.runs(act=desk.act) == ()


async def test_a_lying_archive_gets_nowhere() -> None:
    with pytest.raises((refusals.Unreadable, refusals.TooHeavy)):
        await process.read(liar())


async def test_the_child_is_stopped_when_it_takes_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "WALL_S", 0)
    with pytest.raises(refusals.TooHeavy):
        await process.read(GOOD)


async def test_a_file_of_ten_megabytes_and_more_is_not_read(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    headers = await signed_in(client, desk.who)
    answer = await client.post(
        "/api/v1/imports/institutions", content=bytes(10_000_001), headers=headers
    )
    announced = await client.post(
        "/api/v1/imports/institutions",
        content=b"x",
        headers=headers | {"content-length": "10737418240"},
    )
    codes = [(a.status_code, a.json()["code"]) for a in (answer, announced)]
    assert codes == [(413, "request.too_large")] * 2
    assert await imports.runs(act=desk.act) == ()


async def test_wrong_cells_over_http(desk: Desk, client: httpx.AsyncClient) -> None:
    headers = await signed_in(client, desk.who)
    content = exports.write(
        "institutions", [an_institution(1), an_institution(2, risk_class="Z")], "xlsx"
    )
    url = "/api/v1/imports/institutions?file_name=名录.xlsx"
    checked = await client.post(f"{url}&dry_run=true", content=content, headers=headers)
    refused = await client.post(url, content=content, headers=headers)
    report, problem = checked.json(), refused.json()
    (error,) = report["errors"]
    assert (checked.status_code, report["state"], report["error_count"]) == (201, "refused", 1)
    assert (error["sheet"], error["row"], error["column"], error["key"], error["code"]) == (
        "机构名录",
        3,
        "G",
        "risk_class",
        "cell.choice",
    )
    assert (refused.status_code, problem["code"]) == (422, "import.refused")
    assert problem["facts"]["errors"] == report["errors"]
    run = await client.get(f"/api/v1/imports/{problem['facts']['run']}", headers=headers)
    assert (run.json()["file_name"], run.json()["errors"]) == ("名录.xlsx", report["errors"])
    assert (await desk.held())["institution"] == 0


@pytest.mark.parametrize("role", ["approver", "inspector", "sysadmin"])
async def test_who_may_not_import(desk: Desk, client: httpx.AsyncClient, role: str) -> None:
    headers = await signed_in(client, await a_person(desk.clock(), role))
    answer = await client.post("/api/v1/imports/institutions", content=GOOD, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "person.denied")
    nobody = await client.post("/api/v1/imports/institutions", content=GOOD)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "person.unknown")


async def test_csv_as_chinese_spreadsheets_save_it(desk: Desk) -> None:
    line = [an_institution().get(key, "") for key in KEYS]
    content = child.write_csv(HEADS, [line]).decode("utf-8-sig").encode("gb18030")
    run = await desk.run("institutions", content)
    assert run.created_count == 1
    stored = await desk.owner.fetchval("select name from institution")
    assert stored == an_institution()["name"]


async def test_numbers_dates_and_ticks_typed_by_hand(desk: Desk) -> None:
    """A person's workbook has typed cells where the template asks for text."""
    await desk.fill()
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("课次")
        day, hour = (
            book.add_format({"num_format": "yyyy/m/d"}),
            book.add_format({"num_format": "hh:mm"}),
        )
        for place, column in enumerate(sheets.sheet("sessions").columns):
            sheet.write(0, place, column.zh)
        row = a_session(code="2")
        for place, column in enumerate(sheets.sheet("sessions").columns):
            sheet.write(2, place, row.get(column.key, ""))
        sheet.write_number(2, 1, 370000)
        sheet.write_number(2, 3, 2)
        sheet.write_datetime(2, 4, datetime(2026, 3, 9), day)  # noqa: DTZ001 - a cell has no zone
        sheet.write_datetime(2, 5, time(8, 30), hour)
        sheet.write_datetime(2, 6, time(10, 0), hour)
    run = await desk.run("sessions", out.getvalue())
    assert (run.created_count, run.errors) == (1, ())
    stored = await desk.owner.fetchrow(
        "select on_date, starts_at, minutes from class_session where code = '2'"
    )
    assert tuple(stored) == (date(2026, 3, 9), datetime(2026, 3, 9, 0, 30, tzinfo=UTC), 90)


async def test_row_numbers_are_those_of_the_file(desk: Desk) -> None:
    """Blank lines are passed over and still counted."""
    line = [an_institution(risk_class="Z").get(key, "") for key in KEYS]
    content = child.write_csv(HEADS, [[], [], line])
    run = await desk.run("institutions", content, dry_run=True)
    assert [error.row for error in run.errors] == [4]


async def test_errors_are_counted_beyond_those_kept(desk: Desk) -> None:
    bad = [an_institution(n, risk_class="Z", home_region="") for n in range(1, 701)]
    run = await desk.take("institutions", *bad, dry_run=True)
    stored = await imports.import_run(run.id, act=desk.act)
    assert (run.error_count, len(stored.errors)) == (1400, 1000)
    assert stored == run
    assert a_credit_code(1) not in str(run.errors)  # cells of a roster are personal data


async def test_the_interface_description_says_that_the_body_is_a_file(
    client: httpx.AsyncClient,
) -> None:
    paths = (await client.get("/api/schema/openapi.json")).json()["paths"]
    body = paths["/api/v1/imports/{kind}"]["post"]["requestBody"]
    assert body["required"]
    assert {part["schema"]["format"] for part in body["content"].values()} == {"binary"}
