"""Words of advertisements 宣传用语: looked for in disguise too, with the clauses they break."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from inspection_plans import jurisdictions
from inspection_plans.lexicon.context import Found, Judge, any_of
from inspection_plans.lexicon.folding import Folded, Gap, fold
from inspection_plans.lexicon.words import Contexts, Entry, Folding, Lawful, Mark, Places
from inspection_plans.vocabulary import Basis, Clause, ClauseId, Jurisdiction, Kind

_NUMBER: Final = r"[\d一二三四五六七八九十百千万两几零半多余至到起以上约达kw元块%]{0,12}"
_ALONE: Final = 2
_GUARD: Final = 8


@dataclass(frozen=True)
class Hit:
    """命中: ``start`` and ``end`` count code points of the original text, end exclusive.

    ``term`` is the lexicon's word however the text writes it; ``clauses`` forbid it there then.
    """

    concept: str
    term: str
    mark: Mark
    start: int
    end: int
    clauses: tuple[ClauseId, ...]


@dataclass(frozen=True)
class _Look:
    """A form ready to be looked for, with its guards."""

    entry: Entry
    form: re.Pattern[str]
    after: re.Pattern[str] | None
    unless_after: re.Pattern[str] | None
    before: re.Pattern[str] | None
    unless_before: re.Pattern[str] | None
    across: re.Pattern[str] | None


def _ending(words: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile(f"(?:{any_of(words)})$") if words else None


def _starting(words: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile(any_of(words)) if words else None


def _looks(entry: Entry) -> Iterator[_Look]:
    for form in entry.forms:
        yield _Look(
            entry,
            re.compile(form.replace("#", _NUMBER)),
            _ending(entry.after),
            _ending(entry.unless_after),
            _starting(entry.before),
            _starting(entry.unless_before),
            _ending(entry.across),
        )


class Lexicon:
    """All word lists, prepared for the search; what is active depends on the clauses in force.

    No dataclass: a web framework that finds one in a handler's arguments checks it field by field.
    """

    def __init__(
        self, entries: Sequence[Entry], contexts: Contexts, places: Places, folding: Folding
    ) -> None:
        self.entries = tuple(entries)
        self.contexts = contexts
        self.places = places
        self.folding = folding
        self._looks = tuple(look for entry in entries for look in _looks(entry))
        self._judge = Judge(contexts)
        self._lawful = tuple((re.compile(re.escape(row.phrase)), row) for row in contexts.lawful)
        self._traditional = {
            pair[0]: pair[1] for line in folding.traditional for pair in line.split(" ")
        }
        self._place_after = _ending(places.after)
        self._place_unless = _ending(places.unless_after)
        self._place_before = _starting(places.before)
        self._beside = re.compile(f"(?:{any_of(places.words)})(?!{any_of(places.not_followed)})")

    @property
    def basis(self) -> Basis:
        """Why words are reported that no notice names."""
        return self.contexts.basis

    def scan(
        self, text: str, jurisdiction: Jurisdiction, in_force: Iterable[Clause]
    ) -> tuple[Hit, ...]:
        """Return what a text promises, where it stands, and the prohibitions in force on it.

        ``in_force``: the clauses of the place on the day. Sorted by place; no two hits of one
        concept overlap. Linear in the length of the text.
        Source: national-2021-71/6.3/exaggeration (an open list), and the overlay of K05 to K07.
        """
        banned = _banned(in_force)
        folded = fold(text, self._traditional)
        lawful = self._lawful_places(folded)
        found = [one for one in self._found(folded, banned) if not _inside(one, lawful)]
        if self.places.concept in banned:
            found += self._beside_places(folded, jurisdiction, lawful)
        kept = _longest(found)
        marks = self._judge.marks(kept, text, folded)
        return tuple(
            Hit(
                one.concept,
                one.term,
                mark,
                folded.at[one.start],
                folded.at[one.end - 1] + 1,
                banned[one.concept],
            )
            for one, mark in zip(kept, marks, strict=True)
        )

    def _found(self, folded: Folded, banned: Mapping[str, object]) -> Iterator[Found]:
        for look in self._looks:
            entry = look.entry
            if entry.concept not in banned:
                continue
            for match in look.form.finditer(folded.core):
                if _stands(look, match.start(), match.end(), folded):
                    yield Found(entry.concept, entry.term, *match.span(), entry.mark)

    def _lawful_places(self, folded: Folded) -> set[int]:
        """Return every place of the folded text that lies in a lawful phrase."""
        places: set[int] = set()
        for pattern, row in self._lawful:
            for match in pattern.finditer(folded.core):
                if not _follows(row, folded, match.end()):
                    places.update(range(*match.span()))
        return places

    def _beside_places(
        self, folded: Folded, jurisdiction: Jurisdiction, lawful: AbstractSet[int]
    ) -> Iterator[Found]:
        """Yield words of cooperation with another province's name near them in one sentence."""
        home = jurisdictions.lineage(jurisdiction)
        names = any_of(
            name
            for code, names in self.places.provinces.items()
            if code not in home
            for name in names
        )
        reach = self.contexts.reach.beside
        near = [
            match.span()
            for match in re.finditer(names, folded.core)
            if self._is_place(folded, *match.span())
        ]
        following = 0
        for match in self._beside.finditer(folded.core):
            start, end = match.span()
            while following < len(near) and near[following][1] <= start - reach:
                following += 1
            stop = folded.closing(start, folded.stops)
            begin = folded.opening(start, folded.stops)
            one = Found(self.places.concept, match[0], start, end, Mark.QUESTION)
            if _inside(one, lawful) or folded.widest(start, end) >= Gap.LIST:
                continue
            candidates = near[following : following + reach]
            if any(begin <= a and b <= stop and a - end <= reach for a, b in candidates):
                yield one

    def _is_place(self, folded: Folded, start: int, end: int) -> bool:
        if self._place_before and self._place_before.match(folded.core, end):
            return False
        left = folded.core[max(0, start - _GUARD) : start]
        return not _guards(self._place_after, self._place_unless, left)


def _banned(in_force: Iterable[Clause]) -> dict[str, tuple[ClauseId, ...]]:
    banned: dict[str, tuple[ClauseId, ...]] = {}
    for clause in in_force:
        if clause.kind is Kind.PROHIBITION:
            banned[clause.concept] = (*banned.get(clause.concept, ()), clause.id)
    return banned


def _stands(look: _Look, start: int, end: int, folded: Folded) -> bool:
    """Say whether a match is a word: not torn apart by punctuation, not part of another word."""
    inner = folded.widest(start, end)
    torn = inner >= Gap.LIST and not _split_evenly(folded, start, end)
    if torn and not _crosses(look, start, inner, folded):
        return False
    # A guard counts only when it is written as closely as the word itself: 包过 期待您.
    if _guards(look.after, look.unless_after, _close_left(folded, start, inner)):
        return False
    right = _close_right(folded, end, inner)
    return look.before is None or not (
        look.before.match(right)
        and not (look.unless_before is not None and look.unless_before.match(right))
    )


def _crosses(look: _Look, start: int, inner: int, folded: Folded) -> bool:
    """Say whether a comma may stand inside, because of what is before: 考不过，退费."""
    if look.across is None or inner >= Gap.STOP:
        return False
    return look.across.search(folded.core, max(0, start - _GUARD), start) is not None


def _guards(guard: re.Pattern[str] | None, unless: re.Pattern[str] | None, left: str) -> bool:
    if guard is None or guard.search(left) is None:
        return False
    return unless is None or unless.search(left) is None


def _close_left(folded: Folded, start: int, inner: int) -> str:
    begin = start
    while begin > 0 and start - begin < _GUARD and folded.gaps[begin] <= inner:
        begin -= 1
    return folded.core[begin:start]


def _close_right(folded: Folded, end: int, inner: int) -> str:
    stop = end
    while stop < len(folded.core) and stop - end < _GUARD and folded.gaps[stop] <= inner:
        stop += 1
    return folded.core[end:stop]


def _split_evenly(folded: Folded, start: int, end: int) -> bool:
    """Say whether punctuation between the characters hides the word: the same between all.

    Two characters say too little; they must stand alone between other marks: 【包。过】.
    """
    inside = set(folded.gaps[start + 1 : end])
    if len(inside) != 1:
        return False
    alone = folded.gaps[start] > Gap.NONE and folded.gaps[end] > Gap.NONE
    return end - start > _ALONE or alone


def _follows(row: Lawful, folded: Folded, end: int) -> bool:
    return any(folded.core.startswith(word, end) for word in row.unless_before)


def _inside(one: Found, lawful: AbstractSet[int]) -> bool:
    return one.start in lawful


def _longest(found: Iterable[Found]) -> list[Found]:
    """Keep of overlapping places of one concept the longest, then the first; sort by place."""
    taken: dict[str, set[int]] = {}
    kept = []
    for one in sorted(found, key=lambda one: (one.start - one.end, one.start, one.term)):
        places = range(one.start, one.end)
        used = taken.setdefault(one.concept, set())
        if used.isdisjoint(places):
            used.update(places)
            kept.append(one)
    return sorted(kept, key=lambda one: (one.start, one.end, one.concept))
