"""Prints what was found, for people and for programs, and is `verify.py`'s command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from media.offline.boxes import Box, Folder, Zip
from media.offline.checks import CHECKS, Examination, Report
from media.offline.reading import Fault
from media.offline.words import WORDS

CODES = {"verified": 0, "rejected": 1, "partial": 3}
FAULTS_SHOWN = 40
SHANGHAI = timezone(timedelta(hours=8))
YEAR_9999 = 253402300799999


def lines(report: Report) -> Iterator[str]:
    """Give the lines that all three verifiers print alike."""
    yield "bundle mingcha.bundle/1 {}".format(report.extraction.get("id", "-"))
    for role, print_ in sorted(report.keys.items()):
        yield f"key {role} {print_}"
    trusted = {None: "not-compared", True: "ok", False: "failed"}[report.trusted]
    yield f"trust {trusted}"
    for check in CHECKS:
        yield f"check {check} {report.state(check)}"
    for fault in report.faults:
        yield (f"fault {fault.check} {fault.code} {fault.subject}").rstrip()
    for item in report.items:
        yield _line(item)
    for name, at in report.stamps:
        yield f"stamp {name} {at}"
    yield f"verdict {report.verdict()}"


def _line(item: dict[str, Any]) -> str:
    def shown(name: str) -> str:
        return "-" if item.get(name) is None else str(item[name])

    said = "item {} {} source={}".format(item["id"], item["state"], item["source"])
    said += " proved={}..{} claimed={}".format(shown("since"), shown("until"), shown("claimed"))
    said += " gap={} key={}".format(shown("gap"), item["key"])
    original = "withheld" if item["withheld"] else "here"
    return said + " original={} flags={}".format(original, ",".join(item["flags"]) or "-")


def _time(ms: int | None) -> str:
    if ms is None or not 0 <= ms <= YEAR_9999:
        return "?"
    at = datetime.fromtimestamp(ms / 1000, SHANGHAI)
    return at.strftime("%Y-%m-%d %H:%M:%S") + "+08:00"


def _both(code: str) -> str:
    zh, en = WORDS[code]
    return f"{zh}  {en}"


def told(report: Report) -> Iterator[str]:
    """Give the report for a person, Chinese and English beside each other."""
    yield "== {} ==".format(_both("title"))
    for check in CHECKS:
        yield f"{check} {report.state(check):<11} {_both(check)}"
    for fault in report.faults[:FAULTS_SHOWN]:
        yield f"  ! {fault.check} {_both(fault.code)} {_about(fault)}"
    if len(report.faults) > FAULTS_SHOWN:
        yield f"  ! … {len(report.faults) - FAULTS_SHOWN}"
    for item in report.items:
        yield from _told(item)
    stamps = ["{} {} {}".format(_both("stamped"), name, at) for name, at in report.stamps]
    yield from stamps or ([_both("unstamped")] if report.state("V9") == "none" else [])
    yield "{}: {}".format(_both("fingerprints"), _both("trusted" if report.trusted else "unknown"))
    for role, print_ in sorted(report.keys.items()):
        yield f"  {_both(role)}  {print_}"
    yield _both("says")
    yield f"== {_both(report.verdict())} =="


def _about(fault: Fault) -> str:
    """Where a fault lies; the instant of a revocation as a person reads it."""
    where, _, at = fault.subject.partition(" ")
    return f"{where} {_time(int(at))}" if fault.code == "key.revoked" else fault.subject


def _told(item: dict[str, Any]) -> Iterator[str]:
    since, until, claimed = item.get("since"), item.get("until"), item.get("claimed")
    yield "{}  {}".format(item["id"], _both(item["state"]))
    if item["source"] in WORDS:
        yield "    {}: {}".format(_both("source"), _both(item["source"]))
    if until is not None:
        start = _both("unproved") if since is None else _time(since)
        yield "    {}: {} — {}".format(_both("proved"), start, _time(until))
    if claimed is not None:
        yield "    {}: {}".format(_both("claimed"), _time(claimed))
    if item.get("gap") is not None:
        yield "    {}: {:.1f} s".format(_both("gap"), item["gap"] / 1000)
    if "revoked@" in item["key"]:
        yield "    {}: revoked at {}".format(
            _both("revoked"), _time(int(item["key"].split("@")[1]))
        )
    if item["withheld"]:
        yield "    {}".format(_both("withheld"))
    if item["flags"]:
        yield "    {}: {}".format(_both("flags"), ", ".join(item["flags"]))


def examine(path: Path, trust: list[str]) -> Report:
    """Check a ZIP, or the folder made of one. Raises: OSError when there is nothing to read."""
    known = {one.strip().lower() for one in trust}
    try:
        if path.is_dir():
            return Examination(Folder(path), known).run()
        with path.open("rb") as handle:
            return Examination(Zip(handle), known).run()
    except Fault as fault:
        report = Examination(Box(), set()).report
        report.faults.append(fault)
        return report


def main(program: str, words: list[str] | None = None) -> int:
    """Exit with 0 verified, 1 rejected, 3 partial, 2 when there is nothing to read."""
    parser = argparse.ArgumentParser(prog="verify.py", description=WORDS["title"][0])
    parser.add_argument("bundle", type=Path, nargs="?", default=Path(program).parent)
    parser.add_argument("--trust", action="append", default=[], metavar="FINGERPRINT")
    parser.add_argument("--lines", action="store_true", help="for programs only")
    said = parser.parse_args(words)
    try:
        report = examine(said.bundle, said.trust)
    except OSError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 2
    shown = [] if said.lines else [*told(report), ""]
    sys.stdout.buffer.write("".join(line + "\n" for line in [*shown, *lines(report)]).encode())
    return CODES[report.verdict()]
