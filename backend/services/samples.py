"""Samples 抽样 of a visit: drawn by the product from the visit's seed, once, and kept.

A filed population is drawn from here and kept with its members, so that anybody can draw again; a
population that is only counted on site is drawn by the phone from the same seed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
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
# The classes are found first: an "or" between class and institution would compare every trainee
# of the institution with every visit.
CLASSES = """
with c as (
  select v.id as visit, v.on_date, c.id, c.code from visit v
    join training_class c on c.id = v.training_class and c.institution = v.institution
    where v.id = any ($1)
  union all
  select v.id, v.on_date, c.id, c.code from visit v
    join training_class c on c.institution = v.institution
    where v.id = any ($1) and v.training_class is null)
"""
ROSTER = (
    CLASSES
    + """
select c.visit, t.id, c.code || ' ' || t.roster_no || ' ' || t.name || ' ' || t.id_tail as shown
from c join trainee t on t.training_class = c.id
"""
)
LESSONS = (
    CLASSES
    + """
select c.visit, s.id, c.code || ' ' || s.code || ' ' || s.on_date as shown
from c join class_session s on s.training_class = c.id
  and s.on_date <= c.on_date and s.status <> 'cancelled'
"""
)
LOCK = """
select id, sample_seed from visit where id = any ($1) order by id for no key update
"""
SEED = """
update visit v set sample_seed = t.seed
from unnest($1::uuid[], $2::text[]) as t (id, seed) where v.id = t.id
"""
# Arrays of arrays would have to be rectangular, so members travel as one text a sample.
KEEP = """
insert into visit_sample (visit, label, region, population, wanted, chosen, drawn_at)
select t.visit, t.label, t.region, string_to_array(t.population, ' ')::uuid[], t.wanted,
  string_to_array(t.chosen, ' ')::uuid[], $1
from unnest($2::uuid[], $3::text[], $4::int[], $5::text[], $6::int[], $7::text[])
  as t (visit, label, region, population, wanted, chosen) on conflict do nothing
"""
KEPT = """
select label, population, wanted, chosen, drawn_at from visit_sample where visit = $1
order by label
"""
KEPT_ALL = "select visit, label, population, chosen from visit_sample where visit = any ($1)"
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
    """The visit to draw for, with the sheet that says what is sampled."""

    visit: UUID
    region: int
    seed: str
    sheet: Sheet


class _Sample(msgspec.Struct, frozen=True):
    """One population with what was drawn from it."""

    population: list[UUID]
    chosen: list[UUID]


class _Kept(msgspec.Struct, frozen=True):
    """One sample to be drawn now."""

    source: Source
    label: str
    members: list[UUID]
    wanted: int

    @property
    def key(self) -> tuple[UUID, str]:
        """The visit and the label of the draw."""
        return self.source.visit, self.label

    @property
    def sample(self) -> _Sample:
        """The draw, the same whenever it is repeated."""
        return _Sample(
            self.members, _again(self.source.seed, self.label, self.members, self.wanted)
        )


def fresh_seed(act: Act) -> str:
    """32 bytes that decide every sample of the visit, from the random parts of two fresh ids."""
    return sha256(act.new_id().bytes + act.new_id().bytes).hexdigest()


async def give_seeds(visits: Sequence[UUID], *, act: Act) -> dict[UUID, str]:
    """The seeds of visits that had none, given now, inside the caller's transaction."""
    if not visits:
        return {}
    rows = await DB.connection.fetch(LOCK, visits)
    fresh = {row["id"]: fresh_seed(act) for row in rows if row["sample_seed"] is None}
    await DB.connection.execute(SEED, list(fresh), list(fresh.values()))
    return {row["id"]: row["sample_seed"] or fresh[row["id"]] for row in rows}


async def draw(sources: Sequence[Source], *, act: Act) -> dict[UUID, tuple[Drawn, ...]]:
    """Draw once what the sheets sample of filed populations, inside the caller's transaction.

    What was drawn before stays, also when the roster has changed since. Nothing filed, no draw.
    """
    wanted = {one.visit: _wanted(one.sheet) for one in sources}
    asked = [one for one in sources if wanted[one.visit]]
    kept = await _kept_of(asked)
    shown = {
        population: await _members(
            population, [one for one in asked if population in wanted[one.visit]]
        )
        for population in sorted({name for found in wanted.values() for name in found})
    }
    if fresh := _fresh(asked, wanted, shown, kept):
        # Two phones that look first at once must be told the same people.
        await DB.connection.fetch(LOCK, [one.source.visit for one in fresh])
        kept |= await _kept_of([one.source for one in fresh])
        fresh = [one for one in fresh if one.key not in kept]
        kept |= {one.key: one.sample for one in fresh}
        await _keep(fresh, act)
    return {
        one.visit: tuple(
            _drawn(
                population, kept[one.visit, population.value], shown[population].get(one.visit, {})
            )
            for population in wanted[one.visit]
            if (one.visit, population.value) in kept
        )
        for one in sources
    }


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


def _fresh(
    sources: Sequence[Source],
    wanted: Mapping[UUID, dict[Population, int]],
    shown: Mapping[Population, dict[UUID, dict[UUID, str]]],
    kept: Mapping[tuple[UUID, str], _Sample],
) -> list[_Kept]:
    """What is to be drawn now: of a filed population, and not drawn before."""
    found = [
        _Kept(one, population.value, sorted(shown[population].get(one.visit, ())), number)
        for one in sources
        for population, number in wanted[one.visit].items()
    ]
    return [one for one in found if one.members and one.key not in kept]


async def _members(
    population: Population, sources: Sequence[Source]
) -> dict[UUID, dict[UUID, str]]:
    """The members of a population as they are shown, by visit."""
    query = LESSONS if population is Population.LESSONS else ROSTER
    found: dict[UUID, dict[UUID, str]] = {}
    for row in await DB.connection.fetch(query, [one.visit for one in sources]):
        found.setdefault(row["visit"], {})[row["id"]] = row["shown"]
    return found


async def _kept_of(sources: Sequence[Source]) -> dict[tuple[UUID, str], _Sample]:
    rows = await DB.connection.fetch(KEPT_ALL, [one.visit for one in sources])
    return {(row[0], row[1]): _Sample(row[2], row[3]) for row in rows}


def _drawn(population: Population, sample: _Sample, shown: Mapping[UUID, str]) -> Drawn:
    chosen = tuple(Chosen(one, shown.get(one, "")) for one in sample.chosen)
    return Drawn(label=population.value, population=len(sample.population), chosen=chosen)


async def _keep(fresh: Sequence[_Kept], act: Act) -> None:
    if not fresh:
        return
    drawn = [one.sample for one in fresh]
    await DB.connection.execute(
        KEEP,
        act.at,
        [one.source.visit for one in fresh],
        [one.label for one in fresh],
        [one.source.region for one in fresh],
        [" ".join(map(str, one.population)) for one in drawn],
        [one.wanted for one in fresh],
        [" ".join(map(str, one.chosen)) for one in drawn],
    )
