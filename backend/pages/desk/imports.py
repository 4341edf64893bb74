"""Imports and exports of the directories: choose a file, try it, see every wrong cell, import."""

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, PathParameter, QueryParameter
from msgspec import Meta, Struct

from backend.pages.desk import names
from backend.pages.desk.frame import desk
from backend.pages.forms import EMPTY, Asked, Done, Filled, NothingForm, files, submitted
from backend.pages.lists import sheet, shelf
from backend.pages.routes import get, post
from backend.pages.words import language_of, say
from backend.services import exports, import_orders, imports
from backend.services.act import Act
from backend.services.exports import Form
from backend.services.imports.refusals import EmptyFile
from backend.services.records.imports import ImportRun
from backend.services.texts import wording

LIMIT = 50
NAME = 200
# The file, the other fields, and what separates them.
BODY = import_orders.FILE_BYTES + 20_000
TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
Kind = Annotated[str, PathParameter(max_length=40, pattern=r"^[a-z]+$")]


class FileForm(Struct, frozen=True):
    """A file of one directory; ``mode`` tries it or imports it at once."""

    kind: Annotated[str, Meta(max_length=40, pattern=r"^[a-z]+\Z")]
    mode: Literal["try", "import"] = "try"


async def _list(
    request: Asked,
    act: Act,
    filled: Filled = EMPTY,
    status: int = 200,
    *,
    after: UUID | None = None,
) -> Response[Any]:
    found = await import_orders.orders(act=act, after=after, limit=LIMIT)
    shown = {
        "rows": found,
        "kinds": imports.kinds(),
        "filled": filled,
        "shelf": shelf("/desk/imports", found, {}, limit=LIMIT, after=after),
        "directory": partial(names.directory, language=language_of(request)),
    }
    return desk(request, act, "desk/imports.html", shown, here="imports", status=status)


@get("/desk/imports", action="directories.import")
async def page(
    request: Asked,
    act: Act,
    after: Annotated[UUID | None, QueryParameter(name="after")] = None,
) -> Response[Any]:
    """Templates, the form for a file, and every import there was."""
    return await _list(request, act, after=after)


@post("/desk/imports", action="directories.import", request_max_body_size=BODY)
async def send(request: Asked, act: Act) -> Response[Any]:
    """Keep a file; the worker checks or imports it, and the next page shows how far it is."""

    async def deed(form: FileForm) -> Done:
        sent = await files(request, "file")
        if not sent:
            raise EmptyFile(field="file")
        content = await sent[0].read()
        found = await import_orders.order(
            form.kind,
            content,
            file_name=sent[0].filename[-NAME:].replace("\x00", "") or "file",
            dry_run=form.mode == "try",
            act=act,
        )
        return Done(f"/desk/imports/{found.id}", "dirs.sent")

    return await submitted(request, FileForm, deed, partial(_list, request, act))


async def _run(found: import_orders.Ordered, act: Act) -> ImportRun | None:
    return await imports.import_run(found.run, act=act) if found.run else None


async def _shown(
    order_id: UUID, request: Asked, act: Act, filled: Filled = EMPTY, status: int = 200
) -> Response[Any]:
    found, language = await import_orders.ordered(order_id, act=act), language_of(request)
    shown = {
        "it": found,
        "run": await _run(found, act),
        "refused": wording(found.fault, language) if found.fault else None,
        "filled": filled,
        "directory": partial(names.directory, language=language),
        "column": partial(names.column, found.kind, language=language),
    }
    return desk(request, act, "desk/import.html", shown, here="imports", status=status)


@get("/desk/imports/{order_id:uuid}", action="directories.import")
async def one(order_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """How far one import is, and what it found: every wrong cell with its reason."""
    return await _shown(order_id, request, act)


@post("/desk/imports/{order_id:uuid}/confirmation", action="directories.import")
async def confirm(order_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Import the very file that was tried."""

    async def deed(_form: NothingForm) -> Done:
        found = await import_orders.confirm(order_id, act=act)
        return Done(f"/desk/imports/{found.id}", "dirs.sent")

    return await submitted(request, NothingForm, deed, partial(_shown, order_id, request, act))


@post("/desk/imports/{order_id:uuid}/cancellation", action="directories.import")
async def cancel(order_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
    """Cancel one that has not begun."""

    async def deed(_form: NothingForm) -> Done:
        await import_orders.cancel(order_id, act=act)
        return Done(f"/desk/imports/{order_id}", "dirs.cancelled")

    return await submitted(request, NothingForm, deed, partial(_shown, order_id, request, act))


@get("/desk/imports/{order_id:uuid}/errors.csv", action="directories.import")
async def errors(order_id: FromPath[UUID], request: Asked, act: Act) -> Response[bytes]:
    """The wrong cells as a sheet, to be worked off beside the file."""
    language = language_of(request)
    found = await import_orders.ordered(order_id, act=act)
    run = await _run(found, act)
    heads = [say(f"dirs.error.{name}", language) for name in ("sheet", "cell", "column", "why")]
    rows = [
        (
            one.sheet,
            f"{one.column}{one.row}",
            names.column(found.kind, one.key, language),
            one.reason_en if language == "en" else one.reason_zh,
        )
        for one in (run.errors if run else ())
    ]
    return sheet(f"errors-{found.kind}", heads, rows)


def _file(content: bytes, kind: str, form: Form) -> Response[bytes]:
    headers = {
        "Content-Disposition": f'attachment; filename="{kind}.{form}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=TYPES[form], headers=headers)


@get("/desk/directories/{kind:str}/template/{form:str}", action="directories.import")
async def template(kind: Kind, form: FromPath[Form]) -> Response[bytes]:
    """An empty file with headings, choices and a guide."""
    return _file(exports.template(kind, form), kind, form)


@get("/desk/directories/{kind:str}/rows/{form:str}", action="directories.export")
async def export(
    kind: Kind,
    form: FromPath[Form],
    act: Act,
    region: Annotated[int | None, QueryParameter(name="region", ge=100_000, le=999_999)] = None,
) -> Response[bytes]:
    """The caller's rows as a file that can be imported again."""
    return _file(await exports.export(kind, form, act=act, region=region), kind, form)


HANDLERS = [page, send, one, confirm, cancel, errors, template, export]
