"""Filings of an institution 备案与报送: what is owed, forms and workbooks, receipts, history."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import PathParameter, QueryParameter
from litestar.response import Redirect
from msgspec import Meta

from backend.keyring import Keyring
from backend.pages.forms import EMPTY, Asked, Done, Filled, files, submitted
from backend.pages.portal.frame import portal
from backend.pages.render import link
from backend.pages.routes import get, post
from backend.pages.words import Language, language_of
from backend.services import (
    filing_shapes,
    filing_sheets,
    filing_terms,
    filings,
    own_records,
    registers,
)
from backend.services.act import Act
from backend.services.filing_shapes import HEAD, Field, Shape
from backend.services.filings import Filing
from inspection_plans.library import Library

SHOWN = 100
BOOK_BYTES = 20_000_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Register = Annotated[str, PathParameter(max_length=8, pattern=r"^R\d{2}b?$")]
Period = Annotated[str, PathParameter(max_length=40, pattern=r"^[0-9A-Za-z._-]+$")]
OPEN = ("draft", "returned")


class Where(NamedTuple):
    """Which filing of the caller's institution: a register, and a span, class or batch."""

    register: str
    period: str

    @property
    def path(self) -> str:
        """Its page."""
        return f"/portal/filings/{self.register}/{self.period}"


class BookForm(msgspec.Struct, frozen=True):
    """A workbook comes with this form; there is nothing else in it."""


class SubmitForm(msgspec.Struct, frozen=True):
    """A button: ``filing`` is what is handed in for good."""

    filing: UUID


class HeadForm(msgspec.Struct, frozen=True):
    """The revision that the writer started from; the register's own fields are read beside it."""

    rev: Annotated[int, Meta(ge=1)] | None = None


def _named(language: Language) -> list[tuple[str, str]]:
    """The registers that institutions file."""
    return [
        (code, f"{code} {one.en if language == 'en' else one.zh}")
        for code, one in registers.registers().items()
        if one.filer == "institution"
    ]


def head_of(register: str) -> Shape | None:
    """The fields of a register that stand in its form, and not in its lists."""
    return next((one for one in filing_shapes.shapes(register) if one.key == HEAD), None)


def value_of(field: Field, typed: tuple[str, ...]) -> Any:  # noqa: ANN401 - a JSON value
    """What was typed into a field as the payload has it; text that does not fit stays text."""
    text = typed[-1].strip() if typed else ""
    if field.kind == "choices":
        return [one for one in typed if one]
    if field.kind == "words":
        return [one.strip() for one in text.split("\n") if one.strip()]
    if field.kind == "boolean":
        return text == "true"
    if field.kind == "integer" and text.lstrip("-").isdecimal():
        return int(text)
    whole, dot, part = text.partition(".")
    if field.kind == "money" and whole.isdecimal() and (part.isdecimal() or not dot):
        return int(whole) * 100 + int(part[:2].ljust(2, "0"))
    return text


def text_of(field: Field, value: Any) -> str:  # noqa: ANN401 - a JSON value
    """The same the other way round, for the form."""
    if value is None:
        return ""
    if field.kind == "money":
        return f"{value // 100}.{value % 100:02d}"
    if field.kind in ("words", "choices"):
        return "\n".join(map(str, value))
    return str(value).lower() if field.kind == "boolean" else str(value)


async def _held(register: str, period: str, act: Act, rules: Library) -> Filing | None:
    """The caller's filing of a register and a span, if it was begun."""
    mine = own_records.own(act)
    found = await filings.filings(act=act, rules=rules, register=register, institution=mine)
    return next((one for one in found if one.period == period), None)


@get("/portal/filings", action="institution.own")
async def page(request: Asked, act: Act, rules: Library) -> Response[str]:
    """What is owed with its days, and everything filed so far."""
    mine = own_records.own(act)
    found = await filings.filings(act=act, rules=rules, institution=mine, limit=SHOWN)
    values = {
        "owed": await filing_terms.owed(mine, act=act, rules=rules),
        "rows": found,
        "full": len(found) == SHOWN,
        "registers": _named(language_of(request)),
    }
    return portal(request, act, "portal/filings.html", values, here="portal_filings")


@get("/portal/filings/begin", action="institution.own")
async def begin(
    request: Asked,
    register: Annotated[str, QueryParameter(name="register", max_length=8)] = "",
    period: Annotated[str, QueryParameter(name="period", max_length=40)] = "",
) -> Response[Any]:
    """Go to the filing of a register and a span; raises what their forms raise."""
    registers.require_period(register, period.strip())
    where = Where(register, period.strip())
    return Redirect(link(where.path, language_of(request)), status_code=303)


async def _shown(
    where: Where,
    request: Asked,
    act: Act,
    rules: Library,
    filled: Filled = EMPTY,
    status: int = 200,
    errors: tuple[Mapping[str, Any], ...] = (),
) -> Response[str]:
    register, period = where
    registers.require_period(register, period)
    held = await _held(register, period, act, rules)
    said = held.payload if held else {}
    head = head_of(register)
    fields = head.fields if head else ()
    values = {
        "register": registers.register(register),
        "code": register,
        "period": period,
        "it": held,
        "open": held is None or held.state in OPEN,
        "head": head,
        "typed": {field.key: text_of(field, said.get(field.key)) for field in fields},
        "sheets": [one for one in filing_shapes.shapes(register) if one.key != HEAD],
        "rows_of": {one: len(rows) for one, rows in _lists(said).items()},
        "versions": await filings.versions(held.id, act=act) if held else (),
        "filled": filled,
        "errors": errors,
    }
    return portal(request, act, "portal/filing.html", values, here="portal_filings", status=status)


def _lists(payload: Mapping[str, Any]) -> dict[str, list[Any]]:
    inside = {key: value for key, value in payload.items() if isinstance(value, list)}
    return {**inside, **payload.get(registers.LISTS, {})}


@get("/portal/filings/{register:str}/{period:str}", action="institution.own")
async def one(
    register: Register, period: Period, request: Asked, act: Act, rules: Library
) -> Response[str]:
    """One filing: its form, its workbook, its standing, its history."""
    return await _shown(Where(register, period), request, act, rules)


@post("/portal/filings/{register:str}/{period:str}/form", action="filings.write")
async def save(
    register: Register, period: Period, request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Keep the form's own fields as a draft; the lists that came as workbooks stay."""
    mine = own_records.own(act)

    async def deed(form: HeadForm) -> Done:
        typed = await request.form()
        held = await _held(register, period, act, rules)
        payload: dict[str, Any] = dict(held.payload) if held else {}
        head = head_of(register)
        for field in head.fields if head else ():
            given = tuple(value for key, value in typed.multi_items() if key == field.key)
            if any(given) or field.kind == "boolean":
                payload[field.key] = value_of(field, tuple(map(str, given)))
            else:
                payload.pop(field.key, None)
        await filings.save(mine, register, period, payload, act=act, rules=rules, rev=form.rev)
        return Done(Where(register, period).path, "portal.filing_kept")

    again = partial(_shown, Where(register, period), request, act, rules)
    return await submitted(request, HeadForm, deed, again)


@get("/portal/filings/{register:str}/{period:str}/template", action="institution.own")
async def template(
    register: Register, period: Period, act: Act, rules: Library
) -> Response[bytes]:
    """The workbook of a register, with what the draft says."""
    held = await _held(register, period, act, rules)
    raw = await filing_sheets.template(register, held.payload if held else None)
    return _book(raw, f"{register}-{period}")


def _book(raw: bytes, name: str) -> Response[bytes]:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.xlsx"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(raw, media_type=XLSX, headers=headers)


@post(
    "/portal/filings/{register:str}/{period:str}/workbook",
    action="filings.write",
    request_max_body_size=BOOK_BYTES,
)
async def take(
    register: Register, period: Period, request: Asked, act: Act, rules: Library
) -> Response[Any]:
    """Keep a workbook as the draft; wrong cells are listed by row and nothing is saved."""
    mine = own_records.own(act)
    wrong: list[Mapping[str, Any]] = []

    async def deed(_form: BookForm) -> Done:
        for sent in await files(request, "book"):
            raw = await sent.read()
            try:
                await filing_sheets.take(mine, register, period, raw, act=act, rules=rules)
            except filing_sheets.SheetsRefused as refusal:
                wrong.extend(refusal.facts["errors"])  # type: ignore[arg-type]  # a list of cells
                raise
        return Done(Where(register, period).path, "portal.filing_kept")

    async def again(filled: Filled, status: int) -> Response[str]:
        told = tuple(wrong)
        return await _shown(Where(register, period), request, act, rules, filled, status, told)

    return await submitted(request, BookForm, deed, again)


@post(
    "/portal/filings/{register:str}/{period:str}/marked",
    action="filings.write",
    request_max_body_size=BOOK_BYTES,
)
async def marked(register: Register, period: Period, request: Asked) -> Response[Any]:
    """The same workbook with its wrong cells marked, to be mended and sent again."""
    sent = await files(request, "book")
    raw = await sent[0].read() if sent else b""
    return _book(await filing_sheets.marked(register, period, raw), f"{register}-{period}-marked")


@post("/portal/filings/{register:str}/{period:str}/submission", action="filings.write")
async def submit(
    register: Register,
    period: Period,
    request: Asked,
    act: Act,
    rules: Library,
    keys: Keyring,
) -> Response[Any]:
    """Hand it in; the receipt stands on the page from then on."""

    async def deed(form: SubmitForm) -> Done:
        await filings.submit(form.filing, act=act, rules=rules, key=keys.server)
        return Done(Where(register, period).path, "portal.filing_sent")

    again = partial(_shown, Where(register, period), request, act, rules)
    return await submitted(request, SubmitForm, deed, again)


HANDLERS = [page, begin, one, save, template, take, marked, submit]
