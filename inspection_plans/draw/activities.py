"""Frames of activities 培训活动: sessions out of filed schedules (draw.md sections 1 and 6b)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .days import check_days
from .errors import DrawRefusal

_PARTS = ("institution", "class", "session")


def session_id(session: Mapping[str, Any]) -> str:
    """Give the object id of a session: credit code, class code and session code."""
    return "/".join(str(session[name]) for name in _PARTS)


def session_rows(
    sessions: Iterable[Mapping[str, Any]], first: str, last: str
) -> list[dict[str, Any]]:
    """Make frame rows of the filed sessions from `first` to `last`, ISO dates, by id bytes.

    A session is {institution, class, session, on, stratum, area?, cancelled?}; its one day is its
    own. A cancelled one stays in the frame, excluded as SCOPE, so that none vanishes quietly.
    Raises: E_DAYS for a date that is none, E_DUP_ID for a session filed twice.
    """
    rows: dict[str, dict[str, Any]] = {}
    for session in sessions:
        on = check_days([session["on"]])[0]
        if not first <= on <= last:
            continue
        ident = session_id(session)
        if ident in rows:
            raise DrawRefusal("E_DUP_ID", "sessions", id=ident)
        named = f"{session['institution']}/{session['class']}"
        row = {"id": ident, "stratum": session["stratum"], "class": named, "days": [on]}
        if session.get("area") is not None:
            row["area"] = session["area"]
        if session.get("cancelled"):
            row["excl"] = "SCOPE"
        rows[ident] = row
    return [rows[ident] for ident in sorted(rows)]


def next_session(
    objects: Sequence[Mapping[str, Any]], moved: str, used: Collection[str] = ()
) -> str | None:
    """Give the next later session of the class of one that was moved or cancelled.

    The first by (day, id) after it, neither excluded nor in `used`; None when there is none.
    Source: draw.md section 6b. Raises: E_ID when the frame has no session of this id.
    """
    row = next((row for row in objects if row["id"] == moved and "class" in row), None)
    if row is None:
        raise DrawRefusal("E_ID", "id", id=moved)
    later = [
        (other["days"], other["id"])
        for other in objects
        if other.get("class") == row["class"]
        and other["days"] > row["days"]
        and not other.get("excl")
        and other["id"] not in used
    ]
    return min(later)[1] if later else None
