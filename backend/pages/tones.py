"""How a state looks: a tone with its own shape, so that colour is never the only signal."""

from typing import Literal

Tone = Literal["ok", "warn", "danger", "busy", "none"]

# noun → state → tone; what is not listed waits quietly.
TONES: dict[str, dict[str, Tone]] = {
    "visit": {
        "opened": "busy",
        "started": "busy",
        "submitted": "busy",
        "complete": "warn",
        "returned": "warn",
        "unreachable": "warn",
        "closed": "warn",
        "refused": "danger",
        "needs_decision": "danger",
        "accepted": "ok",
        "concluded": "ok",
        "concluded_with_gap": "ok",
    },
    "finding": {
        "suspected": "warn",
        "verified": "danger",
        "ordered": "busy",
        "open": "danger",
        "corrected": "ok",
    },
    "notice": {
        "legal_review": "warn",
        "approved": "busy",
        "issued": "busy",
        "served": "busy",
        "answered": "warn",
        "under_review": "warn",
        "second_order": "danger",
        "case": "danger",
        "closed": "ok",
    },
    "case": {
        "opened": "warn",
        "verified": "busy",
        "delisting_proposed": "danger",
        "decided": "danger",
        "handed_over": "busy",
        "closed": "ok",
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
    "filing": {"draft": "none", "submitted": "warn", "accepted": "ok", "returned": "danger"},
    "hit": {"suspected": "warn", "upheld": "danger", "dismissed": "none"},
    "account": {"open": "ok", "invited": "warn", "locked": "danger", "closed": "none"},
    "phone": {"enrolled": "ok", "revoked": "none"},
    "export": {
        "running": "busy",
        "done": "ok",
        "cancelled": "none",
        "failed": "danger",
        "deleted": "none",
    },
    "bundle": {"running": "busy", "done": "ok", "cancelled": "none", "failed": "danger"},
    "institution": {"active": "ok", "suspended": "warn", "closed": "none", "moved": "none"},
    "inspector": {"available": "ok", "away": "none"},
    "class": {"planned": "none", "running": "busy", "ended": "ok", "cancelled": "none"},
    "lesson": {"planned": "none", "held": "ok", "moved": "warn", "cancelled": "none"},
    "tip": {
        "received": "warn",
        "triaged": "busy",
        "linked": "busy",
        "answered": "ok",
    },
    "withdrawal": {"proposed": "warn", "confirmed": "danger", "refused": "none"},
    "recusal": {"pending": "warn", "granted": "ok", "refused": "none"},
    "exclusion": {"proposed": "warn", "confirmed": "danger", "refused": "none", "ended": "none"},
    "custody": {"proposed": "warn", "approved": "ok", "refused": "none"},
    "consent": {"standing": "ok", "withdrawn": "none"},
    "aside": {"standing": "warn", "ended": "none"},
    "party": {"active": "ok", "retired": "none"},
    "bad_record": {"standing": "danger", "ended": "none"},
    "publication": {
        "prepared": "warn",
        "approved": "busy",
        "published": "ok",
    },
    "evidence": {
        "declared": "busy",
        "uploading": "busy",
        "received": "busy",
        "verified": "ok",
        "sealed": "ok",
        "quarantined": "danger",
        "missing": "danger",
        "withdrawn": "none",
    },
    "verdict": {
        "pass": "ok",
        "fail": "danger",
        "could_not_check": "warn",
        "not_applicable": "none",
    },
    "strength": {"strong": "danger", "moderate": "warn"},
}


def tone(noun: str, state: str) -> Tone:
    """The tone of a state of a noun."""
    return TONES.get(noun, {}).get(state, "none")
