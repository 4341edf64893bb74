"""Labelled cases of every signal that is not a picture: honest noise beside what people do.

Honest: positions jitter, phones keep remembered positions, clocks run in other zones, phones send
days later, applications are installed anew, people are miscounted by one or two.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from inspection_plans.loader import load_settings
from inspection_plans.signals import chains, clocks, pictures, places, rolls
from inspection_plans.signals.chains import Epoch, Link, Told
from inspection_plans.signals.clocks import Shot
from inspection_plans.signals.limits import limits
from inspection_plans.signals.pictures import Exif
from inspection_plans.signals.places import Fix
from inspection_plans.signals.rolls import Roster
from tests.signals.maps import moved, shown, somewhere
from tests.signals.measure import Case

LIMITS = limits(load_settings(), "national")
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
MORNING = 1_772_413_200_000  # some morning, ms
CAMERAS = ("HUAWEI ALN-AL00", "Xiaomi 23127PN0CC", "Apple iPhone 15", "vivo V2324A")
WRITERS = ("ALN-AL00 4.2.0.130", "17.5.1", "MediaTek Camera Application", "今日水印相机", None)
EDITORS = ("photoshop", "snapseed", "meitu", "美图", "醒图", "picsart")
EDITED = ("Adobe Photoshop 25.0 (Windows)", "Snapseed 2.0", "Meitu", "美图秀秀 9.9", "PicsArt")
Place = tuple[float, float]


def a_fix(
    at: Place,
    rng: random.Random,
    *,
    at_ms: int,
    visit: str = "v",
    device: str = "d",
    inspector: str = "i",
    crs: str = "wgs84",
    hide: bool = False,
    accuracy_cm: int | None = None,
) -> Fix:
    """A reading at a true place: off by its accuracy as receivers are, sometimes by half more."""
    accuracy = accuracy_cm or rng.choice((rng.randint(300, 2_500), rng.randint(2_500, 15_000)))
    off = min(abs(rng.gauss(0, 0.5)), 1.5) * accuracy / 100
    return Fix(
        source=f"{visit}/{device}/{at_ms}",
        evidence=True,
        visit=visit,
        device=device,
        inspector=inspector,
        at_ms=at_ms,
        age_ms=rng.randint(0, 30 * SECOND),
        day=f"day {at_ms // DAY}",
        position=shown(*moved(at, off, rng), crs, hide=hide),
        accuracy_cm=accuracy,
    )


def _readings(rng: random.Random, at: Place, count: int, **said: object) -> list[Fix]:
    start = MORNING + rng.randint(0, 5) * HOUR
    return [
        a_fix(at, rng, at_ms=start + n * rng.randint(20, 400) * SECOND, **said)  # type: ignore[arg-type]
        for n in range(count)
    ]


def geofence(rng: random.Random) -> Case:
    """Filed coordinates of any map or none named, up to 150 m from the door; or another place."""
    gate, fraud = somewhere(rng), rng.random() < 0.5
    there = moved(gate, rng.uniform(0, 150), rng)
    filed = shown(*gate, rng.choice(("wgs84", "gcj02", "bd09")), hide=rng.random() < 0.25)
    # Where nobody says which map it was, up to some hundred metres are the map's.
    least = 2_500 if filed.crs == "?" else 700
    here = moved(there, rng.uniform(least, 40_000), rng) if fraud else there
    crs = rng.choice(("wgs84", "wgs84", "gcj02"))
    fixes = _readings(rng, here, rng.randint(2, 8), crs=crs)
    return Case(fraud, bool(places.geofence(fixes, filed, LIMITS)))


def mock_accuracy(rng: random.Random) -> Case:
    """Invented positions are exactly as accurate every time; some phones round to metres."""
    fraud, at = rng.random() < 0.5, somewhere(rng)
    start, count = MORNING, rng.randint(5, 12)
    whole, first = rng.random() < 0.5, rng.randint(300, 3_000)
    fixes = []
    for n in range(count):
        accuracy = first if fraud else max(300, round(first * rng.uniform(0.4, 2.2)))
        accuracy = round(accuracy, -2) if whole else accuracy
        at_ms = start + (n + 1) * rng.randint(40, 200) * SECOND
        fixes.append(a_fix(at, rng, at_ms=at_ms + n * 200 * SECOND, accuracy_cm=accuracy))
    if not fraud and rng.random() < 0.3:  # one position remembered for a bunch of captures
        fixes += [fixes[-1]] * 6
    return Case(fraud, places.constant_accuracy(fixes, LIMITS) is not None)


def mock_same(rng: random.Random) -> Case:
    """The very same position on another day; honest ones come back near, not equal."""
    fraud, at = rng.random() < 0.5, somewhere(rng)
    today = _readings(rng, at, 4)
    before = [
        a_fix(at, rng, at_ms=fix.at_ms - rng.randint(1, 60) * DAY, visit="w") for fix in today
    ]
    if fraud:
        before = [
            replace(one, position=fix.position) for one, fix in zip(before, today, strict=True)
        ]
    elif rng.random() < 0.3:  # the same day's earlier visit shares a remembered position
        before = [replace(fix, visit="w") for fix in today]
    return Case(fraud, places.same_fix(today, before, LIMITS) is not None)


def travel(rng: random.Random) -> Case:
    """A day of two or three visits by car; or a second place that cannot be reached in time."""
    fraud, at, now = rng.random() < 0.5, somewhere(rng), MORNING
    fixes = _stay(rng, at, now, "v0")
    for n in range(1, rng.randint(2, 3)):
        now = max(fix.at_ms for fix in fixes) + 10 * MINUTE
        far = rng.uniform(500, 90_000)
        at = moved(at, far, rng)
        now += int(far / rng.uniform(5, 33) * SECOND)  # 18 to 120 km/h, straight
        fixes += _stay(rng, at, now, f"v{n}")
    if fraud:
        last = max(fix.at_ms for fix in fixes)
        took = rng.randint(12, 25) * MINUTE
        away = moved(at, rng.uniform(80_000, 900_000), rng)
        fixes += _stay(rng, away, last + took, "w")
    visits = sorted({fix.visit for fix in fixes})
    found = [one for visit in visits for one in places.travel(visit, fixes, LIMITS)]
    return Case(fraud, any(one.kind == "travel" for one in found))


def _stay(rng: random.Random, at: Place, start: int, visit: str, device: str = "d") -> list[Fix]:
    return [
        a_fix(at, rng, at_ms=start + n * rng.randint(60, 500) * SECOND, visit=visit, device=device)
        for n in range(rng.randint(2, 5))
    ]


def devices_apart(rng: random.Random) -> Case:
    """Phone and tablet of one person side by side; or one of them elsewhere."""
    fraud, at = rng.random() < 0.5, somewhere(rng)
    there = moved(at, rng.uniform(2_500, 30_000), rng) if fraud else at
    own = _stay(rng, at, MORNING, "v")
    other = [
        a_fix(there, rng, at_ms=fix.at_ms + rng.randint(1, 8) * MINUTE, visit="v", device="e")
        for fix in own
    ]
    found = places.travel("v", own + other, LIMITS)
    return Case(fraud, any(one.kind == "devices_apart" for one in found))


def shots(rng: random.Random, *, off: int = 0, gaps: tuple[float, float] = (4, 60)) -> list[Shot]:
    """Captures of a checklist: an item each, sometimes two or three pictures of one."""
    found: list[Shot] = []
    at = MORNING
    unproved = rng.choice((0,) * 9 + (2,))  # taken before the phone had a token
    for item in range(1, rng.randint(6, 14)):
        for extra in range(rng.choice((1, 1, 1, 2, 3))):
            at += int((rng.uniform(0.6, 2.0) if extra else rng.uniform(*gaps)) * SECOND)
            drift = rng.randint(-40, 40) * SECOND
            found.append(
                Shot(
                    evidence=f"e{len(found):03}",
                    device="d",
                    item=f"TI-{item:02}",
                    wall_ms=at + off + drift,
                    at_ms=at,
                    proved=len(found) >= unproved,
                )
            )
    return found


def clock(rng: random.Random) -> Case:
    """Phones drift by seconds; a clock that was put back is off by minutes or days."""
    fraud = rng.random() < 0.5
    off = rng.choice((-1, 1)) * rng.randint(4 * MINUTE, 3 * DAY) if fraud else 0
    return Case(fraud, clocks.clock(shots(rng, off=off), LIMITS) is not None)


def burst(rng: random.Random) -> Case:
    """A hand takes three in two seconds; files handed over come many at once."""
    fraud, found = rng.random() < 0.5, shots(rng)
    if fraud:
        start = found[-1].at_ms + 5 * SECOND
        found += [
            Shot(
                evidence=f"x{n:03}",
                device="d",
                item=f"TI-{n:02}",
                wall_ms=start + n * 90,
                at_ms=start + n * 90,
                proved=True,
            )
            for n in range(rng.randint(7, 20))
        ]
    return Case(fraud, clocks.burst(found, LIMITS) is not None)


def hurry(rng: random.Random) -> Case:
    """Nobody walks from item to item in under three seconds, all the way through."""
    fraud = rng.random() < 0.5
    found = shots(rng, gaps=(0.8, 2.6)) if fraud else shots(rng)
    return Case(fraud, clocks.hurry(found, LIMITS) is not None)


def links(rng: random.Random, count: int, *, received: int = MORNING) -> list[Link]:
    """A whole chain over two visits, arriving in any order."""
    cut = count // 2
    return [
        Link(
            evidence=f"e{seq:03}",
            visit="w" if seq <= cut else "v",
            seq=seq,
            prev=f"m{seq - 1}",
            digest=f"m{seq}",
            received_ms=received + rng.randint(0, 6 * HOUR),
        )
        for seq in range(1, count + 1)
    ]


def chain_gap(rng: random.Random) -> Case:
    """Deleted captures leave a hole for good; late ones a hole for some hours."""
    fraud, chain = rng.random() < 0.5, links(rng, rng.randint(8, 40))
    first = rng.randint(len(chain) // 2 + 1, len(chain) - 2)
    until = min(first + rng.randint(0, 2), len(chain) - 1)
    holed = [link for link in chain if not first <= link.seq <= until]
    last = max(link.received_ms for link in chain)
    if fraud:
        told = rng.choice(
            (
                Told(now_ms=last + 80 * HOUR),
                Told(now_ms=last + 2 * HOUR, empty_ms=last + HOUR),
            )
        )
        found = chains.gaps("d", "v", holed, told, LIMITS)
    elif rng.random() < 0.5:  # not all of it is here yet, and the phone does not claim so
        found = chains.gaps("d", "v", holed, Told(now_ms=last + 20 * HOUR), LIMITS)
    else:
        found = chains.gaps("d", "v", chain, Told(now_ms=last + 90 * HOUR, empty_ms=last), LIMITS)
    return Case(fraud, bool(found.found))


def chain_fork(rng: random.Random) -> Case:
    """A link that names another one before it; honest chains fit in whatever order they come."""
    fraud, chain = rng.random() < 0.5, links(rng, rng.randint(6, 30))
    if fraud:
        at = rng.randint(len(chain) // 2 + 1, len(chain) - 1)
        old = chain[at]
        other = rng.random() < 0.5
        chain[at] = replace(old, prev="other") if other else replace(old, seq=old.seq - 1)
    rng.shuffle(chain)
    return Case(fraud, bool(chains.forks("d", "v", chain)))


def new_epoch(rng: random.Random) -> Case:
    """Wiped within the visit; installed anew between two visits is no strong signal."""
    fraud = rng.random() < 0.5
    epochs = [
        Epoch(
            id="a",
            first_ms=MORNING,
            here=rng.randint(1, 9) if fraud else 0,
            elsewhere_before=0 if fraud else 1,
        )
    ]
    if fraud or rng.random() < 0.5:
        epochs.append(Epoch(id="b", first_ms=MORNING + HOUR, here=5, elsewhere_before=0))
    else:
        epochs = [Epoch(id="a", first_ms=MORNING, here=7, elsewhere_before=0)]
    strong = [one for one in chains.wiped("d", epochs) if one.strength == "strong"]
    return Case(fraud, bool(strong))


def heads(rng: random.Random) -> Case:
    """Miscounted by one or two; or names called for chairs that are empty."""
    fraud, there = rng.random() < 0.5, rng.randint(15, 60)
    wrong = rng.choice((-2, -1, 0, 0, 0, 1, 2))
    counts = {"seen": there, "recount": there + wrong, "photo": there}
    claimed = there + rng.randint(max(4, there // 6), there) if fraud else there
    counts["called"] = claimed
    counts["signed"] = claimed if rng.random() < 0.7 else there
    return Case(fraud, rolls.heads("v", counts, (), LIMITS) is not None)


def roster_reuse(rng: random.Random) -> Case:
    """One cohort's next class is honest; the same people twice at once, or far away, are not."""
    fraud, size = rng.random() < 0.5, rng.randint(20, 50)
    start = date(2026, 3, 1)
    own = Roster(
        training_class="a",
        size=size,
        starts_on=start,
        ends_on=start + timedelta(days=20),
        province=37,
    )
    other_size = rng.randint(20, 50)
    smaller = min(size, other_size)
    if fraud:
        common = rng.randint(-(-smaller * 62 // 100), smaller)
        abroad, overlap = rng.choice(((True, True), (True, False), (False, True)))
    else:
        cohort = rng.random() < 0.4
        common = smaller if cohort else rng.randint(0, smaller // 2)
        abroad, overlap = (False, False) if cohort else (rng.random() < 0.5, rng.random() < 0.5)
    begins = start + timedelta(days=5 if overlap else 30)
    other = Roster(
        training_class="b",
        size=other_size,
        starts_on=begins,
        ends_on=begins + timedelta(days=20),
        province=14 if abroad else 37,
    )
    return Case(fraud, rolls.roster_reuse(own, other, common, LIMITS) is not None)


def exif_time(rng: random.Random) -> Case:
    """Browsers strip EXIF, zones differ, watches lag; an old picture is hours or days old."""
    fraud, at = rng.random() < 0.5, MORNING + rng.randint(0, 8 * HOUR)
    zone = rng.choice((480, 480, 480, 360, 540))
    old = rng.randint(15 * MINUTE, 30 * DAY) if fraud else rng.randint(-6, 6) * MINUTE
    exif = Exif(
        taken_ms=at + zone * MINUTE - old,
        zone_min=rng.choice((zone, None)),
    )
    if not fraud and rng.random() < 0.4:
        exif = Exif()
    if not fraud and exif.zone_min is None and rng.random() < 0.1 and exif.taken_ms:
        exif = Exif(taken_ms=exif.taken_ms - 8 * HOUR)  # a camera that runs on UTC
    found = pictures.exif_time("e", exif, captured_ms=at, zone_min=zone, limits=LIMITS)
    return Case(fraud, found is not None and found.strength != "weak")


def exif_place(rng: random.Random) -> Case:
    """The camera's own receiver jitters too; a picture from elsewhere is kilometres off."""
    fraud, there = rng.random() < 0.5, somewhere(rng)
    here = a_fix(there, rng, at_ms=MORNING, crs=rng.choice(("wgs84", "gcj02")))
    taken = moved(there, rng.uniform(2_000, 500_000) if fraud else rng.uniform(0, 150), rng)
    place = None if not fraud and rng.random() < 0.5 else shown(*taken, "wgs84")
    found = pictures.exif_place("e", Exif(place=place), here.position, here.accuracy_cm, LIMITS)
    return Case(fraud, found is not None)


def exif_camera(rng: random.Random) -> Case:
    """One phone, one model; a picture by another camera among them."""
    fraud, own = rng.random() < 0.5, rng.choice(CAMERAS)
    usual = {own: rng.randint(12, 80)} if rng.random() < 0.9 else {}
    camera = rng.choice([one for one in CAMERAS if one != own]) if fraud else own
    if fraud:
        usual = {own: rng.randint(12, 80), camera: 1}
    elif rng.random() < 0.4:
        camera = None
    return Case(fraud, pictures.exif_camera("e", Exif(camera=camera), usual, LIMITS) is not None)


def exif_editor(rng: random.Random) -> Case:
    """Camera programs name themselves, the office's watermark camera too; so do editors."""
    fraud = rng.random() < 0.5
    software = rng.choice(EDITED if fraud else WRITERS)
    return Case(fraud, pictures.exif_editor("e", Exif(software=software), EDITORS) is not None)


def exact_reuse(rng: random.Random) -> Case:
    """The same bytes elsewhere, or not."""
    fraud = rng.random() < 0.5
    same = tuple(f"o{n}" for n in range(rng.randint(1, 3))) if fraud else ()
    return Case(fraud, pictures.exact_reuse("e", same) is not None)


CORPUS: dict[str, Callable[[random.Random], Case]] = {
    "exact_reuse": exact_reuse,
    "exif_time": exif_time,
    "exif_camera (weak)": exif_camera,
    "exif_editor": exif_editor,
    "exif_place": exif_place,
    "geofence": geofence,
    "mock_location, accuracy (weak)": mock_accuracy,
    "mock_location, same (weak)": mock_same,
    "clock": clock,
    "travel": travel,
    "devices_apart": devices_apart,
    "chain_gap": chain_gap,
    "chain_fork": chain_fork,
    "new_epoch within a visit": new_epoch,
    "burst": burst,
    "hurry": hurry,
    "heads": heads,
    "roster_reuse": roster_reuse,
}
STRONG = ("exact_reuse", "chain_gap", "chain_fork", "new_epoch within a visit")


def cases(name: str, count: int) -> Iterator[Case]:
    """So many labelled cases of a signal, the same ones every time."""
    rng = random.Random(name)
    return (CORPUS[name](rng) for _ in range(count))
