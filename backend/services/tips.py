"""Tips 举报: what a person without an account sends, and reads again with a return code.

The code is 128 bits, shown once and kept as a digest alone. The sender's identity is sealed when
it is given at all. Nothing here knows an address, and no entry of the log names a sender.
"""

import base64
import binascii
import hashlib
import unicodedata
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services import audit, regions, terms, visitors
from backend.services.accounts import on_day
from backend.services.act import Act, system
from backend.services.errors import Absent, ServiceRefusal
from backend.services.terms import Term
from backend.services.visitors import Visitor
from inspection_plans import states
from inspection_plans.errors import Family
from media.keys import BoxKey, seal_for, server_kid

CODE_BYTES, ONCE_BYTES = 16, 32
GROUP = 4  # signs of a code that stand together
TIPS_AN_HOUR, LOOKS_AN_HOUR = 5, 60
MESSAGES = 50
PURPOSE = b"mingcha.tip.identity\n"
ANSWER = "days_to_answer_tip"
OPEN_STATES = ("received", "triaged", "linked", "answered")
APP = Scope()
PUBLIC = Scope(role="public")
HOLD = "select set_config('app.tip', $1, true)"
BY_CREDIT_CODE = """
select id, region, name from institution where credit_code = $1
  and ($2::int is null or region = $2) order by status, region limit 1
"""
INSERT = """
insert into tip (id, region, institution, about, category, text, loan, code_hash, identity,
  identity_kid, witness, state, term, due_on, received_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""
OWN = "select * from tip where code_hash = $1"
MESSAGES_OF = """
select id, sender, text, sent_at from tip_message where tip = $1 order by id
"""
FILES_OF = """
select id, mime, size, state, reason, received_at from tip_file where tip = $1 order by id
"""
ADD = """
insert into tip_message (id, tip, region, sender, text, by_account, sent_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""
Category = Literal[
    "loan",
    "fees",
    "advert",
    "subsidy",
    "certificate",
    "teaching",
    "attendance",
    "outside_catalogue",
    "other",
]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"\S")]
Fen = Annotated[int, msgspec.Meta(ge=0, le=10**13)]


class WitnessUnknown(ServiceRefusal):
    """Whoever consents to be a witness has to say who they are."""

    code: ClassVar[str] = "tip.witness_unknown"


class PlaceUnknown(ServiceRefusal):
    """Neither an institution of the directory nor a region says which office is meant."""

    code: ClassVar[str] = "tip.place_unknown"


class TipClosed(ServiceRefusal):
    """The tip is closed; a new one may be sent."""

    code: ClassVar[str] = "tip.closed"
    family: ClassVar[Family] = Family.CONFLICT


class TooMuch(ServiceRefusal):
    """More messages than one tip takes."""

    code: ClassVar[str] = "tip.too_much"
    family: ClassVar[Family] = Family.LIMIT


class Loan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """培训贷: who lent, what was signed, what is owed in 分, and who arranged it."""

    lender: Line
    contract_number: Annotated[str, msgspec.Meta(max_length=80)] = ""
    principal_fen: Fen | None = None
    instalment_fen: Fen | None = None
    instalments: Annotated[int, msgspec.Meta(ge=1, le=600)] | None = None
    arranged_by: Annotated[str, msgspec.Meta(max_length=200)] = ""
    refund_asked: bool | None = None


class Identity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who sends the tip, as far as they want to say; sealed before it is stored."""

    name: Line
    contact: Line


class NewTip(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent; ``credit_code`` or ``region`` says which office gets it."""

    category: Category
    text: Annotated[str, msgspec.Meta(min_length=10, max_length=5000, pattern=r"\S")]
    about: Line
    credit_code: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{18}\Z")] | None = None
    region: Annotated[int, msgspec.Meta(ge=100_000, le=999_999)] | None = None
    loan: Loan | None = None
    identity: Identity | None = None
    witness: bool = False


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What the sender is told once: the code, and until when an answer is due."""

    code: str
    due_on: date


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message, as both sides read it; the office signs as an office."""

    id: UUID
    sender: Literal["tipster", "office"]
    text: str
    sent_at: datetime


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One file: its kind and size, whether it was found whole; its name was never kept."""

    id: UUID
    mime: str
    size: int
    state: Literal["received", "verified", "quarantined"]
    reason: str | None
    received_at: datetime


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """A tip as its sender reads it with the code."""

    category: str
    about: str
    text: str
    loan: Loan | None
    identity_given: bool
    witness: bool
    state: str
    received_at: datetime
    due_on: date
    days_left: int
    term: Term
    messages: tuple[Message, ...]
    files: tuple[File, ...]


def spelled(secret: bytes) -> str:
    """A code as it is shown: base32 in groups of four, ``ABCD-EFGH-…``."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return "-".join(text[place : place + GROUP] for place in range(0, len(text), GROUP))


def code_hash(code: str) -> bytes:
    """The digest that is kept of a code, 32 bytes, however it was typed.

    Raises: Absent ("thing.absent") for what cannot be a code.
    """
    wide = unicodedata.normalize("NFKC", code).upper()
    text = "".join(sign for sign in wide if sign.isalnum()).translate(str.maketrans("018", "OIB"))
    try:
        secret = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise Absent from None
    if len(secret) != CODE_BYTES:
        raise Absent
    return hashlib.sha256(b"MINGCHA-TIP-V1\n" + secret).digest()


async def hold(digest: bytes) -> Any:  # noqa: ANN401 - a row of the driver
    """The tip of a code, in the caller's transaction, which sees it from now on; raises Absent."""
    await DB.connection.execute(HOLD, digest.hex())
    row = await DB.connection.fetchrow(OWN, digest)
    if row is None:
        raise Absent
    return row


def sender(at: datetime, visitor: Visitor, region: int) -> Act:
    """The deed of a sender: no account, no address, no request that a log line could name."""
    return Act(by=system((), region), at=at, new_id=visitor.new_id)


async def _addressee(new: NewTip) -> tuple[UUID | None, int, str]:
    """The institution where the directory has it, the region of the office, the name given."""
    if new.credit_code is not None:
        async with DB.transaction(PUBLIC, readonly=True):
            row = await DB.connection.fetchrow(BY_CREDIT_CODE, new.credit_code, new.region)
        if row is not None:
            return row["id"], row["region"], row["name"]
    if new.region is None or new.region not in regions.shipped():
        raise PlaceUnknown(field="region")
    return None, new.region, new.about


async def receive(new: NewTip, *, visitor: Visitor, box: BoxKey) -> Given:
    """Take a tip in and give its return code, the only time that it is told.

    Raises: TooOften ("visitor.too_often"), WitnessUnknown, PlaceUnknown ("tip.…").
    Source: casework 6 (tip-offs).
    """
    await visitors.spend("tip", visitor, most=TIPS_AN_HOUR)
    if new.witness and new.identity is None:
        raise WitnessUnknown(field="identity")
    institution, region, about = await _addressee(new)
    term = terms.term(ANSWER, trigger=on_day(visitor.at), region=region)
    secret, tip_id = visitor.token(CODE_BYTES), visitor.new_id()
    code = spelled(secret)
    digest = code_hash(code)
    act = sender(visitor.at, visitor, region)
    async with DB.transaction(APP):
        await DB.connection.execute(HOLD, digest.hex())
        await DB.connection.execute(
            INSERT,
            tip_id,
            region,
            institution,
            about,
            new.category,
            unicodedata.normalize("NFC", new.text),
            msgspec.to_builtins(new.loan) if new.loan else None,
            digest,
            _sealed(new.identity, tip_id, visitor, box),
            server_kid(box.public) if new.identity else None,
            new.witness,
            states.initial(states.Noun.TIP),
            msgspec.to_builtins(term),
            term.due_on,
            visitor.at,
        )
        await audit.record(act, "tip.received", "tip", tip_id, region=region, title=new.category)
    return Given(code=code, due_on=term.due_on)


def _sealed(
    identity: Identity | None, tip_id: UUID, visitor: Visitor, box: BoxKey
) -> bytes | None:
    if identity is None:
        return None
    plain = msgspec.json.encode(identity)
    once = visitor.token(ONCE_BYTES)
    return seal_for(box.public, plain, PURPOSE + tip_id.bytes, once=once)


async def own(code: str, *, visitor: Visitor) -> Own:
    """What the holder of a code reads.

    Raises: TooOften ("visitor.too_often"), Absent ("thing.absent").
    """
    await visitors.spend("tip-code", visitor, most=LOOKS_AN_HOUR)
    async with DB.transaction(APP, readonly=True):
        row = await hold(code_hash(code))
        messages = await DB.connection.fetch(MESSAGES_OF, row["id"])
        files = await DB.connection.fetch(FILES_OF, row["id"])
    return Own(
        category=row["category"],
        about=row["about"],
        text=row["text"],
        loan=row["loan"] and msgspec.convert(row["loan"], Loan),
        identity_given=row["identity"] is not None,
        witness=row["witness"],
        state=row["state"],
        received_at=row["received_at"],
        due_on=row["due_on"],
        days_left=terms.days_left(row["due_on"], on_day(visitor.at)),
        term=msgspec.convert(row["term"], Term),
        messages=tuple(Message(**dict(one)) for one in messages),
        files=tuple(File(**dict(one)) for one in files),
    )


async def add(code: str, text: str, *, visitor: Visitor) -> Message:
    """Another message of the sender.

    Raises: TooOften ("visitor.too_often"), Absent, TipClosed, TooMuch ("tip.…").
    """
    await visitors.spend("tip-code", visitor, most=LOOKS_AN_HOUR)
    text = unicodedata.normalize("NFC", text)
    async with DB.transaction(APP):
        row = await hold(code_hash(code))
        if row["state"] not in OPEN_STATES:
            raise TipClosed(field="state", state=row["state"])
        if len(await DB.connection.fetch(MESSAGES_OF, row["id"])) >= MESSAGES:
            raise TooMuch(field="text", most=MESSAGES)
        made = Message(id=visitor.new_id(), sender="tipster", text=text, sent_at=visitor.at)
        await DB.connection.execute(
            ADD, made.id, row["id"], row["region"], made.sender, text, None, visitor.at
        )
        act = sender(visitor.at, visitor, row["region"])
        await audit.record(act, "tip.added_to", "tip", row["id"], region=row["region"])
    return made
