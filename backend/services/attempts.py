"""Attempts of a draw: who takes part, the row, what is frozen, and how the log announces it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.db.tables.draws import DrawFrame
from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import drawrows, entropy, framediffs, parties, plans
from backend.services.act import Act
from backend.services.drawrows import Frozen
from backend.services.errors import ServiceRefusal
from backend.services.planchecks import level_of
from backend.services.records.draws import DrawRecord
from backend.services.records.plans import Entropy, PlanRecord
from inspection_plans.draw.canon import digest
from inspection_plans.draw.record import FIRST_PREV
from inspection_plans.errors import Family
from inspection_plans.loader import load_calendar
from inspection_plans.workdays import Unit
from media.keys import wrap

Stage = Literal["draw", "assignment"]


class NoPartyLeft(ServiceRefusal):
    """Every party of the plan has made an attempt void; another plan is needed."""

    code = "draw.no_party_left"
    family = Family.CONFLICT


class SourceChanged(ServiceRefusal):
    """A plan's sources of chance stay; only which later value is meant can be named anew."""

    code = "draw.source_changed"
    family = Family.CONFLICT


def renamed(plan: PlanRecord, named: Sequence[Entropy]) -> PlanRecord:
    """The plan with later values of the same sources; those of dates long past are of no use.

    Raises: SourceChanged ("draw.source_changed").
    """
    if not named:
        return plan
    wanted = Counter(one.source for one in plan.spec.entropy)
    if Counter(one.source for one in named) != wanted:
        raise SourceChanged(field="entropy", sources=sorted(wanted))
    spec = msgspec.structs.replace(plan.spec, entropy=tuple(named))
    return msgspec.structs.replace(plan, spec=spec)


async def attempts(plan_id: UUID) -> list[DrawRecord]:
    """All attempts of a plan, locked, in their order."""
    rows = await DB.connection.fetch(
        "select * from draw where plan = $1 order by attempt for no key update", plan_id
    )
    return [drawrows.to_draw(row) for row in rows]


async def _barred(before: Sequence[DrawRecord]) -> set[str]:
    """The parties that void entries name: they take no part in a further attempt."""
    rows = await DB.connection.fetch(
        "select body -> 'missing' as missing from draw_log"
        " where type = 'void' and draw = any ($1)",
        [one.id for one in before],
    )
    return {party for row in rows for party in row["missing"] or ()}


async def without_barred(plan: PlanRecord, before: Sequence[DrawRecord]) -> PlanRecord:
    """The plan without the parties that made an earlier attempt void. Raises: NoPartyLeft.

    Source: draw.md section 3.5.
    """
    barred = await _barred(before)
    left = tuple(party for party in plan.spec.parties if party not in barred)
    if plan.state != "running" or not left:
        raise NoPartyLeft(barred=sorted(barred), state=plan.state)
    spec = msgspec.structs.replace(plan.spec, parties=left)
    return msgspec.structs.replace(plan, spec=spec)


def row(
    plan: PlanRecord,
    kept: Frozen,
    roots: Mapping[str, Any],
    *,
    stage: Stage,
    attempt: int,
    act: Act,
) -> DrawRecord:
    """The row of a new attempt, its sources of chance named for the time to come.

    Raises: EntropyPast ("draw.entropy_past").
    """
    spec = plan.spec
    closing = load_calendar().due(plan.window_until, spec.disclose_after_days, Unit.WORKING_DAY)
    named = entropy.announce(spec.entropy, at=act.at, region=plan.region)
    return DrawRecord(
        id=act.new_id(),
        region=plan.region,
        plan=plan.id,
        code=plans.draw_code(plan),
        attempt=attempt,
        stage=stage,
        alg=spec.alg,
        origin="here",
        level=level_of(spec.parties, spec.entropy),
        state="frozen",
        parties=tuple(sorted(spec.parties)),
        entropy=named,
        object_count=roots["objects"]["count"],
        inspector_count=roots["inspectors"]["count"],
        frame_objects=roots["objects"]["root"],
        frame_inspectors=roots["inspectors"]["root"],
        blocked_digest=roots["blocked"],
        plan_digest=digest(spec.alg, kept.plan),
        reveal_by=act.at + timedelta(hours=spec.reveal_within_hours),
        disclose_on=closing.on,
        late_by_s=max(int((act.at - plan.fire_at).total_seconds()), 0),
        void_reason=None,
        voided_by=None,
        void_proposed_by=None,
        frozen_at=act.at,
        drawn_at=None,
        published_at=None,
        head=FIRST_PREV,
    )


async def store(draw: DrawRecord, kept: Frozen, *, keys: Keyring) -> None:
    """Write the row of an attempt and what it has frozen."""
    await drawrows.store(draw)
    await DrawFrame.insert(
        DrawFrame(
            {
                DrawFrame.draw: draw.id,
                DrawFrame.region: draw.region,
                DrawFrame.plan_doc: kept.plan,
                DrawFrame.object_rows: kept.frames["objects"],
                DrawFrame.inspectors: kept.frames["inspectors"],
                DrawFrame.blocked: kept.frames["blocked"],
                DrawFrame.pseudonyms: kept.pseudonyms,
                DrawFrame.object_key: wrap(keys.kek, bytes.fromhex(kept.keys["objects"])),
                DrawFrame.inspector_key: wrap(keys.kek, bytes.fromhex(kept.keys["inspectors"])),
            }
        )
    )


def _tally(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Counts by code as the log can hold them: its keys are lower case, codes are not."""
    return [{"code": code, "count": counts[code]} for code in sorted(counts)]


async def announce(
    draw: DrawRecord, kept: Frozen, roots: Mapping[str, Any], *, act: Act
) -> DrawRecord:
    """Write the entries that fix everything before any share of the seed can be known."""
    draw = await drawrows.note(draw, "attempt_open", {"stage": draw.stage}, act=act)
    draw = await drawrows.note(draw, "plan", {"digest": draw.plan_digest}, act=act)
    body = {
        **roots,
        "parties": list(draw.parties),
        "party_keys": await parties.keys_of(draw.parties, region=draw.region),
        "entropy": [{"source": one.source, "ref": one.ref} for one in draw.entropy],
        "exclusions": _tally(kept.pseudonyms["exclusions"]),
        "filtered": _tally(kept.pseudonyms["reasons"]),
        **framediffs.body(kept.pseudonyms),
        "reveal_by": draw.reveal_by.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "disclose_on": draw.disclose_on.isoformat(),
        "late_by_s": draw.late_by_s,
    }
    return await drawrows.note(draw, "freeze", body, act=act)
