"""From seed and frozen frames to everything drawn: institutions, teams, days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .canon import digest
from .days import days
from .digest import hexdigest
from .seed import unhex
from .select import select_with_totals
from .send import assign


def drawn(selection: Sequence[Mapping[str, Any]]) -> list[str]:
    """Give all drawn ids: by stratum must, certain and random, without reserves."""
    names = ("must", "certain", "random")
    return [ident for part in selection for name in names for ident in part[name]]


def visits_of(
    plan: Mapping[str, Any], objects: Iterable[Mapping[str, Any]], chosen: Iterable[str]
) -> list[dict[str, Any]]:
    """Make the visits to these objects, ids in given order.

    Size and skills are the `team` of the row's stratum, else that of the plan; area and days
    are the row's, days else the plan's. All of it is frozen before the seed is known.
    """
    teams = {stratum["id"]: stratum.get("team") for stratum in plan["strata"]}
    wanted = dict.fromkeys(chosen)
    rows = {row["id"]: row for row in objects if row["id"] in wanted}
    visits = []
    for ident in wanted:
        row = rows[ident]
        visit = {"id": ident, **(teams[row["stratum"]] or plan.get("team") or {})}
        visit.update({k: row[k] for k in ("area", "days") if row.get(k) is not None})
        if "days" not in visit and plan.get("days"):
            visit["days"] = plan["days"]
        visits.append(visit)
    return visits


def blocks_of(
    blocked: Iterable[Sequence[str]], visits: Iterable[Mapping[str, Any]]
) -> dict[str, list[str]]:
    """Give visit id -> inspector ids, of the frame-wide pairs those that concern the visits."""
    blocks: dict[str, list[str]] = {visit["id"]: [] for visit in visits}
    for inspector, visit in blocked:
        if visit in blocks:
            blocks[visit].append(inspector)
    return blocks


def send(
    alg: str,
    seed: str,
    plan: Mapping[str, Any],
    frames: Mapping[str, Sequence[Any]],
    selection: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Send teams to what was selected; frames is {objects, inspectors, blocked}."""
    visits = visits_of(plan, frames["objects"], drawn(selection))
    blocks = blocks_of(frames["blocked"], visits)
    return assign(alg, seed, visits, frames["inspectors"], blocks)


def draw(
    alg: str, seed: str, plan: Mapping[str, Any], frames: Mapping[str, Sequence[Any]]
) -> dict[str, Any]:
    """Draw everything: {selection, totals, assignment, days}; nothing when an error is raised.

    `totals` are those of `select_with_totals`: the sealed profile shows them instead of rows.
    """
    selection, totals = select_with_totals(alg, seed, plan, frames["objects"])
    assignment = send(alg, seed, plan, frames, selection)
    return {
        "selection": selection,
        "totals": totals,
        "assignment": assignment,
        "days": draw_days(alg, seed, plan, frames["objects"], selection),
    }


def draw_days(
    alg: str,
    seed: str,
    plan: Mapping[str, Any],
    objects: Sequence[Mapping[str, Any]],
    selection: Sequence[Mapping[str, Any]],
) -> dict[str, str]:
    """Draw the days of those visits whose row or plan names any."""
    visits = visits_of(plan, objects, drawn(selection))
    return days(alg, seed, [visit for visit in visits if "days" in visit])


def written(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Give the parts so that they have a canonical text: ids cannot be keys, maps are lists."""
    assignment = outcome["assignment"]
    totals = {"totals": outcome["totals"]} if "totals" in outcome else {}
    return {
        "selection": outcome["selection"],
        **totals,
        "assignment": {**assignment, "loads": sorted(assignment["loads"].items())},
        "days": sorted(outcome["days"].items()),
    }


def sealed(alg: str, seed: str, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Give what may be public between result and disclosure: status and digests.

    The seed, secret until then, is hashed with each part: a small frame has so few outcomes
    that a bare digest could be tried out.
    """
    parts = {
        name: digest(alg, {"seed": seed, name: part}) for name, part in written(outcome).items()
    }
    status = outcome["assignment"]["status"]
    return {"status": status, "seed": sealed_seed(alg, seed), **parts}


def sealed_seed(alg: str, seed: str) -> str:
    """Give the digest by which a result notes its seed."""
    return hexdigest(alg, unhex(seed, "seed"))
