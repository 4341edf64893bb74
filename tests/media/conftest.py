"""The store these tests write to: the embedded one, with a prefix of its own for this run."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.embedded.supervisor import start
from media.bucket import Bucket


@pytest.fixture(scope="session")
def s3() -> Iterator[Bucket]:
    with start(Path(tempfile.mkdtemp()), origin="http://127.0.0.1:8000") as running:
        bucket = Bucket.of(running.s3)
        bucket.ensure_buckets()
        yield bucket
