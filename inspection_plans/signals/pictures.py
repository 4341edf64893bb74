"""Signals of pictures: the same one again, an edited one, and what its own EXIF says.

Source: evidence spec 10.
"""

from collections.abc import Mapping, Sequence

from inspection_plans.records import Record
from inspection_plans.signals.found import Found, Strength, pieces, score
from inspection_plans.signals.geodesy import Position, apart_cm
from inspection_plans.signals.limits import Limits

MINUTE_MS = 60_000
HALF_HOUR_MS = 30 * MINUTE_MS
DAY_MS = 24 * 60 * MINUTE_MS
ZONE_SLACK_MS = 2 * MINUTE_MS
METRE_CM = 100
FINE_BITS = 255


class Alike(Record, frozen=True, kw_only=True):
    """A picture of another occasion that looks like this one, turned or mirrored as fits best.

    ``variant`` 0 is upright; distances in bits, ``detail`` is the lesser of the two.
    """

    evidence: str
    variant: int
    p: int
    d: int
    w: int
    fine: int
    detail: int


class Exif(Record, frozen=True, kw_only=True):
    """What the file itself claims; ``taken_ms`` is a local time, ``zone_min`` its zone if told."""

    taken_ms: int | None = None
    zone_min: int | None = None
    camera: str | None = None
    software: str | None = None
    place: Position | None = None


def exact_reuse(evidence: str, same: Sequence[str]) -> Found | None:
    """The same bytes were handed in elsewhere; ``same`` are those pieces, oldest first."""
    if not same:
        return None
    return Found(
        kind="exact_reuse",
        subject=evidence,
        strength=Strength.STRONG,
        score=100,
        facts={"count": len(same)},
        evidence=(evidence,),
        others=pieces(same),
    )


def _is_near(one: Alike, limits: Limits) -> bool:
    """Two of three hashes near, and the fine one too.

    The three agree on two photographs of one room, or on one form filled twice; the fine one
    does not (measured, docs/signals.md).
    """
    votes = (
        (one.p <= limits.phash_bits) + (one.d <= limits.dhash_bits) + (one.w <= limits.whash_bits)
    )
    enough = one.detail >= limits.detail_centigrey
    return enough and votes >= 2 and one.fine <= limits.fine_bits  # noqa: PLR2004 - two of three


def edited_reuse(evidence: str, near: Sequence[Alike], limits: Limits) -> Found | None:
    """A picture from elsewhere, saved anew, resized, mirrored or turned.

    A crop of 15 per cent is not recognised, nor a photograph of a screen.
    """
    alike = [one for one in near if _is_near(one, limits)]
    if not alike:
        return None
    best = min(alike, key=lambda one: (one.fine, one.p, one.evidence))
    return Found(
        kind="edited_reuse",
        subject=evidence,
        strength=Strength.STRONG,
        score=score(Strength.STRONG, 4 * (limits.fine_bits - best.fine), limits.fine_bits),
        facts={
            "count": len(alike),
            "likeness": 100 * (FINE_BITS - best.fine) // FINE_BITS,
            "turned": int(best.variant != 0),
        },
        evidence=(evidence,),
        others=pieces(one.evidence for one in alike),
    )


def exif_time(
    evidence: str, exif: Exif, *, captured_ms: int, zone_min: int, limits: Limits
) -> Found | None:
    """The file was taken at another time than it was captured; absence is neutral.

    A local time without a zone is read in the phone's; off by whole half hours within a day it
    may be a camera set to another zone, which says little.
    """
    if exif.taken_ms is None:
        return None
    zone = zone_min if exif.zone_min is None else exif.zone_min
    off = abs(exif.taken_ms - zone * MINUTE_MS - captured_ms)
    if off <= limits.exif_time_min * MINUTE_MS:
        return None
    from_zone = (off + ZONE_SLACK_MS) % HALF_HOUR_MS <= 2 * ZONE_SLACK_MS and off < DAY_MS
    strength = Strength.WEAK if exif.zone_min is None and from_zone else Strength.MODERATE
    return Found(
        kind="exif_time",
        subject=evidence,
        strength=strength,
        score=score(strength, off // MINUTE_MS - limits.exif_time_min, limits.exif_time_min),
        facts={"minutes": off // MINUTE_MS, "limit": limits.exif_time_min},
        evidence=(evidence,),
    )


def exif_camera(
    evidence: str, exif: Exif, usual: Mapping[str, int], limits: Limits
) -> Found | None:
    """Another camera than the device's pictures usually name; ``usual`` counts them by model."""
    if exif.camera is None or not usual:
        return None
    model = max(sorted(usual), key=lambda name: usual[name])
    rare = usual.get(exif.camera, 0) * 10 <= usual[model]
    if model == exif.camera or usual[model] < limits.exif_usual_captures or not rare:
        return None
    return Found(
        kind="exif_camera",
        subject=evidence,
        strength=Strength.WEAK,
        score=score(
            Strength.WEAK, usual[model] - limits.exif_usual_captures, limits.exif_usual_captures
        ),
        facts={"camera": exif.camera, "usual": model, "count": usual[model]},
        evidence=(evidence,),
    )


def exif_editor(evidence: str, exif: Exif, editors: Sequence[str]) -> Found | None:
    """The file names a picture editor as its writer; ``editors`` are words, small letters."""
    if exif.software is None:
        return None
    folded = exif.software.casefold()
    if not any(word in folded for word in editors):
        return None
    return Found(
        kind="exif_editor",
        subject=evidence,
        strength=Strength.MODERATE,
        score=score(Strength.MODERATE, 0, 1),
        facts={"software": exif.software},
        evidence=(evidence,),
    )


def exif_place(
    evidence: str, exif: Exif, here: Position, accuracy_cm: int, limits: Limits
) -> Found | None:
    """The file was taken elsewhere than the phone said it was; absence is neutral."""
    if exif.place is None:
        return None
    far, _ = apart_cm(exif.place, here)
    beyond = far - accuracy_cm - limits.exif_place_m * METRE_CM
    if beyond <= 0:
        return None
    return Found(
        kind="exif_place",
        subject=evidence,
        strength=Strength.MODERATE,
        score=score(Strength.MODERATE, beyond // METRE_CM, limits.exif_place_m),
        facts={
            "metres": far // METRE_CM,
            "accuracy": accuracy_cm // METRE_CM,
            "limit": limits.exif_place_m,
        },
        evidence=(evidence,),
    )
