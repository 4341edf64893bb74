"""Files of the directories: templates and exports out, imports in, and what came of them."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from litestar import Response
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat
from litestar.params import FromPath, PathParameter, QueryParameter, RawBody

from backend.api.routes import get, post
from backend.services import exports, imports
from backend.services.act import Act
from backend.services.exports import Form
from backend.services.records.imports import ImportRun
from inspection_plans.library import Library

FILE_BYTES = 10_000_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"

Kind = Annotated[str, PathParameter(max_length=40, pattern=r"^[a-z]+$")]
Region = Annotated[int | None, QueryParameter(name="region", ge=100_000, le=999_999)]


@dataclass
class FileUpload(Operation):
    """Says in the interface description that the body is the file itself."""

    def __post_init__(self) -> None:
        file = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        types = ("application/octet-stream", XLSX, CSV)
        content = {mime: OpenAPIMediaType(schema=file) for mime in types}
        self.request_body = RequestBody(content=content, required=True)


def _file(content: bytes, kind: str, form: Form) -> Response[bytes]:
    """An attachment; the browser never shows it as a page of ours."""
    headers = {
        "Content-Disposition": f'attachment; filename="{kind}.{form}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, headers=headers)


@get("/api/v1/templates/{kind:str}/xlsx", action="directories.import", media_type=XLSX)
async def template_xlsx(kind: Kind) -> Response[bytes]:
    """An empty workbook with headings, choices and a guide."""
    return _file(exports.template(kind, "xlsx"), kind, "xlsx")


@get("/api/v1/templates/{kind:str}/csv", action="directories.import", media_type=CSV)
async def template_csv(kind: Kind) -> Response[bytes]:
    """The headings as CSV."""
    return _file(exports.template(kind, "csv"), kind, "csv")


@get("/api/v1/exports/{kind:str}/xlsx", action="directories.export", media_type=XLSX)
async def export_xlsx(kind: Kind, act: Act, region: Region = None) -> Response[bytes]:
    """The caller's rows as a workbook that can be imported again."""
    return _file(await exports.export(kind, "xlsx", act=act, region=region), kind, "xlsx")


@get("/api/v1/exports/{kind:str}/csv", action="directories.export", media_type=CSV)
async def export_csv(kind: Kind, act: Act, region: Region = None) -> Response[bytes]:
    """The caller's rows as CSV that can be imported again."""
    return _file(await exports.export(kind, "csv", act=act, region=region), kind, "csv")


@post(
    "/api/v1/imports/{kind:str}",
    action="directories.import",
    request_max_body_size=FILE_BYTES,
    operation_class=FileUpload,
)
async def take(
    kind: Kind,
    body: RawBody,
    act: Act,
    rules: Library,
    dry_run: Annotated[bool, QueryParameter(name="dry_run")] = False,
    file_name: Annotated[
        str, QueryParameter(name="file_name", min_length=1, max_length=200, pattern=r"^[^\x00]+$")
    ] = "upload",
) -> ImportRun:
    """Import an XLSX or CSV file, or with ``dry_run`` only say what it would do."""
    return await imports.run(
        kind, body, file_name=file_name, dry_run=dry_run, act=act, rules=rules
    )


@get("/api/v1/imports", action="directories.import")
async def run_page(
    act: Act,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
    limit: Annotated[int, QueryParameter(name="limit", ge=1, le=200)] = 50,
) -> tuple[ImportRun, ...]:
    """Import runs, newest first; ``after`` is the last id of the page before."""
    return await imports.runs(act=act, after=after, limit=limit)


@get("/api/v1/imports/{run_id:uuid}", action="directories.import")
async def run_one(run_id: FromPath[UUID], act: Act) -> ImportRun:
    """One import run with its wrong cells."""
    return await imports.import_run(run_id, act=act)


HANDLERS = [
    template_xlsx,
    template_csv,
    export_xlsx,
    export_csv,
    take,
    run_page,
    run_one,
]
