"""Settings: what the notices leave open, with basis and bounds; the nearest jurisdiction wins."""

from dataclasses import replace
from typing import ClassVar

from inspection_plans.bounds import within
from inspection_plans.errors import RuleRefusal
from inspection_plans.loader import load_settings
from inspection_plans.settings import UnknownSetting, nearest
from inspection_plans.vocabulary import Setting

__all__ = ["OutOfBounds", "UnknownSetting", "nearest", "number", "override", "policy"]


class OutOfBounds(RuleRefusal):
    """A plan may override a setting only within its stated bounds."""

    code: ClassVar[str] = "policy.out_of_bounds"


def policy(name: str, jurisdiction: str) -> Setting:
    """Return the setting of the place or of the nearest that covers it.

    Raises: UnknownSetting ("policy.unknown_setting").
    Source: design, "What the notices do not say is a setting".
    """
    return nearest(load_settings(), name, jurisdiction)


def override(name: str, jurisdiction: str, value: int | str) -> Setting:
    """Return the setting with a plan's own value.

    Raises: UnknownSetting ("policy.unknown_setting"), OutOfBounds ("policy.out_of_bounds").
    """
    setting = policy(name, jurisdiction)
    bounds = setting.bounds
    if not within(setting, value):
        raise OutOfBounds(
            field=name, value=value, min=bounds.min, max=bounds.max, options=bounds.options
        )
    return replace(setting, value=value)


def number(name: str, jurisdiction: str) -> int:
    """Return a setting that must be a whole number, such as days or metres.

    Raises: UnknownSetting ("policy.unknown_setting"), also when the value is no whole number.
    """
    value = policy(name, jurisdiction).value
    if not isinstance(value, int):
        raise UnknownSetting(field="name", name=name, jurisdiction=jurisdiction)
    return value
