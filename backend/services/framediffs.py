"""The frame difference 抽样框比对: what a freeze says against the last frame and the catalogue."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.frames import Objects, Target, first_day
from backend.services.records.plans import PlanRecord
from inspection_plans.framediff import FrameDiff, compare

LAST = """
select d.code, f.pseudonyms -> 'targets' as targets
from draw d join draw_frame f on f.draw = d.id join plan p on p.id = d.plan
where d.region = $1 and d.plan <> $2 and p.spec ->> 'objects' = $3 and p.spec -> 'kinds' = $4
order by d.id desc limit 1
"""
# $1 region, $2 first possible day, $3 last day, $4 kinds, $5 occupations
LISTED = """
select distinct i.credit_code, e.kind
from catalogue_entry e join institution i on i.id = e.institution
where i.region = any (regions_below($1)) and e.kind = any ($4)
  and ($5::text[] = '{}' or e.occupation = any ($5))
  and e.listed_on <= $3 and e.valid_until >= $2
  and (e.delisted_on is null or e.delisted_on > $2)
"""
NAMES = "select credit_code, name from institution where credit_code = any ($1)"
KEPT = "select pseudonyms -> 'diff' as diff from draw_frame where draw = $1"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The difference of one draw's frame; ``since`` is the draw compared with, if any."""

    since: str | None
    diff: FrameDiff
    names: dict[str, str] = {}


def _key(ident: str, by_session: bool) -> str:
    """Institutions are compared by object, sessions by whose they are: each comes once."""
    return ident.partition("/")[0] if by_session else ident


def _facts(targets: Mapping[str, Target], by_session: bool) -> dict[str, str]:
    return {
        _key(ident, by_session): f"{target.risk} {target.region}"
        for ident, target in targets.items()
    }


async def between(plan: PlanRecord, objects: Objects, *, act: Act) -> Difference:
    """Compare a plan's new frame, inside the caller's transaction.

    Source: draw.md section 10.
    """
    spec = plan.spec
    by_session = spec.objects == "class_session"
    last = await DB.connection.fetchrow(
        LAST, plan.region, plan.id, spec.objects, msgspec.to_builtins(spec.kinds)
    )
    rows = await DB.connection.fetch(
        LISTED,
        plan.region,
        first_day(plan, act.at),
        plan.window_until,
        list(spec.kinds),
        list(spec.occupations),
    )
    listed = {_key(f"{row['credit_code']}/{row['kind']}", by_session) for row in rows}
    before = None
    if last is not None:
        targets = msgspec.convert(last["targets"], dict[str, Target])
        before = _facts(targets, by_session)
    return Difference(
        since=last["code"] if last else None,
        diff=compare(before, _facts(objects.targets, by_session), listed),
    )


async def difference(draw_id: UUID, *, act: Act) -> Difference:
    """The difference kept at the freeze, with the institutions' names for the office.

    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(KEPT, draw_id)
        if row is None or row["diff"] is None:
            raise Absent
        kept = msgspec.convert(row["diff"], Difference)
        codes = {ident.partition("/")[0] for ident in _ids(kept.diff)}
        names = await DB.connection.fetch(NAMES, sorted(codes))
    found = {one["credit_code"]: one["name"] for one in names}
    return msgspec.structs.replace(kept, names=found)


def _ids(diff: FrameDiff) -> set[str]:
    moved = {one.object for one in diff.moved}
    return moved.union(diff.appeared, diff.vanished, diff.unlisted, diff.missing)


def body(pseudonyms: Mapping[str, Any]) -> dict[str, Any]:
    """What the freeze entry of the public log says: counts, and against which draw.

    A frame of an older program, kept for a further attempt, was not compared.
    """
    if "diff" not in pseudonyms:
        return {}
    found = msgspec.convert(pseudonyms["diff"], Difference)
    since = {} if found.since is None else {"since": found.since}
    return {"diff": {**found.diff.counts, **since}}
