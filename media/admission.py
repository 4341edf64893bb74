"""Everything that is asked of an uploaded file before it is decoded or promoted.

Source: evidence-and-sync 12.4: declared type, cap, magic, structure; decoding is ``darkroom``'s.
"""

from msgspec import Struct

from media import kinds, movies, papers, stills
from media.movies import Read


class Examined(Struct, frozen=True):
    """Flags to show beside the evidence, sorted, and what the headers of a movie claim."""

    kind: kinds.Kind
    flags: tuple[str, ...]
    movie: movies.Movie | None


def examine(mime: str, size: int, read: Read) -> Examined:
    """Hold a stored file of ``size`` bytes against its declared type.

    ``read(offset, length)`` gives bytes of it; pictures and papers are read whole (their caps are
    25 and 20 MB), of movies and sound the headers alone.
    Raises: the refusals of ``kinds``, ``stills``, ``papers`` and ``movies`` ("media.…").
    Source: evidence-and-sync 12.4.
    """
    kind = kinds.declare(mime, size)
    kinds.check_magic(mime, read(0, min(size, kinds.HEAD_BYTES)))
    if kind.group == "image":
        return Examined(kind, stills.flags(mime, read(0, size)), None)
    if kind.group == "paper":
        return Examined(kind, papers.flags(read(0, size)), None)
    return Examined(kind, (), movies.probe(mime, read, size))
