"""Revisions of a plan: each is kept, any two are compared field by field."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.records.plans import Change, PlanDraft

HISTORY = """
select v.rev, v.valid_from, a.display_name as by from directory_version v
left join account a on a.id = v.recorded_by
where v.kind = 'plan' and v.subject = $1 order by v.rev desc limit 200
"""
CONTENT = "select payload from directory_version where kind = 'plan' and subject = $1 and rev = $2"


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


class Revision(msgspec.Struct, frozen=True):
    """One kept revision of a plan: when, by whom."""

    rev: int
    valid_from: datetime
    by: str | None


async def history(plan_id: UUID, *, act: Act) -> tuple[Revision, ...]:
    """The revisions of a plan, newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(HISTORY, plan_id)
    return tuple(Revision(**dict(row)) for row in rows)


async def content(plan_id: UUID, rev: int, *, act: Act) -> PlanDraft:
    """What a revision said. Raises: Absent when it never was."""
    async with DB.transaction(act.by.scope, readonly=True):
        found = await DB.connection.fetchval(CONTENT, plan_id, rev)
    if found is None:
        raise Absent
    return msgspec.convert(found, PlanDraft)


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
