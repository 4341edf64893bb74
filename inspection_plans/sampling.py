"""抽样: who is checked, drawn by the product from a recorded seed and not by the inspector.

Everybody gets a ticket, SHA-256 over tag, seed, label and id; the smallest are drawn. The same
seed, label and population give the same sample wherever it is drawn, on the server or without
signal on the phone; ``backend/phone/src/core/sampling.ts`` is the twin. Tickets as in ``ssj1``.
"""

import re
from collections.abc import Iterable
from typing import ClassVar

from inspection_plans.draw.digest import hasher
from inspection_plans.draw.seed import tagged
from inspection_plans.draw.select import lowest
from inspection_plans.errors import RuleRefusal
from inspection_plans.sheets import LARGEST, Population, Sample, Sheet

_TAG = "mingcha.sample"
_SEED = re.compile(r"[0-9a-f]{64}")
_SEPARATOR = b"\0"


class SeedMalformed(RuleRefusal):
    """A seed is 64 lower-case hexadecimal digits."""

    code: ClassVar[str] = "sampling.seed_malformed"


class PopulationOutOfRange(RuleRefusal):
    """A typed population has 0 to 100,000 members."""

    code: ClassVar[str] = "sampling.population_out_of_range"


def sample(seed: str, label: str, population: Iterable[str], n: int) -> tuple[str, ...]:
    """Draw ``n`` of the population, in drawn order; all where there are no more.

    Shapes: seed 64 hex digits; ids without NUL; the order of the population does not matter, an
    id that stands twice counts once. A smaller sample is the beginning of a larger one.
    Raises: SeedMalformed ("sampling.seed_malformed").
    Source: issue of the rules, part 3 (chosen by the product with a recorded seed).
    """
    if not _SEED.fullmatch(seed):
        raise SeedMalformed(field="seed")
    start = hasher("sha256")(tagged(_TAG) + bytes.fromhex(seed) + label.encode() + _SEPARATOR)
    return tuple(lowest(start, sorted(set(population)), n))


def numbers(seed: str, label: str, size: int, n: int) -> tuple[int, ...]:
    """Draw ``n`` of the numbers 1 to ``size``, for a population that is counted and not filed.

    Raises: SeedMalformed ("sampling.seed_malformed"), PopulationOutOfRange
    ("sampling.population_out_of_range").
    """
    if not 0 <= size <= LARGEST:
        raise PopulationOutOfRange(field="population", size=size, most=LARGEST)
    return tuple(int(one) for one in sample(seed, label, map(str, range(1, size + 1)), n))


def samples(sheet: Sheet) -> tuple[tuple[str, Sample], ...]:
    """Return the sampling parts of a sheet under the labels of their draws, ``ITEM.part``."""
    return tuple(
        (label(item.code, part), part)
        for item in sheet.items
        for part in item.answer
        if isinstance(part, Sample)
    )


def label(item: str, part: Sample) -> str:
    """Name a draw: of a filed population by what it is of, so that one visit asks one sample.

    Two items about the roster check the same people, the larger sample containing the smaller.
    """
    return f"{item}.{part.name}" if part.population is Population.TYPED else part.population.value
