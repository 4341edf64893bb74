"""The only module here that reads files: YAML to frozen records, checked against each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from inspection_plans import crosscheck, termcheck
from inspection_plans.crosscheck import PackFiles
from inspection_plans.deadlines import Counting
from inspection_plans.library import Library
from inspection_plans.reading import PackRefusal, Source, decode
from inspection_plans.records import plain
from inspection_plans.rulebook import Rulebook
from inspection_plans.sheets import Sheet
from inspection_plans.vocabulary import (
    Clause,
    ClauseId,
    Gate,
    Jurisdiction,
    Pack,
    Setting,
    Terms,
    Wordings,
)
from inspection_plans.workdays import Calendar, Year

T = TypeVar("T")
HOME = Path(__file__).parent


@dataclass(frozen=True)
class _Files:
    """Everything under one packs folder, decoded but not yet checked against each other."""

    terms: Terms
    packs: tuple[PackFiles, ...]
    sheets: tuple[tuple[Source, Sheet], ...]
    gates: tuple[Source, tuple[Gate, ...]]
    wordings: Wordings
    deadlines: tuple[Source, tuple[Counting, ...]]


def _source(path: Path, root: Path) -> Source:
    return Source(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))


def _one(path: Path, root: Path, shape: type[T]) -> tuple[Source, T]:
    source = _source(path, root)
    return source, decode(source, shape)


def _pack(folder: Path, root: Path) -> PackFiles:
    notice, pack = _one(folder / "notice.yaml", root, Pack)
    if pack.id != folder.name:
        raise notice.refuse(crosscheck.ForeignId, ("id",), pack.id)
    rows = tuple(
        _one(path, root, tuple[Clause, ...]) for path in sorted(folder.glob("clauses*.yaml"))
    )
    return PackFiles(pack, notice, rows)


def _files(root: Path) -> _Files:
    folders = sorted(path.parent for path in root.glob("*/notice.yaml"))
    return _Files(
        terms=_one(root / "terms.yaml", root, Terms)[1],
        packs=tuple(_pack(folder, root) for folder in folders),
        sheets=tuple(_one(path, root, Sheet) for path in sorted(root.glob("sheets/*.yaml"))),
        gates=_one(root / "gates.yaml", root, tuple[Gate, ...]),
        wordings=_one(root / "wordings.yaml", root, Wordings)[1],
        deadlines=_one(root / "deadlines.yaml", root, tuple[Counting, ...]),
    )


def _clauses(files: _Files) -> dict[ClauseId, Clause]:
    return {
        clause.id: clause for found in files.packs for _, rows in found.clauses for clause in rows
    }


def _problems(files: _Files) -> Iterator[PackRefusal]:
    clauses = _clauses(files)
    yield from crosscheck.packs(files.packs, files.terms)
    yield from crosscheck.sheets(files.sheets, clauses, files.terms)
    yield from crosscheck.bases(*files.gates, clauses)
    yield from termcheck.countings(*files.deadlines, clauses, files.terms)
    yield from termcheck.numbers(files.packs, files.deadlines[1])


def problems(root: Path = HOME / "packs") -> tuple[PackRefusal, ...]:
    """Return everything wrong with the packs under ``root``; a file that cannot be read is alone.

    Each refusal has the facts file, line and clause (the nearest clause, item, pack or setting).
    """
    try:
        return tuple(_problems(_files(root)))
    except PackRefusal as refusal:
        return (refusal,)


def read(root: Path) -> Library:
    """Read the packs under ``root``.

    Raises: PackRefusal ("packs.*") for the first thing wrong, with file, line and clause.
    """
    files = _files(root)
    for refusal in _problems(files):
        raise refusal
    return Library(
        terms=files.terms,
        packs=MappingProxyType({found.pack.id: found.pack for found in files.packs}),
        clauses=MappingProxyType(_clauses(files)),
        sheets=MappingProxyType({sheet.id: sheet for _, sheet in files.sheets}),
        gates=MappingProxyType({gate.id: gate for gate in files.gates[1]}),
        wordings=files.wordings,
        deadlines=MappingProxyType({row.concept: row for row in files.deadlines[1]}),
    )


def read_settings(root: Path, library: Library) -> Mapping[tuple[str, Jurisdiction], Setting]:
    """Read the settings under ``root``, by name and jurisdiction.

    Raises: PackRefusal ("packs.*") for the first thing wrong, with file, line and setting.
    """
    found = [_one(path, root, tuple[Setting, ...]) for path in sorted(root.glob("*.yaml"))]
    for refusal in crosscheck.settings(found):
        raise refusal
    for source, rows in found:
        for refusal in crosscheck.bases(source, rows, library.clauses):
            raise refusal
    return MappingProxyType(
        {(row.name, row.jurisdiction): row for _, rows in found for row in rows}
    )


def read_calendar(root: Path) -> Calendar:
    """Read the holiday tables under ``root``, one file a year.

    Raises: PackRefusal ("packs.*"), CalendarBroken ("workdays.broken_year").
    """
    return Calendar.of(_one(path, root, Year)[1] for path in sorted(root.glob("cn-*.yaml")))


@cache
def load() -> Library:
    """Return our own packs, read once per process."""
    return read(HOME / "packs")


@lru_cache(maxsize=1024)
def applied_sheet(sheet: str, jurisdiction: str, on: date) -> tuple[Sheet, str]:
    """Return a sheet as it applies in a place on a day, with its version (64 hex digits).

    Raises: UnknownSheet ("sheet.unknown"), SheetNotInForce ("sheet.not_in_force").
    """
    applied = load().sheet(sheet, jurisdiction, on)
    return applied, applied.version


@lru_cache(maxsize=1024)
def sheet_document(sheet: str, jurisdiction: str, on: date) -> dict[str, Any]:
    """Return ``applied_sheet`` as JSON values for sending; shared, so never to be changed.

    Raises: UnknownSheet ("sheet.unknown"), SheetNotInForce ("sheet.not_in_force").
    """
    document: dict[str, Any] = plain(applied_sheet(sheet, jurisdiction, on)[0])
    return document


@cache
def load_settings() -> Mapping[tuple[str, Jurisdiction], Setting]:
    """Return our own settings, read once per process."""
    return read_settings(HOME / "policy", load())


@cache
def load_calendar() -> Calendar:
    """Return our own calendar, read once per process."""
    return read_calendar(HOME / "workdays")


def read_rulebook(root: Path) -> Rulebook:
    """Read packs, settings and calendar under ``root``, to be asked.

    Raises: PackRefusal ("packs.*"), CalendarBroken ("workdays.broken_year").
    """
    library = read(root / "packs")
    return Rulebook(
        library=library,
        settings=read_settings(root / "policy", library),
        calendar=read_calendar(root / "workdays"),
    )


@cache
def load_rulebook() -> Rulebook:
    """Return our own rules, read once per process."""
    return Rulebook(library=load(), settings=load_settings(), calendar=load_calendar())


def jurisdiction_of(region: int) -> Jurisdiction:
    """Map a six-digit region code to the nearest jurisdiction with a pack, else the nation.

    Raises: MalformedRegion ("region.malformed").
    """
    return load().jurisdiction_of(region)
