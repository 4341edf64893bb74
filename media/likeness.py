"""How alike two pictures look: three perceptual hashes of one small grey raster.

Source: evidence-and-sync 10 (edited re-use).  Integers only, so that a hash is the same on every
machine.  Pictures are squashed to ``SIDE`` x ``SIDE`` grey pixels by ``media.imaging``; a mirrored
or turned picture has a hash that follows exactly from the upright one, hence no second decoding.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import combinations
from operator import mul
from typing import Annotated

from msgspec import Meta, Struct

SIDE = 72  # holds 8 and 9 cells a side without a remainder
CELLS = 8
BITS = 64
VARIANTS = 8
NEAR = 10  # the widest distance that ``probes`` finds
BAND_BITS = 16
# Two hashes at most NEAR apart differ in some band by at most its radius: the radii plus one each
# add up to NEAR + 1 (pigeonhole).
RADII = (2, 2, 2, 1)
FINE = 16  # waves a side of the fine hash

_FULL = (1 << BITS) - 1
_SCALE = 1 << 14
_HALF = SIDE // 2
# Waves of the cosine transform over half a side: even ones repeat in the other half, odd ones
# change their sign there.
_WAVES = tuple(
    tuple(round(_SCALE * math.cos(math.pi * (2 * x + 1) * u / (2 * SIDE))) for x in range(_HALF))
    for u in range(FINE)
)

Hash = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
Fine = Annotated[bytes, Meta(min_length=32, max_length=32)]


class Likeness(Struct, frozen=True):
    """Hashes of one picture; 64 bits each as a signed integer, as a database keeps them.

    ``p`` signs of the 8 x 8 longest waves (pHash), ``w`` cells lighter than their median (wHash,
    the coarse part of a Haar transform), ``dh`` and ``dv`` whether the picture gets lighter to the
    right and downwards (dHash), ``fine`` signs of 16 x 16 waves, 32 bytes.  ``detail`` is the mean
    distance of a pixel from the mean grey in hundredths: what has none is like anything.
    """

    p: Hash
    w: Hash
    dh: Hash
    dv: Hash
    fine: Fine
    detail: Annotated[int, Meta(ge=0, le=25_500)]


class Distances(Struct, frozen=True):
    """Bits that differ at the best of the 8 variants: p of 63, d of 128, w of 64, fine of 255."""

    variant: int
    p: int
    d: int
    w: int
    fine: int


def of_raster(grey: bytes) -> Likeness:
    """Hash ``SIDE`` x ``SIDE`` grey pixels, row by row, one byte each.

    Source: evidence-and-sync 10.
    """
    rows = [grey[at : at + SIDE] for at in range(0, SIDE * SIDE, SIDE)]
    columns = list(zip(*rows, strict=True))
    waves = _transform(rows)
    total = sum(grey)
    spread = sum(abs(value * SIDE * SIDE - total) for value in grey)
    return Likeness(
        p=_signed(_packed(waves[u][v] > 0 for u in range(CELLS) for v in range(CELLS))),
        w=_signed(_lighter(_cells(rows, 9, 9))),
        dh=_signed(_rising(_cells(rows, 8, 9))),
        dv=_signed(_transposed(_rising(_cells(columns, 8, 9)))),
        fine=_packed(value > 0 for row in waves for value in row).to_bytes(FINE * FINE // 8),
        detail=100 * spread // (SIDE * SIDE) ** 2,
    )


def _transform(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """The longest waves of a cosine transform, ``[down][across]``; the mean itself is 0."""
    across = [_waves(row) for row in rows]
    down = [_waves(column) for column in zip(*across, strict=True)]
    found = [list(row) for row in zip(*down, strict=True)]
    found[0][0] = 0
    return found


def _waves(line: Sequence[int]) -> list[int]:
    back = line[: _HALF - 1 : -1]
    even = [one + other for one, other in zip(line[:_HALF], back, strict=True)]
    odd = [one - other for one, other in zip(line[:_HALF], back, strict=True)]
    return [sum(map(mul, odd if u % 2 else even, wave)) for u, wave in enumerate(_WAVES)]


def _cells(rows: Sequence[Sequence[int]], width: int, height: int) -> list[list[int]]:
    """Sums of grey over cells of ``width`` x ``height`` pixels, row by row."""
    strips = [
        [sum(column) for column in zip(*rows[top : top + height], strict=True)]
        for top in range(0, SIDE, height)
    ]
    return [
        [sum(strip[left : left + width]) for left in range(0, SIDE, width)] for strip in strips
    ]


def _lighter(cells: list[list[int]]) -> int:
    flat = [value for row in cells for value in row]
    ordered = sorted(flat)
    middle = ordered[BITS // 2 - 1] + ordered[BITS // 2]
    return _packed(2 * value > middle for value in flat)


def _rising(cells: list[list[int]]) -> int:
    """Whether each of 9 cells is darker than the next; equal ones alternate.

    Mirroring turns the order round and every bit over; that holds for equal cells too, because
    their bits alternate over an even number of places.
    """
    return _packed(
        row[x] < row[x + 1] or (row[x] == row[x + 1] and x % 2 == 1)
        for row in cells
        for x in range(CELLS)
    )


def _packed(bits: Iterable[bool]) -> int:
    """Bits as a number, the first one the highest."""
    return int("".join("1" if bit else "0" for bit in bits), 2)


def _signed(number: int) -> int:
    return number - (1 << BITS) if number >> (BITS - 1) else number


def _grid(number: int, side: int) -> list[str]:
    bits = f"{number & ((1 << side * side) - 1):0{side * side}b}"
    return [bits[at : at + side] for at in range(0, side * side, side)]


def _number(rows: Iterable[str]) -> int:
    return int("".join(rows), 2)


def _mirrored(number: int, side: int = CELLS) -> int:
    return _number(row[::-1] for row in _grid(number, side))


def _flipped(number: int, side: int = CELLS) -> int:
    return _number(reversed(_grid(number, side)))


def _transposed(number: int, side: int = CELLS) -> int:
    return _number(map("".join, zip(*_grid(number, side), strict=True)))


def _odd_columns(side: int) -> int:
    return _number(["01" * (side // 2)] * side)


# A mirrored picture has the same waves across, the odd ones with the other sign.
_ODD, _ODD_FINE = _odd_columns(CELLS), _odd_columns(FINE)


def _mirror(one: Likeness) -> Likeness:
    """The hashes of the picture mirrored left to right."""
    return Likeness(
        p=_signed((one.p & _FULL) ^ _ODD),
        w=_signed(_mirrored(one.w)),
        dh=_signed(_mirrored(one.dh) ^ _FULL),
        dv=_signed(_mirrored(one.dv)),
        fine=(int.from_bytes(one.fine) ^ _ODD_FINE).to_bytes(len(one.fine)),
        detail=one.detail,
    )


def _transpose(one: Likeness) -> Likeness:
    """The hashes of the picture with rows and columns exchanged."""
    return Likeness(
        p=_signed(_transposed(one.p)),
        w=_signed(_transposed(one.w)),
        dh=_signed(_transposed(one.dv)),
        dv=_signed(_transposed(one.dh)),
        fine=_transposed(int.from_bytes(one.fine), FINE).to_bytes(len(one.fine)),
        detail=one.detail,
    )


def variants(one: Likeness) -> tuple[Likeness, ...]:
    """The hashes of a picture turned and mirrored in all 8 ways, itself first.

    Mirroring and exchanging rows and columns by turns goes through all of them.
    """
    found = [one]
    for step in range(VARIANTS - 1):
        found.append((_transpose if step % 2 else _mirror)(found[-1]))
    return tuple(found)


def _apart(one: int, other: int) -> int:
    return ((one ^ other) & _FULL).bit_count()


def distances(one: Likeness, other: Likeness) -> Distances:
    """How far two pictures are apart, turned and mirrored as fits best; shapes as ``Distances``.

    Source: evidence-and-sync 10 (8 dihedral variants, Hamming distance).
    """
    fine = int.from_bytes(other.fine)
    found = (
        Distances(
            variant=number,
            p=_apart(turned.p, other.p),
            d=_apart(turned.dh, other.dh) + _apart(turned.dv, other.dv),
            w=_apart(turned.w, other.w),
            fine=(int.from_bytes(turned.fine) ^ fine).bit_count(),
        )
        for number, turned in enumerate(variants(one))
    )
    return min(found, key=lambda far: (far.p + far.d + far.w + far.fine, far.variant))


def _masks(radius: int) -> tuple[int, ...]:
    """What turns a band into every band at most ``radius`` bits away."""
    return tuple(
        sum(1 << bit for bit in bits)
        for count in range(radius + 1)
        for bits in combinations(range(BAND_BITS), count)
    )


_MASKS = {radius: _masks(radius) for radius in set(RADII)}


def band(p: int, number: int) -> int:
    """Band ``number`` of a pHash, 16 bits, from the highest."""
    return (p & _FULL) >> (BITS - BAND_BITS * (number + 1)) & ((1 << BAND_BITS) - 1)


def probes(one: Likeness) -> tuple[tuple[list[int], list[int]], ...]:
    """For each band the values to look up, each beside the variant's pHash it belongs to.

    A pHash at most ``NEAR`` from any variant of ``one`` has, in at least one band, one of these
    values; the distance of what is found is still to be measured.
    """
    hashes = sorted({turned.p for turned in variants(one)})
    return tuple(
        (
            [band(p, number) ^ mask for p in hashes for mask in _MASKS[radius]],
            [p for p in hashes for _ in _MASKS[radius]],
        )
        for number, radius in enumerate(RADII)
    )
