"""What a plan may set instead of a default: exact comparison with the bounds of a setting."""

from fractions import Fraction

from inspection_plans.vocabulary import Setting


def exact(value: int | str | None) -> Fraction | None:
    """Read an integer or an exact decimal string; None where it is no number."""
    if value is None:
        return None
    try:
        return Fraction(value)
    except ValueError:
        return None


def within(setting: Setting, value: int | str) -> bool:
    """Say whether a value lies in the setting's bounds; shares compare as exact fractions.

    A word must be one of the options; a number must lie in the range, both ends included.
    """
    bounds = setting.bounds
    if bounds.options:
        return value in bounds.options
    number = exact(value)
    if number is None:
        return False
    low, high = exact(bounds.min), exact(bounds.max)
    return (low is None or low <= number) and (high is None or number <= high)
