"""The marks in a document's footer: its public address as a QR code, its unguessable code."""

import base64
import io

import segno

CODE_BYTES = 16
ADDRESS = "{origin}/documents/{code}"


def code(raw: bytes) -> str:
    """16 random bytes as 26 letters and digits that survive being typed: the public code."""
    return base64.b32encode(raw).decode().rstrip("=")


def qr(text: str) -> str:
    """A QR code as SVG, level M, without border; the same text gives the same bytes."""
    out = io.BytesIO()
    made = segno.make(text, error="m", micro=False)
    made.save(out, kind="svg", border=2, xmldecl=False, svgns=True, nl=False)
    return out.getvalue().decode()
