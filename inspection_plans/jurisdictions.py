"""Jurisdiction codes and six-digit region codes: who inherits from whom."""

from collections.abc import Collection
from typing import ClassVar

from inspection_plans.errors import Family, RuleRefusal
from inspection_plans.vocabulary import NATIONAL, Jurisdiction

_PREFIX = "CN-"
_NATION = 100_000
_LAST = 999_999


class MalformedRegion(RuleRefusal):
    """A region code has six digits (GB/T 2260)."""

    code: ClassVar[str] = "region.malformed"
    family: ClassVar[Family] = Family.MALFORMED


def lineage(jurisdiction: str) -> tuple[Jurisdiction, ...]:
    """Return the jurisdiction and all that cover it, nearest first: CN-3710, CN-37, national.

    Source: settled point 4, jurisdictions are inherited by children.
    """
    if jurisdiction == NATIONAL:
        return (NATIONAL,)
    digits = jurisdiction.removeprefix(_PREFIX)
    codes = [Jurisdiction(_PREFIX + digits[:size]) for size in range(len(digits), 0, -2)]
    return (*codes, NATIONAL)


def covers(jurisdictions: Collection[str], jurisdiction: str) -> bool:
    """Say whether one of ``jurisdictions`` is the given one or covers it."""
    return any(code in jurisdictions for code in lineage(jurisdiction))


def jurisdiction_of(region: int, known: Collection[str]) -> Jurisdiction:
    """Map a six-digit region code to the nearest jurisdiction that has a paper of its own.

    A county falls back to its city, a city to its province, everything else to the nation.
    Raises: MalformedRegion ("region.malformed").
    """
    if not _NATION <= region <= _LAST:
        raise MalformedRegion(field="region", region=region)
    return next((code for code in lineage(f"{_PREFIX}{region}") if code in known), NATIONAL)


def inside(region: int, area: int) -> bool:
    """Say whether a six-digit region is another one or lies in it: 371002 in 371000, in 370000."""
    text = str(area)
    while text.endswith("00"):
        text = text[:-2]
    return str(region).startswith(text)


def province_of(jurisdiction: str) -> Jurisdiction:
    """Return the code of the province of a place; the nation is its own."""
    return lineage(jurisdiction)[-2] if jurisdiction != NATIONAL else NATIONAL


def region_of(jurisdiction: str) -> int:
    """Return the six-digit code of a jurisdiction; the nation is 100000."""
    if jurisdiction == NATIONAL:
        return _NATION
    return int(jurisdiction.removeprefix(_PREFIX).ljust(6, "0"))
