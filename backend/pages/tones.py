"""How a state looks: a tone with its own shape, so that colour is never the only signal."""

from typing import Literal

Tone = Literal["ok", "warn", "danger", "busy", "none"]

# noun → state → tone; what is not listed waits quietly.
TONES: dict[str, dict[str, Tone]] = {
    "visit": {
        "sealed": "none",
        "disclosed": "busy",
        "in_progress": "busy",
        "submitted": "busy",
        "complete": "warn",
        "needs_decision": "danger",
        "returned": "warn",
        "accepted": "ok",
        "concluded": "ok",
        "void": "none",
    },
    "finding": {
        "suspected": "warn",
        "verified": "danger",
        "dismissed": "none",
        "noticed": "busy",
        "rectified": "ok",
    },
    "notice": {
        "draft": "none",
        "legal_review": "warn",
        "approved": "busy",
        "issued": "busy",
        "served": "busy",
        "answered": "warn",
        "closed": "ok",
        "void": "none",
    },
    "publication": {
        "prepared": "warn",
        "approved": "busy",
        "published": "ok",
        "corrected": "none",
        "expired": "none",
    },
}


def tone(noun: str, state: str) -> Tone:
    """The tone of a state of a noun."""
    return TONES.get(noun, {}).get(state, "none")
