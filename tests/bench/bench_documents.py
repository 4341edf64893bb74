"""Documents beside bare typst."""

import asyncio
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from backend.services.documents import press, samples, templates
from tests.bench.figures import Figure

ROUNDS = 7
BARE = """
import sys, typst
fonts = typst.Fonts(include_system_fonts=False, font_paths=[sys.argv[1]])
compiler = typst.Compiler(sys.argv[2], font_paths=fonts, ignore_system_fonts=True,
    sys_inputs={"facts": open(sys.argv[3]).read(), "void": ""})
open(sys.argv[4], "wb").write(compiler.compile(format="pdf", pdf_standards=["a-2u"]))
"""


def spent() -> float:
    """Processor seconds of this process and of the children that have ended."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


def run() -> list[Figure]:
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
            start = spent()
            subprocess.run(
                [sys.executable, "-I", "-c", BARE, str(press.font_folder()), *names], check=True
            )
            middle = spent()
            (printed,) = asyncio.run(press.press([job]))
            bare.append(middle - start)
            ours.append(spent() - middle)
            sizes.append(len(printed.pdf))
    return [
        Figure("document: an order beside bare typst", sum(ours) / sum(bare), "x", target=1.5),
        Figure("document: an order without photos", max(sizes) / 1000, "KB", target=150),
    ]
