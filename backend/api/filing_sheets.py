"""Filings as workbooks and as forms: what a register asks for, templates, uploads, the count."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, PathParameter, QueryParameter, RawBody

from backend.api.filings import Period, Register
from backend.api.imports import FILE_BYTES, XLSX, FileUpload
from backend.api.routes import get, post
from backend.services import filing_shapes, filing_sheets, filings, quarterly_forms, registers
from backend.services.act import Act
from backend.services.filing_shapes import Shape
from backend.services.filings import Filing
from backend.services.quarterly_forms import Counted
from inspection_plans.library import Library

Institution = Annotated[UUID | None, QueryParameter(name="institution")]
Quarter = Annotated[str, PathParameter(max_length=6, pattern=r"^20\d\dQ[1-4]$")]


def _book(raw: bytes, name: str) -> Response[bytes]:
    """An attachment; the browser never shows it as a page of ours."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.xlsx"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(raw, headers=headers)


@get("/api/v1/registers", action="filings.read")
async def known() -> dict[str, Any]:
    """Every register: who files it for what, to whom, by which clause and term."""
    return registers.written()


@get("/api/v1/registers/{register:str}/shape", action="filings.read")
async def shape(register: Register) -> tuple[Shape, ...]:
    """What the register asks for, sheet by sheet and field by field."""
    return filing_shapes.shapes(register)


@get("/api/v1/registers/{register:str}/template", action="filings.read", media_type=XLSX)
async def template(register: Register) -> Response[bytes]:
    """An empty workbook with headings, hints, choices and a guide."""
    return _book(await filing_sheets.template(register), register)


@get("/api/v1/filings/{filing_id:uuid}/workbook", action="filings.read", media_type=XLSX)
async def workbook(filing_id: FromPath[UUID], act: Act, rules: Library) -> Response[bytes]:
    """A filing as a workbook that can be changed and uploaded again."""
    found = await filings.filing(filing_id, act=act, rules=rules)
    raw = await filing_sheets.template(found.register, found.payload)
    return _book(raw, f"{found.register}-{found.id}")


@post(
    "/api/v1/registers/{register:str}/periods/{period:str}/workbook",
    action="filings.write",
    request_max_body_size=FILE_BYTES,
    operation_class=FileUpload,
)
async def take(
    register: Register,
    period: Period,
    body: RawBody,
    act: Act,
    rules: Library,
    institution: Institution = None,
) -> Filing:
    """Save a workbook as the draft; wrong cells are named and nothing is saved."""
    return await filing_sheets.take(institution, register, period, body, act=act, rules=rules)


@post(
    "/api/v1/registers/{register:str}/periods/{period:str}/marked",
    action="filings.write",
    request_max_body_size=FILE_BYTES,
    operation_class=FileUpload,
    media_type=XLSX,
)
async def marked(
    register: Register, period: Period, body: RawBody, act: Act, institution: Institution = None
) -> Response[bytes]:
    """The same workbook with its wrong cells marked; saves nothing."""
    draft = await filings.payload_of(institution, register, period, act=act)
    raw = await filing_sheets.marked(register, period, body, draft=draft)
    return _book(raw, f"{register}-marked")


@get(
    "/api/v1/institutions/{institution_id:uuid}/quarterly-forms/{quarter:str}",
    action="filings.read",
)
async def counted(
    institution_id: FromPath[UUID], quarter: Quarter, act: Act, rules: Library
) -> Counted:
    """The quarterly form as it follows from the filings, and where the form sent differs."""
    return await quarterly_forms.counted(institution_id, quarter, act=act, rules=rules)


HANDLERS = [known, shape, template, workbook, take, marked, counted]
