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
    "plan": {
        "draft": "none",
        "submitted": "warn",
        "approved": "busy",
        "running": "busy",
        "closed": "ok",
        "rejected": "danger",
        "cancelled": "none",
    },
    "simulation": {"running": "busy", "done": "ok", "cancelled": "none", "failed": "danger"},
    "draw": {
        "frozen": "busy",
        "revealed": "busy",
        "drawn": "warn",
        "published": "ok",
        "void": "danger",
    },
    "import": {
        "waiting": "none",
        "running": "busy",
        "done": "ok",
        "failed": "danger",
        "cancelled": "none",
    },
    "institution": {"active": "ok", "suspended": "warn", "closed": "none", "moved": "none"},
    "inspector": {"available": "ok", "away": "none"},
    "class": {"planned": "none", "running": "busy", "ended": "ok", "cancelled": "none"},
    "lesson": {"planned": "none", "held": "ok", "moved": "warn", "cancelled": "none"},
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
