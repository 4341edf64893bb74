"""What a partial roll-call proves: the phone says the same as the rules."""

from random import Random

from inspection_plans.attendance import at_least_absent
from tests.phone_core import node


def test_the_phone_counts_absentees_as_the_rules_do() -> None:
    rng = Random(11)
    cases = [(40, 12, 3), (40, 40, 5), (1, 0, 0), (400, 25, 4)]
    for _ in range(200):
        roster = rng.randint(1, 120)
        called = rng.randint(0, roster)
        cases.append((roster, called, rng.randint(0, called)))
    found = node.call("absent", [{"roster": r, "called": c, "absent": a} for r, c, a in cases])
    assert found == [at_least_absent(*case) for case in cases]
    assert found[:2] == [4, 5]
