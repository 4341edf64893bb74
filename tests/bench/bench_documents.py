"""Documents beside bare typst; exports beside bare csv and xlsxwriter, and their memory."""

import asyncio
import csv
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import xlsxwriter

from backend.services.documents import press, samples, templates
from backend.services.listings import writer
from tests.bench.figures import Figure

ROUNDS = 7
ROWS = 100_000
BATCH = 2_000
BARE = """
import sys, typst
fonts = typst.Fonts(include_system_fonts=False, font_paths=[sys.argv[1]])
compiler = typst.Compiler(sys.argv[2], font_paths=fonts, ignore_system_fonts=True,
    sys_inputs={"facts": open(sys.argv[3]).read(), "void": ""})
open(sys.argv[4], "wb").write(compiler.compile(format="pdf", pdf_standards=["a-2u"]))
"""
HEAD = {"title": "问题", "keys": list("abcdefgh"), "heads": list("abcdefgh")}


def _spent() -> float:
    """Processor seconds of this process and of the children that have ended."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


def documents() -> list[Figure]:
    """Interleaved rounds of an order: a process that does nothing but typst, then our press."""
    kind = "order"
    source = templates.source(templates.own(kind))
    job = samples.job(source, templates.kinds()[kind].title)
    bare, ours, sizes = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "main.typ").write_bytes(source)
        (place / "facts.json").write_bytes(job.facts)
        names = [str(place / name) for name in ("main.typ", "facts.json", "out.pdf")]
        for _ in range(ROUNDS):
            start = _spent()
            subprocess.run(
                [sys.executable, "-I", "-c", BARE, str(press.font_folder()), *names], check=True
            )
            middle = _spent()
            (printed,) = asyncio.run(press.press([job]))
            bare.append(middle - start)
            ours.append(_spent() - middle)
            sizes.append(len(printed.pdf))
    return [
        Figure("document: an order beside bare typst", sum(ours) / sum(bare), "x", target=1.5),
        Figure("document: an order without photos", max(sizes) / 1000, "KB", target=150),
    ]


def _rows(count: int) -> Iterator[list[list[Any]]]:
    for first in range(0, count, BATCH):
        yield [
            [
                f"海岬职业培训学校{number}",
                f"91371000MA{number:08d}",
                "TI-02",
                "实际开班与备案的计划一致；现场点到四十人，在场二十七人",
                "critical",
                number,
                "2026-03-16 09:12:00",
                None,
            ]
            for number in range(first, first + BATCH)
        ]


def _packed(count: int) -> bytes:
    """The stream that an export's child reads."""
    out = bytearray()
    for message in (HEAD, *_rows(count)):
        raw = msgspec.msgpack.encode(message)
        out += len(raw).to_bytes(8) + raw
    return bytes(out)


def _child(form: str, path: Path, stream: bytes) -> tuple[float, int]:
    """Processor seconds and the largest memory (bytes) of one export's child."""
    script = (
        "import resource, runpy, sys\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "use = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(use.ru_utime + use.ru_stime, use.ru_maxrss * 1024)"
    )
    words = [sys.executable, "-I", "-c", script, writer.__file__, form, str(path)]
    done = subprocess.run(words, input=stream, capture_output=True, check=True)
    seconds, peak = done.stdout.split()
    return float(seconds), int(peak)


def _bare_xlsx(path: Path) -> float:
    """The same rows by xlsxwriter alone, a line at a time in memory."""
    start = time.process_time()
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        line = 0
        for batch in _rows(ROWS):
            for row in batch:
                for place, cell in enumerate(row):
                    if isinstance(cell, int):
                        sheet.write_number(line, place, cell)
                    elif cell is not None:
                        sheet.write_string(line, place, cell)
                line += 1
    return time.process_time() - start


def exports() -> list[Figure]:
    """100,000 rows of eight columns, from the stream to the file."""
    stream, tenth = _packed(ROWS), _packed(ROWS // 10)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        seconds, _ = min(_child("csv", place / "a.csv", stream) for _ in range(3))
        size = (place / "a.csv").stat().st_size
        _, small = _child("xlsx", place / "s.xlsx", tenth)
        with (place / "a.csv").open(encoding="utf-8-sig", newline="") as file:
            counted = sum(1 for _ in csv.reader(file)) - 1
        sheets = [
            (_child("xlsx", place / "a.xlsx", stream), _bare_xlsx(place / "b.xlsx"))
            for _ in range(3)
        ]
    ratio = sum(ours for (ours, _), _ in sheets) / sum(bare for _, bare in sheets)
    peak = max(peak for (_, peak), _ in sheets)
    return [
        Figure("export: rows of CSV", counted, "rows", target=ROWS, side="at least"),
        Figure("export: CSV, one core", size / seconds / 1e6, "MB/s", target=15, side="at least"),
        Figure("export: XLSX beside bare xlsxwriter", ratio, "x", target=1.3),
        Figure("export: memory of 100,000 rows beside 10,000", peak / small, "x", target=1.2),
        Figure("export: memory of 100,000 rows", peak / 1e6, "MB"),
    ]


def run() -> list[Figure]:
    """Both halves."""
    return documents() + exports()
