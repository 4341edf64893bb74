"""What services give of chains of secrets and of the links left in advance."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from backend.services.records.draws import Hex64, Signature
from backend.services.records.plans import PartyCode

LinkIndex = Annotated[int, Meta(ge=1, le=4000)]


class NewChain(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tip of a party's chain for a year; ``signature`` is by the party's key."""

    party: PartyCode
    year: Annotated[int, Meta(ge=2021, le=2100)]
    tip: Hex64
    length: LinkIndex
    signature: Signature


class ChainRecord(Struct, frozen=True, kw_only=True):
    """随机数链 as stored: no secret in it; ``due`` draws within the warning time need a link.

    ``runs_out_on`` is the day of the first due draw for which no link is left.
    """

    id: UUID
    region: int
    party: str
    year: int
    alg: str
    tip: str
    length: int
    used: int
    committed_at: datetime
    due: int = 0
    runs_out_on: date | None = None


class NewDeposit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One link for one attempt of an announced draw, sealed for the server's draw key.

    ``commit_signature`` is over the commitment as at a ceremony, ``signature`` over the rest.
    """

    party: PartyCode
    draw: Annotated[str, Meta(pattern=r"^[0-9A-Za-z-]{1,64}$")]
    attempt: Annotated[int, Meta(ge=1, le=20)] = 1
    index: LinkIndex
    commitment: Hex64
    commit_signature: Signature
    sealed: Annotated[str, Meta(pattern=r"^[0-9a-f]{160}$")]
    signature: Signature


class DepositRecord(Struct, frozen=True, kw_only=True):
    """预存链节 as stored; ``used_in`` is the attempt that took it."""

    id: UUID
    region: int
    party: str
    code: str
    attempt: int
    link_index: int
    commitment: str
    deposited_at: datetime
    used_in: UUID | None
