"""Bounded field types shared by everything this room signs: ids, hashes, counters, times."""

from typing import Annotated

from msgspec import Meta

from media.canon import MAX_INT

Uuid7 = Annotated[
    str,
    Meta(pattern=r"\A[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z"),
]
Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Hex16 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{16}\Z")]
Counter = Annotated[int, Meta(ge=1, le=MAX_INT)]
Bytes = Annotated[int, Meta(ge=1, le=MAX_INT)]
EpochMs = Annotated[int, Meta(ge=0, le=MAX_INT)]
Token = Annotated[str, Meta(min_length=1, max_length=600, pattern=r"\A[A-Za-z0-9_.-]+\Z")]
