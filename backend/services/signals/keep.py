"""Signals as kept: what is new is raised, what changed is told anew, what no longer holds is gone.

Nothing is deleted, and a verdict stays with its signal; the same facts again change no row.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.act import Act
from backend.services.signals.facts import Occasion
from inspection_plans.records import plain
from inspection_plans.signals.found import Found

KEPT = """
select id, kind, subject, strength, score, facts, links, evidence, gone_at from signal
where coalesce(visit, notice, training_class) = $1 and kind = any ($2)
"""
RAISE = """
insert into signal (id, region, institution, visit, notice, training_class, kind, subject,
  strength, score, facts, links, evidence, found_at, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
"""
CHANGE = """
update signal set strength = $2, score = $3, facts = $4, links = $5, evidence = $6,
  changed_at = $7, gone_at = null where id = $1
"""
LEAVE = "update signal set gone_at = $2, changed_at = $2 where id = $1"
REGIONS = """
select 'evidence' as noun, id, region from evidence where id = any ($1)
union all select 'visit', id, region from visit where id = any ($2)
union all select 'training_class', id, region from training_class where id = any ($3)
"""


async def _links(found: Sequence[Found]) -> dict[tuple[str, str], dict[str, Any]]:
    """What signals point at elsewhere, each with the office it belongs to."""
    ids: dict[str, set[UUID]] = {"evidence": set(), "visit": set(), "training_class": set()}
    for one in found:
        for other in one.others:
            ids[other.noun].add(UUID(other.id))
    rows = await DB.connection.fetch(REGIONS, *(sorted(known) for known in ids.values()))
    return {
        (row["noun"], str(row["id"])): {
            "noun": row["noun"],
            "id": str(row["id"]),
            "region": row["region"],
        }
        for row in rows
    }


def _values(found: Found, links: Mapping[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    pointed = [(other.noun, other.id) for other in found.others]
    return {
        "strength": found.strength.value,
        "score": found.score,
        "facts": plain(found.facts),
        "links": [links[key] for key in dict.fromkeys(pointed) if key in links],
        "evidence": [UUID(one) for one in found.evidence],
    }


async def keep(
    occasion: Occasion, kinds: Sequence[str], found: Sequence[Found], *, act: Act
) -> None:
    """Make the occasion's signals of these kinds what was found, in the caller's transaction."""
    rows = {
        (row["kind"], row["subject"]): row
        for row in await DB.connection.fetch(KEPT, occasion.id, list(kinds))
    }
    links = await _links(found)
    for one in found:
        values = _values(one, links)
        known = rows.pop((one.kind, one.subject), None)
        if known is None:
            await _raise(occasion, one, values, act)
        elif known["gone_at"] is not None or any(
            known[name] != value for name, value in values.items()
        ):
            await DB.connection.execute(CHANGE, known["id"], *values.values(), act.at)
            await _record("signal.changed", known["id"], occasion, one.kind, act)
    for (kind, _), row in rows.items():
        if row["gone_at"] is None:
            await DB.connection.execute(LEAVE, row["id"], act.at)
            await _record("signal.gone", row["id"], occasion, kind, act)


async def _raise(occasion: Occasion, found: Found, values: Mapping[str, Any], act: Act) -> None:
    new = act.new_id()
    of_class = occasion.training_class == occasion.id
    visit = None if of_class or occasion.notice else occasion.id
    await DB.connection.execute(
        RAISE,
        new,
        occasion.region,
        occasion.institution,
        visit,
        occasion.notice,
        occasion.id if of_class else None,
        found.kind,
        found.subject,
        *values.values(),
        act.at,
    )
    await _record("signal.raised", new, occasion, found.kind, act)


async def _record(verb: str, signal: UUID, occasion: Occasion, kind: str, act: Act) -> None:
    await audit.record(act, verb, "signal", signal, region=occasion.region, title=kind)
