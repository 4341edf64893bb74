"""Closed words and bounded values of the filings document."""

from datetime import date
from typing import Annotated, Literal

from inspection_plans.records import Meta, Record
from inspection_plans.vocabulary import Severity

__all__ = ["Severity"]

# An opaque key of the filer's own system: never a name, a number of an identity card or a phone.
Key = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"[^\s/]+")]
Text = Annotated[str, Meta(max_length=600)]
LongText = Annotated[str, Meta(max_length=20_000)]
Region = Annotated[int, Meta(ge=100_000, le=999_999)]
Fen = Annotated[int, Meta(ge=0, le=10**15)]
Minutes = Annotated[int, Meta(ge=0, le=10**7)]
MinuteOfDay = Annotated[int, Meta(ge=0, le=1440)]
Count = Annotated[int, Meta(ge=0, le=10**9)]
CalendarYear = Annotated[int, Meta(ge=2000, le=2100)]
Quarter = Annotated[str, Meta(pattern=r"20\d\dQ[1-4]")]
Score = Annotated[str, Meta(pattern=r"(0|[1-9]\d{0,2})(\.\d{1,4})?")]
Sha256 = Annotated[str, Meta(pattern=r"[0-9a-f]{64}")]
Recipient = Annotated[str, Meta(pattern=r"[a-z_]{1,40}(:\d{6})?")]
Occupation = Annotated[str, Meta(min_length=1, max_length=60)]
Direction = Annotated[str, Meta(min_length=1, max_length=60)]
Code = Annotated[str, Meta(pattern=r"[a-z][a-z0-9_]{0,39}")]

Side = Literal["training", "evaluation"]
Level = Literal["junior", "middle", "senior"]
Mode = Literal["offline", "online"]
LessonKind = Literal["theory", "practice"]
Medium = Literal["paper", "electronic"]
Trace = Literal["written", "photo", "video"]


class Filed(Record, frozen=True, kw_only=True):
    """Root of all rows of a register."""


def within(first: date, last: date | None, on: date) -> bool:
    """Say whether a day lies between two days, both included; no last day means it is open."""
    return first <= on and (last is None or on <= last)
