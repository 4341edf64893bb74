"""A thousand simulated years of two thousand institutions, four draws a year."""

import resource
import time
from datetime import date

from inspection_plans.simulation import Candidate, Order, Scenario, Stage, simulate
from tests.bench.figures import Figure

INSTITUTIONS = 2_000
YEARS = 1_000
SLICE = 60
CITIES = tuple(str(370_000 + 100 * place) for place in range(1, 17))
# Class D has the fewest institutions and is drawn from the most.
CLASSES = {"A": ("1/40", 900), "B": ("1/20", 600), "C": ("1/10", 350), "D": ("1/5", 150)}


def a_scenario() -> Scenario:
    """A province: four quarterly plans, four classes, sixteen cities, 120 inspectors."""
    risks = [risk for risk, (_, count) in CLASSES.items() for _ in range(count)]
    candidates = tuple(
        Candidate(
            id=f"91370000MA{number:07}X/training",
            who=f"91370000MA{number:07}X",
            city=CITIES[number % len(CITIES)],
            area=CITIES[number % len(CITIES)],
            risk=risks[number],
            never=risks[number],
            before=risks[number],
            cap=2,
        )
        for number in range(INSTITUTIONS)
    )
    return Scenario(
        stages=tuple(_stage(month, candidates) for month in (1, 4, 7, 10)),
        inspectors=tuple(
            {
                "id": f"S{number:03}",
                "lead": number % 2 == 0,
                "skills": [],
                "areas": [CITIES[(number + step) % len(CITIES)] for step in range(4)],
                "cap": 12,
            }
            for number in range(120)
        ),
    )


def _stage(month: int, candidates: tuple[Candidate, ...]) -> Stage:
    plan = {
        "mode": "ratio",
        "base": "frame",
        "reserve": 3,
        "strata": [{"id": risk, "ratio": ratio} for risk, (ratio, _) in CLASSES.items()],
        "days": [date(2026, month, day).isoformat() for day in range(2, 28)],
        "team": {"size": 2, "skills": []},
    }
    return Stage(
        code=f"M{month}",
        plan=plan,
        candidates=candidates,
        window_from=date(2026, month, 2),
        cool_down_days=60,
    )


def run() -> list[Figure]:
    """All thousand years, slice by slice, as the job does them."""
    scenario = a_scenario()
    began, visits = time.process_time(), 0
    for first in range(0, YEARS, SLICE):
        years = min(SLICE, YEARS - first)
        report = simulate(Order(scenario=scenario, seed=f"{first:064x}", years=years))
        visits += sum(share.visits for share in report.cities.values())
    took = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    note = f"{visits} visits in {4 * YEARS} draws"
    return [
        Figure("simulate: 1,000 years of 2,000 institutions", took, "s", target=60, note=note),
        Figure("simulate: most memory of the process", peak, "MB"),
    ]
