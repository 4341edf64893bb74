"""Rosters held to each other without their names: blind indexes, and who stands on two.

Source: evidence spec 10 (roster re-use), 12.3 (keyed digests).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.signals import keep
from backend.services.signals.facts import Occasion
from inspection_plans.loader import jurisdiction_of, load_settings
from inspection_plans.signals.found import Found
from inspection_plans.signals.limits import limits
from inspection_plans.signals.rolls import Roster, roster_reuse
from media.keys import blind_index

KIND = "roster_reuse"
INDEX_BYTES = 8
PROVINCE = 10_000
STALE = """
select c.id, c.region, c.institution, d.rev from training_class c
join lateral (select max(rev) as rev from directory_version
  where kind = 'roster' and subject = c.id) d on d.rev is not null
left join roster_index i on i.training_class = c.id
where ($1::uuid[] is null or c.id = any ($1)) and coalesce(i.rev, 0) <> d.rev
order by c.id
"""
NAMES = "select name, id_tail from trainee where training_class = $1"
INDEX = """
insert into roster_index (training_class, region, institution, rev, names, indexed_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (training_class) do update set rev = excluded.rev, names = excluded.names,
  indexed_at = excluded.indexed_at
"""
CLASS = """
select c.id, c.region, c.institution, c.venue_region, c.starts_on, c.ends_on,
  cardinality(i.names) as size, i.names
from training_class c join roster_index i on i.training_class = c.id where c.id = $1
"""
OTHERS = """
select c.id, c.region, c.venue_region, c.starts_on, c.ends_on, cardinality(i.names) as size,
  (select count(*) from unnest(i.names) as n (name) where n.name = any ($2))::int as common
from roster_index i join training_class c on c.id = i.training_class
where i.names && $2 and c.id <> $1 and c.status <> 'cancelled'
"""


async def _index(row: Any, key: bytes, at: datetime) -> None:  # noqa: ANN401 - a row of asyncpg
    """Renew the blind index of one class: a name with its four digits, each once."""
    names = {
        int.from_bytes(
            blind_index(key, KIND, f"{one['name']} {one['id_tail']}")[:INDEX_BYTES], signed=True
        )
        for one in await DB.connection.fetch(NAMES, row["id"])
    }
    await DB.connection.execute(
        INDEX, row["id"], row["region"], row["institution"], row["rev"], sorted(names), at
    )


def _roster(row: Any) -> Roster:  # noqa: ANN401 - a row of asyncpg
    return Roster(
        training_class=str(row["id"]),
        size=row["size"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        province=row["venue_region"] // PROVINCE,
    )


async def compare(classes: Sequence[UUID] | None, *, act: Act, keys: Keyring) -> int:
    """Index rosters that changed, of these classes or of all, and hold each to all others.

    Both classes of a pair get the signal.  How many rosters had changed.
    """
    async with DB.transaction(act.by.scope):
        wanted = None if classes is None else list(classes)
        stale = await DB.connection.fetch(STALE, wanted)
        for row in stale:
            await _index(row, keys.index, act.at)
        again = {row["id"] for row in stale}
        for changed in sorted(again):
            again |= await _others(changed)
        for one in sorted(again):
            await _judge(one, act)
    return len(stale)


async def _others(training_class: UUID) -> set[UUID]:
    """Classes whose roster has a name of this one, or that had a signal with it."""
    row = await DB.connection.fetchrow(CLASS, training_class)
    near = await DB.connection.fetch(OTHERS, training_class, row["names"])
    told = await DB.connection.fetch(
        "select training_class from signal where kind = $1 and subject = $2 and gone_at is null",
        KIND,
        str(training_class),
    )
    return {one["id"] for one in near} | {one["training_class"] for one in told}


async def _judge(training_class: UUID, act: Act) -> None:
    row = await DB.connection.fetchrow(CLASS, training_class)
    if row is None:
        return
    place = jurisdiction_of(row["region"])
    own, lines = _roster(row), limits(load_settings(), place)
    found: list[Found] = []
    for other in await DB.connection.fetch(OTHERS, training_class, row["names"]):
        made = roster_reuse(own, _roster(other), other["common"], lines)
        if made is not None:
            found.append(made)
    occasion = Occasion(
        id=training_class,
        region=row["region"],
        institution=row["institution"],
        training_class=training_class,
        notice=None,
        jurisdiction=place,
        filed=None,
    )
    await keep.keep(occasion, (KIND,), found, act=act)
