"""What the page of one visit shows, put together from what the services said."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from backend.pages.words import Language, say
from backend.services.answers import AnswerRecord
from backend.services.choices import Disagreement
from backend.services.exhibits import EvidenceRecord
from backend.services.findings import Finding
from backend.services.signals.reading import SignalRecord
from backend.services.visit_lists import Moment, VisitRecord
from inspection_plans.sheets import Item, Sheet

T = TypeVar("T")


class Stage(msgspec.Struct, frozen=True):
    """One of the six stages of a visit; ``at`` is None for what is still to come."""

    key: str
    at: datetime | None


class Said(msgspec.Struct, frozen=True):
    """One device's answer to an item, in words."""

    by: UUID
    dev: UUID
    verdict: str
    words: tuple[str, ...]
    reason: str
    flags: tuple[str, ...]
    at: datetime


class Asked(msgspec.Struct, frozen=True):
    """One item with its answers and its evidence beside them."""

    code: str
    title: str
    clauses: tuple[str, ...]
    severity: str
    answers: tuple[Said, ...]
    evidence: tuple[EvidenceRecord, ...]
    finding: Finding | None
    differs: bool
    kept: UUID | None


class Part(msgspec.Struct, frozen=True):
    """A section of the sheet with the items that were asked."""

    title: str
    items: tuple[Asked, ...]


def stages(visit: VisitRecord) -> tuple[Stage, ...]:
    """Drawn, opened, on site, handed in, complete, concluded."""
    return (
        Stage("drawn", visit.created_at),
        Stage("opened", visit.opened_at),
        Stage("on_site", visit.started_at),
        Stage("handed_in", visit.submitted_at),
        Stage("complete", visit.completed_at),
        Stage("concluded", visit.concluded_at),
    )


def _label(part: Any, language: Language) -> str:  # noqa: ANN401 - any kind of part
    both = part.en if language == "en" else part.zh
    return f"{both}: " if both else ""


def _chosen(part: Any, value: object, language: Language) -> str:  # noqa: ANN401 - as above
    """A value in words: options by their names, numbers with what they count."""
    if isinstance(value, bool):
        return say("word.yes" if value else "word.no", language)
    options = {one.code: one for one in getattr(part, "options", ())}
    named = {one.name: one for one in getattr(part, "fields", ())}
    if isinstance(value, list):
        return "、".join(_chosen(part, one, language) for one in value)
    if isinstance(value, dict):
        pieces = []
        for key, inner in value.items():
            known = named.get(key)
            words = (known.en if language == "en" else known.zh) if known else _key(key, language)
            pieces.append(f"{words} {inner}")
        return "，".join(pieces)
    if isinstance(value, str) and value in options:
        option = options[value]
        return str(option.en if language == "en" else option.zh)
    if value in ("yes", "no", "na"):
        return say(f"answer.{value}", language)
    return str(value)


def _key(key: str, language: Language) -> str:
    try:
        return say(f"answer.part.{key}", language)
    except KeyError:
        return key


def _words(item: Item | None, value: object, language: Language) -> tuple[str, ...]:
    parts = {part.name: part for part in item.answer} if item else {}
    if not isinstance(value, dict):
        return () if value is None else (_chosen(None, value, language),)
    return tuple(
        f"{_label(parts[name], language) if name in parts else ''}"
        f"{_chosen(parts.get(name), inner, language)}"
        for name, inner in value.items()
    )


def _said(item: Item | None, answer: AnswerRecord, language: Language) -> Said:
    return Said(
        by=answer.inspector,
        dev=answer.dev,
        verdict=answer.verdict,
        words=_words(item, answer.value, language),
        reason=answer.reason or "",
        flags=answer.flags,
        at=answer.recorded_at,
    )


def parts(
    sheet: Sheet,
    answers: Sequence[AnswerRecord],
    evidence: Sequence[EvidenceRecord],
    found: Sequence[Finding],
    differing: Sequence[Disagreement],
    language: Language,
) -> tuple[Part, ...]:
    """Every item that was answered or has evidence, in the order of the sheet."""
    by_item = _grouped((one.item, one) for one in answers)
    pieces = _grouped((one.item, one) for one in evidence if one.item)
    findings = {one.item: one for one in found}
    differs = {one.item: one for one in differing}
    titles = {one.id: (one.en if language == "en" else one.zh) for one in sheet.sections}
    made: dict[str, list[Asked]] = {}
    for item in sheet.items:
        if item.code not in by_item and item.code not in pieces:
            continue
        dispute = differs.get(item.code)
        asked = Asked(
            code=item.code,
            title=item.en if language == "en" else item.zh,
            clauses=item.clauses,
            severity=item.severity.value,
            answers=tuple(_said(item, one, language) for one in by_item.get(item.code, ())),
            evidence=tuple(pieces.get(item.code, ())),
            finding=findings.get(item.code),
            differs=dispute is not None,
            kept=dispute.choice.keep if dispute and dispute.choice else None,
        )
        made.setdefault(titles.get(item.section or "", ""), []).append(asked)
    return tuple(Part(title, tuple(items)) for title, items in made.items())


def _grouped(pairs: Iterable[tuple[str | None, T]]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for key, one in pairs:
        found.setdefault(key or "", []).append(one)
    return found


def loose(sheet: Sheet, evidence: Sequence[EvidenceRecord]) -> tuple[EvidenceRecord, ...]:
    """Evidence of no item of the sheet: signatures, copies of papers, the head count."""
    codes = {item.code for item in sheet.items}
    return tuple(one for one in evidence if one.item not in codes)


def record(moments: Sequence[Moment]) -> tuple[Moment, ...]:
    """What was done on site: licences shown, signatures, words of the party, roll-calls."""
    return tuple(
        one for one in moments if "." in one.what and not one.what.startswith(("evidence", "op."))
    )


def people(
    moments: Sequence[Moment], answers: Sequence[AnswerRecord], signals: Sequence[SignalRecord]
) -> set[UUID | None]:
    """Everybody whom the page names by id."""
    found: set[UUID | None] = {one.inspector for one in moments}
    found |= {one.inspector for one in answers}
    return found | {one.verdict.by for one in signals if one.verdict}
