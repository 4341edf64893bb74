"""Signals of a device's chain of captures: numbers that are missing, links that do not fit.

Source: evidence spec 2 (``seq``, ``prev``, ``inst_epoch``), 10.  A capture that is late is not
deleted: a gap is told once the phone says that nothing waits, or after some days.
"""

from collections.abc import Sequence
from itertools import pairwise

from inspection_plans.records import Record
from inspection_plans.signals.found import Found, Strength, pieces, score
from inspection_plans.signals.limits import Limits

HOUR_MS = 3_600_000


class Link(Record, frozen=True, kw_only=True):
    """One capture in the chain of (device, epoch), as its manifest says; ``received_ms`` here."""

    evidence: str
    visit: str
    seq: int
    prev: str
    digest: str
    received_ms: int


class Told(Record, frozen=True, kw_only=True):
    """What is known of a device now: since when it has nothing left to send, if it said so."""

    now_ms: int
    empty_ms: int | None = None


class Epoch(Record, frozen=True, kw_only=True):
    """One life of the phone's storage: operations in it, here and in all."""

    id: str
    first_ms: int
    here: int
    elsewhere_before: int


class Gap(Record, frozen=True, kw_only=True):
    """What is found of gaps now, and when to look again for those still waited for."""

    found: tuple[Found, ...]
    again_ms: int | None = None


def gaps(device: str, visit: str, chain: Sequence[Link], told: Told, limits: Limits) -> Gap:
    """Captures of one storage life that never came, told at the visit of the capture after them.

    ``chain`` holds the visit's links, what lies between them, and the one before the first.
    """
    links = sorted(chain, key=lambda link: (link.seq, link.evidence))
    found, again = [], []
    last = 0
    for link in links:
        missing, first = link.seq - last - 1, last + 1
        last = link.seq
        if missing <= 0 or link.visit != visit:
            continue
        due = link.received_ms + limits.chain_wait_hours * HOUR_MS
        sent_all = told.empty_ms is not None and told.empty_ms >= link.received_ms
        if not sent_all and told.now_ms < due:
            again.append(due)
            continue
        found.append(
            Found(
                kind="chain_gap",
                subject=f"{device}:{first}",
                strength=Strength.STRONG,
                score=score(Strength.STRONG, missing, 1),
                facts={"count": missing, "first": first, "last": link.seq - 1},
                evidence=(link.evidence,),
            )
        )
    return Gap(found=tuple(found), again_ms=min(again, default=None))


def forks(device: str, visit: str, chain: Sequence[Link]) -> tuple[Found, ...]:
    """Neighbours that do not fit: a link that names another one before it, a number used twice."""
    links = sorted(chain, key=lambda link: (link.seq, link.evidence))
    found = []
    for one, other in pairwise(links):
        twice = one.seq == other.seq
        broken = other.seq == one.seq + 1 and other.prev != one.digest
        if visit in (one.visit, other.visit) and (twice or broken):
            found.append(
                Found(
                    kind="chain_fork",
                    subject=f"{device}:{other.seq}",
                    strength=Strength.STRONG,
                    score=score(Strength.STRONG, 0, 1),
                    facts={"what": "twice" if twice else "broken", "seq": other.seq},
                    evidence=tuple(link.evidence for link in (one, other) if link.visit == visit),
                    others=pieces(link.evidence for link in (one, other) if link.visit != visit),
                )
            )
    return tuple(found)


def wiped(device: str, epochs: Sequence[Epoch]) -> tuple[Found, ...]:
    """The phone's storage began anew at this visit: between visits a hint, within it strong.

    What was captured and not sent before is lost then; a new installation between two visits
    with everything sent is nothing bad, and cannot be told apart for certain.
    """
    found = []
    ordered = sorted(epochs, key=lambda epoch: (epoch.first_ms, epoch.id))
    for earlier, epoch in pairwise(ordered):
        if not epoch.here or epoch.elsewhere_before:
            continue
        within = earlier.here > 0
        strength = Strength.STRONG if within else Strength.WEAK
        found.append(
            Found(
                kind="new_epoch",
                subject=f"{device}:{epoch.id}",
                strength=strength,
                score=score(strength, 0, 1),
                facts={"what": "within" if within else "between", "before": earlier.here},
            )
        )
    return tuple(found)
