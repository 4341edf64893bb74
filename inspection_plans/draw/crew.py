"""Checks of visits, inspectors and blocked pairs, and their drawn order (section 12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .canon import check_id
from .errors import DrawRefusal
from .roster import Inspector, Roster, Visit
from .seed import marker

SMALLEST_TEAM = 2


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


def read_visit(row: Mapping[str, Any]) -> Visit:
    """Read a visit whose id is checked; the team grows when the skills ask for more."""
    size = row.get("size", SMALLEST_TEAM)
    if isinstance(size, bool) or not isinstance(size, int) or size < SMALLEST_TEAM:
        raise DrawRefusal("E_TEAM_SIZE", "size", visit=row["id"])
    area = row.get("area")
    if area is not None and not isinstance(area, str):
        raise DrawRefusal("E_TYPE", "area")
    wanted = sorted(_texts(row, "skills")) if row.get("skills") else []
    roles = ("lead", *("skill:" + skill for skill in wanted))
    return Visit(row["id"], area, roles + ("any",) * (size - len(roles)))


def read_inspector(row: Mapping[str, Any]) -> Inspector:
    roles = {"any"} | {"skill:" + skill for skill in _texts(row, "skills")}
    if row.get("lead"):
        roles.add("lead")
    cap, load = _turns(row, "cap", None), _turns(row, "load", 0)
    return Inspector(row["id"], _texts(row, "areas"), frozenset(roles), cap, load)


def _blocks(
    blocked: Iterable[Sequence[str]], visits: Sequence[str], staff: Sequence[str]
) -> list[list[int]]:
    """Give the blocked numbers of each visit, ascending and once. Raises: E_BLOCK_REF."""
    numbers = {ident: number for number, ident in enumerate(staff)}
    lists: list[list[int]] = [[] for _ in visits]
    of_visit = {ident: lists[number] for number, ident in enumerate(visits)}
    try:
        for inspector, visit in blocked:
            of_visit[visit].append(numbers[inspector])
    except (KeyError, TypeError, ValueError):
        raise DrawRefusal("E_BLOCK_REF", "blocked") from None
    for block in lists:
        if len(block) > 1:
            block[:] = sorted(set(block))
    return lists


def _ordered(alg: str, seed: str, tag: str, ids: Sequence[str]) -> list[int]:
    """Give the places of the ids in the order by (ticket, id)."""
    mark = marker(alg, seed, tag)
    return [at for _, _, at in sorted((mark(i.encode()), i, at) for at, i in enumerate(ids))]


def muster(
    alg: str,
    seed: str,
    visits: Sequence[Mapping[str, Any]],
    inspectors: Sequence[Mapping[str, Any]],
    blocked: Iterable[Sequence[str]],
) -> Roster:
    """Check everything and put it in drawn order.

    Raises: E_DUP_VISIT, errors of ids, E_DUP_INSPECTOR, errors of ids, E_BLOCK_REF,
    E_TEAM_SIZE; E_TYPE for a field of another kind.  Source: draw.md sections 6 and 12.
    """
    visit_ids = check_ids(visits, "E_DUP_VISIT", "visits")
    staff_ids = check_ids(inspectors, "E_DUP_INSPECTOR", "inspectors")
    visit_order = _ordered(alg, seed, "ssj1.vorder", visit_ids)
    staff_order = _ordered(alg, seed, "ssj1.iorder", staff_ids)
    visit_ids = [visit_ids[at] for at in visit_order]
    staff_ids = [staff_ids[at] for at in staff_order]
    lists = _blocks(blocked, visit_ids, staff_ids)
    read = [read_visit(visits[at]) for at in visit_order]
    staff = [read_inspector(inspectors[at]) for at in staff_order]
    return Roster(read, staff, lists)
