"""Everything a question can be answered from: packs, settings, calendar; reads nothing itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from inspection_plans import jurisdictions
from inspection_plans.errors import Family, RuleRefusal
from inspection_plans.library import Library
from inspection_plans.vocabulary import Jurisdiction, Setting
from inspection_plans.workdays import Calendar

Settings = Mapping[tuple[str, Jurisdiction], Setting]


class UnknownSetting(RuleRefusal):
    """No policy file has a setting of this name for the place."""

    code: ClassVar[str] = "policy.unknown_setting"
    family: ClassVar[Family] = Family.ABSENT


def nearest(settings: Settings, name: str, jurisdiction: str) -> Setting:
    """Return the setting of the place or of the nearest that covers it, from given settings.

    Raises: UnknownSetting ("policy.unknown_setting").
    Source: settled point 4.
    """
    for code in jurisdictions.lineage(jurisdiction):
        if (name, code) in settings:
            return settings[name, code]
    raise UnknownSetting(field="name", name=name, jurisdiction=jurisdiction)


@dataclass(frozen=True, eq=False)
class Rulebook:
    """One folder of rules, read: a question is answered from this alone, so it can be replayed.

    A topic with data of its own gets a field here, read in ``loader.read_rulebook``.
    """

    library: Library
    settings: Settings
    calendar: Calendar

    def setting(self, name: str, jurisdiction: str) -> Setting:
        """Return the setting of the place or of the nearest that covers it.

        Raises: UnknownSetting ("policy.unknown_setting").
        """
        return nearest(self.settings, name, jurisdiction)

    def knows(self, jurisdiction: str) -> bool:
        """Say whether a code names the nation, lies in a province, or has a paper of its own."""
        *places, _ = jurisdictions.lineage(jurisdiction)
        papers = {pack.jurisdiction for pack in self.library.packs.values()}
        return not places or places[-1] in self.library.terms.provinces or papers >= {places[-1]}
