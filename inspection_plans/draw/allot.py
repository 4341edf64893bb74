"""How many a stratum gets, by ratio or by a total (draw.md section 5)."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from .errors import DrawRefusal
from .frame import Group

_QUOTIENT = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")
_DECIMAL = re.compile(r"[0-9]{1,3}(\.[0-9]{1,9})?")


def parse_ratio(value: object) -> Fraction:
    """Read `p/q` or a decimal in ASCII digits, between 0 and 1. Raises: E_RATIO."""
    ratio = None
    if isinstance(value, str):
        quotient = _QUOTIENT.fullmatch(value)
        if quotient and int(quotient.group(2)):
            ratio = Fraction(int(quotient.group(1)), int(quotient.group(2)))
        elif _DECIMAL.fullmatch(value):
            ratio = Fraction(value)
    if ratio is None or ratio > 1:
        raise DrawRefusal("E_RATIO", "ratio")
    return ratio


def strata_of(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the plan's strata in byte order. Raises: E_DUP_STRATUM, E_STRATUM."""
    strata = plan.get("strata")
    if not isinstance(strata, (list, tuple)):
        raise DrawRefusal("E_STRATUM", "strata")
    ids = [stratum.get("id") if isinstance(stratum, Mapping) else None for stratum in strata]
    texts = [ident for ident in ids if isinstance(ident, str)]
    if len(set(texts)) != len(texts):
        raise DrawRefusal("E_DUP_STRATUM", "strata")
    if len(texts) != len(ids):
        raise DrawRefusal("E_STRATUM", "strata")
    return sorted(strata, key=lambda stratum: str(stratum["id"]))


def count(holder: Mapping[str, Any], name: str, default: int) -> int:
    """Give a number of the plan, 0 or more; absent or null means the default. Raises: E_MODE."""
    value = holder.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise DrawRefusal("E_MODE", name)
    return value


def check_plan(plan: Mapping[str, Any], strata: Sequence[Mapping[str, Any]]) -> None:
    """Ratios first, then mode, base and numbers. Raises: E_RATIO, E_MODE."""
    mode = plan.get("mode")
    if mode == "ratio":
        for stratum in strata:
            parse_ratio(stratum.get("ratio"))
    if mode not in ("ratio", "total") or plan.get("base", "frame") not in ("frame", "eligible"):
        raise DrawRefusal("E_MODE", "mode")
    if mode == "total" and plan.get("total") is None:
        raise DrawRefusal("E_MODE", "total")
    for name in ("total", "reserve"):
        count(plan, name, 0)
    for stratum in strata:
        for name in ("min", "max", "size"):
            count(stratum, name, 0)


def _base(plan: Mapping[str, Any], group: Group) -> int:
    return group.eligible if plan.get("base") == "eligible" else group.rows


def _by_ratio(plan: Mapping[str, Any], stratum: Mapping[str, Any], group: Group) -> int:
    ratio = parse_ratio(stratum["ratio"])
    exact = ratio.numerator * _base(plan, group)
    target = max(-(-exact // ratio.denominator), count(stratum, "min", 0))
    target = min(target, count(stratum, "max", target))
    return max(target, len(group.must))


def _by_total(
    plan: Mapping[str, Any],
    strata: Sequence[Mapping[str, Any]],
    groups: Mapping[str, Group],
    ticket: Callable[[bytes], bytes],
) -> dict[str, int]:
    """One at a time to the stratum with the largest size / (2a + 1), ties by ticket."""
    given: dict[str, int] = {}
    limits: dict[str, int] = {}
    turns = []
    for stratum in strata:
        ident, group = stratum["id"], groups[stratum["id"]]
        musts = len(group.must)
        limit = max(min(group.eligible, count(stratum, "max", group.eligible)), musts)
        given[ident] = max(min(count(stratum, "min", 0), limit), musts)
        limits[ident] = limit
        size = count(stratum, "size", _base(plan, group))
        mark = ticket(ident.encode("utf-8", "surrogatepass"))
        turns.append((Fraction(-size, 2 * given[ident] + 1), mark, ident, size))
    turns = [turn for turn in turns if given[turn[2]] < limits[turn[2]]]
    heapq.heapify(turns)
    left = plan["total"] - sum(given.values())
    while left > 0 and turns:
        _, mark, ident, size = turns[0]
        given[ident] += 1
        left -= 1
        if given[ident] < limits[ident]:
            turn = (Fraction(-size, 2 * given[ident] + 1), mark, ident, size)
            heapq.heapreplace(turns, turn)
        else:
            heapq.heappop(turns)
    return given


def targets(
    plan: Mapping[str, Any],
    strata: Sequence[Mapping[str, Any]],
    groups: Mapping[str, Group],
    ticket: Callable[[bytes], bytes],
) -> dict[str, int]:
    """Stratum id -> target before the shortfall; `ticket` is that of tag `ssj1.stratum`."""
    if plan["mode"] == "total":
        return _by_total(plan, strata, groups, ticket)
    return {s["id"]: _by_ratio(plan, s, groups[s["id"]]) for s in strata}
