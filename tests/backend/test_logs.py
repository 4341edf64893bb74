"""Logs name places and types, never the values a fault carried."""

import errno
import io
import json

import structlog

from backend import logs


def fail() -> None:
    raise ValueError("3701**********0011")


def test_a_fault_is_told_without_its_text() -> None:
    before, out = structlog.get_config(), io.StringIO()
    logs.configure(out)
    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("task", id=7)
    finally:
        structlog.configure(**before)
    event = json.loads(out.getvalue())
    assert event["fault"] == "ValueError"
    assert event["id"] == 7
    assert any("test_logs.py" in frame for frame in event["at"])
    assert "3701" not in out.getvalue()


class Full(io.StringIO):
    """A file on a disk without room."""

    def write(self, _text: str) -> int:
        raise OSError(errno.ENOSPC, "full")

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "full")


def test_a_line_that_cannot_be_written_stops_nobody() -> None:
    before = structlog.get_config()
    logs.configure(Full())
    try:
        structlog.get_logger().info("request")
    finally:
        structlog.configure(**before)
