"""The rules as data: which clauses apply at a place on a day, and what a sheet asks."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody
from litestar.params import FromPath, FromQuery, QueryParameter, RawBody
from msgspec import Meta, Struct

from backend.api.routes import get, post
from inspection_plans.ask import table
from inspection_plans.library import Library
from inspection_plans.loader import jurisdiction_of, load_rulebook
from inspection_plans.records import plain
from inspection_plans.sheets import Sheet
from inspection_plans.vocabulary import Clause

ASK_BYTES = 8_000_000  # filings of one institution come whole with a desk review
Region = Annotated[int, QueryParameter(ge=100000, le=999999)]
Subject = Annotated[str | None, QueryParameter(max_length=60)]


class ClauseOut(Struct, frozen=True):
    id: str
    section: str
    kind: str
    concept: str
    severity: str
    check_mode: str
    zh: str
    en: str
    consequence: str | None

    @classmethod
    def of(cls, clause: Clause) -> "ClauseOut":
        return cls(
            clause.id,
            clause.section,
            clause.kind,
            clause.concept,
            clause.severity,
            clause.check_mode,
            clause.rule.zh,
            clause.rule.en,
            clause.consequence,
        )


class SheetOut(Struct, frozen=True):
    version: str
    sheet: Annotated[dict[str, Any], Meta(description="Id, titles and items, as in the packs")]

    @classmethod
    def of(cls, sheet: Sheet) -> "SheetOut":
        return cls(sheet.version, plain(sheet))


@get("/api/v1/rules/clauses", action="rules.read", sync_to_thread=False)
def clauses(
    rules: Library, region: Region, on: FromQuery[date], subject: Subject = None
) -> list[ClauseOut]:
    """The effective set 有效条款 of a region on a day, the nation's papers first."""
    found = rules.effective_set(jurisdiction_of(region), on, subject)
    return [ClauseOut.of(clause) for clause in found]


@get("/api/v1/rules/clauses/{clause_id:path}", action="rules.read", sync_to_thread=False)
def clause(rules: Library, clause_id: FromPath[str]) -> ClauseOut:
    """One clause by its id."""
    return ClauseOut.of(rules.clause(clause_id.lstrip("/")))


@get("/api/v1/rules/sheets/{sheet:str}", action="rules.read", sync_to_thread=False)
def sheet(rules: Library, sheet: FromPath[str], region: Region, on: FromQuery[date]) -> SheetOut:
    """A checklist 检查表 as it applies in a region on a day, with its version."""
    return SheetOut.of(rules.sheet(sheet, jurisdiction_of(region), on))


@dataclass
class Asked(Operation):
    """``POST /api/v1/rules/ask`` with its request documented; the handler sees exact bytes."""

    def __post_init__(self) -> None:
        question = {
            "type": "object",
            "required": ["ask"],
            "properties": {"ask": {"enum": sorted(table.HANDLERS)}},
        }
        several = {"type": "array", "maxItems": table.MOST, "items": question}
        media = OpenAPIMediaType(schema={"oneOf": [question, several]})  # type: ignore[arg-type]  # passed on as it is
        self.request_body = RequestBody(content={"application/json": media}, required=True)


@post(
    "/api/v1/rules/ask",
    action="rules.read",
    status_code=200,
    operation_class=Asked,
    request_max_body_size=ASK_BYTES,
    sync_to_thread=True,
)
def ask(body: RawBody) -> dict[str, Any] | list[dict[str, Any]]:
    """Answer a question, or a list of up to 1,000 each by itself; every answer names its clauses.

    A wrong question is a problem; in a list it is an ``{"error": ...}`` in its place.
    """
    return table.answer_body(body, load_rulebook())


HANDLERS = [clauses, clause, sheet, ask]
