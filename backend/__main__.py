"""`mingcha`: the command line; each verb is one file in ``commands``, loaded when called."""

import argparse
import sys
from importlib import import_module
from pathlib import Path

from backend.embedded.errors import EmbeddedRefusal
from backend.settings import SettingsWrong

VERBS = {
    "run": "an empty office on embedded servers",
    "serve": "one process; the environment names the servers",
    "work": "worker and timer without a socket, behind a serving process",
    "migrate": "bring database and buckets up to date",
    "prepare": "migrate, then settle",
    "settle": "one-time links of the first three administrators",
    "doctor": "the state of every part",
    "selfcheck": "the embedded store's doors, tried",
    "log": "recompute the audit log",
    "recovery": "let a rolled-back audit log go on, by two administrators",
    "packs": "check the rules' files",
}
DATA = ("run", "doctor", "selfcheck", "log", "recovery")
PORT = ("run", "serve")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mingcha", description="明察 Mingcha")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name, what in VERBS.items():
        verb = verbs.add_parser(name, help=what)
        if name in DATA:
            verb.add_argument("--data", type=Path, default=Path(".data/office"))
        if name in PORT:
            verb.add_argument("--port", type=int, default=8000)
    verbs.choices["serve"].add_argument("--host", default="127.0.0.1")
    verbs.choices["log"].add_argument("what", choices=["verify"])
    verbs.choices["recovery"].add_argument("what", choices=["status", "propose", "approve"])
    verbs.choices["recovery"].add_argument("--login")
    verbs.choices["recovery"].add_argument("--reason")
    verbs.choices["packs"].add_argument("what", choices=["check", "coverage"])
    verbs.choices["packs"].add_argument("--root", type=Path, default=None)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one verb; 0 when it held, else 1 and one sentence on what to do."""
    args = _parser().parse_args(argv)
    try:
        return int(import_module(f"backend.commands.{args.verb}").main(args))
    except (SettingsWrong, EmbeddedRefusal) as sentence:
        print(sentence, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
