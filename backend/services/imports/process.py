"""Starts the limited child for one file and understands how it ended."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from backend.services.imports import refusals

CHILD = Path(__file__).parent / "child.py"
WALL_S = 20
_BY_CODE = {
    refusal.code: refusal for refusal in (refusals.Unreadable, refusals.TooHeavy, refusals.TooLong)
}


class Line(msgspec.Struct, frozen=True, array_like=True):
    """One row: its number in the file, from 1, and the text of its cells."""

    number: int
    cells: list[str]


class Table(msgspec.Struct, frozen=True):
    """The first sheet of a file; the first line holds the headings."""

    sheet: str
    lines: Annotated[list[Line], msgspec.Meta(min_length=1)]


async def _run(verb: Literal["read", "sheets", "write", "book"], raw: bytes) -> bytes:
    """Let the child work on the bytes.

    Raises: TooHeavy ("import.too_heavy") when it was stopped by a limit.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(CHILD),
        verb,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(WALL_S):
            answer, _ = await child.communicate(raw)
    except TimeoutError:
        raise refusals.TooHeavy from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise refusals.TooHeavy
    return answer


async def read(raw: bytes) -> Table:
    """The first sheet of an XLSX or CSV file.

    Raises: EmptyFile, Unreadable, TooHeavy, TooLong ("import.…").
    """
    if not raw:
        raise refusals.EmptyFile
    answer: dict[str, Any] = msgspec.json.decode(await _run("read", raw))
    if code := answer.get("refused"):
        raise _BY_CODE[code](**answer["facts"])
    if not answer["lines"]:
        raise refusals.EmptyFile
    return msgspec.convert(answer, Table)


async def read_sheets(raw: bytes) -> list[Table]:
    """The sheets of an XLSX file that say something.

    Raises: EmptyFile, Unreadable, TooHeavy, TooLong ("import.…").
    """
    if not raw:
        raise refusals.EmptyFile
    answer: dict[str, Any] = msgspec.json.decode(await _run("sheets", raw))
    if code := answer.get("refused"):
        raise _BY_CODE[code](**answer["facts"])
    said = [one for one in answer["sheets"] if one["lines"]]
    if not said:
        raise refusals.EmptyFile
    return msgspec.convert(said, list[Table])


async def write_book(order: dict[str, Any]) -> bytes:
    """A workbook of several sheets made by the child."""
    return await _run("book", json.dumps(order).encode())


async def write(order: dict[str, Any]) -> bytes:
    """A workbook made by the child."""
    return await _run("write", json.dumps(order).encode())
