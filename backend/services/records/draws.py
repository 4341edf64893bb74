"""What services give of a draw 抽取: counts and digests while it is sealed, no target before."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from backend.services.records.plans import Name, PartyCode

DrawState = Literal["frozen", "revealed", "drawn", "published", "void"]
PartyKind = Literal["operator", "supervisor", "association", "discipline"]
Hex64 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Signature = Annotated[str, Meta(pattern=r"^[0-9a-f]{128}$")]


class NewParty(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A party 抽取参与方 before it is registered; ``public_key`` is Ed25519, hexadecimal."""

    code: PartyCode
    name: Name
    kind: PartyKind
    public_key: Hex64


class PartyRecord(NewParty, frozen=True, kw_only=True):
    """抽取参与方 as stored."""

    id: UUID
    region: int
    active: bool
    created_at: datetime


class Announced(Struct, frozen=True):
    """An entropy source named at the freeze, with its value once that is known."""

    source: str
    ref: str
    value: str | None = None
    witnesses: tuple[str, ...] = ()


class DrawRecord(Struct, frozen=True, kw_only=True):
    """One attempt 抽取 of a plan's draw; ``head`` is the log's hash at its last entry."""

    id: UUID
    region: int
    plan: UUID
    code: str
    attempt: int
    stage: Literal["draw", "assignment"] = "draw"
    alg: str
    origin: str
    level: str
    state: DrawState
    parties: tuple[str, ...]
    entropy: tuple[Announced, ...]
    object_count: int
    inspector_count: int
    frame_objects: str
    frame_inspectors: str
    blocked_digest: str
    plan_digest: str
    reveal_by: datetime
    disclose_on: date
    late_by_s: int
    void_reason: str | None
    voided_by: UUID | None
    void_proposed_by: UUID | None
    frozen_at: datetime
    drawn_at: datetime | None
    published_at: datetime | None
    head: str


class Share(Struct, frozen=True):
    """A party's part of the seed as the public may see it: committed, revealed, no secret."""

    party: str
    commitment: str
    committed_at: datetime
    revealed_at: datetime | None


class Countersign(Struct, frozen=True):
    """A party's signature over a head of the log."""

    party: str
    hash: str
    signature: str
    signed_at: datetime


class Head(Struct, frozen=True, kw_only=True):
    """What is printed of a draw: ``head`` of its freeze or result, ``printed`` 16 digits of it.

    ``address`` goes into the square code; ``zh`` and ``en`` are the line of a notice.
    """

    draw: str
    attempt: int
    station: str
    head: str
    printed: str
    latest: str
    address: str
    zh: str
    en: str
    unsigned: dict[str, tuple[str, ...]]


class Outcome(Struct, frozen=True, kw_only=True):
    """The result in numbers: shown before disclosure; the certificate when places stay open."""

    status: str
    selected: int
    shortfall: int
    reserve: int
    open_places: int
    need: int
    supply: int


class Ceremony(Struct, frozen=True, kw_only=True):
    """Where a draw stands: who has committed, what chance is in, who is missing until when.

    ``unsigned``: for ``freeze`` and ``result``, the parties that have countersigned no head.
    """

    draw: DrawRecord
    shares: tuple[Share, ...]
    countersigns: tuple[Countersign, ...]
    unsigned: dict[str, tuple[str, ...]]
    missing: tuple[str, ...]
    outcome: Outcome | None
    filtered: dict[str, int]
    exclusions: dict[str, int]


class Verdict(Struct, frozen=True, kw_only=True):
    """What the verifier says of a record: ``ok`` only when everything it checks holds."""

    ok: bool
    level: str
    problems: tuple[str, ...]
    unchecked: tuple[str, ...]


class PublicPage(Struct, frozen=True, kw_only=True):
    """What the public may read of a draw: JSON bytes, and the tag of exactly these bytes."""

    code: str
    etag: str
    body: bytes


class PageLine(Struct, frozen=True, kw_only=True):
    """One line of the public list; ``overdue`` when its disclosure is late."""

    id: UUID
    code: str
    attempt: int
    state: DrawState
    disclose_on: date
    overdue: bool
    etag: str


class PlannedDraw(Struct, frozen=True, kw_only=True):
    """A draw the year's log owes: ``state`` of its last attempt, None before there is one.

    ``overdue``: its day is past and there is no result; nobody has to say so, it shows.
    """

    draw: str
    due: date
    state: DrawState | None
    attempts: int
    overdue: bool
