"""The draw 双随机抽取: frames frozen, then, from everybody's share, institutions, teams, days."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from backend.db.tables.draws import Draw, DrawResult
from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import (
    attempts,
    ceremony,
    crews,
    drawrows,
    errands,
    framediffs,
    frames,
    parties,
    plans,
    sendings,
    signatures,
    visits,
    withdrawals,
)
from backend.services.act import Act
from backend.services.drawrows import Frozen
from backend.services.errors import Absent, ServiceRefusal
from backend.services.frames import Token
from backend.services.records.draws import Ceremony, DrawRecord
from backend.services.records.plans import Entropy, PlanRecord
from inspection_plans.draw import outcome, record
from inspection_plans.draw.freezing import check_frames
from inspection_plans.errors import Family

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


async def _build(plan: PlanRecord, *, act: Act, token: Token) -> Frozen:
    """Frames made new for a first attempt, from the directories as they are now."""
    key = token(KEY_BYTES)
    musts = await withdrawals.due(plan.region)
    objects = await frames.objects(plan, at=act.at, key=key, musts=musts)
    crew = await crews.crew(plan, objects, token=token)
    diff = await framediffs.between(plan, objects, act=act)
    doc = frames.plan_doc(plan, objects)
    rows: dict[str, list[Any]] = {
        "objects": objects.rows,
        "inspectors": crew.rows,
        "blocked": crew.blocked,
    }
    await asyncio.to_thread(check_frames, doc, rows, crew.licences)
    return Frozen(
        plan=doc,
        frames=rows,
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


async def freeze(
    plan_id: UUID, *, act: Act, keys: Keyring, token: Token, named: Sequence[Entropy] = ()
) -> DrawRecord:
    """Freeze the frames of a due plan and open its next attempt; a second call changes nothing.

    A new attempt after a void one keeps plan and frames to the byte and goes without the party
    that was missing. ``token`` gives unguessable bytes: salts, pseudonyms, the operator's share.
    ``named`` are later values of the plan's sources, where those of the plan are past.
    Raises: NotDue, External, "plan.wrong_state", "frame.*", E_* of the engine, NoPartyLeft,
    SourceChanged, EntropyPast ("draw.entropy_past").
    Source: draw.md sections 2, 3.3, 3.5.
    """
    async with DB.transaction(act.by.scope):
        plan = await plans.lock(plan_id)
        before = await attempts.attempts(plan_id)
        standing = [one for one in before if one.state != "void"]
        if standing:
            return standing[-1]
        if plan.spec.origin == "external":
            raise External(plan=plan.code)
        if act.at < plan.fire_at:
            raise NotDue(fire_at=plan.fire_at.isoformat())
        if before:
            plan = await attempts.without_barred(plan, before)
            kept = await drawrows.frozen(before[-1].id, keys=keys)
        else:
            plan = await plans.move(plan, "start", act=act)
            await parties.require(plan.spec.parties, region=plan.region)
            kept = await _build(plan, act=act, token=token)
        await parties.operator(plan.region, keys=keys, act=act)
        roots = await asyncio.to_thread(record.frozen, plan.spec.alg, kept.frames, kept.keys)
        plan = attempts.renamed(plan, named)
        draw = attempts.row(plan, kept, roots, stage="draw", attempt=len(before) + 1, act=act)
        await attempts.store(draw, kept, keys=keys)
        draw = await attempts.announce(draw, kept, roots, act=act)
        await withdrawals.returned(draw, kept)
        return await ceremony.begin(draw, keys=keys, token=token, act=act)


def _draw(alg: str, seed_hex: str, kept: Frozen) -> tuple[dict[str, Any], dict[str, str]]:
    return outcome.draw(alg, seed_hex, kept.plan, kept.frames), errands.chances(
        alg, seed_hex, kept
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
        if draw.stage == "assignment":
            return await sendings.run(draw, act=act, keys=keys)
        kept = await drawrows.frozen(draw_id, keys=keys)
        secret = await drawrows.seed_of(draw, kept, keys=keys)
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
            unsigned=await signatures.unsigned(one),
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
