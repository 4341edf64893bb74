"""What changed in a frame 抽样框 since the last one, and against the catalogue it must cover."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Moved:
    """An object whose facts that decide its stratum 层 are others than last time."""

    object: str
    before: str
    after: str


@dataclass(frozen=True)
class FrameDiff:
    """Object ids by bytes: new ones, gone ones, moved ones.

    ``unlisted`` are in the frame without a valid catalogue entry, ``missing`` have one and are
    not in the frame: a frame is stuffed, or somebody quietly omitted, when these surprise.
    """

    appeared: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    moved: tuple[Moved, ...] = ()
    unlisted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """What the public log says of it: numbers alone, keys in its canonical form."""
        return {name: len(getattr(self, name)) for name in self.__dataclass_fields__}


def _in_order(ids: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(ids, key=str.encode))


def compare(
    before: Mapping[str, str] | None, now: Mapping[str, str], listed: Collection[str]
) -> FrameDiff:
    """Compare two frames, each object id -> the facts that decide its stratum, as one text.

    ``before`` is None when there was no frame yet; ``listed`` are the ids that the catalogue
    says should be there.  Source: draw.md section 10 (frame stuffing, quiet omission).
    """
    last = now if before is None else before
    kept = now.keys() & last.keys()
    catalogue = frozenset(listed)
    return FrameDiff(
        appeared=_in_order(now.keys() - last.keys()),
        vanished=_in_order(last.keys() - now.keys()),
        moved=tuple(
            Moved(ident, last[ident], now[ident])
            for ident in _in_order(kept)
            if last[ident] != now[ident]
        ),
        unlisted=_in_order(now.keys() - catalogue),
        missing=_in_order(catalogue - now.keys()),
    )
