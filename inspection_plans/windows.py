"""Grants beside each other: 重复领取 within the window, 低等级 after a higher one.

The windows themselves are counted by the clock; here grants are compared.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

# The last day of the window that opens with a grant; None where no paper has a window.
Window = Callable[[date], date | None]


@dataclass(frozen=True)
class Grant:
    """One subsidy 补贴 of one person, on the day that the window's setting counts from."""

    id: str
    person: str
    occupation: str
    level: str
    on: date


@dataclass(frozen=True)
class Repeated:
    """A grant that falls into the window of earlier ones, with the window's last day."""

    grant: Grant
    earlier: tuple[Grant, ...]
    until: date


class Order(StrEnum):
    """Whether the lower level came after the higher one, or on its very day."""

    AFTER = "after"
    SAME_DAY = "same_day"


@dataclass(frozen=True)
class Lowered:
    """A grant at a lower level beside one at a higher level of the same occupation."""

    grant: Grant
    higher: Grant
    order: Order


def repeated(grants: Iterable[Grant], window: Window, *, times: int = 1) -> Iterator[Repeated]:
    """Yield each grant that is one too many: ``times`` or more lie in a window still open.

    Same person, occupation and level. Of one day, the id decides which is the earlier; the
    order of ``grants`` never matters.
    Source: shandong-2022-156/5.4/no-duplicate-1y, heilongjiang-2023-13/4.3/once-a-year; K15.
    """
    for same in _by(grants, lambda grant: (grant.person, grant.occupation, grant.level)):
        for place, grant in enumerate(same):
            known = ((one, window(one.on)) for one in same[:place])
            open_still = [(one, end) for one, end in known if end is not None and grant.on <= end]
            if len(open_still) >= times:
                yield Repeated(
                    grant, tuple(one for one, _ in open_still), max(end for _, end in open_still)
                )


def lowered(grants: Iterable[Grant], ranks: Mapping[str, int]) -> Iterator[Lowered]:
    """Yield each grant beside a higher one of the same person and occupation, that came first.

    ``ranks``: every level's rank, the highest largest. On one day nobody knows which came first.
    Source: heilongjiang-2023-13/4.3/no-lower-after-higher.
    """
    for same in _by(grants, lambda grant: (grant.person, grant.occupation)):
        highest: Grant | None = None
        for grant in sorted(same, key=lambda one: (one.on, -ranks[one.level], one.id)):
            if highest is not None and ranks[grant.level] < ranks[highest.level]:
                order = Order.SAME_DAY if grant.on == highest.on else Order.AFTER
                yield Lowered(grant, highest, order)
            if highest is None or ranks[grant.level] > ranks[highest.level]:
                highest = grant


def _by(grants: Iterable[Grant], key: Callable[[Grant], Hashable]) -> Iterator[list[Grant]]:
    """Gather grants by key; each group and all groups in the order of day and id."""
    groups: defaultdict[Hashable, list[Grant]] = defaultdict(list)
    for grant in sorted(grants, key=lambda one: (one.on, one.id)):
        groups[key(grant)].append(grant)
    yield from groups.values()
