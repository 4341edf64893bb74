"""A supervisor process for tests: two lines with pids (servers, app), then it watches them."""

import sys
from collections.abc import Sequence
from pathlib import Path

from backend.embedded.processes import Command
from backend.embedded.supervisor import Running, supervise

APP = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"


def commands(running: Running) -> Sequence[Command]:
    """Say the servers' pids and ask for one app that says its own."""
    sys.stdout.write(" ".join(str(child.pid) for child in running.children) + "\n")
    sys.stdout.flush()
    return [Command(name="app", argv=[sys.executable, "-c", APP])]


sys.exit(supervise(Path(sys.argv[1]), commands, lambda _said: None, origin=sys.argv[2]))
