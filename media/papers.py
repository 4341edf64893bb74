"""Active content of a PDF, found by its names; the file is never rendered here.

Source: evidence-and-sync 12.4 (flags /JavaScript, /Launch, /EmbeddedFile).
"""

import re
import zlib

from media.kinds import Truncated
from media.stills import TRAILING

TAIL_BYTES = 2048
INFLATED_MAX_BYTES = 8_000_000  # of one object stream
INFLATED_TOTAL_BYTES = 64_000_000
STREAMS_MAX = 2000

_FLAGS = (
    (re.compile(rb"/(?:JavaScript|JS)(?![A-Za-z0-9])"), "pdf_javascript"),
    (re.compile(rb"/Launch(?![A-Za-z0-9])"), "pdf_launch"),
    (re.compile(rb"/EmbeddedFiles?(?![A-Za-z0-9])"), "pdf_embedded_file"),
    (re.compile(rb"/Encrypt(?![A-Za-z0-9])"), "pdf_encrypted"),
)
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_OBJECT_STREAM = re.compile(rb"/ObjStm(?![A-Za-z0-9])")
_STREAM = re.compile(rb"stream\r?\n")
_AFTER_END = re.compile(rb"%%EOF\s*\Z")
_OPAQUE = "pdf_opaque"


def flags(raw: bytes) -> tuple[str, ...]:
    """Flag active content of a whole PDF whose magic was checked; sorted.

    Object streams are inflated within limits, because names hide there; ``pdf_opaque`` says that
    one could not be read.
    Raises: Truncated ("media.truncated").
    Source: evidence-and-sync 12.4.
    """
    if b"%%EOF" not in raw[-TAIL_BYTES:]:
        raise Truncated(format="pdf")
    found = set(_names(raw))
    if _AFTER_END.search(raw[-TAIL_BYTES:]) is None:
        found.add(TRAILING)
    budget = INFLATED_TOTAL_BYTES
    for count, hidden in enumerate(_OBJECT_STREAM.finditer(raw)):
        inflated = _inflate(raw, hidden.end(), min(budget, INFLATED_MAX_BYTES))
        if inflated is None or count >= STREAMS_MAX:
            found.add(_OPAQUE)
            break
        budget -= len(inflated)
        found.update(_names(inflated))
    return tuple(sorted(found))


def _names(text: bytes) -> list[str]:
    # A name may spell any letter as #xx: /J#61vaScript is /JavaScript.
    plain = _ESCAPED.sub(lambda match: bytes.fromhex(match[1].decode()), text)
    return [flag for pattern, flag in _FLAGS if pattern.search(plain)]


def _inflate(raw: bytes, at: int, limit: int) -> bytes | None:
    start = _STREAM.search(raw, at, at + TAIL_BYTES)
    if start is None or limit <= 0:
        return None
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(raw[start.end() : start.end() + limit], limit)
    except zlib.error:
        return None
    return inflated if inflater.eof else None
