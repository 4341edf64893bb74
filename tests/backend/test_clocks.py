"""A server clock that is set back takes nothing from phones that are at work."""

from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests import field as worlds
from tests.backend.desk import Desk
from tests.conftest import StillClock


@pytest.fixture
async def field(desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection) -> worlds.Field:
    return await worlds.a_field(desk, client, owner)


async def test_a_visit_that_was_opened_takes_operations_before_its_hour_by_a_clock_set_back(
    field: worlds.Field, clock: StillClock
) -> None:
    phone = field.phone
    clock.tick(minutes=-30)
    phone.nonce = (await phone.get("/api/v1/time"))["token"]
    (told,) = await phone.send(phone.op("visit.start", {}))
    assert told["result"] == "applied", told
    assert await field.state() == "started"
    sealed = await worlds.a_visit(
        field.desk,
        field.institution,
        field.inspectors[:2],
        sealed_until=clock() + timedelta(minutes=4),
    )
    (early,) = await phone.send(phone.op("visit.start", {"visit": str(sealed)}))
    assert early["outcome"]["code"] == "thing.absent"


async def test_tasks_given_under_a_clock_set_back_are_sent(
    field: worlds.Field, clock: StillClock
) -> None:
    phone = field.phone
    cursor = (await phone.get("/api/v1/tasks"))["cursor"]
    clock.tick(minutes=-30)
    fresh = await worlds.a_visit(field.desk, field.institution, field.inspectors[:2])
    bundle = await phone.get(f"/api/v1/tasks?since={cursor}")
    assert str(fresh) in {task["visit"] for task in bundle["tasks"]}
