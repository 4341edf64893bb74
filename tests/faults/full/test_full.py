"""Real processes behind a bad line, killed and started again: nothing is lost or made up."""

from collections.abc import AsyncIterator

import pytest

from tests.faults.full.scene import Scene, a_scene
from tests.faults.full.schedule import schedule
from tests.faults.full.stand import a_stand

SHORT = range(1, 6)
LONG = range(1, 301)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """An office on servers of its own."""
    async with a_stand() as stand, a_scene(stand) as made:
        yield made


async def played(scene: Scene, seeds: range) -> list[str]:
    """What went wrong, seed by seed, each with the command that replays it."""
    verdicts = [await schedule(scene, seed) for seed in seeds]
    return [str(verdict) for verdict in verdicts if verdict.wrong]


async def test_five_schedules_hold(scene: Scene) -> None:
    assert await played(scene, SHORT) == []


@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
async def test_three_hundred_schedules_hold(scene: Scene) -> None:
    assert await played(scene, LONG) == []
