"""Starts the limited child that sets documents, and understands how it ended."""

import asyncio
import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import msgspec

from backend.services.errors import ServiceRefusal

CHILD = Path(__file__).parent / "child.py"
FONTS = "rinoh_typeface_notosanscjk"
WALL_S = 120
STANDARD = "a-2u"


class Unprintable(ServiceRefusal):
    """The template does not compile with this document's facts; ``fault`` says where it stops."""

    code = "document.unprintable"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One document to set: same values in, same bytes out.

    ``facts`` is JSON, ``at`` seconds since the epoch, ``void`` the words of a voided copy.
    """

    source: bytes
    facts: bytes
    at: int
    void: str = ""
    files: dict[str, bytes] = {}
    standard: str | None = STANDARD


class Printed(msgspec.Struct, frozen=True):
    """A finished PDF."""

    pdf: bytes
    pages: int


class _Answer(msgspec.Struct, frozen=True):
    pages: int = 0
    warnings: Annotated[list[str], msgspec.Meta(max_length=10_000)] = []
    refused: str | None = None


def font_folder() -> Path:
    """Where the embedded CJK font lies, inside its package."""
    found = importlib.util.find_spec(FONTS)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(FONTS)
    return Path(found.submodule_search_locations[0])


def _laid(job: Job, place: Path, number: int) -> dict[str, Any]:
    """Lay out a job's folder for the child. Blocks."""
    root = place / str(number)
    root.mkdir()
    for name, raw in {**job.files, "main.typ": job.source}.items():
        (root / name).write_bytes(raw)
    return {
        "root": str(root),
        "out": str(place / f"{number}.pdf"),
        "inputs": {"facts": job.facts.decode(), "void": job.void},
        "timestamp": job.at,
        "standard": job.standard,
    }


def _read(answer: _Answer, file: Path) -> Printed:
    """Raises: Unprintable; a warning is one too, for an unknown font is only warned of."""
    if answer.refused is not None:
        raise Unprintable(fault=answer.refused)
    if answer.warnings:
        raise Unprintable(fault="; ".join(answer.warnings))
    return Printed(file.read_bytes(), answer.pages)


async def press(jobs: list[Job]) -> list[Printed]:
    """Set documents, several in one child: the fonts are read once.

    Raises: Unprintable ("document.unprintable").
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        laid = [
            await asyncio.to_thread(_laid, job, place, number) for number, job in enumerate(jobs)
        ]
        said = msgspec.json.decode(await _run(msgspec.json.encode(laid)), type=list[_Answer])
        return [_read(answer, place / f"{number}.pdf") for number, answer in enumerate(said)]


async def _run(asked: bytes) -> bytes:
    """What the child says. Raises: Unprintable when it was stopped by a limit."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(CHILD),
        str(font_folder()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"LC_ALL": "C.UTF-8"},
    )
    try:
        async with asyncio.timeout(WALL_S):
            said, _ = await child.communicate(asked)
    except TimeoutError:
        raise Unprintable(fault="time") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != os.EX_OK:
        raise Unprintable(fault="memory or time")
    return said
