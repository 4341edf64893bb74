"""A verifier's report as text for people, and reading the record they were given."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .findings import CHECKS, HEADINGS, LEVEL_WORDS, STANDINGS, VERDICTS, word
from .verify import Report

_MARKS = {"ok": "[ok ]", "bad": "[BAD]", "skipped": "[ - ]"}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key twice: two readers would see two records."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return dict(pairs)


def _no_float(text: str) -> object:
    raise ValueError(f"{text[:20]} is no integer")


def load(text: str) -> dict[str, Any] | None:
    """Read a record, or the record in a draw's public page; None before its disclosure.

    Raises: ValueError for anything else.
    """
    try:
        read = json.loads(
            text, object_pairs_hook=_once, parse_float=_no_float, parse_constant=_no_float
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if isinstance(read, dict) and "record" in read and "profile" not in read:
        read = read["record"]
        if read is None:
            return None
    if not isinstance(read, dict):
        raise ValueError("no object")  # noqa: TRY004 - one refusal for all unreadable texts
    return read


def _both(words: tuple[str, str], languages: Sequence[str], **facts: object) -> str:
    return "  ".join(word(words, language, **facts) for language in languages)


def _outside(record: Mapping[str, Any], languages: Sequence[str]) -> Iterator[str]:
    """Head and keys: what a reader compares with paper. A broken record has none."""
    try:
        head = record["log"][-1]["hash"]
        bodies = [e["body"] for e in record["log"] if e["type"] == "freeze"]
        named = [item for body in bodies for item in body["party_keys"]]
        keys = dict.fromkeys((item["party"], item["key"]) for item in named)
    except (KeyError, TypeError, IndexError):
        return
    yield f"{_both(HEADINGS['head'], languages)}: {word(('{x}', '{x}'), 'en', x=head)}"
    for party, key in keys:
        line = word(("{party} = {key}", ""), "en", party=party, key=key)
        yield f"{_both(HEADINGS['key'], languages)}: {line}"


def lines(report: Report, record: Mapping[str, Any], languages: Sequence[str]) -> Iterator[str]:
    """Write the report line by line in these languages, `zh` and `en`."""
    named = word(("ssj1 · {draw} · {profile}", ""), "en", draw=record.get("draw"),
                 profile=record.get("profile"))  # fmt: skip
    yield named
    for name, words in CHECKS.items():
        state = report.checks.get(name, "skipped")
        yield f"{_MARKS[state]} {_both(words, languages)}"
        for failure in report.failures:
            if failure.check == name:
                yield from (f"      {failure.say(language)}" for language in languages)
    if report.standings:
        yield _both(HEADINGS["rows"], languages) + ":"
    for ident, standing in report.standings.items():
        line = word(("{ident}", ""), "en", ident=ident)
        yield f"  {line}: {_both(STANDINGS[standing], languages)}"
    yield _both(HEADINGS["unchecked"], languages) + ":"
    for note in report.notes:
        yield from (f"  - {note.say(language)}" for language in languages)
    yield from _outside(record, languages)
    if report.level:
        level = _both(LEVEL_WORDS[report.level], languages)
        yield f"{_both(HEADINGS['level'], languages)}: {report.level} ({level})"
    yield _both(VERDICTS[report.verdict], languages)


def coded(report: Report) -> dict[str, Any]:
    """Give a report as JSON values: codes, never sentences."""
    return {
        "verdict": report.verdict,
        "level": report.level,
        "checks": report.checks,
        "failures": [failure.code for failure in report.failures],
        "notes": [note.code for note in report.notes],
        "standings": report.standings,
    }
