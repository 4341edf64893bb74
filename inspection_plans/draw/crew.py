"""Checks of visits, inspectors and blocked pairs, and their drawn order (section 12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Union

from .canon import check_id
from .errors import DrawRefusal
from .roster import Inspector, Roster, Shape
from .seed import marker

SMALLEST_TEAM = 2
# Pairs of (inspector id, visit id), or for each visit its inspector ids, which costs half.
Blocked = Union["Iterable[Sequence[str]]", "Mapping[str, Sequence[str]]"]


def check_ids(rows: Sequence[Mapping[str, Any]], twice: str, field: str) -> list[str]:
    """Give the ids. Raises: `twice` for a repeated id, then E_ID and the errors of text."""
    if not isinstance(rows, (list, tuple)) or not all(isinstance(row, Mapping) for row in rows):
        raise DrawRefusal("E_TYPE", field)
    ids = [row.get("id") for row in rows]
    texts = [ident for ident in ids if isinstance(ident, str)]
    if len(set(texts)) != len(texts):
        raise DrawRefusal(twice, field)
    return [check_id(ident, field) for ident in ids]


def _texts(row: Mapping[str, Any], name: str) -> frozenset[str]:
    values = row.get(name) or ()
    if not isinstance(values, (list, tuple)) or not all(isinstance(v, str) for v in values):
        raise DrawRefusal("E_TYPE", name)
    return frozenset(values)


def _turns(row: Mapping[str, Any], name: str, default: object) -> int:
    value = row.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise DrawRefusal("E_TYPE", name)
    return value


def read_shape(row: Mapping[str, Any]) -> Shape:
    """Give area and roles of a visit's places; the team grows when the skills ask for more."""
    size = row.get("size", SMALLEST_TEAM)
    if isinstance(size, bool) or not isinstance(size, int) or size < SMALLEST_TEAM:
        raise DrawRefusal("E_TEAM_SIZE", "size", visit=row["id"])
    area = row.get("area")
    if area is not None and not isinstance(area, str):
        raise DrawRefusal("E_TYPE", "area")
    skills = sorted(_texts(row, "skills")) if row.get("skills") else ()
    roles = ("lead", *("skill:" + skill for skill in skills))
    return Shape(area, roles + ("any",) * (size - len(roles)))


def read_inspector(row: Mapping[str, Any]) -> Inspector:
    roles = {"any"} | {"skill:" + skill for skill in _texts(row, "skills")}
    if row.get("lead"):
        roles.add("lead")
    cap, load = _turns(row, "cap", None), _turns(row, "load", 0)
    return Inspector(row["id"], _texts(row, "areas"), frozenset(roles), cap, load)


def _block_lists(
    blocked: Blocked, visits: Sequence[str], numbers: Mapping[str, int]
) -> list[list[int]]:
    """Give the blocked numbers of each visit as they come. Raises: KeyError and its like."""
    if isinstance(blocked, Mapping):
        lists = [list(map(numbers.__getitem__, blocked.get(visit, ()))) for visit in visits]
        if not set(visits).issuperset(blocked):
            raise KeyError
        return lists
    lists = [[] for _ in visits]
    of_visit = {ident: lists[number] for number, ident in enumerate(visits)}
    for inspector, visit in blocked:
        of_visit[visit].append(numbers[inspector])
    return lists


def _blocks(blocked: Blocked, visits: Sequence[str], staff: Sequence[str]) -> list[list[int]]:
    """Give the blocked numbers of each visit, ascending and once. Raises: E_BLOCK_REF."""
    numbers = {ident: number for number, ident in enumerate(staff)}
    try:
        lists = _block_lists(blocked, visits, numbers)
    except (KeyError, TypeError, ValueError):
        raise DrawRefusal("E_BLOCK_REF", "blocked") from None
    for block in lists:
        if len(set(block)) < len(block):
            block[:] = set(block)
        block.sort()
    return lists


def _in_order(alg: str, seed: str, tag: str, ids: Sequence[str]) -> list[int]:
    """Give the places of the ids in the order by (ticket, id)."""
    mark = marker(alg, seed, tag)
    return [at for _, _, at in sorted((mark(i.encode()), i, at) for at, i in enumerate(ids))]


def muster(
    alg: str,
    seed: str,
    visits: Sequence[Mapping[str, Any]],
    inspectors: Sequence[Mapping[str, Any]],
    blocked: Blocked,
) -> Roster:
    """Check everything and put it in drawn order.

    Raises: E_DUP_VISIT, errors of ids, E_DUP_INSPECTOR, errors of ids, E_BLOCK_REF,
    E_TEAM_SIZE; E_TYPE for a field of another kind.  Source: draw.md sections 6 and 12.
    """
    visit_ids = check_ids(visits, "E_DUP_VISIT", "visits")
    staff_ids = check_ids(inspectors, "E_DUP_INSPECTOR", "inspectors")
    visit_order = _in_order(alg, seed, "ssj1.vorder", visit_ids)
    staff_order = _in_order(alg, seed, "ssj1.iorder", staff_ids)
    visit_ids = [visit_ids[at] for at in visit_order]
    staff_ids = [staff_ids[at] for at in staff_order]
    lists = _blocks(blocked, visit_ids, staff_ids)
    once: dict[Shape, Shape] = {}
    shapes = []
    for at in visit_order:
        shape = read_shape(visits[at])
        # One tuple for all visits alike: a hundred thousand of them keep the collector busy.
        shapes.append(once.setdefault(shape, shape))
    staff = [read_inspector(inspectors[at]) for at in staff_order]
    return Roster(visit_ids, shapes, staff, lists)
