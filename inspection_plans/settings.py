"""Settings by name and place: the nearest jurisdiction wins; reads nothing itself."""

from collections.abc import Mapping
from typing import ClassVar

from inspection_plans import jurisdictions
from inspection_plans.errors import Family, RuleRefusal
from inspection_plans.vocabulary import Jurisdiction, Setting

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
