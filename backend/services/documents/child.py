"""Sets documents in a process of its own with little memory; the only speaker of typst.

Run by path as ``python -I child.py FONTS``: MessagePack jobs come on standard input, results
leave on standard output in their order. It imports nothing of ours and reads no file but fonts and
what a job brings: a template reaches nothing else.
"""

import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import typst

MEMORY_BYTES = 3 << 30
CPU_S = 120
PAGES = "<pages>"


def limit() -> None:
    """Bound this process; exceeding ends it, the parent sees that."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def pressed(job: dict[str, Any], fonts: typst.Fonts) -> dict[str, Any]:
    """One job: ``source``, ``inputs``, ``files`` by name, ``timestamp`` (s), ``standard`` or None.

    The answer has ``pdf``, ``pages`` and ``warnings``, or ``refused`` with what is wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, raw in job["files"].items():
            (Path(folder) / name).write_bytes(raw)
        main_file = Path(folder) / "main.typ"
        main_file.write_bytes(job["source"])
        compiler = typst.Compiler(
            str(main_file),
            root=folder,
            font_paths=fonts,
            ignore_system_fonts=True,
            sys_inputs=job["inputs"],
        )
        try:
            pdf, warnings = compiler.compile_with_warnings(
                format="pdf",
                timestamp=job["timestamp"],
                pdf_standards=job["standard"] or [],
            )
            pages = compiler.query(PAGES, field="value", one=True)
        except typst.TypstError as fault:
            return {"refused": fault.message}
    said = [warning.message for warning in warnings]
    return {"pdf": pdf, "pages": int(pages), "warnings": said}


def main(folder: str) -> None:
    """Answer the jobs on standard input and end."""
    limit()
    jobs = msgspec.msgpack.decode(sys.stdin.buffer.read())
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[folder])
    answers = [pressed(job, fonts) for job in jobs]
    sys.stdout.buffer.write(msgspec.msgpack.encode(answers))


if __name__ == "__main__":
    main(sys.argv[1])
