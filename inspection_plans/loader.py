"""The only module here that reads files: YAML to frozen records, checked against each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from inspection_plans import crosscheck, deskcheck, papers, termcheck
from inspection_plans.crosscheck import PackFiles
from inspection_plans.deadlines import Counting
from inspection_plans.desk.rules import DeskRule
from inspection_plans.figures import Figures
from inspection_plans.filings import Filings
from inspection_plans.lexicon import Lexicon
from inspection_plans.lexicon.words import Contexts, Entry, Folding, Places
from inspection_plans.library import Library
from inspection_plans.reading import PackRefusal, Source, Unreadable, decode
from inspection_plans.rulebook import Rulebook
from inspection_plans.settings import Settings
from inspection_plans.sheets import Sheet
from inspection_plans.vocabulary import (
    Bilingual,
    Clause,
    ClauseId,
    Computed,
    Gate,
    Jurisdiction,
    Pack,
    Setting,
    Terms,
    Wordings,
)
from inspection_plans.workdays import Calendar, CalendarBroken, Year


class BrokenYear(PackRefusal):
    """A holiday table lists a day of another year, twice, or one that changes nothing."""

    code: ClassVar[str] = "packs.broken_year"


class Unwritten(PackRefusal):
    """A file that the rules need is not there."""

    code: ClassVar[str] = "packs.missing_file"


T = TypeVar("T")
HOME = Path(__file__).parent


_SINGLE: dict[str, Any] = {
    "terms.yaml": Terms,
    "gates.yaml": tuple[Gate, ...],
    "wordings.yaml": Wordings,
    "deadlines.yaml": tuple[Counting, ...],
    "computed.yaml": tuple[Computed, ...],
    "figures.yaml": Figures,
    "lexicon/terms.yaml": tuple[Entry, ...],
    "lexicon/contexts.yaml": Contexts,
    "lexicon/places.yaml": Places,
    "lexicon/folding.yaml": Folding,
}


@dataclass(frozen=True)
class _Files:
    """Everything under one packs folder, decoded but not yet checked against each other."""

    terms: Terms
    packs: tuple[PackFiles, ...]
    sheets: tuple[tuple[Source, Sheet], ...]
    gates: tuple[Source, tuple[Gate, ...]]
    wordings: Wordings
    deadlines: tuple[Source, tuple[Counting, ...]]
    computed: tuple[Source, tuple[Computed, ...]]
    words: tuple[Source, tuple[Entry, ...]]


def _source(path: Path, root: Path) -> Source:
    name = path.relative_to(root).as_posix()
    try:
        return Source(name, path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Unwritten(file=name, line=1, clause=None) from None
    except UnicodeDecodeError as wrong:
        line = wrong.object[: wrong.start].count(b"\n") + 1
        raise Unreadable(file=name, line=line, clause=None, message="no UTF-8") from None


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
        computed=_one(root / "computed.yaml", root, tuple[Computed, ...]),
        words=_one(root / "lexicon/terms.yaml", root, tuple[Entry, ...]),
    )


def _clauses(files: _Files) -> dict[ClauseId, Clause]:
    return {
        clause.id: clause for found in files.packs for _, rows in found.clauses for clause in rows
    }


def _problems(files: _Files) -> Iterator[PackRefusal]:
    clauses = _clauses(files)
    yield from crosscheck.packs(files.packs, files.terms)
    yield from papers.ambiguous(files.packs)
    yield from crosscheck.sheets(files.sheets, clauses, files.terms)
    yield from crosscheck.bases(*files.gates, clauses)
    yield from termcheck.countings(*files.deadlines, clauses, files.terms)
    yield from termcheck.computed(*files.computed, files.terms)
    yield from termcheck.words(*files.words, files.terms)
    yield from termcheck.numbers(files.packs, files.deadlines[1])


def problems(root: Path = HOME / "packs") -> tuple[PackRefusal, ...]:
    """Return everything wrong with the packs under ``root``.

    Files that cannot be read are told all together, and before any contradiction between files,
    because what they should have said would look missing there. Each refusal has the facts file,
    line and clause (the nearest clause, item, pack or setting).
    """
    unread = tuple(
        refusal for path, shape in _shapes(root) for refusal in _unread(path, root, shape)
    )
    if unread:
        return unread
    try:
        return tuple(_problems(_files(root)))
    except PackRefusal as refusal:
        return (refusal,)


def rulebook_problems(root: Path = HOME) -> tuple[PackRefusal, ...]:
    """Return everything wrong with packs, settings and calendar under ``root``."""
    if found := problems(root / "packs"):
        return found
    try:
        read_rulebook(root)
    except PackRefusal as refusal:
        return (refusal, *refusal.also)
    return ()


def _shapes(root: Path) -> Iterator[tuple[Path, Any]]:
    """Name every file that the packs are read from, and what it must hold."""
    for folder in sorted(path.parent for path in root.glob("*/notice.yaml")):
        yield folder / "notice.yaml", Pack
        for path in sorted(folder.glob("clauses*.yaml")):
            yield path, tuple[Clause, ...]
    for path in sorted(root.glob("sheets/*.yaml")):
        yield path, Sheet
    for path in sorted(root.glob("desk/*.yaml")):
        yield path, tuple[DeskRule, ...]
    for name, shape in _SINGLE.items():
        yield root / name, shape


def _unread(path: Path, root: Path, shape: type[object]) -> tuple[PackRefusal, ...]:
    try:
        _one(path, root, shape)
    except PackRefusal as refusal:
        return (refusal, *refusal.also)
    return ()


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
        computed=files.computed[1],
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


def read_figures(root: Path) -> Figures:
    """Read what computed figures are called, from the packs under ``root``.

    Raises: PackRefusal ("packs.*") with file and line.
    """
    return _one(root / "figures.yaml", root, Figures)[1]


def read_desk(root: Path, library: Library, settings: Settings) -> Mapping[str, DeskRule]:
    """Read the desk rules under ``root``, by id and in their order.

    Raises: PackRefusal ("packs.*") for the first thing wrong, with file, line and rule.
    """
    found = [_one(path, root, tuple[DeskRule, ...]) for path in sorted(root.glob("desk/*.yaml"))]
    for refusal in deskcheck.rules(found, library.clauses, {name for name, _ in settings}):
        raise refusal
    rules = {row.id: row for _, rows in found for row in rows}
    return MappingProxyType(dict(sorted(rules.items())))


def read_lexicon(root: Path) -> Lexicon:
    """Read the words of advertisements, from the packs under ``root``.

    Raises: PackRefusal ("packs.*") with file and line.
    """
    return Lexicon(
        _one(root / "lexicon/terms.yaml", root, tuple[Entry, ...])[1],
        _one(root / "lexicon/contexts.yaml", root, Contexts)[1],
        _one(root / "lexicon/places.yaml", root, Places)[1],
        _one(root / "lexicon/folding.yaml", root, Folding)[1],
    )


def read_example(root: Path) -> Filings:
    """Read the invented example of every register, from the packs under ``root``.

    Raises: PackRefusal ("packs.*") with file and line.
    """
    return _one(root / "filings" / "example.yaml", root, Filings)[1]


def read_filing_words(root: Path) -> Mapping[str, Bilingual]:
    """Read how the words of the filings are called, from the packs under ``root``.

    Raises: PackRefusal ("packs.*") with file and line.
    """
    path = root / "filings" / "words.yaml"
    return MappingProxyType(_one(path, root, dict[str, Bilingual])[1])


def read_years(root: Path) -> tuple[Year, ...]:
    """Read the holiday tables under ``root``, one file a year, in their order.

    Raises: PackRefusal ("packs.*") with file and line.
    """
    years = []
    for path in sorted(root.glob("cn-*.yaml")):
        source, year = _one(path, root, Year)
        if path.stem != f"cn-{year.year}":
            raise source.refuse(crosscheck.ForeignId, ("year",))
        try:
            Calendar.of([year])
        except CalendarBroken as broken:
            raise source.refuse(BrokenYear, ("year",), message=str(broken.facts)) from None
        years.append(year)
    return tuple(years)


def read_calendar(root: Path) -> Calendar:
    """Read the holiday tables under ``root`` as one calendar.

    Raises: PackRefusal ("packs.*") with file and line.
    """
    return Calendar.of(read_years(root))


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


@cache
def load_settings() -> Mapping[tuple[str, Jurisdiction], Setting]:
    """Return our own settings, read once per process."""
    return read_settings(HOME / "policy", load())


@cache
def load_calendar() -> Calendar:
    """Return our own calendar, read once per process."""
    return read_calendar(HOME / "workdays")


@cache
def load_years() -> tuple[Year, ...]:
    """Return the yearly tables of our own calendar with their sources, read once per process."""
    return read_years(HOME / "workdays")


def read_rulebook(root: Path) -> Rulebook:
    """Read packs, settings and calendar under ``root``, to be asked.

    Raises: PackRefusal ("packs.*") for the first thing wrong, with file and line.
    """
    library = read(root / "packs")
    settings = read_settings(root / "policy", library)
    return Rulebook(
        library=library,
        settings=settings,
        calendar=read_calendar(root / "workdays"),
        figures=read_figures(root / "packs"),
        lexicon=read_lexicon(root / "packs"),
        desk=read_desk(root / "packs", library, settings),
        example=read_example(root / "packs"),
        filing_words=read_filing_words(root / "packs"),
    )


@cache
def load_rulebook() -> Rulebook:
    """Return our own rules, read once per process."""
    return Rulebook(
        library=load(),
        settings=load_settings(),
        calendar=load_calendar(),
        figures=read_figures(HOME / "packs"),
        lexicon=read_lexicon(HOME / "packs"),
        desk=read_desk(HOME / "packs", load(), load_settings()),
        example=read_example(HOME / "packs"),
        filing_words=read_filing_words(HOME / "packs"),
    )


def jurisdiction_of(region: int) -> Jurisdiction:
    """Map a six-digit region code to the nearest jurisdiction with a pack, else the nation.

    Raises: MalformedRegion ("region.malformed").
    """
    return load().jurisdiction_of(region)
