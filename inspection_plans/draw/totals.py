"""The sealed profile: totals and thresholds instead of rows (draw.md section 2.6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .allot import check_plan, strata_of, targets
from .canon import digest
from .ceremony import Attempt
from .findings import Finding, found
from .frame import Group
from .seed import marker
from .standing import standing

_TOTAL = {
    "stratum", "frame", "eligible", "target", "n", "shortfall", "must", "certain", "random",
    "reserve", "weight", "threshold", "certain_from",
}  # fmt: skip


def _group(total: Mapping[str, Any]) -> Group:
    """Make a group of the sizes alone: enough to tell its target."""
    group = Group([""] * (total["eligible"] - total["must"]))
    group.must = [""] * total["must"]
    group.rows = total["frame"]
    return group


def _adds_up(total: Mapping[str, Any]) -> bool:
    return (
        set(total) == _TOTAL
        and total["frame"] >= total["eligible"] >= total["n"] >= 0
        and total["n"] == total["must"] + total["certain"] + total["random"]
        and total["shortfall"] == total["target"] - total["n"] >= 0
        and (total["threshold"] is None) == (not total["random"])
        and (total["certain_from"] is None) == (not total["certain"])
    )


def check_totals(record: Mapping[str, Any], first: Attempt) -> Iterator[Finding]:
    """Tell totals that do not add up, that the plan does not give, or that were not noted."""
    alg, plan, totals = record["alg"], record["plan"], record["totals"]
    seed = first.seed(alg, plan)
    for total in totals:
        if not _adds_up(total):
            yield found("totals.sum", stratum=total["stratum"])
    strata = strata_of(plan)
    check_plan(plan, strata)
    whole = sum(total["frame"] for total in totals) == first.freeze["objects"]["count"]
    if [total["stratum"] for total in totals] != [one["id"] for one in strata] or not whole:
        yield found("totals.frame")
        return
    groups = {total["stratum"]: _group(total) for total in totals}
    right = targets(plan, strata, groups, marker(alg, seed, "ssj1.stratum"))
    for total in totals:
        if total["target"] != right[total["stratum"]]:
            yield found("totals.target", stratum=total["stratum"])
    if (first.result or {})["totals"] != digest(alg, {"seed": seed, "totals": list(totals)}):
        yield found("totals.noted")


def fate(alg: str, seed: str, totals: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> str:
    """Tell what became of a row of the object frame: excluded, must, certain, drawn or not_drawn.

    This is what an institution asks with its own opening: under or over the threshold.
    """
    total = next(total for total in totals if total["stratum"] == row["stratum"])
    if row.get("excl"):
        return "excluded"
    if row.get("must"):
        return "must"
    if total["certain_from"] is not None and row.get("w", 1) >= total["certain_from"]:
        return "certain"
    return "drawn" if standing(alg, seed, row, total)["under"] else "not_drawn"
