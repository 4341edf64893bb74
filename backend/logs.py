"""Logs 日志: one JSON line an event; places and types of faults, never bodies or values."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO, cast

import structlog

ROOT = str(Path(__file__).parent.parent)
FRAMES = 12
Event = MutableMapping[str, Any]


def _faults(_logger: object, _name: str, event: Event) -> Event:
    """Replace an exception by its type and place: its text may hold personal data."""
    fault = event.pop("exc_info", None)
    if fault is True:
        fault = sys.exc_info()[1]
    if isinstance(fault, BaseException):
        frames = traceback.extract_tb(fault.__traceback__)[-FRAMES:]
        event["fault"] = type(fault).__qualname__
        event["at"] = [
            f"{frame.filename.removeprefix(ROOT).lstrip('/')}:{frame.lineno} {frame.name}"
            for frame in frames
        ]
        if state := getattr(fault, "sqlstate", None):
            event["sqlstate"] = state
    return event


class _Lossy:
    """Where lines go; one that cannot be written is lost, for no visit may fail by a full log."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._out.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._out.flush()


def configure(out: TextIO) -> None:
    """Set the form and place of every line; called once by each process that serves or works."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _faults,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Lossy(out))),
        cache_logger_on_first_use=False,
    )
