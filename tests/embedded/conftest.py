"""Real servers in folders of their own; one shared pair, more only where a test ends them."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.embedded import runas
from backend.embedded.supervisor import Running, start
from tests.embedded.stacks import ORIGIN, Supervised


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder the servers' user can be given, as root too (tmp_path is shut for it)."""
    place = Path(tempfile.mkdtemp(prefix="明察 data "))
    yield place
    for made in (place, runas.short_folder(place), runas.short_folder(place / "postgres")):
        shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def stack() -> Iterator[Running]:
    """A running, checked pair whose doors are shut."""
    place = Path(tempfile.mkdtemp(prefix="明察 shared "))
    with start(place, origin=ORIGIN) as running:
        yield running
    shutil.rmtree(place)


@pytest.fixture
def supervised(folder: Path) -> Iterator[Supervised]:
    """Servers and one app under a supervisor process on ``folder``."""
    made = Supervised(folder)
    yield made
    made.close()
