"""Act 8: plans, draws and results are made public, in standard wordings and without names."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from backend.services import publications
from backend.services.public_facts import Fact
from backend.services.publications import Content, Kind, Publication
from seed import people
from seed.casework import Matter
from seed.field import Field, Trip
from seed.plans import Planned
from seed.pleas import OBJECTS
from seed.replies import SILENT

EARLY_ON, LATE_ON = date(2026, 5, 12), date(2026, 6, 24)
EARLY = ("ghost_roster", "advice")  # published while the notice still runs
CORRECTED = "ghost_roster"
Early = dict[UUID, Publication]


@dataclass
class Published:
    """What stands in public."""

    plans: int = 0
    draws: int = 0
    results: int = 0
    corrections: int = 0

    @property
    def standing(self) -> int:
        """How many publications anybody can read, corrected ones included."""
        return self.plans + self.draws + self.results + self.corrections


async def _make_public(
    here: Field, kind: Kind, subject: UUID, content: Content, region: int
) -> Publication:
    """Prepared by one, approved by another, published."""
    prepared = await publications.prepare(
        kind, subject, content, rules=here.stage.jobs.rules,
        act=people.of(here.cast, region, "publisher", here.stage),
    )  # fmt: skip
    return await _out(here, prepared, region)


async def _out(here: Field, prepared: Publication, region: int) -> Publication:
    stage = here.stage
    await publications.approve(
        prepared.id, digest=prepared.digest, act=people.of(here.cast, region, "approver", stage)
    )
    return await publications.publish(
        prepared.id, act=people.of(here.cast, region, "publisher", stage)
    )


async def plans_and_draws(here: Field, planned: list[Planned], done: Published) -> None:
    """What was planned and what was drawn, after the draws were opened."""
    for one in planned:
        await _make_public(here, "plan", one.plan, Content(), one.wanted.region)
        await _make_public(here, "draw", one.drawn, Content(), one.wanted.region)
        done.plans += 1
        done.draws += 1


def _facts(matter: Matter | None) -> tuple[Fact, ...]:
    found = matter.findings if matter else ()
    return tuple(Fact(finding=one.id, text=one.detail) for one in found)


async def early(here: Field, matters: list[Matter], done: Published) -> Early:
    """Two results that cannot wait: ordered, not mended yet."""
    here.stage.clock.move(EARLY_ON)
    out: Early = {}
    for matter in matters:
        if matter.trip.fate in EARLY:
            code = "further_handling" if matter.trip.fate == "advice" else "correction_ordered"
            content = Content(wordings=(code,), facts=_facts(matter))
            made = await _make_public(
                here, "result", matter.trip.visit, content, matter.trip.region
            )
            out[matter.trip.visit] = made
            done.results += 1
    return out


async def results(
    here: Field,
    trips: list[Trip],
    matters: list[Matter],
    before: Early,
    done: Published,
) -> None:
    """Every other visit's result, and a correction of what has been mended since."""
    here.stage.clock.move(LATE_ON)
    by_visit = {m.trip.visit: m for m in matters if m.trip.fate != OBJECTS}
    for trip in trips:
        matter = by_visit.get(trip.visit)
        content = Content(wordings=(_wording(trip, matter),), facts=_facts(matter))
        if trip.visit not in before:
            await _make_public(here, "result", trip.visit, content, trip.region)
            done.results += 1
        elif trip.fate == CORRECTED:
            prepared = await publications.correct(
                before[trip.visit].id,
                content,
                reason="机构已按要求改正，更正公示结果",
                rules=here.stage.jobs.rules,
                act=people.of(here.cast, trip.region, "publisher", here.stage),
            )
            await _out(here, prepared, trip.region)
            done.corrections += 1


def _wording(trip: Trip, matter: Matter | None) -> str:
    if trip.fate == "unreachable":
        return "unreachable"
    if matter is None:
        return "no_problem_found"
    return "further_handling" if trip.fate == SILENT else "corrected_on_order"
