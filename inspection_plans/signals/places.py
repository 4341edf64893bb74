"""Signals of where a phone says it was: away from the address, invented, in two places at once.

Source: evidence spec 10.
"""

from collections.abc import Sequence
from itertools import pairwise

from inspection_plans.records import Record
from inspection_plans.signals.found import Found, Other, Strength, pieces, score
from inspection_plans.signals.geodesy import Position, apart_cm
from inspection_plans.signals.limits import Limits

METRE_CM = 100
SECOND_MS, MINUTE_MS, HOUR_MS = 1000, 60_000, 3_600_000
KM_CM = 100_000


class Fix(Record, frozen=True, kw_only=True):
    """One position with the instant it was used, by the server's time; ``age_ms`` old by then.

    ``source`` is the evidence or the operation that carries it, ``day`` the local date.  Where the
    instant is only the phone's word it is not ``timed``, and nothing is said about movement.
    """

    source: str
    evidence: bool
    visit: str
    device: str
    inspector: str
    at_ms: int
    age_ms: int
    day: str
    position: Position
    accuracy_cm: int
    timed: bool = True


def _pieces(*fixes: Fix) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fix.source for fix in fixes if fix.evidence))


def _elsewhere(before: Fix, after: Fix) -> tuple[Other, ...]:
    """The visit of the earlier position, where it is another, and its piece."""
    visits = (Other(noun="visit", id=before.visit),) if before.visit != after.visit else ()
    return (*visits, *pieces(_pieces(before)))


def geofence(fixes: Sequence[Fix], filed: Position, limits: Limits) -> tuple[Found, ...]:
    """A device was away from the filed address, further than accuracy and datum explain."""
    found = []
    for device in sorted({fix.device for fix in fixes}):
        away = [
            (beyond, far, known, fix)
            for fix in fixes
            if fix.device == device
            for far, known in [apart_cm(fix.position, filed)]
            for beyond in [far - fix.accuracy_cm - METRE_CM * _fence(limits, known=known)]
            if beyond > 0
        ]
        if not away:
            continue
        beyond, far, known, worst = max(away, key=lambda one: (one[0], one[3].source))
        limit = _fence(limits, known=known)
        found.append(
            Found(
                kind="geofence",
                subject=device,
                strength=Strength.MODERATE,
                score=score(Strength.MODERATE, beyond // METRE_CM, limit),
                facts={
                    "metres": far // METRE_CM,
                    "accuracy": worst.accuracy_cm // METRE_CM,
                    "limit": limit,
                    "count": len(away),
                    "datum": "known" if known else "unknown",
                },
                evidence=_pieces(*(one[3] for one in away)),
            )
        )
    return tuple(found)


def _fence(limits: Limits, *, known: bool) -> int:
    return limits.geofence_m if known else limits.geofence_unknown_m


def _measured(fixes: Sequence[Fix], limits: Limits) -> list[Fix]:
    """Positions that were measured, each once: one used for several captures is one reading."""
    readings: dict[int, Fix] = {}
    for fix in sorted(fixes, key=lambda one: (one.at_ms, one.source)):
        if fix.timed and fix.age_ms <= limits.fix_age_s * SECOND_MS:
            readings.setdefault((fix.at_ms - fix.age_ms) // SECOND_MS, fix)
    return [readings[key] for key in sorted(readings)]


def constant_accuracy(fixes: Sequence[Fix], limits: Limits) -> Found | None:
    """Separate readings of one device are all exactly as accurate, as an invented position is."""
    read = _measured(fixes, limits)
    if len(read) < limits.mock_fixes or len({fix.accuracy_cm for fix in read}) > 1:
        return None
    if read[-1].at_ms - read[0].at_ms < limits.mock_span_s * SECOND_MS:
        return None
    return Found(
        kind="mock_location",
        subject=f"accuracy:{read[0].device}",
        strength=Strength.WEAK,
        score=score(Strength.WEAK, len(read) - limits.mock_fixes, limits.mock_fixes),
        facts={"what": "accuracy", "count": len(read), "accuracy": read[0].accuracy_cm // 100},
        evidence=_pieces(*read),
    )


def same_fix(fixes: Sequence[Fix], others: Sequence[Fix], limits: Limits) -> Found | None:
    """A device read the very same position, to 1e-7 degrees, on another day.

    A satellite receiver never does that; a remembered position does, hence only fresh ones count.
    """
    seen: dict[tuple[int, int], Fix] = {}
    for fix in _measured(others, limits):
        seen.setdefault((fix.position.lat_e7, fix.position.lon_e7), fix)
    pairs = [
        (fix, seen[key])
        for fix in _measured(fixes, limits)
        for key in [(fix.position.lat_e7, fix.position.lon_e7)]
        if key in seen and seen[key].day != fix.day
    ]
    if not pairs:
        return None
    fix, other = pairs[0]
    return Found(
        kind="mock_location",
        subject=f"same:{fix.device}",
        strength=Strength.WEAK,
        score=score(Strength.WEAK, len(pairs) - 1, 1),
        facts={"what": "same", "count": len(pairs), "day": other.day},
        evidence=_pieces(*(one for one, _ in pairs)),
        others=pieces(_pieces(*(one for _, one in pairs))),
    )


def _gap_cm(one: Fix, other: Fix) -> int:
    """How far apart two fixes are at least, whatever their accuracy hides."""
    far, _ = apart_cm(one.position, other.position)
    return max(0, far - one.accuracy_cm - other.accuracy_cm)


def travel(visit: str, fixes: Sequence[Fix], limits: Limits) -> tuple[Found, ...]:
    """Between two positions of one person nobody can have travelled; told at the later visit.

    ``fixes`` are this visit's and those of its people around it, of all their devices.
    """
    found: dict[tuple[str, str], Found] = {}
    for person in sorted({fix.inspector for fix in fixes}):
        own = sorted(
            (fix for fix in fixes if fix.inspector == person and fix.timed),
            key=lambda one: (one.at_ms, one.source),
        )
        for before, after in pairwise(own):
            made = _too_fast(before, after, limits) if after.visit == visit else None
            if made is not None:
                key = (made.kind, made.subject)
                found[key] = max(found.get(key, made), made, key=lambda one: one.score)
    return tuple(found.values())


def _too_fast(before: Fix, after: Fix, limits: Limits) -> Found | None:
    gap, took = _gap_cm(before, after), after.at_ms - before.at_ms
    two = before.device != after.device
    if two and took <= limits.devices_window_min * MINUTE_MS:
        beyond = gap - limits.devices_apart_m * METRE_CM
        return None if beyond <= 0 else _apart(before, after, gap, took, limits)
    if gap <= limits.travel_from_m * METRE_CM:
        return None
    # gap / took > limit, in centimetres and milliseconds, without dividing.
    if gap * HOUR_MS <= limits.travel_kmh * KM_CM * took:
        return None
    kmh = gap * HOUR_MS // (KM_CM * max(took, 1))
    return Found(
        kind="travel",
        subject=f"{after.inspector}:{before.visit}",
        strength=Strength.MODERATE,
        score=score(Strength.MODERATE, kmh - limits.travel_kmh, limits.travel_kmh),
        facts={
            "km": gap // KM_CM,
            "minutes": took // MINUTE_MS,
            "kmh": min(kmh, 99_999),
            "limit": limits.travel_kmh,
        },
        evidence=_pieces(after),
        others=_elsewhere(before, after),
    )


def _apart(before: Fix, after: Fix, gap: int, took: int, limits: Limits) -> Found:
    return Found(
        kind="devices_apart",
        subject=f"{after.inspector}:{before.visit}",
        strength=Strength.MODERATE,
        score=score(
            Strength.MODERATE,
            gap // METRE_CM - limits.devices_apart_m,
            limits.devices_apart_m,
        ),
        facts={
            "metres": gap // METRE_CM,
            "minutes": took // MINUTE_MS,
            "limit": limits.devices_apart_m,
        },
        evidence=_pieces(after),
        others=_elsewhere(before, after),
    )
