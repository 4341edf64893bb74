"""Simulations of a plan before anybody approves it: ordered, watched, cancelled."""

from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.services import simulations
from backend.services.act import Act
from backend.services.simulations import Simulated


class OrderIn(Struct, frozen=True, forbid_unknown_fields=True):
    years: Annotated[int, Meta(ge=3, le=3000)] = 300


@get("/api/v1/plans/{plan_id:uuid}/simulations", action="plans.read")
async def page(plan_id: FromPath[UUID], act: Act) -> tuple[Simulated, ...]:
    """The simulations of a plan, the newest first, with their counts so far."""
    return await simulations.simulations(plan_id, act=act)


@post("/api/v1/plans/{plan_id:uuid}/simulations", action="plans.write")
async def order(plan_id: FromPath[UUID], data: JSONBody[OrderIn], act: Act) -> Simulated:
    """Order one; it runs in the background and can be left."""
    return await simulations.order(plan_id, data.years, act=act)


@get("/api/v1/simulations/{simulation_id:uuid}", action="plans.read")
async def one(simulation_id: FromPath[UUID], act: Act) -> Simulated:
    """How far it is: years done, and coverage, loads, gaps and conflicts counted so far."""
    return await simulations.simulation(simulation_id, act=act)


@post("/api/v1/simulations/{simulation_id:uuid}/cancellation", action="plans.write")
async def cancel(simulation_id: FromPath[UUID], act: Act) -> Simulated:
    """End it; what was counted stays."""
    return await simulations.cancel(simulation_id, act=act)


HANDLERS = [page, order, one, cancel]
