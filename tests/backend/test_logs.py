"""Logs name places and types, never the values a fault carried."""

import json
from collections.abc import Iterator

import pytest
import structlog

from backend import logs


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    before = structlog.get_config()
    logs.configure()
    yield capsys
    structlog.configure(**before)


def fail() -> None:
    raise ValueError("3701**********0011")


def test_a_fault_is_told_without_its_text(told: pytest.CaptureFixture[str]) -> None:
    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("task", id=7)
    line = told.readouterr().err
    event = json.loads(line)
    assert event["fault"] == "ValueError"
    assert event["id"] == 7
    assert any("test_logs.py" in frame for frame in event["at"])
    assert "3701" not in line
