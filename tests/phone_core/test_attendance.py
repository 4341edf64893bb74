"""What a partial roll-call proves: the phone says the same as the rules."""

from random import Random

from inspection_plans.attendance import at_least_absent
from tests.phone_core import node

SHARED = "attendance"


def asked(cases: list[tuple[int, int, int]]) -> list[int]:
    """What the phone's code answers."""
    return node.call("absent", [{"roster": r, "called": c, "absent": a} for r, c, a in cases])


def test_shared_numbers_hold_for_both() -> None:
    rows = node.vectors(SHARED)["at_least_absent"]
    cases = [(row["roster"], row["called"], row["absent"]) for row in rows]
    wanted = [row["least"] for row in rows]
    assert asked(cases) == wanted
    assert [at_least_absent(*case) for case in cases] == wanted


def test_the_phone_counts_absentees_as_the_rules_do() -> None:
    rng = Random(11)
    cases = []
    for _ in range(200):
        roster = rng.randint(1, 120)
        called = rng.randint(0, roster)
        cases.append((roster, called, rng.randint(0, called)))
    assert asked(cases) == [at_least_absent(*case) for case in cases]
