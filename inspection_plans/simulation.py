"""Simulated years 推演: the real draw, many times, before anybody approves the plan."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from hashlib import sha256
from typing import Annotated, Any

from inspection_plans.draw import outcome
from inspection_plans.records import Meta, Record, decode

TERM_YEARS = 3
_YEAR_DAYS = 365


class Candidate(Record, frozen=True, kw_only=True):
    """One object of a stage's frame; ``who`` is its institution, whose visits are counted.

    ``never`` and ``before`` are its strata while it was not, and once it was, visited in the
    term; ``excluded`` is a rule that holds whatever is drawn; ``cap`` is visits a year at most.
    """

    id: str
    who: str
    city: str
    risk: str
    area: str
    never: str
    before: str
    cap: int
    excluded: str | None = None
    days: tuple[str, ...] = ()


class Stage(Record, frozen=True, kw_only=True):
    """One plan of the year as it would be drawn: the public plan, its frame, its rest days."""

    code: str
    plan: Mapping[str, Any]
    candidates: tuple[Candidate, ...]
    window_from: date
    cool_down_days: int


class Scenario(Record, frozen=True, kw_only=True):
    """A year's stages in the order of their draws, and who can be sent.

    ``inspectors`` are rows of the frame without load; ``blocked`` are pairs (inspector, who);
    ``last_visits`` is who -> the day of its last random visit until now.
    """

    stages: tuple[Stage, ...]
    inspectors: tuple[dict[str, Any], ...]
    blocked: tuple[tuple[str, str], ...] = ()
    last_visits: dict[str, date] = field(default_factory=dict)
    alg: str = "sha256"


class Order(Record, frozen=True, kw_only=True):
    """What one run is asked for: a scenario, a seed of 64 hexadecimal digits, how many years."""

    scenario: Scenario
    seed: Annotated[str, Meta(pattern="[0-9a-f]{64}")]
    years: Annotated[int, Meta(ge=1, le=3000)]


@dataclass
class Share:
    """Of a city or class: institutions, visits, and institution-years with a visit or more."""

    institutions: int = 0
    visits: int = 0
    seen: int = 0
    unseen_terms: int = 0


@dataclass
class Report:
    """Counts over all simulated years; whoever shows a share shows both its numbers.

    ``unseen`` is who -> terms without any visit; ``loads`` is visits in a year -> inspector-
    years; ``missing`` is places left open in a draw -> draws; ``missing_where`` and
    ``missing_role`` say which they were; ``exclusions`` is rule -> objects left out by it.
    """

    years: int = 0
    terms: int = 0
    draws: int = 0
    infeasible: int = 0
    shortfall: int = 0
    cities: dict[str, Share] = field(default_factory=dict)
    classes: dict[str, Share] = field(default_factory=dict)
    unseen: dict[str, int] = field(default_factory=dict)
    loads: dict[int, int] = field(default_factory=dict)
    inspector_visits: dict[str, int] = field(default_factory=dict)
    missing: dict[int, int] = field(default_factory=dict)
    missing_where: dict[str, int] = field(default_factory=dict)
    missing_role: dict[str, int] = field(default_factory=dict)
    exclusions: dict[str, int] = field(default_factory=dict)


class Simulation:
    """Simulates year after year; every third year ends a term 目录有效期 and forgets who was seen.

    Each draw is the engine's own, with a seed from ``seed`` and its number: the same scenario
    and seed give the same report.  Source: design, step 2; national-2021-71/4.6/validity-3y.
    """

    def __init__(self, scenario: Scenario, seed: bytes) -> None:
        self.scenario = scenario
        self.seed = seed
        self.report = Report()
        self._homes = _homes(scenario.stages)
        self._unseen: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._totals: dict[str, Counter[Any]] = {
            name: Counter()
            for name in ("loads", "missing", "missing_where", "missing_role", "exclusions")
        }
        self._shares = (_shares(self._homes, 0), _shares(self._homes, 1))
        self._begin_term()

    def _begin_term(self) -> None:
        self._seen: set[str] = set()
        self._last = {who: on.toordinal() for who, on in self.scenario.last_visits.items()}

    def year(self) -> None:
        """Simulate one more year."""
        place = self.report.years % TERM_YEARS
        visits: Counter[str] = Counter()
        loads: Counter[str] = Counter()
        for stage in self.scenario.stages:
            self._stage(stage, place * _YEAR_DAYS, visits, loads)
        self.report.years += 1
        self._sent.update(loads)
        self._totals["loads"].update(loads[one["id"]] for one in self.scenario.inspectors)
        for who, times in visits.items():
            for shares, home in zip(self._shares, self._homes[who], strict=True):
                shares[home].visits += times
                shares[home].seen += 1
        if place == TERM_YEARS - 1:
            self._end_term()

    def _end_term(self) -> None:
        self.report.terms += 1
        for who in self._homes.keys() - self._seen:
            self._unseen[who] += 1
            for shares, home in zip(self._shares, self._homes[who], strict=True):
                shares[home].unseen_terms += 1
        self._begin_term()

    def _stage(self, stage: Stage, shift: int, visits: Counter[str], loads: Counter[str]) -> None:
        rows = [self._row(one, stage, shift, visits) for one in stage.candidates]
        self._totals["exclusions"].update(row["excl"] for row in rows if "excl" in row)
        staff = [{**one, "load": loads[one["id"]]} for one in self.scenario.inspectors]
        drawn = self._draw(stage, rows, staff)
        self.report.draws += 1
        self.report.shortfall += sum(part["shortfall"] for part in drawn["selection"])
        owner = {one.id: one.who for one in stage.candidates}
        for team in drawn["assignment"]["teams"]:
            who = owner[team["visit"]]
            visits[who] += 1
            self._seen.add(who)
            day = drawn["days"].get(team["visit"], stage.window_from.isoformat())
            self._last[who] = date.fromisoformat(day).toordinal() + shift
        loads.update(
            {ident: load - loads[ident] for ident, load in drawn["assignment"]["loads"].items()}
        )
        self._gaps(stage, drawn["assignment"], {row["id"]: row["area"] for row in rows})

    def _draw(
        self, stage: Stage, rows: list[dict[str, Any]], staff: list[dict[str, Any]]
    ) -> dict[str, Any]:
        number = self.report.draws.to_bytes(8, "big")
        seed = sha256(self.seed + number + stage.code.encode()).hexdigest()
        return outcome.draw(
            self.scenario.alg,
            seed,
            stage.plan,
            {"objects": rows, "inspectors": staff, "blocked": self._blocked(stage)},
        )

    def _blocked(self, stage: Stage) -> list[list[str]]:
        of: dict[str, list[str]] = {}
        for one in stage.candidates if self.scenario.blocked else ():
            of.setdefault(one.who, []).append(one.id)
        return sorted(
            [inspector, ident]
            for inspector, who in self.scenario.blocked
            for ident in of.get(who, ())
        )

    def _row(
        self, one: Candidate, stage: Stage, shift: int, visits: Counter[str]
    ) -> dict[str, Any]:
        stratum = one.before if one.who in self._seen else one.never
        row: dict[str, Any] = {"id": one.id, "stratum": stratum, "area": one.area}
        if one.days:
            row["days"] = list(one.days)
        if excluded := one.excluded or self._tired(one, stage, shift, visits):
            row["excl"] = excluded
        return row

    def _tired(self, one: Candidate, stage: Stage, shift: int, visits: Counter[str]) -> str | None:
        if visits[one.who] >= one.cap:
            return "CAP_REACHED"
        last = self._last.get(one.who)
        first = stage.window_from.toordinal() + shift
        resting = stage.cool_down_days and last is not None and last + stage.cool_down_days > first
        return "COOLDOWN" if resting else None

    def _gaps(self, stage: Stage, sent: Mapping[str, Any], areas: Mapping[str, str]) -> None:
        """Count the places nobody could fill: how many, in which area, for which role."""
        self._totals["missing"][len(sent["open"])] += 1
        self.report.infeasible += sent["status"] == "infeasible"
        skills = [f"skill:{name}" for name in sorted(set(stage.plan["team"]["skills"]))]
        roles = ["lead", *skills]
        for visit, place in sent["open"]:
            self._totals["missing_where"][areas[visit]] += 1
            self._totals["missing_role"][roles[place] if place < len(roles) else "any"] += 1

    def finish(self) -> Report:
        """Give the counts so far, in a settled order."""
        report = self.report
        report.cities, report.classes = (dict(sorted(one.items())) for one in self._shares)
        report.unseen = {who: self._unseen[who] for who in sorted(self._homes)}
        staff = sorted(one["id"] for one in self.scenario.inspectors)
        report.inspector_visits = {ident: self._sent[ident] for ident in staff}
        for name, counts in self._totals.items():
            setattr(report, name, dict(sorted(counts.items())))
        return report


def simulate(order: Order) -> Report:
    """Simulate an order's years and give the counts."""
    simulation = Simulation(order.scenario, bytes.fromhex(order.seed))
    for _ in range(order.years):
        simulation.year()
    return simulation.finish()


def merged(reports: Iterable[Report]) -> Report:
    """Add up the counts of runs of one scenario; institutions are the same in each."""
    total = Report()
    for report in reports:
        for name, value in vars(report).items():
            known = getattr(total, name)
            if isinstance(value, int):
                setattr(total, name, known + value)
            elif name in ("cities", "classes"):
                _add_shares(known, value)
            else:
                for key, times in value.items():
                    known[key] = known.get(key, 0) + times
    return total


def _add_shares(known: dict[str, Share], more: Mapping[str, Share]) -> None:
    for home, share in more.items():
        mine = known.setdefault(home, Share(share.institutions))
        mine.visits += share.visits
        mine.seen += share.seen
        mine.unseen_terms += share.unseen_terms


def main() -> None:
    """Read an `Order` as JSON from standard input, write its `Report` as JSON."""
    order = decode(json.load(sys.stdin), Order)
    json.dump(asdict(simulate(order)), sys.stdout, ensure_ascii=False)


def _homes(stages: Iterable[Stage]) -> dict[str, tuple[str, str]]:
    """Who -> city and class, of everybody who is in some frame and can be drawn at all."""
    return {
        one.who: (one.city, one.risk)
        for stage in stages
        for one in stage.candidates
        if one.excluded is None
    }


def _shares(homes: Mapping[str, tuple[str, str]], part: int) -> dict[str, Share]:
    shares: dict[str, Share] = {}
    for home in homes.values():
        shares.setdefault(home[part], Share()).institutions += 1
    return shares


if __name__ == "__main__":
    main()
