"""Sets documents in a process of its own with little memory; the only speaker of typst.

Run by path as ``python -I child.py FONTS``: jobs come as JSON on standard input, each with a
folder of its own; a PDF lies beside it, and what is to say of it leaves on standard output in
order. It imports nothing of ours and reads no file but fonts and what a job brings: a template
reaches nothing else.
"""

import json
import resource
import sys
from typing import Any

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
    """One job: ``root`` with main.typ, ``inputs``, ``timestamp`` (s), ``standard`` or None.

    The PDF is written to ``out``; the answer has ``pages`` and ``warnings``, or ``refused``.
    """
    compiler = typst.Compiler(
        f"{job['root']}/main.typ",
        root=job["root"],
        font_paths=fonts,
        ignore_system_fonts=True,
        sys_inputs=job["inputs"],
    )
    try:
        _, warnings = compiler.compile_with_warnings(
            output=job["out"],
            format="pdf",
            timestamp=job["timestamp"],
            pdf_standards=job["standard"] or [],
        )
        pages = compiler.query(PAGES, field="value", one=True)
    except typst.TypstError as fault:
        return {"refused": fault.message}
    return {"pages": int(pages), "warnings": [warning.message for warning in warnings]}


def main(folder: str) -> None:
    """Answer the jobs on standard input and end."""
    limit()
    jobs = json.load(sys.stdin)
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[folder])
    json.dump([pressed(job, fonts) for job in jobs], sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
