"""`python -m inspection_plans.ask`: JSON questions on standard input, answers on standard output.

One question a line, one answer a line, in order; an empty line is skipped. It needs the standard
library, PyYAML and the packs, and ends with 0 whatever was asked.
"""

import sys

from inspection_plans.ask.table import answer_line
from inspection_plans.loader import load_rulebook


def main() -> int:
    """Answer until the input ends; every answer is flushed, so a caller may wait for it."""
    rules = load_rulebook()
    for line in sys.stdin.buffer:
        if line.strip():
            sys.stdout.buffer.write(answer_line(line, rules) + b"\n")
            sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
