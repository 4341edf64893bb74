"""Logs name places and types, never the values a fault carried."""

import json
from collections.abc import Iterator

import pytest
import structlog

from backend import logs


@pytest.fixture
def _configured() -> Iterator[None]:
    before = structlog.get_config()
    logs.configure()
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("_configured")
def test_a_fault_is_told_without_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        secret = "3701**********0011"
        raise ValueError(secret)
    except ValueError:
        structlog.get_logger().exception("task", id=7)
    line = capsys.readouterr().err
    told = json.loads(line)
    assert told["fault"] == "ValueError"
    assert told["id"] == 7
    assert any("test_logs.py" in frame for frame in told["at"])
    assert "3701" not in line
