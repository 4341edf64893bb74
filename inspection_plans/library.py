"""What applies where and when: packs, clauses and sheets put together; reads nothing itself."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import ClassVar

from inspection_plans import jurisdictions
from inspection_plans.deadlines import Counting
from inspection_plans.errors import Family, RuleRefusal
from inspection_plans.sheets import AnyPart, Choice, Item, MultiChoice, Ratio, Sheet
from inspection_plans.vocabulary import (
    Clause,
    ClauseId,
    Computed,
    Gate,
    Jurisdiction,
    Pack,
    Terms,
    Wordings,
)


class UnknownSheet(RuleRefusal):
    """No sheet has this code."""

    code: ClassVar[str] = "sheet.unknown"
    family: ClassVar[Family] = Family.ABSENT


class UnknownClause(RuleRefusal):
    """No pack holds a clause with this id."""

    code: ClassVar[str] = "clause.unknown"
    family: ClassVar[Family] = Family.ABSENT


class SheetNotInForce(RuleRefusal):
    """On this day no clause in force supports any item of the sheet."""

    code: ClassVar[str] = "sheet.not_in_force"
    family: ClassVar[Family] = Family.CONFLICT


class Library:
    """All packs, sheets, gates and wordings, checked against each other by the loader.

    No dataclass: a web framework that finds one in a handler's arguments checks it field by field.
    """

    def __init__(  # noqa: PLR0913 - one argument for each kind of file
        self,
        *,
        terms: Terms,
        packs: Mapping[str, Pack],
        clauses: Mapping[ClauseId, Clause],
        sheets: Mapping[str, Sheet],
        gates: Mapping[str, Gate],
        wordings: Wordings,
        deadlines: Mapping[str, Counting],
        computed: tuple[Computed, ...] = (),
    ) -> None:
        self.terms = terms
        self.packs = packs
        self.clauses = clauses
        self.sheets = sheets
        self.gates = gates
        self.wordings = wordings
        self.deadlines = deadlines
        self.computed = computed
        self._sets: dict[tuple[str, ...], tuple[Clause, ...]] = {}

    def jurisdiction_of(self, region: int) -> Jurisdiction:
        """Return the nearest jurisdiction with a pack of its own, else the nation.

        Raises: MalformedRegion ("region.malformed").
        """
        known = {pack.jurisdiction for pack in self.packs.values()}
        return jurisdictions.jurisdiction_of(region, known)

    def clause(self, clause_id: str) -> Clause:
        """Look a clause up.

        Raises: UnknownClause ("clause.unknown").
        """
        try:
            return self.clauses[ClauseId(clause_id)]
        except KeyError:
            raise UnknownClause(field="clause", clause=clause_id) from None

    def packs_in_force(self, jurisdiction: str, on: date) -> tuple[Pack, ...]:
        """Return the packs of the place and of all that cover it, the nation's first."""
        order = {code: -place for place, code in enumerate(jurisdictions.lineage(jurisdiction))}
        found = [
            pack
            for pack in self.packs.values()
            if pack.jurisdiction in order and pack.valid_on(on)
        ]
        return tuple(sorted(found, key=lambda pack: (order[pack.jurisdiction], pack.id)))

    def newest(self, jurisdiction: str) -> date:
        """Return the day on which the newest paper of the place, or of one that covers it, began.

        A question without a day is answered by the papers of this day, so the answer depends on
        the packs alone and on no clock.
        """
        places = jurisdictions.lineage(jurisdiction)
        return max(
            (p.valid_from for p in self.packs.values() if p.jurisdiction in places),
            default=date.max,
        )

    def effective_set(
        self, jurisdiction: str, on: date, subject: str | None = None
    ) -> tuple[Clause, ...]:
        """Return the clauses in force for a place on a day, those that bind ``subject`` if given.

        Order: the nation's papers first, each paper in its own order.
        Source: clause register, "effective set" (a place, its parents, the nation).
        """
        papers = tuple(pack.id for pack in self.packs_in_force(jurisdiction, on))
        found = self._sets.get(papers)
        if found is None:
            # Few papers, so few sets; asked for at every question.
            every = self.clauses.values()
            found = tuple(one for name in papers for one in every if one.pack == name)
            self._sets[papers] = found
        if subject is None:
            return found
        return tuple(clause for clause in found if subject in clause.subject)

    def sheet(self, sheet: str, jurisdiction: str, on: date) -> Sheet:
        """Return the sheet as it applies: items of the place, each with its clauses in force.

        An item without a clause in force is left out: an uncited finding cannot be defended.
        Raises: UnknownSheet ("sheet.unknown"), SheetNotInForce ("sheet.not_in_force").
        Source: design, step 4 (checklist of the effective clause set).
        """
        if sheet not in self.sheets:
            raise UnknownSheet(field="sheet", sheet=sheet)
        written = self.sheets[sheet]
        in_force = {clause.id for clause in self.effective_set(jurisdiction, on)}
        items = tuple(
            applied
            for item in written.items
            if (applied := self._applied(item, jurisdiction, in_force)) is not None
        )
        if not items:
            raise SheetNotInForce(sheet=sheet, jurisdiction=jurisdiction, on=on.isoformat())
        used = {item.section for item in items}
        sections = tuple(section for section in written.sections if section.id in used)
        return replace(written, items=items, sections=sections)

    def _applied(self, item: Item, jurisdiction: str, in_force: set[ClauseId]) -> Item | None:
        clauses = tuple(clause for clause in item.clauses if clause in in_force)
        if not clauses or not jurisdictions.covers(item.jurisdictions, jurisdiction):
            return None
        parts = tuple(
            self._part(part, clauses)
            for part in item.answer
            if jurisdictions.covers(part.jurisdictions, jurisdiction)
        )
        return replace(item, clauses=clauses, answer=parts) if parts else None

    def _part(self, part: AnyPart, clauses: tuple[ClauseId, ...]) -> AnyPart:
        if isinstance(part, Choice | MultiChoice):
            concepts = {self.clauses[clause].concept for clause in clauses}
            options = tuple(
                option
                for option in part.options
                if not option.concepts or not concepts.isdisjoint(option.concepts)
            )
            return replace(part, options=options)
        if isinstance(part, Ratio) and part.min_from is not None:
            share = self.clauses[part.min_from.clause].parameters[part.min_from.parameter]
            return replace(part, min=str(share))
        return part
