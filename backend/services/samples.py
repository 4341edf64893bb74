"""Samples 抽样 of a visit: drawn by the product from the visit's seed, once, and kept.

A filed population is drawn from here and kept with its members, so that anybody can draw again; a
population that is only counted on site is drawn by the phone from the same seed.
"""

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.errors import Absent
from inspection_plans import sampling
from inspection_plans.sheets import Population, Sheet

# A visit without a class of its own draws from everything its institution has filed.
ROSTER = """
select t.id, c.code || ' ' || t.roster_no || ' ' || t.name || ' ' || t.id_tail as shown
from trainee t join training_class c on c.id = t.training_class
where t.institution = $1 and ($2::uuid is null or t.training_class = $2)
"""
LESSONS = """
select s.id, c.code || ' ' || s.code || ' ' || s.on_date as shown
from class_session s join training_class c on c.id = s.training_class
where s.institution = $1 and ($2::uuid is null or s.training_class = $2)
  and s.on_date <= $3 and s.status <> 'cancelled'
"""
SEED = "update visit set sample_seed = $2 where id = $1"
KEEP = """
insert into visit_sample (visit, label, region, population, wanted, chosen, drawn_at)
values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing
"""
KEPT = """
select label, population, wanted, chosen, drawn_at from visit_sample where visit = $1
order by label
"""
ONE = "select sample_seed from visit where id = $1 and sealed_until <= $2"


class Chosen(msgspec.Struct, frozen=True):
    """One member that was drawn, as the inspector finds it on paper."""

    id: UUID
    shown: str


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """One sample on its way to the phone, under the label of its draw."""

    label: str
    population: int
    chosen: tuple[Chosen, ...]


class SampleRecord(msgspec.Struct, frozen=True, kw_only=True):
    """抽样记录: what was drawn from what; ``holds`` says that drawing again gives the same."""

    label: str
    population: tuple[UUID, ...]
    wanted: int
    chosen: tuple[UUID, ...]
    drawn_at: datetime
    holds: bool


class Samples(msgspec.Struct, frozen=True, kw_only=True):
    """The seed that decides every sample of a visit, and those that were drawn here."""

    seed: str
    samples: tuple[SampleRecord, ...]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The visit to draw for."""

    visit: UUID
    region: int
    institution: UUID
    training_class: UUID | None
    on_date: date
    seed: str


def fresh_seed(act: Act) -> str:
    """32 bytes that decide every sample of the visit, from the random parts of two fresh ids."""
    return sha256(act.new_id().bytes + act.new_id().bytes).hexdigest()


async def give_seed(visit_id: UUID, *, act: Act) -> str:
    """Give a visit its seed that has none yet; its row is locked by the caller."""
    seed = fresh_seed(act)
    await DB.connection.execute(SEED, visit_id, seed)
    return seed


async def draw(source: Source, sheet: Sheet, *, act: Act) -> tuple[Drawn, ...]:
    """Draw once what the sheet samples of filed populations, inside the caller's transaction.

    What was drawn before stays, also when the roster has changed since. Nothing filed, no draw.
    """
    before = {row["label"]: row for row in await DB.connection.fetch(KEPT, source.visit)}
    found = []
    for population, wanted in _wanted(sheet).items():
        shown = await _members(source, population)
        label = population.value
        if label not in before and shown:
            before[label] = await _keep(source, label, list(shown), wanted, act)
        if label in before:
            row = before[label]
            chosen = tuple(Chosen(one, shown.get(one, "")) for one in row["chosen"])
            found.append(Drawn(label=label, population=len(row["population"]), chosen=chosen))
    return tuple(found)


async def of_visit(visit_id: UUID, *, act: Act) -> Samples:
    """The samples of a visit, each drawn again to see that it holds; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(ONE, visit_id, act.at)
        if row is None:
            raise Absent
        return await kept(visit_id, row["sample_seed"])


async def kept(visit_id: UUID, seed: str | None) -> Samples:
    """The samples of a visit with this seed, inside the caller's transaction."""
    rows = await DB.connection.fetch(KEPT, visit_id)
    seed = seed or ""
    return Samples(seed=seed, samples=tuple(_record(one, seed) for one in rows))


def _record(row: Any, seed: str) -> SampleRecord:  # noqa: ANN401 - a row of asyncpg
    again = _again(seed, row["label"], row["population"], row["wanted"])
    return SampleRecord(
        label=row["label"],
        population=tuple(row["population"]),
        wanted=row["wanted"],
        chosen=tuple(row["chosen"]),
        drawn_at=row["drawn_at"],
        holds=again == list(row["chosen"]),
    )


def _again(seed: str, label: str, population: Sequence[UUID], wanted: int) -> list[UUID]:
    return [UUID(one) for one in sampling.sample(seed, label, map(str, population), wanted)]


def _wanted(sheet: Sheet) -> dict[Population, int]:
    """The largest sample asked of each filed population; a smaller one is its beginning."""
    found: dict[Population, int] = {}
    for _, part in sampling.samples(sheet):
        if part.population is not Population.TYPED:
            found[part.population] = max(part.n, found.get(part.population, 0))
    return found


async def _members(source: Source, population: Population) -> dict[UUID, str]:
    arguments: list[object] = [source.institution, source.training_class]
    if population is Population.LESSONS:
        rows = await DB.connection.fetch(LESSONS, *arguments, source.on_date)
    else:
        rows = await DB.connection.fetch(ROSTER, *arguments)
    return {row["id"]: row["shown"] for row in rows}


async def _keep(
    source: Source, label: str, population: list[UUID], wanted: int, act: Act
) -> dict[str, Any]:
    members = sorted(population)
    chosen = _again(source.seed, label, members, wanted)
    await DB.connection.execute(
        KEEP, source.visit, label, source.region, members, wanted, chosen, act.at
    )
    return {"population": members, "chosen": chosen}
