"""Custody of evidence: what two persons may admit, and when a lock may be lifted.

A quarantined piece whose bytes are whole and lack a key's word may be admitted: that is a matter
of judgement, which the flag keeps in sight.  Bytes that are not what was signed, that do not open
or that are hostile are a matter of fact, and no signature of two persons makes them verified.
Source: evidence-and-sync 5 (quarantined), 12.2 (two-person acts), 12.8 (retention).
"""

from datetime import datetime
from typing import ClassVar

from inspection_plans.errors import Family, RuleRefusal

# Quarantined because nobody vouches for the piece, not because of its bytes.
ADMISSIBLE = frozenset({"revoked_key", "unknown_key"})


class NotAdmissible(RuleRefusal):
    """The bytes themselves are at fault: no two persons can make them verified."""

    code: ClassVar[str] = "evidence.not_admissible"
    family: ClassVar[Family] = Family.GATE


class StillRetained(RuleRefusal):
    """The original must be kept until a day that has not come."""

    code: ClassVar[str] = "evidence.still_retained"
    family: ClassVar[Family] = Family.GATE


def admission(reason: str | None) -> None:
    """Whether a piece quarantined for ``reason`` may be admitted by two persons.

    Raises: NotAdmissible ("evidence.not_admissible").
    Source: evidence-and-sync 5, 12.2 (admit a revoked key's items).
    """
    if reason not in ADMISSIBLE:
        raise NotAdmissible(field="reason", reason=reason, admissible=sorted(ADMISSIBLE))


def admitted_flag(reason: str) -> str:
    """The flag that a piece admitted in spite of ``reason`` bears for ever."""
    return f"admitted_{reason}"


def lifting(*, retain_until: datetime | None, now: datetime) -> None:
    """Whether the legal hold of an original may be lifted.

    Raises: StillRetained ("evidence.still_retained").
    Source: evidence-and-sync 12.2 (lift a lock), 12.8.
    """
    if retain_until is None or now < retain_until:
        until = retain_until.isoformat() if retain_until else None
        raise StillRetained(field="evidence", retain_until=until)
