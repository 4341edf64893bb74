"""Revisions of a plan: each is kept, any two are compared field by field."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.records.plans import Change


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list) and value:
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{place}")
    else:
        yield path, value


def compare(before: dict[str, Any], after: dict[str, Any]) -> tuple[Change, ...]:
    """Every leaf that differs, by path; a missing one counts as null."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    paths = sorted(old.keys() | new.keys())
    return tuple(
        Change(path, old.get(path), new.get(path))
        for path in paths
        if old.get(path) != new.get(path)
    )


async def changes(plan_id: UUID, since: int, until: int, *, act: Act) -> tuple[Change, ...]:
    """What differs between two revisions. Raises: Absent when either never was."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(
            "select rev, payload from directory_version"
            " where kind = 'plan' and subject = $1 and rev = any ($2)",
            plan_id,
            [since, until],
        )
    found = {row["rev"]: row["payload"] for row in rows}
    if since not in found or until not in found:
        raise Absent
    return compare(found[since], found[until])
