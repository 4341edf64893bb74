"""Simulations 推演 of a plan and its year: ordered, done in slices, left, found, cancelled."""

import asyncio
import json
import sys
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import msgspec

import inspection_plans
from backend.piccolo_conf import DB
from backend.services import audit, plans, scenarios, tasks
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.scenarios import Notes
from inspection_plans.errors import Family
from inspection_plans.records import plain
from inspection_plans.simulation import TERM_YEARS, Report, Scenario, merged

KIND = "plan.simulate"
HOME = Path(inspection_plans.__file__).parent.parent
# About this many candidates are drawn from in one slice: seconds of work, well below a lease.
SLICE = 480_000
MOST_YEARS = 60
WALL_S = 50
ADD = """
insert into simulation (id, region, plan, plan_rev, state, years, done, slice, scenario, notes,
  ordered_by, ordered_at) values ($1, $2, $3, $4, 'running', $5, 0, $6, $7, $8, $9, $10)
"""
COLUMNS = """id, region, plan, plan_rev, state, years, done, notes, report, fault, ordered_by,
  ordered_at, ended_at"""
ONE = f"select {COLUMNS} from simulation where id = $1"  # noqa: S608 - a constant
OF_PLAN = f"select {COLUMNS} from simulation where plan = $1 order by id desc limit 50"  # noqa: S608
SAVE = """
update simulation set done = $2, report = $3, state = $4, ended_at = $5
where id = $1 and state = 'running'
"""


class Over(ServiceRefusal):
    """The simulation has ended; there is nothing to cancel."""

    code = "simulation.over"
    family = Family.CONFLICT


class Simulated(msgspec.Struct, frozen=True, kw_only=True):
    """推演 as stored; ``report`` holds the counts of the ``done`` years so far."""

    id: UUID
    region: int
    plan: UUID
    plan_rev: int
    state: Literal["running", "done", "cancelled", "failed"]
    years: int
    done: int
    notes: Notes
    report: Report | None
    fault: str | None
    ordered_by: UUID
    ordered_at: datetime
    ended_at: datetime | None


def _of(row: Any) -> Simulated:  # noqa: ANN401 - a driver's row or None
    if row is None:
        raise Absent
    # JSON writes the whole numbers that are keys as text.
    return msgspec.convert(dict(row), Simulated, strict=False)


def _slice_years(scenario: Scenario) -> int:
    """Whole terms, as many as make a slice of seconds."""
    candidates = sum(len(stage.candidates) for stage in scenario.stages) or 1
    terms = min(SLICE // candidates, MOST_YEARS) // TERM_YEARS
    return max(terms, 1) * TERM_YEARS


async def order(plan_id: UUID, years: int, *, act: Act) -> Simulated:
    """Order the simulation of a plan with the other plans of its year.

    Raises: Absent, "frame.*" when the plan could not be frozen as it stands.
    Source: design, step 2 (simulate before approval).
    """
    async with DB.transaction(act.by.scope):
        plan = await plans.lock(plan_id)
        scenario, notes = await scenarios.build(plan)
        ident = act.new_id()
        await DB.connection.execute(
            ADD,
            ident,
            plan.region,
            plan.id,
            plan.rev,
            years,
            _slice_years(scenario),
            plain(scenario),
            msgspec.to_builtins(notes),
            act.by.id,
            act.at,
        )
        await _next(ident, 0, region=plan.region, act=act)
        await audit.record(
            act,
            "plan.simulated",
            "plan",
            plan.id,
            region=plan.region,
            title=plan.title,
            rev=plan.rev,
        )
        return await _held(ident)


async def _next(ident: UUID, done: int, *, region: int, act: Act) -> None:
    await tasks.enqueue(
        KIND,
        {"simulation": str(ident)},
        region=region,
        at=act.at,
        dedupe=f"{ident}:{done}",
    )


async def _held(ident: UUID) -> Simulated:
    return _of(await DB.connection.fetchrow(ONE, ident))


async def simulation(ident: UUID, *, act: Act) -> Simulated:
    """One simulation and how far it is. Raises: Absent ("thing.absent")."""
    async with DB.transaction(act.by.scope, readonly=True):
        return await _held(ident)


async def simulations(plan_id: UUID, *, act: Act) -> tuple[Simulated, ...]:
    """The simulations of a plan, the newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        return tuple(_of(row) for row in await DB.connection.fetch(OF_PLAN, plan_id))


async def cancel(ident: UUID, *, act: Act) -> Simulated:
    """End a running simulation; what was counted so far stays. Raises: Absent, Over."""
    async with DB.transaction(act.by.scope):
        held = await _held(ident)
        status = await DB.connection.execute(
            SAVE,
            ident,
            held.done,
            asdict(held.report) if held.report else None,
            "cancelled",
            act.at,
        )
        if status == "UPDATE 0":
            raise Over(state=held.state)
        return await _held(ident)


async def advance(ident: UUID, *, act: Act) -> None:
    """Simulate the next slice in a process of its own, and order the one after it.

    A slice that was done before, or a cancelled simulation, changes nothing.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(
            "select state, years, done, slice, scenario from simulation where id = $1", ident
        )
    if row is None or row["state"] != "running":
        return
    years = min(row["slice"], row["years"] - row["done"])
    seed = sha256(ident.bytes + row["done"].to_bytes(4, "big")).hexdigest()
    found = await _run({"scenario": row["scenario"], "seed": seed, "years": years})
    async with DB.transaction(act.by.scope):
        before = await DB.connection.fetchrow(f"{ONE} for no key update", ident)
        held = _of(before)
        if held.state != "running" or held.done != row["done"]:
            return
        if isinstance(found, str):
            await DB.connection.execute(
                "update simulation set state = 'failed', fault = $2, ended_at = $3 where id = $1",
                ident,
                found,
                act.at,
            )
            return
        await _keep(held, found, years, act=act)


async def _keep(held: Simulated, found: Report, years: int, *, act: Act) -> None:
    done = held.done + years
    report = merged([held.report, found] if held.report else [found])
    state, ended = ("done", act.at) if done >= held.years else ("running", None)
    await DB.connection.execute(SAVE, held.id, done, asdict(report), state, ended)
    if state == "running":
        await _next(held.id, done, region=held.region, act=act)


async def _run(order: dict[str, Any]) -> Report | str:
    """The report of one slice, or what went wrong with it, for the person who ordered it."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "inspection_plans.simulation",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=HOME,
        env={"PYTHONUTF8": "1"},
    )
    try:
        async with asyncio.timeout(WALL_S):
            answer, wrong = await child.communicate(json.dumps(order).encode())
    except TimeoutError:
        return f"a slice took longer than {WALL_S} s"
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        return wrong.decode(errors="replace").strip().rpartition("\n")[2][:400]
    return msgspec.json.decode(answer, type=Report, strict=False)
