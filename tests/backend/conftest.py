"""Fixtures of the services' tests."""

import asyncpg
import pytest
from litestar import Litestar

from inspection_plans.library import Library
from inspection_plans.loader import load
from tests.backend.desk import Desk
from tests.conftest import StillClock
from tests.world import SHANDONG, a_person, an_office


@pytest.fixture(scope="session")
def rules() -> Library:
    return load()


@pytest.fixture
async def desk(
    app: Litestar,  # noqa: ARG001 - its lifespan holds the pools
    clock: StillClock,
    rules: Library,
    owner: asyncpg.Connection,
) -> Desk:
    """The supervisor of Shandong."""
    office = await an_office(clock())
    who = await a_person(clock(), "supervisor", region=SHANDONG, office=office)
    return Desk(who, clock, rules, owner)
