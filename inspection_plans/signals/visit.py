"""All signals of one visit, or of the files of one reply, from facts that are handed in.

Source: evidence spec 10.
"""

from collections.abc import Iterable, Mapping, Sequence

from inspection_plans.records import Record
from inspection_plans.signals import chains, clocks, pictures, places, rolls
from inspection_plans.signals.chains import Epoch, Link, Told
from inspection_plans.signals.clocks import Shot
from inspection_plans.signals.found import Found
from inspection_plans.signals.geodesy import Position
from inspection_plans.signals.limits import Limits
from inspection_plans.signals.pictures import Alike, Exif
from inspection_plans.signals.places import Fix

KINDS = (
    "burst",
    "chain_fork",
    "chain_gap",
    "clock",
    "devices_apart",
    "edited_reuse",
    "exact_reuse",
    "exif_camera",
    "exif_editor",
    "exif_place",
    "exif_time",
    "geofence",
    "heads",
    "hurry",
    "mock_location",
    "new_epoch",
    "travel",
)


class Piece(Record, frozen=True, kw_only=True):
    """One piece of evidence: what equals it elsewhere, what its file says, when and where it was.

    ``captured_ms`` None for a file that was only received; ``device`` None with it.
    """

    evidence: str
    same: tuple[str, ...] = ()
    near: tuple[Alike, ...] = ()
    exif: Exif = Exif()
    device: str | None = None
    captured_ms: int | None = None
    zone_min: int = 0
    fix: Fix | None = None


class Phone(Record, frozen=True, kw_only=True):
    """What one device did: its captures, its chains by epoch, its lives, its usual cameras.

    ``elsewhere`` are its positions at other visits.
    """

    device: str
    shots: tuple[Shot, ...]
    chains: tuple[tuple[Link, ...], ...]
    told: Told
    epochs: tuple[Epoch, ...]
    cameras: Mapping[str, int]
    elsewhere: tuple[Fix, ...]


class Facts(Record, frozen=True, kw_only=True):
    """Everything the rules ask about one visit.

    ``fixes`` are the visit's positions, ``around`` those of its people elsewhere near in time,
    ``filed`` the institution's place, ``heads`` counts of the same people by who counted.
    """

    visit: str
    pieces: tuple[Piece, ...]
    phones: tuple[Phone, ...]
    fixes: tuple[Fix, ...]
    around: tuple[Fix, ...]
    filed: Position | None
    heads: Mapping[str, int]
    heads_evidence: tuple[str, ...]


class Judged(Record, frozen=True, kw_only=True):
    """The signals, sorted by kind and subject, and when to look again without new facts."""

    found: tuple[Found, ...]
    again_ms: int | None = None


def _there(found: Iterable[Found | None]) -> list[Found]:
    return [one for one in found if one is not None]


def of_pieces(
    pieces: Sequence[Piece],
    cameras: Mapping[str, Mapping[str, int]],
    editors: Sequence[str],
    limits: Limits,
) -> tuple[Found, ...]:
    """What pictures say by themselves and beside others; ``cameras`` by device."""
    found: list[Found] = []
    for piece in pieces:
        found += _there(
            (
                pictures.exact_reuse(piece.evidence, piece.same),
                pictures.edited_reuse(piece.evidence, piece.near, limits),
                pictures.exif_editor(piece.evidence, piece.exif, editors),
                pictures.exif_camera(
                    piece.evidence, piece.exif, cameras.get(piece.device or "", {}), limits
                ),
            )
        )
        if piece.captured_ms is not None:
            found += _there(
                [
                    pictures.exif_time(
                        piece.evidence,
                        piece.exif,
                        captured_ms=piece.captured_ms,
                        zone_min=piece.zone_min,
                        limits=limits,
                    )
                ]
            )
        if piece.fix is not None:
            at, accuracy = piece.fix.position, piece.fix.accuracy_cm
            found += _there(
                [pictures.exif_place(piece.evidence, piece.exif, at, accuracy, limits)]
            )
    return tuple(found)


def _of_phone(facts: Facts, phone: Phone, limits: Limits) -> Judged:
    own = [fix for fix in facts.fixes if fix.device == phone.device]
    gaps = [
        chains.gaps(phone.device, facts.visit, chain, phone.told, limits) for chain in phone.chains
    ]
    found = [
        *(one for gap in gaps for one in gap.found),
        *(one for chain in phone.chains for one in chains.forks(phone.device, facts.visit, chain)),
        *chains.wiped(phone.device, phone.epochs),
        *_there(
            (
                clocks.clock(phone.shots, limits),
                clocks.burst(phone.shots, limits),
                clocks.hurry(phone.shots, limits),
                places.constant_accuracy(own, limits),
                places.same_fix(own, phone.elsewhere, limits),
            )
        ),
    ]
    waits = [gap.again_ms for gap in gaps if gap.again_ms is not None]
    return Judged(found=tuple(found), again_ms=min(waits, default=None))


def judge(facts: Facts, editors: Sequence[str], limits: Limits) -> Judged:
    """All signals of a visit; the same facts give the same answer, whenever it is asked.

    Source: evidence spec 10.
    """
    phones = [_of_phone(facts, phone, limits) for phone in facts.phones]
    cameras = {phone.device: phone.cameras for phone in facts.phones}
    found = [
        *of_pieces(facts.pieces, cameras, editors, limits),
        *(one for phone in phones for one in phone.found),
        *(places.geofence(facts.fixes, facts.filed, limits) if facts.filed else ()),
        *places.travel(facts.visit, (*facts.fixes, *facts.around), limits),
        *_there([rolls.heads(facts.visit, facts.heads, facts.heads_evidence, limits)]),
    ]
    waits = [phone.again_ms for phone in phones if phone.again_ms is not None]
    found.sort(key=lambda one: (one.kind, one.subject))
    return Judged(found=tuple(found), again_ms=min(waits, default=None))
