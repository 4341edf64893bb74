"""Forms of the pages: decode what was typed, call a service, go on, or show the form again.

A handler gives three things: the record a form becomes, the deed, and the page to show again::

    class ReasonForm(msgspec.Struct, frozen=True):
        reason: Annotated[str, Meta(min_length=1, max_length=2000)]

    @post("/desk/things/{thing_id:uuid}/return", action="things.review")
    async def send_back(thing_id: FromPath[UUID], request: Asked, act: Act) -> Response[Any]:
        async def deed(form: ReasonForm) -> Done:
            await things.send_back(thing_id, form.reason, act=act)
            return Done(f"/desk/things/{thing_id}", "things.sent_back")

        return await submitted(request, ReasonForm, deed, partial(_shown, thing_id, request, act))

``_shown(thing_id, request, act, filled, status)`` is what the GET of the page calls, too, with an
empty ``Filled``. A refusal shows it with what was typed, the reason at the top of that form and
beside the field. Success answers 303 and says once what was done.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec
from litestar import Request, Response
from litestar.datastructures import UploadFile
from litestar.response import Redirect

from backend.pages.problems import of
from backend.pages.render import link
from backend.pages.words import Language, language_of, say
from backend.services.errors import REFUSALS
from backend.services.texts import Wording, wording

Asked = Request[Any, Any, Any]
F = TypeVar("F", bound=msgspec.Struct)
WHICH = "_which"
OURS = frozenset({"_csrf_token", WHICH, "rev"})
SAID = "said"
FIELD = re.compile(r"\$\.([a-z0-9_]+)")
MISSING = re.compile(r"required field `([a-z0-9_]+)`")


class Done(NamedTuple):
    """Where to go on, and the key of what to say there (``said.<key>`` in the texts)."""

    path: str
    said: str = ""
    facts: Mapping[str, str] = {}


class NothingForm(msgspec.Struct, frozen=True):
    """A button alone, or fields that depend on a choice and are read by its own record."""


class Filled(msgspec.Struct, frozen=True):
    """What was typed into one form of a page, and why it was not taken."""

    which: str = ""
    values: Mapping[str, tuple[str, ...]] = {}
    refused: Wording | None = None
    errors: Mapping[str, str] = {}

    def of(self, which: str) -> "Filled":
        """This, when that form was sent; else that form, empty."""
        return self if self.which == which else Filled(which=which)

    def value(self, name: str, default: object = "") -> str:
        """What was typed into a field, or what stands there at first."""
        typed = self.values.get(name)
        return typed[-1] if typed else ("" if default is None else str(default))

    def has(self, name: str, value: object, *, default: bool = False) -> bool:
        """Whether a box was ticked or a choice made; ``default`` before anything was sent."""
        return str(value) in self.values.get(name, ()) if self.values else default

    def error(self, name: str) -> str:
        """What is wrong with a field, or nothing."""
        return self.errors.get(name, "")


EMPTY = Filled()
Again = Callable[[Filled, int], Awaitable[Response[Any]]]


async def _typed(request: Asked) -> dict[str, tuple[str, ...]]:
    form = await request.form()
    found: dict[str, tuple[str, ...]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            # A browser sends line ends as CR LF; every other road sends LF.
            found[name] = (*found.get(name, ()), value.replace("\r\n", "\n"))
    return found


async def sent(request: Asked) -> dict[str, str]:
    """Fields that a record of a service reads by itself; empty ones and our own left out."""
    form = await request.form()
    found = {k: v for k, v in form.multi_items() if isinstance(v, str) and v.strip()}
    return {name: value for name, value in found.items() if name not in OURS}


async def files(request: Asked, name: str) -> list[UploadFile]:
    """The files sent under a field's name; a field left empty sends none."""
    form = await request.form()
    sent = [value for key, value in form.multi_items() if key == name]
    return [value for value in sent if isinstance(value, UploadFile) and value.filename]


def decode(kind: type[F], typed: Mapping[str, tuple[str, ...]]) -> F:
    """The record of what was typed; empty fields are not sent. Raises: msgspec.ValidationError."""
    many = {
        field.encode_name
        for field in msgspec.structs.fields(kind)
        if str(field.type).startswith(("tuple[", "list[", "typing.Annotated[tuple["))
    }
    names = {field.encode_name for field in msgspec.structs.fields(kind)}
    raw: dict[str, object] = {}
    for name, values in typed.items():
        given = [value for value in values if value.strip()]
        if name in names and given:
            raw[name] = given if name in many else given[-1]
    return msgspec.convert(raw, kind, strict=False)


def _wrong(fault: msgspec.ValidationError, language: Language) -> dict[str, str]:
    """Which field is wrong, and how."""
    text = str(fault)
    if missing := MISSING.search(text):
        return {missing[1]: say("form.missing", language)}
    field = FIELD.search(text)
    key = "form.too_long" if "length <=" in text else "form.wrong"
    return {field[1]: say(key, language)} if field else {}


async def submitted(
    request: Asked,
    kind: type[F],
    deed: Callable[[F], Awaitable[Done]],
    again: Again,
) -> Response[Any]:
    """Decode, do, go on; or the page again with what was typed and why it was refused."""
    language = language_of(request)
    typed = await _typed(request)
    which = "".join(typed.pop(WHICH, ()))
    try:
        done = await deed(decode(kind, typed))
    except msgspec.ValidationError as fault:
        words = wording("page.form_wrong", language)
        return await again(Filled(which, typed, words, _wrong(fault, language)), 422)
    except REFUSALS as refusal:
        status, code = of(refusal)
        words = wording(code, language)
        field = getattr(refusal, "field", None)
        errors = {field: words.title} if field else {}
        return await again(Filled(which, typed, words, errors), status)
    if done.said:
        request.session[SAID] = [done.said, dict(done.facts)]
    return Redirect(link(done.path, language), status_code=303)
