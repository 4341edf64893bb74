"""Which files are evidence: allowed types, their size caps, and what their first bytes must be.

Source: evidence-and-sync 12.4.  The structure behind the first bytes is read by ``stills``,
``movies`` and ``papers``; nothing is decoded in this process.
"""

from typing import ClassVar, Literal

from msgspec import Struct

from media.errors import Family, MediaRefusal

MB = 1_000_000
HEAD_BYTES = 4096  # enough of a file for ``sniff``

Group = Literal["image", "video", "audio", "paper"]


class TypeRefused(MediaRefusal):
    """A type that is not taken as evidence."""

    code: ClassVar[str] = "media.type_refused"


class TypeMismatch(MediaRefusal):
    """The bytes are not of the declared type."""

    code: ClassVar[str] = "media.type_mismatch"


class DecoderMissing(MediaRefusal):
    """HEIC is allowed, but this installation lacks its decoder."""

    code: ClassVar[str] = "media.decoder_missing"


class TooLarge(MediaRefusal):
    """The size is above the cap of its type."""

    code: ClassVar[str] = "media.too_large"
    family: ClassVar[Family] = Family.LIMIT


class Empty(MediaRefusal):
    """A file without a byte; Safari sends one when a stored file handle is gone."""

    code: ClassVar[str] = "media.empty"


class Truncated(MediaRefusal):
    """The file ends before its format does."""

    code: ClassVar[str] = "media.truncated"


class Kind(Struct, frozen=True):
    """An allowed type: its group, its cap and the ending its original gets in a bundle."""

    mime: str
    group: Group
    cap_bytes: int
    ending: str


_ALL = (
    Kind("image/jpeg", "image", 25 * MB, "jpg"),
    Kind("image/png", "image", 25 * MB, "png"),
    Kind("image/webp", "image", 25 * MB, "webp"),
    Kind("image/heic", "image", 25 * MB, "heic"),
    Kind("video/mp4", "video", 500 * MB, "mp4"),
    Kind("video/quicktime", "video", 500 * MB, "mov"),
    Kind("audio/mp4", "audio", 100 * MB, "m4a"),
    Kind("application/pdf", "paper", 20 * MB, "pdf"),
)
KINDS = {kind.mime: kind for kind in _ALL}
WITHOUT_DECODER = frozenset({"image/heic"})

# Major brands of ISO base media files, by what writers put there.
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"), "image/heic"),
    **dict.fromkeys(
        (b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V "),
        "video/mp4",
    ),
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
}


def declare(mime: str, size: int) -> Kind:
    """Admit a declared type and size, before a byte has come.

    Raises: TypeRefused, DecoderMissing, Empty, TooLarge ("media.…").
    Source: evidence-and-sync 12.4.
    """
    kind = KINDS.get(mime)
    if kind is None:
        raise TypeRefused(field="mime", mime=mime, allowed=sorted(KINDS))
    if mime in WITHOUT_DECODER:
        raise DecoderMissing(field="mime", mime=mime)
    if size < 1:
        raise Empty(field="size")
    if size > kind.cap_bytes:
        raise TooLarge(field="size", size=size, cap_bytes=kind.cap_bytes)
    return kind


def sniff(head: bytes) -> str | None:
    """Name the type that the first bytes show, or None when it is no allowed one.

    Shapes: ``head`` at most the first ``HEAD_BYTES`` of the file.
    Source: evidence-and-sync 12.4.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    return None


def check_magic(mime: str, head: bytes) -> None:
    """Hold the first bytes against the declared type.

    An MP4 brand may hold sound alone, which ``movies`` decides by its tracks.
    Raises: Empty, TypeMismatch ("media.…").
    Source: evidence-and-sync 12.4.
    """
    if not head:
        raise Empty
    found = sniff(head)
    if found != mime and (found, mime) != ("video/mp4", "audio/mp4"):
        raise TypeMismatch(field="mime", declared=mime, found=found)
