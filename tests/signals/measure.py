"""Precision and recall of one signal over labelled cases, and the table that shows them."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One labelled case: what it is in truth, and whether the rule raised its signal."""

    fraud: bool
    alarm: bool
    what: str = ""


@dataclass(frozen=True)
class Rate:
    """Counts of right and wrong answers about one signal."""

    name: str
    hits: int
    misses: int
    false_alarms: int
    quiet: int

    @classmethod
    def of(cls, name: str, cases: Iterable[Case]) -> "Rate":
        """Count the cases."""
        known = list(cases)
        return cls(
            name,
            hits=sum(one.fraud and one.alarm for one in known),
            misses=sum(one.fraud and not one.alarm for one in known),
            false_alarms=sum(one.alarm and not one.fraud for one in known),
            quiet=sum(not one.alarm and not one.fraud for one in known),
        )

    @property
    def cases(self) -> int:
        return self.hits + self.misses + self.false_alarms + self.quiet

    @property
    def precision(self) -> float:
        return self.hits / max(self.hits + self.false_alarms, 1)

    @property
    def recall(self) -> float:
        return self.hits / max(self.hits + self.misses, 1)

    @property
    def line(self) -> str:
        """One row of the table."""
        return (
            f"| {self.name} | {self.cases} | {self.precision:.3f} | {self.recall:.3f} |"
            f" {self.false_alarms} of {self.false_alarms + self.quiet} |"
        )


HEAD = "| signal | labelled | precision | recall | false alarms |\n|---|---|---|---|---|"
