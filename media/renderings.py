"""Derivatives that a person orders: what is blackened or pointed at, and for whom a look is.

Places are pixels of the upright original, from its upper left corner.  Redaction is solid fill:
blur and mosaic can be undone in part.
Source: evidence-and-sync 7, 12.3.
"""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from media.errors import MediaRefusal

MARKS_MAX = 40
SIDE_MAX = 100_000
MIN_SIDE = 4  # a box nobody would see

Place = Annotated[int, Meta(ge=0, le=SIDE_MAX)]
Length = Annotated[int, Meta(ge=1, le=SIDE_MAX)]
Stamp = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\A[ -~]+\Z")]

Kind = Literal["redacted", "annotated", "watermarked"]


class MarkOutside(MediaRefusal):
    """A rectangle or arrow reaches beyond the picture, or is too small to be seen."""

    code: ClassVar[str] = "media.mark_outside"


class Box(Struct, frozen=True, forbid_unknown_fields=True):
    """A rectangle by its upper left corner and its sides."""

    x: Place
    y: Place
    w: Length
    h: Length


class Arrow(Struct, frozen=True, forbid_unknown_fields=True):
    """An arrow from one place to the one it points at."""

    from_x: Place
    from_y: Place
    to_x: Place
    to_y: Place


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """What to make of a whole picture.

    ``redacted``: ``boxes`` filled black, full size.  ``annotated``: ``boxes`` outlined and
    ``arrows`` drawn, numbered from 1 in this order, full size.  ``watermarked``: at most the size
    of a preview, ``stamp`` all over it.
    """

    kind: Kind
    boxes: Annotated[tuple[Box, ...], Meta(max_length=MARKS_MAX)] = ()
    arrows: Annotated[tuple[Arrow, ...], Meta(max_length=MARKS_MAX)] = ()
    stamp: Stamp | None = None


def check(order: Order, *, width: int, height: int) -> None:
    """Hold every mark against the upright picture it is drawn on.

    Raises: MarkOutside ("media.mark_outside") with the number of the first wrong mark, from 1.
    """
    fits = [
        min(box.w, box.h) >= MIN_SIDE and box.x + box.w <= width and box.y + box.h <= height
        for box in order.boxes
    ] + [
        max(arrow.from_x, arrow.to_x) < width
        and max(arrow.from_y, arrow.to_y) < height
        and (arrow.from_x, arrow.from_y) != (arrow.to_x, arrow.to_y)
        for arrow in order.arrows
    ]
    if not all(fits):
        number = fits.index(False) + 1
        raise MarkOutside(field="marks", number=number, width=width, height=height)
