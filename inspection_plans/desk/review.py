"""A review: all rules over all filings at a place on a day, in bulk and after a change."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from inspection_plans import jurisdictions
from inspection_plans.desk.frame import At, Check, Result
from inspection_plans.desk.table import CHECKS
from inspection_plans.desk.view import View
from inspection_plans.filings import Register, key_of
from inspection_plans.filings.words import Filed
from inspection_plans.rulebook import Rulebook
from inspection_plans.vocabulary import Jurisdiction

Subject = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One row put in the place of its key, or taken away when ``row`` is None."""

    register: Register
    key: str
    row: Filed | None


@dataclass(frozen=True, slots=True)
class Judged:
    """All that one judgement says of one row; none when the row is gone or nothing applies.

    ``subject``: name of the judgement and key of the row; it replaces what was said of it before.
    """

    subject: Subject
    results: tuple[Result, ...]


class Review:
    """案头审查 of one place as of one day; it holds the filings and no results."""

    def __init__(
        self,
        rules: Rulebook,
        view: View,
        jurisdiction: Jurisdiction,
        as_of: date,
        only: Collection[str] | None = None,
    ) -> None:
        self.view = view
        at = {
            rule.id: At(rules, rule, view, jurisdiction, as_of)
            for rule in rules.desk.values()
            if jurisdictions.covers(rule.jurisdictions, jurisdiction)
            and (only is None or rule.id in only)
        }
        self.places = tuple(at.values())
        self.judgements = [(one, at[one.rule]) for one in CHECKS if one.rule in at]

    def run(self) -> Iterator[Result]:
        """Judge everything; results come one by one and are not kept."""
        for check, at in self.judgements:
            for row in self.view.all(check.over):
                for result in check.judge(at, row):
                    if result is not None:
                        yield result

    def prepare(self) -> None:
        """Make the indexes of all ways back; the first change then costs no more than others."""
        for check, _ in self.judgements:
            for register, way in check.reads.items():
                row = next(self.view.all(register), None)
                if row is not None:
                    next(iter(way(self.view, row)), None)

    def everything(self) -> Iterator[Judged]:
        """Judge everything, told as after a change."""
        for check, at in self.judgements:
            for row in self.view.all(check.over):
                yield _judged(check, at, key_of(row), row)

    def update(self, changes: Iterable[Change]) -> list[Judged]:
        """Take changes in and judge what depends on them; equal to judging everything anew.

        Shapes: sorted by judgement and key.
        """
        affected: list[set[str]] = [set() for _ in self.judgements]
        for change in changes:
            self._take(change, affected)
        return [
            _judged(check, at, key, self.view.one(check.over, key))
            for (check, at), keys in zip(self.judgements, affected, strict=True)
            for key in sorted(keys)
        ]

    def _take(self, change: Change, affected: list[set[str]]) -> None:
        before = self.view.one(change.register, change.key)
        first = not self.view.known(change.register)
        self._reach(change, before, affected)
        self.view.put(change.register, change.key, change.row)
        self._reach(change, change.row, affected)
        if first:
            # Whoever asked for the register was told that nothing was known of it.
            for (check, _), keys in zip(self.judgements, affected, strict=True):
                if change.register in check.reads:
                    keys.update(key_of(row) for row in self.view.all(check.over))

    def _reach(self, change: Change, row: Filed | None, affected: list[set[str]]) -> None:
        for (check, _), keys in zip(self.judgements, affected, strict=True):
            if change.register is check.over:
                keys.add(change.key)
            if row is not None and change.register in check.reads:
                keys.update(key_of(one) for one in check.reads[change.register](self.view, row))


def _judged(check: Check, at: At, key: str, row: Filed | None) -> Judged:
    results = () if row is None else tuple(one for one in check.judge(at, row) if one is not None)
    return Judged((check.name, key), results)
