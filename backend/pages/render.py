"""Templates to answers: escaped, in the caller's language, under one strict policy."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request, Response
from litestar.utils.scope.state import ScopeState

from backend.pages import built, scripts, style
from backend.pages.cites import cite
from backend.pages.tones import tone
from backend.pages.words import Language, language_of, say, words
from backend.services.accounts import SHANGHAI, on_day

FOLDER = Path(__file__).parent / "templates"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@cache
def environment() -> Environment:
    """The one template environment: everything escaped, a missing value is a fault."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Data for a script keeps its order: a table's order is the order it is shown in.
    made.globals |= {
        "day": day,
        "moment": moment,
        "yuan": yuan,
        "tone": tone,
        "built": built.address,
        "cite": cite,
        "script_at": scripts.address,
        "worded": lambda key: key in words(),
    }
    made.policies["json.dumps_kwargs"] = {"sort_keys": False, "ensure_ascii": False}
    return made


def moment(value: datetime) -> str:
    """An instant in Beijing to the minute."""
    return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def yuan(fen: int) -> str:
    """Money in 元 from an amount in 分, with thousands set apart."""
    sign, whole = ("-" if fen < 0 else ""), abs(fen)
    return f"{sign}{whole // 100:,}.{whole % 100:02d}"


def day(value: datetime | date) -> str:
    """A day in Beijing as it is written everywhere."""
    return (on_day(value) if isinstance(value, datetime) else value).isoformat()


def link(path: str, language: Language, **query: str) -> str:
    """An address of ours that keeps the language; ``path`` may bring a query and a fragment."""
    wanted = {**query, **({"lang": "en"} if language == "en" else {})}
    path, mark, part = path.partition("#")
    more = f"{'&' if '?' in path else '?'}{urlencode(wanted)}" if wanted else ""
    return f"{path}{more}{mark}{part}"


def html(request: Request[Any, Any, Any], template: str, values: Mapping[str, object]) -> str:
    """The page of a template in the request's language."""
    language = language_of(request)
    theme = cast("style.Theme", values.get("theme", "system"))
    other: Language = "zh" if language == "en" else "en"
    kept = {k: v for k, v in request.query_params.items() if k != "lang"}
    return (
        environment()
        .get_template(template)
        .render(
            language=language,
            t=partial(say, language=language),
            link=partial(link, language=language),
            other_language=link(request.url.path, other, **kept),
            style=style.address(theme),
            scheme="light dark" if theme == "system" else theme,
            csrf=ScopeState.from_scope(request.scope).csrf_token or "",
            **values,
        )
    )


def page(
    request: Request[Any, Any, Any],
    template: str,
    values: Mapping[str, object],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response[str]:
    """A whole answer; private pages are kept nowhere unless ``headers`` say otherwise."""
    return Response(
        html(request, template, values),
        status_code=status,
        media_type=MediaType.HTML,
        headers={"Cache-Control": "no-store", **HEADERS, **(headers or {})},
    )
