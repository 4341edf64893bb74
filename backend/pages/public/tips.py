"""A tip 举报 without an account: sent by a form, read again with its return code.

The code never stands in an address: addresses are logged, here and by proxies.
"""

from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from msgspec import Meta

from backend.keyring import Keyring
from backend.pages.forms import EMPTY, Asked, Done, Filled, files, submitted
from backend.pages.press import served
from backend.pages.public.lookups import places
from backend.pages.render import html, page
from backend.pages.routes import post, public
from backend.pages.words import language_of, say
from backend.services import tip_files, tips
from backend.services.tips import Category, Given, Identity, Loan, NewTip, Own
from backend.services.visitors import Visitor
from inspection_plans.library import Library
from media.bucket import Bucket

FORM_BYTES = 12_000_000
CATEGORIES: tuple[Category, ...] = (
    "loan",
    "fees",
    "advert",
    "subsidy",
    "certificate",
    "teaching",
    "attendance",
    "outside_catalogue",
    "other",
)
# Neither session nor token: there is no account whose rights another site could borrow.
send_form = partial(post, exclude_from_csrf=True, skip_session=True)
Line = Annotated[str, Meta(max_length=200)]
Yuan = Annotated[str, Meta(pattern=r"^[0-9]{1,11}(\.[0-9]{1,2})?\Z")]
Code = Annotated[str, Meta(min_length=1, max_length=64)]


class TipForm(msgspec.Struct, frozen=True):
    """What the form brings; money in yuan as people write it."""

    category: Category
    about: Annotated[str, Meta(min_length=1, max_length=200)]
    text: Annotated[str, Meta(min_length=10, max_length=5000)]
    region: Annotated[int, Meta(ge=100_000, le=999_999)]
    credit_code: Annotated[str, Meta(pattern=r"^[0-9A-Z]{18}\Z")] | None = None
    lender: Line = ""
    contract_number: Annotated[str, Meta(max_length=80)] = ""
    principal: Yuan | None = None
    instalment: Yuan | None = None
    instalments: Annotated[int, Meta(ge=1, le=600)] | None = None
    arranged_by: Line = ""
    refund_asked: bool = False
    name: Line = ""
    contact: Line = ""
    witness: bool = False

    def tip(self) -> NewTip:
        """The tip as the service takes it: a loan with its lender, an identity if given."""
        loan = Loan(
            lender=self.lender,
            contract_number=self.contract_number,
            principal_fen=fen(self.principal),
            instalment_fen=fen(self.instalment),
            instalments=self.instalments,
            arranged_by=self.arranged_by,
            refund_asked=self.refund_asked,
        )
        known = bool(self.name and self.contact)
        return NewTip(
            category=self.category,
            text=self.text,
            about=self.about,
            credit_code=self.credit_code,
            region=self.region,
            loan=loan if self.lender else None,
            identity=Identity(name=self.name, contact=self.contact) if known else None,
            witness=self.witness,
        )


class CodeForm(msgspec.Struct, frozen=True):
    """The return code."""

    code: Code


class MoreForm(msgspec.Struct, frozen=True):
    """What is added to a tip: words, files, or both."""

    code: Code
    text: Annotated[str, Meta(max_length=5000)] = ""


def fen(yuan: str | None) -> int | None:
    """An amount in 分 of what was typed in 元."""
    if yuan is None:
        return None
    whole, _, part = yuan.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or "0")


def _values(request: Asked, rules: Library, filled: Filled) -> dict[str, object]:
    language = language_of(request)
    return {
        "filled": filled,
        "categories": [(one, say(f"tip.category.{one}", language)) for one in CATEGORIES],
        "places": list(places(rules, language)),
    }


async def _again(request: Asked, rules: Library, filled: Filled, status: int) -> Response[str]:
    return page(request, "public/tip.html", _values(request, rules, filled), status=status)


@public("/tips", action="public.read")
async def form(request: Request[Any, Any, Any], rules: Library) -> Response[bytes | None]:
    """The form, and where to go with a code."""

    async def make() -> str:
        return html(request, "public/tip.html", _values(request, rules, EMPTY))

    return await served(request, make)


@send_form("/tips", action="tips.send")
async def send(request: Asked, rules: Library, visitor: Visitor, keys: Keyring) -> Response[Any]:
    """Take the tip in and show its code, the only time that it is told."""
    given: list[Given] = []

    async def deed(typed: TipForm) -> Done:
        given.append(await tips.receive(typed.tip(), visitor=visitor, box=keys.tips))
        return Done("/tips")

    answer = await submitted(request, TipForm, deed, partial(_again, request, rules))
    return page(request, "public/tip_code.html", {"given": given[0]}) if given else answer


async def _asked(request: Asked, filled: Filled, status: int) -> Response[str]:
    return page(request, "public/tip_ask.html", {"filled": filled}, status=status)


def _shown(
    request: Asked, code: str, own: Own, filled: Filled = EMPTY, status: int = 200
) -> Response[str]:
    values = {"own": own, "code": code, "filled": filled}
    return page(request, "public/tip_own.html", values, status=status)


@public("/tips/answer", action="public.read")
async def ask(request: Request[Any, Any, Any]) -> Response[bytes | None]:
    """Where the code is typed."""

    async def make() -> str:
        return html(request, "public/tip_ask.html", {"filled": EMPTY})

    return await served(request, make)


@send_form("/tips/answer", action="tips.send")
async def own(request: Asked, visitor: Visitor) -> Response[Any]:
    """The tip of a code with what the office answered."""
    found: list[tuple[str, Own]] = []

    async def deed(typed: CodeForm) -> Done:
        found.append((typed.code, await tips.own(typed.code, visitor=visitor)))
        return Done("/tips/answer")

    answer = await submitted(request, CodeForm, deed, partial(_asked, request))
    return _shown(request, *found[0]) if found else answer


@send_form("/tips/answer/more", action="tips.send", request_max_body_size=FORM_BYTES)
async def more(request: Asked, visitor: Visitor, bucket: Bucket) -> Response[Any]:
    """Add words or files to the tip of a code."""
    found: list[tuple[str, Own]] = []

    async def deed(typed: MoreForm) -> Done:
        if typed.text.strip():
            await tips.add(typed.code, typed.text, visitor=visitor)
        for file in await files(request, "files"):
            mime = file.content_type.partition(";")[0].strip().lower()
            await tip_files.receive(
                typed.code, mime, await file.read(), visitor=visitor, bucket=bucket
            )
        found.append((typed.code, await tips.own(typed.code, visitor=visitor)))
        return Done("/tips/answer")

    async def refused(filled: Filled, status: int) -> Response[str]:
        code = filled.value("code")
        own = await tips.own(code, visitor=visitor)
        return _shown(request, code, own, filled, status)

    answer = await submitted(request, MoreForm, deed, refused)
    return _shown(request, *found[0]) if found else answer


HANDLERS = [form, send, ask, own, more]
MAIN = ("/tips", "/tips/answer")
