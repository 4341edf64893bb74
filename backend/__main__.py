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
    "log": "recompute the audit log; say the key by which witnesses know it",
    "witness": "keep another office's log heads, refuse any that forgets one",
    "backup": "a whole copy of a working office",
    "restore": "an office from a backup, into an empty folder",
    "scrub": "hold the store against the rows, now",
    "recovery": "let a rolled-back audit log go on, by two administrators",
    "package": "bring in an emergency package that a phone exported",
    "packs": "check the rules' files",
    "phone": "build the inspector's application",
}
DATA = ("run", "doctor", "selfcheck", "log", "backup", "restore", "scrub", "recovery", "package")
PORT = ("run", "serve", "restore")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mingcha", description="明察 Mingcha")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name, what in VERBS.items():
        verb = verbs.add_parser(name, help=what)
        if name in DATA:
            verb.add_argument("--data", type=Path, default=Path(".data/office"))
        if name in PORT:
            verb.add_argument("--port", type=int, default=8000)
    _of_backups(verbs.choices["backup"], verbs.choices["restore"])
    verbs.choices["serve"].add_argument("--host", default="127.0.0.1")
    _log(verbs.choices["log"])
    _witness(verbs.choices["witness"])
    verbs.choices["scrub"].add_argument("--all", action="store_true", help="read every original")
    verbs.choices["scrub"].add_argument("--heal", type=Path, help="bring lost originals back")
    verbs.choices["recovery"].add_argument("what", choices=["status", "propose", "approve"])
    verbs.choices["recovery"].add_argument("--login")
    verbs.choices["recovery"].add_argument("--reason")
    verbs.choices["package"].add_argument("file", type=Path)
    verbs.choices["package"].add_argument("--wait", type=int, default=600, help="seconds")
    verbs.choices["packs"].add_argument("what", choices=["check", "coverage"])
    verbs.choices["packs"].add_argument("--root", type=Path, default=None)
    return parser


def _log(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("what", choices=["verify", "key"])
    verb.add_argument("--witness", type=Path, action="append", default=[], help="a witness's file")
    verb.add_argument("--paper", type=Path, action="append", default=[], help="a printed note")
    verb.add_argument("--json", action="store_true", help="the whole report as an object")


def _witness(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("what", choices=["watch", "key"])
    verb.add_argument("--file", type=Path, required=True, help="our heads; the key lies beside")
    verb.add_argument("--name", required=True, help="our name, like witness.example/bureau")
    verb.add_argument("--log-key", default="", help="the line that `mingcha log key` prints there")
    verb.add_argument("--log", default="", help="address of the log")
    verb.add_argument("--offer", type=Path, default=None, help="a head and its proof as a file")
    verb.add_argument("--every", type=float, default=0, help="seconds; once when left out")


def _of_backups(backup: argparse.ArgumentParser, restore: argparse.ArgumentParser) -> None:
    backup.add_argument("--to", type=Path, required=True)
    backup.add_argument("--every", type=int, default=0, help="seconds between backups; 0: once")
    backup.add_argument("--keep", type=int, default=0, help="so many sets; 0: all of them")
    backup.add_argument("--check", action="store_true", help="read the newest backup back")
    backup.add_argument("--keys-to", type=Path, help="a file outside, for the sealed keys")
    backup.add_argument("--passphrase-file", type=Path, default=Path("passphrase"))
    restore.add_argument("--from", dest="source", type=Path, required=True)
    restore.add_argument("--set", help="its name; the newest by default")
    keys = restore.add_mutually_exclusive_group(required=True)
    keys.add_argument("--keys", type=Path, help="the key folder of the lost office")
    keys.add_argument("--keys-file", type=Path, help="what backup --keys-to wrote")
    restore.add_argument("--passphrase-file", type=Path, default=Path("passphrase"))


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
