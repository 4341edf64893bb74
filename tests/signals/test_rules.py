"""The rules of signals one by one: what lies on the line, what is absent, what is told."""

import random
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.loader import load_settings
from inspection_plans.settings import UnknownSetting
from inspection_plans.signals import chains, clocks, geodesy, pictures, places, rolls
from inspection_plans.signals.chains import Epoch, Link, Told
from inspection_plans.signals.found import Strength, score
from inspection_plans.signals.geodesy import Position
from inspection_plans.signals.limits import limits
from inspection_plans.signals.pictures import Alike, Exif
from inspection_plans.signals.rolls import Roster
from inspection_plans.signals.visit import KINDS, Facts, Phone, Piece, judge
from tests.signals import cases, maps
from tests.signals.cases import HOUR, LIMITS, MINUTE, MORNING, SECOND

PLACES = st.tuples(st.floats(20, 50), st.floats(76, 132))
ALIKE = Alike(evidence="o", variant=1, p=10, d=20, w=64, fine=16, detail=400)


@given(PLACES)
def test_every_datum_leads_back_within_a_metre(at: tuple[float, float]) -> None:
    true = maps.shown(*at, "wgs84")
    for crs in geodesy.DATUMS:
        found = geodesy.to_wgs84(maps.shown(*at, crs))
        assert geodesy.distance_cm(found, true) <= 100
    national = geodesy.to_national(true)
    assert geodesy.distance_cm(national, maps.shown(*at, "gcj02")) <= 20


@given(PLACES, st.floats(-1, 1), st.floats(-1, 1))
def test_distances_are_those_of_a_sphere(
    at: tuple[float, float], north: float, east: float
) -> None:
    other = (at[0] + north, at[1] + east)
    exact = maps.metres(at, other)
    found = geodesy.distance_cm(maps.shown(*at, "wgs84"), maps.shown(*other, "wgs84")) / 100
    assert abs(found - exact) <= 1 + exact / 2000


def test_the_date_line_is_no_distance() -> None:
    west = Position(lat_e7=0, lon_e7=-1_799_999_000, crs="wgs84")
    east = Position(lat_e7=0, lon_e7=1_799_999_000, crs="wgs84")
    assert geodesy.distance_cm(west, east) < 2_500


def test_outside_the_box_nothing_is_shifted() -> None:
    there = Position(lat_e7=480_000_000, lon_e7=20_000_000, crs="gcj02")
    assert geodesy.to_wgs84(there) == replace(there, crs="wgs84")


def test_an_unknown_datum_is_read_as_fits_best() -> None:
    at = (37.5, 122.1)
    filed = maps.shown(*at, "bd09", hide=True)
    far, known = geodesy.apart_cm(filed, maps.shown(*at, "wgs84"))
    assert (far < 100, known) == (True, False)
    exact, known = geodesy.apart_cm(maps.shown(*at, "bd09"), maps.shown(*at, "gcj02"))
    assert (exact < 100, known) == (True, True)


@given(st.sampled_from(list(Strength)), st.integers(-5, 10**6), st.integers(0, 10**4))
def test_scores_stay_with_their_strength(strength: Strength, beyond: int, limit: int) -> None:
    begins = score(strength, 0, limit)
    assert begins <= score(strength, beyond, limit) <= begins + 25 <= 100


def test_thresholds_are_settings() -> None:
    known = {key: value for key, value in load_settings().items() if key[0] != "signal_geofence_m"}
    with pytest.raises(UnknownSetting):
        limits(known, "CN-37")
    word = replace(load_settings()["signal_clock_s", "national"], value="much")  # type: ignore[index]
    with pytest.raises(UnknownSetting):
        limits({**load_settings(), ("signal_clock_s", "national"): word}, "CN-37")  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("alike", "told"),
    [
        (ALIKE, True),
        (replace(ALIKE, fine=17), False),
        (replace(ALIKE, d=21), False),
        (replace(ALIKE, d=21, w=10), True),
        (replace(ALIKE, detail=399), False),
    ],
)
def test_two_of_three_hashes_and_the_fine_one(alike: Alike, told: bool) -> None:
    found = pictures.edited_reuse("e", (alike,), LIMITS)
    assert (found is not None) == told


def test_the_nearest_copy_is_told() -> None:
    nearer = replace(ALIKE, evidence="n", fine=0, variant=0)
    found = pictures.edited_reuse("e", (ALIKE, nearer), LIMITS)
    assert found is not None
    assert found.facts == {"count": 2, "likeness": 100, "turned": 0}
    assert (found.score, [other.id for other in found.others]) == (100, ["o", "n"])


def test_absence_is_neutral() -> None:
    here = Position(lat_e7=0, lon_e7=0, crs="wgs84")
    assert pictures.exact_reuse("e", ()) is None
    assert pictures.exif_time("e", Exif(), captured_ms=0, zone_min=0, limits=LIMITS) is None
    assert pictures.exif_camera("e", Exif(), {"x": 99}, LIMITS) is None
    assert pictures.exif_camera("e", Exif(camera="y"), {}, LIMITS) is None
    assert pictures.exif_editor("e", Exif(), ("photoshop",)) is None
    assert pictures.exif_place("e", Exif(), here, 0, LIMITS) is None
    assert rolls.heads("v", {"seen": 9}, (), LIMITS) is None
    assert clocks.clock((), LIMITS) is None
    assert clocks.burst((), LIMITS) is None
    assert clocks.hurry((), LIMITS) is None
    assert places.travel("v", (), LIMITS) == ()
    assert chains.gaps("d", "v", (), Told(now_ms=0), LIMITS).found == ()


@pytest.mark.parametrize(
    ("off_min", "zone", "strength"),
    [
        (10, 480, None),
        (11, 480, "moderate"),
        (480, None, "weak"),
        (481, None, "weak"),
        (477, None, "moderate"),
        (480, 480, "moderate"),
        (3 * 1440, None, "moderate"),
    ],
)
def test_the_time_in_exif(off_min: int, zone: int | None, strength: str | None) -> None:
    exif = Exif(taken_ms=MORNING + (480 - off_min) * MINUTE, zone_min=zone)
    found = pictures.exif_time("e", exif, captured_ms=MORNING, zone_min=480, limits=LIMITS)
    assert (found.strength.value if found else None) == strength


def test_a_remembered_position_is_one_reading() -> None:
    rng = random.Random(1)
    one = cases.a_fix((37.5, 122.1), rng, at_ms=MORNING, accuracy_cm=500)
    again = [
        replace(one, at_ms=one.at_ms + n * MINUTE, age_ms=one.age_ms + n * MINUTE)
        for n in range(8)
    ]
    assert places.constant_accuracy(again, LIMITS) is None
    fresh = [replace(one, at_ms=one.at_ms + n * MINUTE) for n in range(5)]
    assert places.constant_accuracy(fresh, LIMITS) is not None
    quick = [replace(one, at_ms=one.at_ms + n * 2 * SECOND) for n in range(6)]
    assert places.constant_accuracy(quick, LIMITS) is None
    assert places.constant_accuracy([replace(fix, timed=False) for fix in fresh], LIMITS) is None


def test_movement_is_told_at_the_later_visit_only() -> None:
    rng = random.Random(1)
    first = cases.a_fix((37.0, 122.0), rng, at_ms=MORNING, visit="a")
    then = cases.a_fix((38.0, 122.0), rng, at_ms=MORNING + 20 * MINUTE, visit="b")
    assert places.travel("a", (first, then), LIMITS) == ()
    (found,) = places.travel("b", (first, then), LIMITS)
    assert (found.kind, found.facts["minutes"]) == ("travel", 20)
    assert [(other.noun, other.id) for other in found.others] == [
        ("visit", "a"),
        ("evidence", first.source),
    ]
    same_moment = replace(then, at_ms=first.at_ms)
    (found,) = places.travel("b", (first, same_moment), LIMITS)
    assert found.facts["kmh"] == 99_999
    close = replace(then, position=first.position)
    assert places.travel("b", (first, close), LIMITS) == ()


def test_a_gap_waits_unless_the_phone_says_that_nothing_waits() -> None:
    chain = [
        Link(evidence=f"e{n}", visit="v", seq=n, prev="", digest="", received_ms=MORNING)
        for n in (1, 4)
    ]
    waits = chains.gaps("d", "v", chain, Told(now_ms=MORNING), LIMITS)
    assert (waits.found, waits.again_ms) == ((), MORNING + 72 * HOUR)
    late = chains.gaps("d", "v", chain, Told(now_ms=MORNING + 72 * HOUR), LIMITS)
    assert late.found[0].facts == {"count": 2, "first": 2, "last": 3}
    said = Told(now_ms=MORNING + 1, empty_ms=MORNING)
    assert chains.gaps("d", "v", chain, said, LIMITS).found == late.found
    assert chains.gaps("d", "w", chain, said, LIMITS).found == ()


def test_a_wipe_is_strong_within_a_visit_and_weak_between_two() -> None:
    old = Epoch(id="a", first_ms=1, here=0, elsewhere_before=1)
    new = Epoch(id="b", first_ms=2, here=3, elsewhere_before=0)
    assert [one.strength for one in chains.wiped("d", (new, old))] == [Strength.WEAK]
    both = replace(old, here=2)
    assert [one.strength for one in chains.wiped("d", (both, new))] == [Strength.STRONG]
    assert chains.wiped("d", (old, replace(new, elsewhere_before=1))) == ()
    assert chains.wiped("d", (new,)) == ()


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"called": 40, "recount": 38}, False),
        ({"called": 40, "recount": 37}, True),
        ({"called": 100, "recount": 95}, False),
        ({"called": 100, "recount": 94}, True),
        ({"seen": 3, "recount": 0}, True),
    ],
)
def test_heads_differ_by_more_than_two_and_five_per_cent(
    counts: dict[str, int], told: bool
) -> None:
    assert (rolls.heads("v", counts, (), LIMITS) is not None) == told


def test_rosters_are_compared_by_the_smaller_one() -> None:
    one = Roster(
        training_class="a",
        size=10,
        starts_on=date(2026, 3, 1),
        ends_on=date(2026, 3, 9),
        province=37,
    )
    big = replace(one, training_class="b", size=50)
    for common, told in ((5, False), (6, True)):
        assert (rolls.roster_reuse(one, big, common, LIMITS) is not None) == told
    later = replace(big, starts_on=date(2026, 3, 10), ends_on=date(2026, 3, 20))
    assert rolls.roster_reuse(one, later, 10, LIMITS) is None
    abroad = rolls.roster_reuse(one, replace(later, province=14), 10, LIMITS)
    assert abroad is not None
    assert abroad.facts["what"] == "provinces"
    both = rolls.roster_reuse(one, replace(big, province=14), 10, LIMITS)
    assert both is not None
    assert both.facts["what"] == "both"
    few = replace(one, size=4)
    assert rolls.roster_reuse(few, few, 4, LIMITS) is None


def a_visit(rng: random.Random) -> Facts:
    """An honest visit of one phone, with everything that the rules look at."""
    at = maps.somewhere(rng)
    shots = tuple(cases.shots(rng))
    fixes = tuple(cases.a_fix(at, rng, at_ms=shot.at_ms) for shot in shots)
    taken = [
        Exif()
        if rng.random() < 0.5
        else Exif(taken_ms=shot.at_ms + 480 * MINUTE, camera=cases.CAMERAS[0])
        for shot in shots
    ]
    last = shots[-1].at_ms
    phone = Phone(
        device="d",
        shots=shots,
        chains=(tuple(cases.links(rng, len(shots), received=last)),),
        told=Told(now_ms=last + 90 * HOUR, empty_ms=last + 89 * HOUR),
        epochs=(Epoch(id="a", first_ms=MORNING, here=9, elsewhere_before=0),),
        cameras={cases.CAMERAS[0]: 12},
        elsewhere=tuple(cases.a_fix(at, rng, at_ms=MORNING - 5 * cases.DAY) for _ in range(3)),
    )
    return Facts(
        visit="v",
        pieces=tuple(
            Piece(
                evidence=shot.evidence,
                exif=exif,
                device="d",
                captured_ms=shot.at_ms,
                zone_min=480,
                fix=fix,
            )
            for shot, exif, fix in zip(shots, taken, fixes, strict=True)
        ),
        phones=(phone,),
        fixes=fixes,
        around=(),
        filed=maps.shown(*maps.moved(at, 80, rng), "gcj02"),
        heads={"called": 30, "seen": 31, "recount": 29},
        heads_evidence=(),
    )


def test_a_thousand_honest_visits_raise_at_most_one_alarm() -> None:
    found = [
        one for n in range(1000) for one in judge(a_visit(random.Random(n)), (), LIMITS).found
    ]
    assert len([one for one in found if one.strength is not Strength.WEAK]) <= 1


@given(st.integers(0, 10**6))
def test_the_order_of_facts_does_not_matter(seed: int) -> None:
    rng = random.Random(seed)
    facts = a_visit(rng)
    facts = replace(facts, filed=maps.shown(10.0, 110.0, "wgs84"), heads={"seen": 9, "called": 30})
    turned = replace(
        facts, pieces=facts.pieces[::-1], fixes=facts.fixes[::-1], phones=facts.phones[::-1]
    )
    one, other = judge(facts, (), LIMITS), judge(turned, (), LIMITS)
    assert [(x.kind, x.subject, x.score, x.facts) for x in one.found] == [
        (x.kind, x.subject, x.score, x.facts) for x in other.found
    ]
    assert {x.kind for x in one.found} <= set(KINDS)
    assert {"geofence", "heads"} <= {x.kind for x in one.found}
