"""The rule desk 问规则: any question of the rules as a form, its answer with clauses and basis."""

import json
import types
import typing
from collections.abc import Iterable
from dataclasses import MISSING, fields
from datetime import date
from functools import cache, partial
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from litestar import Response
from litestar.params import FromPath, QueryParameter, URLEncodedBody

from backend.pages.desk import names
from backend.pages.desk.frame import desk
from backend.pages.forms import Asked
from backend.pages.routes import get, post
from backend.pages.words import Language, language_of
from backend.services import cards, occupations, regions
from backend.services.accounts import on_day
from backend.services.act import Act
from inspection_plans.ask import table
from inspection_plans.ask.refusals import QuestionRefusal
from inspection_plans.library import Library
from inspection_plans.loader import jurisdiction_of, load_rulebook
from inspection_plans.rulebook import Rulebook

Kind = Literal["text", "long", "number", "day", "yes", "choice", "json"]
LONG = {"text"}
# Long texts, and the filings of an institution.
BODY = 8_000_000
PROVINCE = 10_000
SHOWN = 40  # characters of a rule in a list of choices


class Box(msgspec.Struct, frozen=True):
    """One field of a question's form; ``choices`` are (value, words)."""

    name: str
    kind: Kind
    needed: bool
    choices: tuple[tuple[str, str], ...] = ()


def _bare(hint: object) -> tuple[object, bool]:
    """A hint without bounds and without None, and whether None was allowed."""
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    if get_origin(hint) in (typing.Union, types.UnionType):
        rest = [one for one in get_args(hint) if one is not type(None)]
        if len(rest) == 1:
            return _bare(rest[0])[0], True
        return object, True
    return hint, False


def _kind(name: str, hint: object) -> Kind:
    if hint is bool:
        return "yes"
    if hint is int:
        return "number"
    if hint is date:
        return "day"
    plain = hint is str or getattr(hint, "__supertype__", None) is str
    if not plain:
        return "json"
    return "long" if name in LONG else "text"


@cache
def _shape(question: str) -> tuple[tuple[str, Kind, bool], ...]:
    """Name, kind and need of each field of a question, as its record says."""
    shape: Any = table.HANDLERS[question].shape
    hints = get_type_hints(shape, include_extras=True)
    found = []
    for one in fields(shape):
        if one.name == "ask":
            continue
        hint, optional = _bare(hints[one.name])
        # A field without a default is needed; one whose default is None may stay empty.
        needed = not optional and one.name in _required(shape)
        found.append((one.name, _kind(one.name, hint), needed))
    return tuple(found)


def _required(shape: Any) -> frozenset[str]:  # noqa: ANN401 - a record's class
    return frozenset(
        one.name
        for one in fields(shape)
        if one.default is MISSING and one.default_factory is MISSING
    )


def _places(act: Act, language: Language) -> tuple[tuple[str, str], ...]:
    """The nation, every province, and the caller's own cities."""
    known = regions.shipped()
    codes = [code for code, one in known.items() if one.level == "province"]
    codes += [code for code in names.below(act.by.regions) if code % PROVINCE]
    whole = "China" if language == "en" else "全国"
    found = {"national": whole}
    for code in codes:
        # Cities without rules of their own answer as their province, which came first.
        found.setdefault(str(jurisdiction_of(code)), names.place(code, language))
    return tuple(found.items())


def _choices(
    question: str, name: str, book: Rulebook, act: Act, language: Language
) -> tuple[tuple[str, str], ...]:
    """What a field can say, where the rules know it."""
    if name == "jurisdiction":
        return _places(act, language)
    if name == "concept" and question == "deadline":
        return _concepts(book, language)
    if name == "subject":
        clauses = book.library.clauses.values()
        return tuple((one, one) for one in sorted({s for each in clauses for s in each.subject}))
    return _named(name, book, language)


def _named(name: str, book: Rulebook, language: Language) -> tuple[tuple[str, str], ...]:
    """Sheets, indicators and levels by their names; nothing for any other field."""
    english = language == "en"
    found: dict[str, dict[str, str]] = {
        "sheet": {
            code: f"{code} {one.en if english else one.zh}"
            for code, one in book.library.sheets.items()
        },
        "name": {
            code: one.en if english else one.zh for code, one in book.figures.indicators.items()
        },
        "level": {code: names.level(code, language) for code in occupations.shipped().levels},
    }
    return tuple(found.get(name, {}).items())


def _concepts(book: Rulebook, language: Language) -> tuple[tuple[str, str], ...]:
    """The matters that have a term, each by the first rule that names it."""
    first: dict[str, str] = {}
    for clause in book.library.clauses.values():
        text = clause.rule.en if language == "en" else clause.rule.zh
        first.setdefault(clause.concept, text)
    return tuple(
        (one, f"{first.get(one, '')[:SHOWN]} ({one})") for one in sorted(book.library.deadlines)
    )


def boxes(question: str, act: Act, language: Language) -> tuple[Box, ...]:
    """The form of a question."""
    book = load_rulebook()
    found = []
    for name, kind, needed in _shape(question):
        choices = _choices(question, name, book, act, language)
        found.append(Box(name, "choice" if choices else kind, needed, choices))
    return tuple(found)


def _typed(given: str, kind: Kind) -> object:
    """What a field says as JSON; a text that is no number or no JSON stays the text it is."""
    if kind not in ("number", "json"):
        return given
    try:
        return table.parse(given)
    except QuestionRefusal:
        return given


def asked(question: str, form: dict[str, str]) -> dict[str, object]:
    """The question as JSON values; empty fields are not said."""
    found: dict[str, object] = {"ask": question}
    for name, kind, _ in _shape(question):
        given = form.get(name, "").strip()
        if kind == "yes":
            found[name] = given == "true"
        elif given:
            found[name] = _typed(given, kind)
    return found


def _pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _clauses(answer: dict[str, Any] | None, rules: Library) -> list[object]:
    """The clauses an answer names, in its order."""
    named: Iterable[Any] = (answer or {}).get("clauses") or ()
    ids = [one if isinstance(one, str) else one.get("id", "") for one in named]
    return [rules.clauses[one] for one in ids if one in rules.clauses]  # type: ignore[index]  # ids as texts


def _shown(
    request: Asked, act: Act, rules: Library, question: str, form: dict[str, str], *, ask: bool
) -> Response[str]:
    said = asked(question, form)
    answer = table.told(said, load_rulebook()) if ask else None
    wrong = (answer or {}).get("error")
    plain = {
        name: value
        for name, value in (answer or {}).items()
        if name not in ("clauses", "basis", "why", "why_zh", "error")
    }
    shown = {
        "question": question,
        "questions": sorted(table.HANDLERS),
        "boxes": boxes(question, act, language_of(request)),
        "form": form,
        "answer": answer,
        "wrong": wrong,
        "plain": plain,
        "pretty": _pretty,
        "asked": _pretty(said) if ask else "",
        "clauses": _clauses(answer, rules),
        "today": on_day(act.at),
    }
    status = 422 if wrong else 200
    return desk(request, act, "desk/rule_desk.html", shown, here="rule_desk", status=status)


@get("/desk/rules", action="rules.desk")
async def page(request: Asked, act: Act) -> Response[str]:
    """The questions one may ask."""
    shown = {"questions": sorted(table.HANDLERS)}
    return desk(request, act, "desk/rule_questions.html", shown, here="rule_desk")


@get("/desk/rules/{question:str}", action="rules.desk")
async def form(question: FromPath[str], request: Asked, act: Act, rules: Library) -> Response[str]:
    """The form of one question."""
    known = question if question in table.HANDLERS else "effective_set"
    first = {"on": on_day(act.at).isoformat(), "jurisdiction": str(jurisdiction_of(act.by.region))}
    return _shown(request, act, rules, known, first, ask=False)


@post("/desk/rules/{question:str}", action="rules.desk", request_max_body_size=BODY)
async def answer(
    question: FromPath[str],
    request: Asked,
    act: Act,
    rules: Library,
    data: URLEncodedBody[dict[str, str]],
) -> Response[str]:
    """The answer, by the function that the command line and the API call."""
    known = question if question in table.HANDLERS else "effective_set"
    return _shown(request, act, rules, known, data, ask=True)


@get("/desk/cards", action="rules.desk")
async def information(
    request: Asked,
    act: Act,
    rules: Library,
    region: Annotated[int | None, QueryParameter(name="region", ge=100_000, le=999_999)] = None,
) -> Response[str]:
    """The information registers R39 to R45 as cards, place by place."""
    where = region or act.by.region
    language = language_of(request)
    codes = sorted({*names.provinces(), *names.below(act.by.regions)})
    shown = {
        "cards": cards.cards(where, on_day(act.at), rules),
        "region": where,
        "regions": [(code, names.place(code, language)) for code in codes],
        "place": partial(names.place, language=language),
    }
    return desk(request, act, "desk/cards.html", shown, here="cards")


HANDLERS = [page, form, answer, information]
