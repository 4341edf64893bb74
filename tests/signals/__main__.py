"""`python -m tests.signals`: the tables of docs/signals.md, measured."""

import sys

from tests.signals import cases, pairs, scenes
from tests.signals.measure import HEAD, Rate

COUNT = 1000
VISITS = 1000


def main() -> int:
    """Print what is measured; nothing here fails."""
    print(HEAD)
    print(Rate.of("edited_reuse", pairs.labelled(scenes.EDITS, range(pairs.PLACES))).line)
    for name in cases.CORPUS:
        print(Rate.of(name, cases.cases(name, COUNT)).line)
    print("\n| edit | copies | recognised |\n|---|---|---|")
    for name, edit in (scenes.EDITS | scenes.OTHER_EDITS).items():
        rate = Rate.of(name, pairs.edited(name, edit, range(pairs.PLACES)))
        print(f"| {name} | {rate.cases} | {100 * rate.recall:.0f} % |")
    alarms = pairs.simulate(
        VISITS, draw=lambda place, day: scenes.hashed(scenes.scene(place, day))
    )
    print(f"\n{alarms} false alarms about pictures in {VISITS} honest visits")
    return 0


if __name__ == "__main__":
    sys.exit(main())
