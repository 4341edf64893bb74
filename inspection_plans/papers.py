"""Looking a notice up 文号: by id, number, title or alias; a miscited number finds its paper."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Literal

from inspection_plans.crosscheck import PackFiles
from inspection_plans.reading import PackRefusal
from inspection_plans.vocabulary import Pack

How = Literal["id", "number", "title", "alias"]
_BRACKETS = str.maketrans("〔［【（([〕］】）)]", "[[[[[[]]]]]]")


class AmbiguousAlias(PackRefusal):
    """An alias that is also the number, title or alias of another notice."""

    code: ClassVar[str] = "packs.ambiguous_alias"


def spelled(text: str) -> str:
    """Return a number as it compares: one width, one kind of bracket, without blanks."""
    folded = unicodedata.normalize("NFKC", text.translate(_BRACKETS)).translate(_BRACKETS)
    return "".join(folded.split()).casefold()


def look_up(packs: Iterable[Pack], text: str) -> tuple[tuple[Pack, How], ...]:
    """Return the papers somebody may mean, and by what they were found; versions newest first.

    Aliases are for look-ups only: show the paper's own number. Source: clause register K22.
    """
    wanted = spelled(text)
    found: list[tuple[Pack, How]] = []
    for pack in packs:
        how = next((how for name, how in _names(pack) if spelled(name) == wanted), None)
        if how is not None:
            found.append((pack, how))
    return tuple(sorted(found, key=lambda pair: pair[0].valid_from, reverse=True))


def ambiguous(files: Sequence[PackFiles]) -> Iterator[PackRefusal]:
    """Yield aliases that mean two notices; versions of one notice may share them."""
    owners: dict[str, str] = {}
    for found in files:
        owners.setdefault(spelled(found.pack.number), found.pack.number)
        owners.setdefault(spelled(found.pack.title), found.pack.number)
    for found in files:
        yield from _doubled(found, owners)


def _doubled(found: PackFiles, owners: dict[str, str]) -> Iterator[PackRefusal]:
    for place, alias in enumerate(found.pack.aliases):
        owner = owners.setdefault(spelled(alias), found.pack.number)
        if owner != found.pack.number:
            yield found.notice.refuse(
                AmbiguousAlias, ("aliases", place), found.pack.id, alias=alias, other=owner
            )


def _names(pack: Pack) -> Iterator[tuple[str, How]]:
    yield pack.id, "id"
    yield pack.number, "number"
    yield pack.title, "title"
    for alias in pack.aliases:
        yield alias, "alias"
