"""A text made plain for the search of words, with the way back to where each character stood."""

import unicodedata
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

_KEPT = "%"
_STOPS = frozenset("。！？；!?;")
_BREAKS = frozenset("，,：:")
_LISTS = frozenset("、")
_MARKS = ("P", "S", "Z", "C", "M")
_PARAGRAPH = 2


class Gap(IntEnum):
    """What stands between two characters that are read together, weakest first."""

    NONE = 0
    BLANK = 1
    LIST = 2
    BREAK = 3
    STOP = 4


@dataclass(frozen=True, eq=False)
class Folded:
    """A text without blanks, marks and disguises.

    ``core``: the plain characters; ``at``: for each, the code point of the original it came from;
    ``gaps``: for each, the ``Gap`` before it, the first one's and one more at the end are STOP.
    ``stops``, ``breaks``: sorted positions in ``core`` before which a sentence or clause ends.
    """

    core: str
    at: tuple[int, ...]
    gaps: bytes
    stops: tuple[int, ...]
    breaks: tuple[int, ...]

    def widest(self, start: int, end: int) -> int:
        """Return the widest gap between the characters of ``core[start:end]``."""
        return max(self.gaps[start + 1 : end], default=Gap.NONE)

    def opening(self, position: int, bounds: tuple[int, ...]) -> int:
        """Return where the sentence (``stops``) or clause (``breaks``) of ``position`` begins."""
        return bounds[bisect_right(bounds, position) - 1]

    def closing(self, position: int, bounds: tuple[int, ...]) -> int:
        """Return where the sentence or clause of ``position`` ends, exclusive."""
        return bounds[bisect_right(bounds, position)]


def fold(text: str, traditional: Mapping[str, str]) -> Folded:
    """Fold a text: NFKC, lower case, simplified characters; blanks, marks and emoji become gaps.

    Linear in the length of the text; any text has a folded form.
    Source: clause register, "Text matching" (hard line breaks fall inside words).
    """
    plain: dict[str, str] = {}
    core: list[str] = []
    at: list[int] = []
    gaps = bytearray()
    gap, lines = Gap.STOP, 0
    for place, character in enumerate(text):
        if character not in plain:
            plain[character] = _plain(character, traditional)
        if folded := plain[character]:
            gaps.append(gap)
            gaps.extend(bytes(len(folded) - 1))
            at.extend([place] * len(folded))
            core.append(folded)
            gap, lines = Gap.NONE, 0
            continue
        lines += character == "\n"
        gap = max(gap, Gap.STOP if lines >= _PARAGRAPH else _gap(character))
    gaps.append(Gap.STOP)
    stops = tuple(place for place, width in enumerate(gaps) if width >= Gap.STOP)
    breaks = tuple(place for place, width in enumerate(gaps) if width >= Gap.BREAK)
    return Folded("".join(core), tuple(at), bytes(gaps), stops, breaks)


def _plain(character: str, traditional: Mapping[str, str]) -> str:
    """Return the plain characters of one, none when it only separates."""
    folded = unicodedata.normalize("NFKC", character).casefold()
    return "".join(
        traditional.get(one, one)
        for one in folded
        if one in _KEPT or not unicodedata.category(one).startswith(_MARKS)
    )


def _gap(character: str) -> Gap:
    if character in _STOPS:
        return Gap.STOP
    if character in _BREAKS:
        return Gap.BREAK
    return Gap.LIST if character in _LISTS else Gap.BLANK
