"""Everything a question can be answered from: packs, settings, calendar; reads nothing itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from inspection_plans import jurisdictions
from inspection_plans.clock import Clock
from inspection_plans.desk.rules import DeskRule
from inspection_plans.figures import Figures
from inspection_plans.filings import Filings
from inspection_plans.lexicon import Lexicon
from inspection_plans.library import Library
from inspection_plans.settings import Settings, nearest
from inspection_plans.vocabulary import Bilingual, Clause, Setting
from inspection_plans.workdays import Calendar


@dataclass(frozen=True, eq=False)
class Rulebook:
    """One folder of rules, read: a question is answered from this alone, so it can be replayed.

    A topic with data of its own gets a field here, read in ``loader.read_rulebook``.
    """

    library: Library
    settings: Settings
    calendar: Calendar
    figures: Figures
    desk: Mapping[str, DeskRule]
    example: Filings
    filing_words: Mapping[str, Bilingual]
    lexicon: Lexicon

    def setting(self, name: str, jurisdiction: str) -> Setting:
        """Return the setting of the place or of the nearest that covers it.

        Raises: UnknownSetting ("policy.unknown_setting").
        """
        return nearest(self.settings, name, jurisdiction)

    def in_force(self, jurisdiction: str, on: date | None = None) -> tuple[Clause, ...]:
        """Return the clauses in force at a place on a day; without a day, when the newest began.

        The nation's papers come first, the nearest last.
        """
        day = self.library.newest(jurisdiction) if on is None else on
        return self.library.effective_set(jurisdiction, day)

    def knows(self, jurisdiction: str) -> bool:
        """Say whether a code names the nation, lies in a province, or has a paper of its own."""
        *places, _ = jurisdictions.lineage(jurisdiction)
        papers = {pack.jurisdiction for pack in self.library.packs.values()}
        return not places or places[-1] in self.library.terms.provinces or papers >= {places[-1]}

    @cached_property
    def clock(self) -> Clock:
        """The deadlines of these rules, prepared at the first question."""
        return Clock(self.library, self.settings, self.calendar)
