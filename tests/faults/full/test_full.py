"""Real processes behind a bad line, killed and started again: nothing is lost or made up."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.full.disk import DiskRefusedError, a_disk
from tests.faults.full.scene import Scene, a_scene
from tests.faults.full.schedule import schedule
from tests.faults.full.stand import a_stand

SHORT = range(1, 6)
LONG = range(1, 301)
FULL_DISK = range(1, 31)


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


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_schedules_on_a_disk_that_gets_full_hold() -> None:
    """Journal, tables, objects and spool share it: whatever cannot be kept is not promised."""
    try:
        with tempfile.TemporaryDirectory() as place, a_disk(Path(place)) as disk:
            async with a_stand(disk) as stand, a_scene(stand) as scene:
                assert await played(scene, FULL_DISK) == []
    except DiskRefusedError as refused:
        pytest.skip(f"no disk of its own: {refused}")
