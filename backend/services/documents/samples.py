"""Fictional facts of every kind: a new template is tried with them, and previewed."""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from backend.services.documents import marks
from backend.services.documents.press import Job

FOLDER = Path(__file__).parents[2] / "texts" / "documents"
AT = 1_773_600_000


@cache
def _sample() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "sample.yaml").read_text("utf-8"))
    return found


def facts(title: str) -> bytes:
    """The example's facts as JSON, under the title of a kind."""
    held = _sample()
    full = {**held, "title": title, "qr": marks.qr(held["url"])}
    return msgspec.json.encode(full, order="sorted")


def job(source: bytes, title: str) -> Job:
    """The example as a job for the press."""
    return Job(source=source, facts=facts(title), at=AT)
