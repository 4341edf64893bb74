"""Exports: 100,000 rows of a real list from the database to the store, and the writers alone."""

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import uvloop
import xlsxwriter

from backend.services import listings
from backend.services.listings import Form, NewExport, running, writer
from backend.services.occurrences import NATION
from tests import world
from tests.bench import rig
from tests.bench.bench_documents import spent
from tests.bench.figures import Figure
from tests.bench.rig import Running, Stand

ROWS = 100_000
FEW = 4_000
BATCH = 2_000
ROUNDS = 3
HEAD = {"title": "问题", "keys": list("abcdefgh"), "heads": list("abcdefgh")}
INSTITUTIONS = """
insert into institution (id, region, credit_code, name, kinds, home_region, is_base, risk_class,
  status, address, phone, lat_e7, lon_e7, crs, fictional, rev, created_at, updated_at)
select (lpad(to_hex(1700000000000 + n), 12, '0') || '70008000000000000000')::uuid, 370000,
  'B' || lpad(n::text, 17, '0'), '虚构职业技能培训学校' || n, '{training}', 370000, false, 'B',
  'active', '虚构市望海区学府路' || n || '号教学楼二层', '0000-' || n, 370000000 + n,
  1220000000 + n, 'wgs84', true, 1, now(), now()
from generate_series($1::int, $2::int) n
"""


@dataclass(frozen=True)
class Written:
    """One export: bytes of the file, processor seconds of worker and child together.

    ``grew`` is by how many bytes the worker's memory rose meanwhile.
    """

    size: int
    cpu_s: float
    grew: int


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
    """Processor seconds and the largest memory (bytes) of one export's child.

    ``ru_maxrss`` begins with what the starter held at the fork: VmHWM is the child's own.
    """
    script = (
        "import resource, runpy, sys\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "use = resource.getrusage(resource.RUSAGE_SELF)\n"
        "held = [l.split()[1] for l in open('/proc/self/status') if l.startswith('VmHWM')]\n"
        "print(use.ru_utime + use.ru_stime, int(held[0]) * 1024)"
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


def writers() -> list[Figure]:
    """The writing child alone: 100,000 rows of eight columns, from the stream to the file."""
    stream, few = _packed(ROWS), _packed(FEW)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        seconds = min(_child("csv", place / "a.csv", stream)[0] for _ in range(ROUNDS))
        size = (place / "a.csv").stat().st_size
        peaks = {
            form: (_child(form, place / "p", stream)[1], _child(form, place / "p", few)[1])
            for form in listings.FORMS
        }
        sheets = [
            (_child("xlsx", place / "a.xlsx", stream)[0], _bare_xlsx(place / "b.xlsx"))
            for _ in range(ROUNDS)
        ]
    ratio = sum(ours for ours, _ in sheets) / sum(bare for _, bare in sheets)
    growth = max(many / little for many, little in peaks.values())
    return [
        Figure("export: CSV, one core", size / seconds / 1e6, "MB/s", target=15, side="at least"),
        Figure("export: XLSX beside bare xlsxwriter", ratio, "x", target=1.3),
        Figure("export: child's memory at 100,000 rows beside 4,000", growth, "x", target=1.1),
        Figure(
            "export: child's memory at 100,000 rows",
            max(many for many, _ in peaks.values()) / 1e6,
            "MB",
        ),
    ]


class Lists:
    """Orders exports of one person's institutions and writes them as the worker does."""

    def __init__(self, stand: Stand, who: world.Login) -> None:
        self.stand, self.who, self.at = stand, who, stand.clock()

    async def fill(self, first: int, last: int) -> None:
        """Institutions with names, addresses and places."""
        owner = await self.stand.owner()
        await owner.execute(INSTITUTIONS, first, last)
        await owner.execute("analyze institution")
        await owner.close()

    async def write(self, form: Form) -> Written:
        """One export, from the order to the store."""
        made = await listings.order(
            NewExport(list="institutions", form=form), act=self.who.act(self.at)
        )
        context = self.stand.app.state.jobs
        tools = running.Tools(bucket=context.bucket, clock=self.stand.clock, hold=_nothing)
        before, cpu = _base(), spent()
        await running.write(made.id, act=context.act(NATION), tools=tools)
        cpu, grew = spent() - cpu, _held("VmHWM") - before
        done = await listings.get(made.id, act=self.who.act(self.at))
        if done.progress != "done" or done.size is None:
            raise RuntimeError(f"export: {done.progress} {done.fault}")
        return Written(done.size, cpu, grew)


async def _nothing() -> None:
    """Nobody else is after the task: its lease needs no keeping."""


def _base() -> int:
    """What this process holds now, in bytes; its peak is counted anew from here."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return _held("VmRSS")


def _held(name: str) -> int:
    """A line of this process's memory, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024


async def _lists(running: Running) -> list[Figure]:
    """A list of 4,000 and of 100,000 institutions."""
    async with rig.stand(running) as stand:
        return await _measured(stand)


async def _measured(stand: Stand) -> list[Figure]:
    lists = Lists(stand, await world.a_person(stand.clock(), "supervisor", region=world.SHANDONG))
    await lists.fill(1, FEW)
    for form in listings.FORMS:
        await lists.write(form)
    few = max([(await lists.write(form)).grew for form in listings.FORMS])
    await lists.fill(FEW + 1, ROWS)
    many = {form: await lists.write(form) for form in listings.FORMS}
    csv = many["csv"]
    return [
        Figure(
            "export: CSV of 100,000 rows, order to store, worker and child",
            csv.size / csv.cpu_s / 1e6,
            "MB/s",
            target=15,
            side="at least",
        ),
        Figure(
            "export: worker's memory rises at 100,000 rows",
            max(one.grew for one in many.values()) / 1e6,
            "MB",
            note=f"{few / 1e6:.3g} MB at 4,000",
        ),
    ]


def run() -> list[Figure]:
    """A list from the order to the store, then the writing children alone."""
    with rig.servers() as running:
        figures = uvloop.run(_lists(running))
    return figures + writers()
