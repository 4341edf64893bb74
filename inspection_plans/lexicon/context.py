"""What the words around a hit make of it: denied, condemned, quoted or asked."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from inspection_plans.lexicon.folding import Folded, Gap
from inspection_plans.lexicon.words import Contexts, Mark

_OPENS = frozenset("“「『‘\"'《")
_CLOSES = frozenset("”」』’\"'》")
_TOLD = 4


@dataclass(frozen=True)
class Found:
    """One place in ``Folded.core``; ``mark`` is what it comes to without its surroundings."""

    concept: str
    term: str
    start: int
    end: int
    mark: Mark


def any_of(words: Iterable[str]) -> str:
    """Write words as one choice of a regular expression, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


class Judge:
    """The contexts of the lexicon, prepared once; it keeps nothing of what it judges."""

    def __init__(self, contexts: Contexts) -> None:
        self._reach = contexts.reach
        harmless = any_of(contexts.harmless)
        self._forbids = re.compile(f"(?:{harmless})|({any_of(contexts.forbids)})")
        self._turns = re.compile(any_of(contexts.turns))
        self._denies = re.compile(
            f"(?:{any_of(contexts.denies)})(?:{any_of(contexts.fillers)}){{0,5}}$"
        )
        self._links = re.compile(f"(?:{any_of(contexts.fillers)}){{0,3}}$")
        self._condemns = re.compile(
            f"(?<!{')(?<!'.join(re.escape(word) for word in contexts.cancels)})"
            f"(?:{any_of(contexts.condemns)})"
        )
        self._harmless = re.compile(harmless)
        self._sells = re.compile(any_of(contexts.sells))
        self._asked = re.compile(any_of(contexts.asks_after))
        self._asks = re.compile(
            f"(?:{any_of(contexts.asks_before)})(?:{any_of(contexts.fillers)})?$"
        )

    def marks(self, found: Sequence[Found], text: str, folded: Folded) -> Iterable[Mark]:
        """Return the mark of each place, which come sorted by where they start.

        Source: design, step 5 (automatic flags are suspicions with an explanation).
        """
        last: Found | None = None
        denied = asked = False
        for one, following in zip_longest(found, found[1:]):
            listed = last is not None and self._linked(last, one, folded)
            asked = (asked and listed) or self._asked_before(one, folded)
            denied = not asked and ((denied and listed) or self._denied(one, folded))
            last = one
            if denied or self._told(one, following, text, folded):
                yield Mark.NEGATED
            elif asked or self._asked_after(one, folded):
                yield Mark.QUESTION
            else:
                yield one.mark

    def _told(self, one: Found, following: Found | None, text: str, folded: Folded) -> bool:
        """Say whether the sentence forbids, condemns or quotes the word."""
        return (
            self._forbidden(one, folded)
            or self._condemned(one, following, folded)
            or self._quoted(one, text, folded)
        )

    def _denied(self, one: Found, folded: Folded) -> bool:
        clause = max(folded.opening(one.start, folded.breaks), one.start - self._reach.forbids)
        return self._denies.search(folded.core, clause, one.start) is not None

    def _linked(self, last: Found, one: Found, folded: Folded) -> bool:
        """Say whether both stand in one list: what denies the first denies the second."""
        if one.start < last.end:
            return True
        between = folded.core[last.end : one.start]
        joined = folded.widest(last.end - 1, one.start + 1) <= Gap.LIST
        return joined and self._links.fullmatch(between) is not None

    def _forbidden(self, one: Found, folded: Folded) -> bool:
        begin = max(folded.opening(one.start, folded.stops), one.start - self._reach.forbids)
        before = folded.core[begin : one.start]
        ends = [match.end() for match in self._forbids.finditer(before) if match[1]]
        return bool(ends) and self._turns.search(before, ends[-1]) is None

    def _condemned(self, one: Found, following: Found | None, folded: Folded) -> bool:
        """Say whether the rest of the sentence condemns the word.

        What stands in the clause of the next word speaks of that one: 包过，严禁培训贷.
        """
        end = min(folded.closing(one.start, folded.stops), one.end + self._reach.condemns)
        if following is not None and one.end <= following.start < end:
            clause = folded.opening(following.start, folded.breaks)
            if clause >= one.end and self._condemns.search(folded.core, clause, following.start):
                end = clause
        behind = self._harmless.sub("", folded.core[one.end : end])
        return self._condemns.search(behind) is not None

    def _quoted(self, one: Found, text: str, folded: Folded) -> bool:
        first, last = folded.at[one.start], folded.at[one.end - 1]
        opened = text[max(first - 2, 0) : first].strip()[-1:] in _OPENS if first else False
        behind = text[last + 1 : last + 1 + self._reach.quoted]
        if not opened or _CLOSES.isdisjoint(behind):
            return False
        # Bounded: a text without any stop is one sentence, however long.
        begin = max(folded.opening(one.start, folded.stops), one.start - self._reach.forbids)
        end = min(folded.closing(one.start, folded.stops), one.end + self._reach.condemns)
        told = end - begin - (one.end - one.start) >= _TOLD
        return told and self._sells.search(folded.core, begin, end) is None

    def _asked_before(self, one: Found, folded: Folded) -> bool:
        begin = max(folded.opening(one.start, folded.breaks), one.start - self._reach.forbids)
        return self._asks.search(folded.core, begin, one.start) is not None

    def _asked_after(self, one: Found, folded: Folded) -> bool:
        end = folded.closing(one.start, folded.stops)
        return self._asked.match(folded.core, one.end, end) is not None
