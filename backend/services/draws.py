"""The draw 双随机抽取: frames frozen, then, from everybody's share, institutions, teams, days."""

import asyncio
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

import msgspec

from backend.db.tables.draws import Draw, DrawFrame, DrawResult
from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import (
    ceremony,
    crews,
    drawrows,
    errands,
    framediffs,
    frames,
    parties,
    plans,
    tasks,
    visits,
)
from backend.services.act import Act
from backend.services.drawrows import Frozen
from backend.services.errors import Absent, ServiceRefusal
from backend.services.frames import Token
from backend.services.planchecks import level_of
from backend.services.records.draws import Announced, Ceremony, DrawRecord
from backend.services.records.plans import PlanRecord
from inspection_plans.draw import outcome, record
from inspection_plans.draw.canon import digest
from inspection_plans.draw.frame import group
from inspection_plans.draw.record import FIRST_PREV
from inspection_plans.draw.seed import seed
from inspection_plans.errors import Family
from inspection_plans.loader import load_calendar
from inspection_plans.workdays import Unit
from media.keys import wrap

KEY_BYTES = 32
LIST = """
select * from draw where ($1::uuid is null or plan = $1) and ($2::uuid is null or id < $2)
order by id desc limit $3
"""


class NotDue(ServiceRefusal):
    """The plan's instant has not come; who chooses the moment could choose the frame."""

    code = "draw.not_due"
    family = Family.CONFLICT


class External(ServiceRefusal):
    """The plan is drawn on another platform; its result is entered, not drawn here."""

    code = "draw.external"
    family = Family.CONFLICT


class NoPartyLeft(ServiceRefusal):
    """Every party of the plan has made an attempt void; another plan is needed."""

    code = "draw.no_party_left"
    family = Family.CONFLICT


async def _attempts(plan_id: UUID) -> list[DrawRecord]:
    rows = await DB.connection.fetch(
        "select * from draw where plan = $1 order by attempt for no key update", plan_id
    )
    return [drawrows.to_draw(row) for row in rows]


async def _barred(attempts: list[DrawRecord]) -> set[str]:
    """The parties that void entries name: they take no part in a further attempt."""
    rows = await DB.connection.fetch(
        "select body -> 'missing' as missing from draw_log"
        " where type = 'void' and draw = any ($1)",
        [one.id for one in attempts],
    )
    return {party for row in rows for party in row["missing"] or ()}


async def _build(plan: PlanRecord, *, act: Act, token: Token) -> Frozen:
    """Frames made new for a first attempt, from the directories as they are now."""
    key = token(KEY_BYTES)
    objects = await frames.objects(plan, at=act.at, key=key)
    crew = await crews.crew(plan, objects, token=token)
    group(objects.rows, list(objects.strata.values()))
    diff = await framediffs.between(plan, objects, act=act)
    return Frozen(
        plan=frames.plan_doc(plan, objects),
        frames={"objects": objects.rows, "inspectors": crew.rows, "blocked": crew.blocked},
        keys={"objects": key.hex(), "inspectors": token(KEY_BYTES).hex()},
        pseudonyms={
            "aliases": msgspec.to_builtins(crew.aliases),
            "targets": msgspec.to_builtins(objects.targets),
            "strata": objects.strata,
            "filtered": msgspec.to_builtins(crew.filtered),
            "reasons": crew.reasons,
            "exclusions": objects.exclusions,
            "diff": msgspec.to_builtins(diff),
        },
    )


def _row(
    plan: PlanRecord, kept: Frozen, roots: dict[str, Any], attempt: int, *, act: Act
) -> DrawRecord:
    spec = plan.spec
    closing = load_calendar().due(plan.window_until, spec.disclose_after_days, Unit.WORKING_DAY)
    return DrawRecord(
        id=act.new_id(),
        region=plan.region,
        plan=plan.id,
        code=plans.draw_code(plan),
        attempt=attempt,
        alg=spec.alg,
        origin="here",
        level=level_of(spec.parties, spec.entropy),
        state="frozen",
        parties=tuple(sorted(spec.parties)),
        entropy=tuple(Announced(one.source, one.ref) for one in spec.entropy),
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


async def _store(draw: DrawRecord, kept: Frozen, *, keys: Keyring) -> None:
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


def _tally(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Counts by code as the log can hold them: its keys are lower case, codes are not."""
    return [{"code": code, "count": counts[code]} for code in sorted(counts)]


async def _announce(
    draw: DrawRecord, kept: Frozen, roots: dict[str, Any], *, act: Act
) -> DrawRecord:
    """The entries that fix everything before any share of the seed can be known."""
    draw = await drawrows.note(draw, "attempt_open", {"stage": "draw"}, act=act)
    draw = await drawrows.note(draw, "plan", {"digest": draw.plan_digest}, act=act)
    body = {
        **roots,
        "parties": list(draw.parties),
        "entropy": [{"source": one.source, "ref": one.ref} for one in draw.entropy],
        "exclusions": _tally(kept.pseudonyms["exclusions"]),
        "filtered": _tally(kept.pseudonyms["reasons"]),
        **framediffs.body(kept.pseudonyms),
        "reveal_by": draw.reveal_by.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "disclose_on": draw.disclose_on.isoformat(),
        "late_by_s": draw.late_by_s,
    }
    return await drawrows.note(draw, "freeze", body, act=act)


async def freeze(plan_id: UUID, *, act: Act, keys: Keyring, token: Token) -> DrawRecord:
    """Freeze the frames of a due plan and open its next attempt; a second call changes nothing.

    A new attempt after a void one keeps plan and frames to the byte and goes without the party
    that was missing. ``token`` gives unguessable bytes: salts, pseudonyms, the operator's share.
    Raises: NotDue, External, "plan.wrong_state", "frame.*", E_* of the engine, NoPartyLeft.
    Source: draw.md sections 2, 3.3, 3.5.
    """
    async with DB.transaction(act.by.scope):
        plan = await plans.lock(plan_id)
        attempts = await _attempts(plan_id)
        if attempts and attempts[-1].state != "void":
            return attempts[-1]
        if plan.spec.origin == "external":
            raise External(plan=plan.code)
        if act.at < plan.fire_at:
            raise NotDue(fire_at=plan.fire_at.isoformat())
        if attempts:
            plan = await _without_barred(plan, attempts)
            kept = await drawrows.frozen(attempts[-1].id, keys=keys)
        else:
            plan = await plans.move(plan, "start", act=act)
            await parties.require(plan.spec.parties, region=plan.region)
            kept = await _build(plan, act=act, token=token)
        await parties.operator(plan.region, keys=keys, act=act)
        roots = await asyncio.to_thread(record.frozen, plan.spec.alg, kept.frames, kept.keys)
        draw = _row(plan, kept, roots, len(attempts) + 1, act=act)
        await _store(draw, kept, keys=keys)
        draw = await _announce(draw, kept, roots, act=act)
        await drawrows.sign_as_operator(draw, keys=keys, act=act)
        await drawrows.record(draw, "frozen", act=act)
        draw = await ceremony.commit_operator(draw, keys=keys, token=token, act=act)
        await tasks.enqueue(
            "draw.expire",
            {"draw": str(draw.id)},
            region=draw.region,
            at=act.at,
            run_at=draw.reveal_by + timedelta(seconds=1),
        )
        return await ceremony.advance(draw, keys=keys, act=act)


async def _without_barred(plan: PlanRecord, attempts: list[DrawRecord]) -> PlanRecord:
    barred = await _barred(attempts)
    left = tuple(party for party in plan.spec.parties if party not in barred)
    if plan.state != "running" or not left:
        raise NoPartyLeft(barred=sorted(barred), state=plan.state)
    spec = msgspec.structs.replace(plan.spec, parties=left)
    return msgspec.structs.replace(plan, spec=spec)


def _draw(alg: str, seed_hex: str, kept: Frozen) -> tuple[dict[str, Any], dict[str, str]]:
    return outcome.draw(alg, seed_hex, kept.plan, kept.frames), errands.chances(
        alg, seed_hex, kept
    )


async def _seed(draw: DrawRecord, kept: Frozen, *, keys: Keyring) -> str:
    return seed(
        draw.alg,
        draw.code,
        draw.attempt,
        plan=kept.plan,
        frames={"objects": draw.frame_objects, "inspectors": draw.frame_inspectors},
        reveals=await drawrows.secrets(draw.id, keys=keys),
        entropy=[
            {"source": one.source, "ref": one.ref, "value": one.value or ""}
            for one in draw.entropy
        ],
    )


async def run(draw_id: UUID, *, act: Act, keys: Keyring) -> DrawRecord:
    """Draw institutions, teams and days of a revealed draw; a second run changes nothing.

    When teams cannot be filled the certificate is kept, the institutions stand, and visits
    without a full team wait unassigned. All is one transaction: none or one result.
    Raises: Absent, "draw.wrong_state".  Source: draw.md sections 3 to 6b.
    """
    async with DB.transaction(act.by.scope):
        draw = await drawrows.lock(draw_id)
        if draw.state in ("drawn", "published"):
            return draw
        kept = await drawrows.frozen(draw_id, keys=keys)
        secret = await _seed(draw, kept, keys=keys)
        drawn, chances = await asyncio.to_thread(_draw, draw.alg, secret, kept)
        new: drawrows.Columns = {
            Draw.seed: secret,
            Draw.drawn_at: act.at,
            Draw.void_reason: None,
            Draw.void_proposed_by: None,
        }
        draw = await drawrows.move(draw, "draw", new, act=act)
        await DrawResult.insert(
            DrawResult(
                {
                    DrawResult.draw: draw.id,
                    DrawResult.region: draw.region,
                    DrawResult.selection: drawn["selection"],
                    DrawResult.assignment: drawn["assignment"],
                    DrawResult.days: drawn["days"],
                }
            )
        )
        body = outcome.sealed(draw.alg, secret, drawn)
        draw = await drawrows.note(draw, "result", body, act=act)
        await drawrows.sign_as_operator(draw, keys=keys, act=act)
        plan = await plans.plan(draw.plan, act=act)
        work = errands.Errands(draw, plan, kept, drawn, chances)
        teams = sorted(drawn["assignment"]["teams"], key=lambda team: team["visit"])
        await visits.create(
            [work.visit(number, team, act=act) for number, team in enumerate(teams, 1)], act=act
        )
        await drawrows.show(draw, act=act)
    return draw


async def draw(draw_id: UUID, *, act: Act) -> Ceremony:
    """Where a draw stands, without any target. Raises: Absent ("thing.absent")."""
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow("select * from draw where id = $1", draw_id)
        if row is None:
            raise Absent
        one = drawrows.to_draw(row)
        found = await drawrows.shares(draw_id)
        reasons = await DB.connection.fetchrow(
            "select pseudonyms -> 'reasons' as filtered, pseudonyms -> 'exclusions' as exclusions"
            " from draw_frame where draw = $1",
            draw_id,
        )
        return Ceremony(
            draw=one,
            shares=found,
            countersigns=await drawrows.countersigns(one),
            missing=drawrows.missing(one, found),
            outcome=await drawrows.outcome(draw_id),
            filtered=reasons["filtered"] if reasons else {},
            exclusions=reasons["exclusions"] if reasons else {},
        )


async def draws(
    *, act: Act, plan: UUID | None = None, after: UUID | None = None, limit: int = 100
) -> tuple[DrawRecord, ...]:
    """A page of attempts, the newest first; void ones stay."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(LIST, plan, after, min(limit, 200))
    return tuple(drawrows.to_draw(row) for row in rows)
