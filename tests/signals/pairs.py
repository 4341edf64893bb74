"""Labelled pairs of pictures, and simulated visits that hold none: exact and edited re-use."""

import random
from collections.abc import Callable, Iterator, Sequence

from inspection_plans.signals.pictures import Alike, edited_reuse
from media import likeness
from media.likeness import Likeness
from tests.signals import scenes
from tests.signals.cases import LIMITS
from tests.signals.measure import Case
from tests.signals.scenes import Edit

PLACES = 60
PICTURES_A_VISIT = 6
REVISITED = 0.15  # so many visits go where somebody was before


def alarmed(one: Likeness, other: Likeness) -> bool:
    """Whether the rule takes one picture for the other one, edited."""
    far = likeness.distances(one, other)
    near = Alike(
        evidence="o",
        variant=far.variant,
        p=far.p,
        d=far.d,
        w=far.w,
        fine=far.fine,
        detail=min(one.detail, other.detail),
    )
    # What the index does not find, nobody measures.
    return far.p <= likeness.NEAR and edited_reuse("e", (near,), LIMITS) is not None


def edited(name: str, edit: Edit, places: Sequence[int]) -> Iterator[Case]:
    """Each place's picture beside its edited copy."""
    for place in places:
        original = scenes.again(scenes.scene(place), 85)
        copy = scenes.hashed(edit(original))
        yield Case(fraud=True, alarm=alarmed(copy, scenes.hashed(original)), what=name)


def honest(places: Sequence[int]) -> Iterator[Case]:
    """Pictures that are not copies: the same room or form another day, and other places."""
    first = [scenes.hashed(scenes.again(scenes.scene(place), 85)) for place in places]
    for number, place in enumerate(places):
        for day in (1, 2, 3):
            later = scenes.hashed(scenes.again(scenes.scene(place, day), 80))
            yield Case(fraud=False, alarm=alarmed(later, first[number]), what="another day")
        other = first[(number + len(scenes.PLACES)) % len(first)]
        yield Case(fraud=False, alarm=alarmed(first[number], other), what="another place")


def labelled(edits: dict[str, Edit], places: Sequence[int]) -> Iterator[Case]:
    """At least 300 pairs: every edit of every place, and what is honest."""
    for name, edit in edits.items():
        yield from edited(name, edit, places)
    yield from honest(places)


class Store:
    """All pictures so far under the bands of their pHash, as the database has them."""

    def __init__(self) -> None:
        self.bands: list[dict[int, list[tuple[int, Likeness]]]] = [{} for _ in likeness.RADII]

    def add(self, visit: int, picture: Likeness) -> None:
        """Keep a picture."""
        for number, band in enumerate(self.bands):
            band.setdefault(likeness.band(picture.p, number), []).append((visit, picture))

    def others(self, visit: int, picture: Likeness) -> list[Likeness]:
        """Pictures of other visits that share a band within its radius with any variant."""
        found: dict[int, Likeness] = {}
        for (values, _), band in zip(likeness.probes(picture), self.bands, strict=True):
            for value in band.keys() & set(values):
                found |= {id(one): one for where, one in band[value] if where != visit}
        return list(found.values())


def simulate(visits: int, *, draw: Callable[[int, int], Likeness]) -> int:
    """How many pictures of so many honest visits are taken for copies of another visit's."""
    rng, store, alarms, been = random.Random(7), Store(), 0, 0
    for visit in range(visits):
        again = been and rng.random() < REVISITED
        first = rng.randrange(been) if again else been
        been += not again
        for number in range(PICTURES_A_VISIT):
            picture = draw(first * PICTURES_A_VISIT + number, visit)
            alarms += any(alarmed(picture, other) for other in store.others(visit, picture))
            store.add(visit, picture)
    return alarms
