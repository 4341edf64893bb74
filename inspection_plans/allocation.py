"""年度培训计划分配表: who may enrol how many in an occupation in a year, from the clauses."""

from collections.abc import Iterable
from dataclasses import dataclass

from inspection_plans import parameters
from inspection_plans.vocabulary import Clause, ClauseId

_CONCEPT = "annual_allocation"


@dataclass(frozen=True)
class Row:
    """One line of the table: persons planned."""

    year: int
    institution: str
    occupation: str
    persons: int
    clause: ClauseId


@dataclass(frozen=True)
class Total:
    """What the notice says the lines of a year come to, and at how many institutions."""

    persons: int
    institutions: int
    by_institution: dict[str, int]
    clause: ClauseId


@dataclass(frozen=True)
class Table:
    """One year's table; no rows where no paper in force has one for the year."""

    rows: tuple[Row, ...]
    totals: tuple[Total, ...]

    @property
    def clauses(self) -> tuple[ClauseId, ...]:
        """Ids of all lines and totals."""
        return (*(row.clause for row in self.rows), *(one.clause for one in self.totals))

    def row(self, institution: str, occupation: str) -> Row | None:
        """Return the line of an institution's occupation, None where the plan has none."""
        return next(
            (
                row
                for row in self.rows
                if (row.institution, row.occupation) == (institution, occupation)
            ),
            None,
        )

    def adds_up(self) -> bool:
        """Say whether the lines come to what the notice says, institution by institution."""
        sums: dict[str, int] = {}
        for row in self.rows:
            sums[row.institution] = sums.get(row.institution, 0) + row.persons
        return all(
            (total.persons, total.institutions, total.by_institution)
            == (sum(sums.values()), len(sums), sums)
            for total in self.totals
        )


def verdict(row: Row | None, enrolled: int | None) -> str:
    """Judge the persons enrolled: ``ok`` up to the plan, ``finding`` above, ``question`` without.

    Source: shanxi-2024-27/4.1/annual-plan-based, /6.4/control-class-numbers.
    """
    if row is None:
        return "question"
    if enrolled is None:
        return "not_computable"
    return "ok" if enrolled <= row.persons else "finding"


def table(clauses: Iterable[Clause], year: int) -> Table:
    """Read the table of a year.

    Raises: BrokenParameter ("packs.broken_parameter").
    Source: shanxi-2024-27/annex (2024 allocation table).
    """
    known = tuple(clauses)
    lines = parameters.giving(known, _CONCEPT, "year", "institution", "occupation", "persons")
    sums = parameters.giving(known, _CONCEPT, "year", "persons_total", "by_institution")
    return Table(
        rows=tuple(
            Row(
                year,
                parameters.word(clause, "institution"),
                parameters.word(clause, "occupation"),
                parameters.whole(clause, "persons"),
                clause.id,
            )
            for clause in lines
            if clause.parameters["year"] == year
        ),
        totals=tuple(
            Total(
                parameters.whole(clause, "persons_total"),
                parameters.whole(clause, "institutions"),
                parameters.counts(clause, "by_institution"),
                clause.id,
            )
            for clause in sums
            if clause.parameters["year"] == year
        ),
    )
