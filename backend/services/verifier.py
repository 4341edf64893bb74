"""The stand-alone verifier as anybody may download it, and what it can say."""

from functools import cache
from hashlib import sha256
from typing import Literal

import msgspec

from inspection_plans.draw import findings
from inspection_plans.draw.bundle import verifier

Language = Literal["zh", "en"]
Words = dict[str, str]


class Program(msgspec.Struct, frozen=True):
    """`verify_draw.py`: its bytes and their SHA-256, 64 hexadecimal digits."""

    content: bytes
    sha256: str


class Vocabulary(msgspec.Struct, frozen=True):
    """Every sentence of a report in one language, by code; names in braces are filled in."""

    checks: Words
    findings: Words
    unreadable: str
    verdicts: Words
    levels: Words
    standings: Words
    headings: Words


@cache
def program() -> Program:
    """The one file, built from the engine's modules. Source: draw.md section 9."""
    content = verifier().encode()
    return Program(content, sha256(content).hexdigest())


@cache
def vocabulary(language: Language) -> Vocabulary:
    """What the verifier says, for a report that is written elsewhere with the same words."""
    at = 0 if language == "en" else 1

    def of(table: dict[str, tuple[str, str]]) -> Words:
        return {code: words[at] for code, words in table.items()}

    return Vocabulary(
        checks=of(findings.CHECKS),
        findings=of({**findings.FINDINGS, **findings.NOTES}),
        unreadable=findings.UNREADABLE[at],
        verdicts=of(findings.VERDICTS),
        levels=of(findings.LEVEL_WORDS),
        standings=of(findings.STANDINGS),
        headings=of(findings.HEADINGS),
    )
