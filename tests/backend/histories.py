"""Many random histories on one database: fresh people every few, and what holds over all."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import asyncpg

from backend.services import tokens

T = TypeVar("T")
# Every deed looks at everything that is held, so what is held must stay small.
TOGETHER = 25
# Every number that stands on anything, by series and year: 1 … n without a gap, none twice.
GAPS = r"""
with taken as (
  select number from notice where number is not null
  union all select number from case_step where number is not null
  union all select number from reply_decision where number is not null),
split as (select substring(number from '^[^〔]+') as series,
  substring(number from '〔(\d+)〕') as year, substring(number from '〕(\d+)号')::int as seq
  from taken)
select series, year, count(*), count(distinct seq), max(seq) from split group by series, year
having count(*) <> max(seq) or count(distinct seq) <> max(seq)
"""
TAKEN = """
select (select coalesce(sum(last), 0) from number_sequence) =
  (select count(*) from notice where number is not null)
  + (select count(*) from case_step where number is not null)
  + (select count(*) from reply_decision where number is not null)
"""
# A revision of a notice is an effect, and each has its one entry.
UNEQUAL = """
select n.id, n.rev, count(e.id) from notice n
left join aud.entry e on e.body -> 'object' ->> 'id' = n.id::text group by n.id, n.rev
having count(e.id) <> n.rev
"""


async def settled(owner: asyncpg.Connection) -> None:
    """Numbers are gapless and each stands on something; every revision has its one entry."""
    assert await owner.fetch(GAPS) == []
    assert await owner.fetchval(TAKEN)
    assert await owner.fetch(UNEQUAL) == []


class Arenas(Generic[T]):
    """Where histories are played: what ``make`` makes, anew for every ``TOGETHER`` of them."""

    def __init__(
        self, owner: asyncpg.Connection, wipe: str, make: Callable[[], Awaitable[T]]
    ) -> None:
        self.owner = owner
        self.wipe = wipe
        self.make = make
        self.played = 0
        self.here: T | None = None

    async def enter(self) -> T:
        """The people of the next history; what the last ones left is looked at before it goes."""
        if self.here is None or self.played % TOGETHER == 0:
            await settled(self.owner)
            await self.owner.execute(self.wipe)
            tokens.forget()
            self.here = await self.make()
        self.played += 1
        return self.here
