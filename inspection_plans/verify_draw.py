"""Checks the public record of a draw: ``python -m inspection_plans.verify_draw record.json``.

The same as one file for everybody, `verify_draw.py`, is what `draw.bundle` writes. Exit code 0
only when everything holds, 1 when something does not, 2 when there is no record to check, 3 when
a draw was made elsewhere and cannot be verified. Source: draw.md section 9.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from inspection_plans.draw.findings import HEADINGS, LANGUAGES, word
from inspection_plans.draw.report import coded, lines, load
from inspection_plans.draw.verify import verify

EXITS = {"verified": 0, "failed": 1, "unverifiable": 3}
_NO_RECORD = 2


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="verify_draw", description="检查抽取记录 check a draw")
    parser.add_argument("record", nargs="?", default="-", help="file; standard input without it")
    parser.add_argument(
        "--head", action="append", default=[], help="head as printed or kept, 16 digits or more"
    )
    parser.add_argument("--key", action="append", default=[], help="PARTY=PUBLIC-KEY as known")
    parser.add_argument("--lang", choices=LANGUAGES, help="one language; both without it")
    parser.add_argument("--json", action="store_true", help="codes instead of sentences")
    return parser.parse_args(argv)


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.buffer.read().decode("utf-8")
    return Path(name).read_text(encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Check one record and say in plain words what holds; gives the exit code."""
    given = _arguments(argv)
    languages = [given.lang] if given.lang else list(LANGUAGES)
    # A terminal's locale must not decide whether somebody can read the answer.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # text files
    try:
        record, why = load(_read(given.record)), None
    except (OSError, ValueError) as broken:
        record, why = None, broken
    if record is None:
        words = HEADINGS["undisclosed" if why is None else "unreadable"]
        for language in languages:
            sys.stderr.write(word(words, language, why=why) + "\n")
        return _NO_RECORD
    keys = dict(pair.partition("=")[::2] for pair in given.key)
    report = verify(record, [head.lower() for head in given.head], keys)
    text = [json.dumps(coded(report))] if given.json else lines(report, record, languages)
    for line in text:
        sys.stdout.write(line + "\n")
    return EXITS[report.verdict]


if __name__ == "__main__":
    sys.exit(main())
