"""Replacing an institution by its reserve, an inspector by a colleague (draw.md section 8)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .crew import Blocked, muster
from .digest import hexdigest
from .errors import DrawRefusal
from .roster import NOBODY, Roster
from .seed import chooser, marker, tagged, unhex

# Why a drawn institution may be withdrawn; anything else would be a choice.
REASONS = ("deregistered", "moved", "force_majeure", "no_activity", "other_authority")
# A session that did not take place as filed; the next one of its class takes its place (6b).
SESSION_REASONS = ("session_moved", "session_cancelled")
AUTOMATIC_RECUSALS = 3


def _unused(
    selection: Sequence[Mapping[str, Any]], stratum: str, used: Collection[str]
) -> list[str]:
    for part in selection:
        if part["stratum"] == stratum:
            return [ident for ident in part["reserve"] if ident not in used]
    raise DrawRefusal("E_STRATUM", "stratum", stratum=stratum)


def next_reserve(
    selection: Sequence[Mapping[str, Any]], stratum: str, used: Collection[str] = ()
) -> str | None:
    """Give the first unused of the stratum's reserve; None is a shortfall, never a new draw."""
    return next(iter(_unused(selection, stratum, used)), None)


def next_link(alg: str, link: str) -> str:
    """Give w_j = H(w_(j-1)) of the supervisor's key chain, both in hex."""
    return hexdigest(alg, unhex(link, "link"))


def replacement_seed(alg: str, seed: str, link: str) -> str:
    """Give the seed of one replacement order, from a link that only the supervisor held."""
    return hexdigest(alg, tagged("ssj1.replseed") + unhex(seed, "seed") + unhex(link, "link"))


def next_hidden_reserve(
    alg: str,
    order_seed: str,
    selection: Sequence[Mapping[str, Any]],
    stratum: str,
    used: Collection[str] = (),
) -> str | None:
    """Give the unused reserve of smallest ticket under `replacement_seed`: unknown till then."""
    mark = marker(alg, order_seed, "ssj1.ticket")
    unused = _unused(selection, stratum, used)
    return min(unused, key=lambda ident: (mark(ident.encode()), ident), default=None)


def recusal_is_automatic(earlier: int) -> bool:
    """Tell whether a late recusal by the institution needs no person's decision.

    `earlier` counts those of the same visit; beyond three it could shop for inspectors.
    """
    return earlier < AUTOMATIC_RECUSALS


def _seat(roster: Roster, teams: Sequence[Mapping[str, Any]]) -> None:
    """Put the teams as they stand now into the roster, loads included."""
    visits = {ident: at for at, ident in enumerate(roster.visits)}
    staff = {one.id: number for number, one in enumerate(roster.staff)}
    for team in teams:
        at = visits.get(team["visit"])
        if at is None or len(team["team"]) != len(roster.teams[at]):
            raise DrawRefusal("E_BLOCK_REF", "teams", visit=team["visit"])
        for j, ident in enumerate(team["team"]):
            if ident is None:
                continue
            if ident not in staff:
                raise DrawRefusal("E_BLOCK_REF", "teams", inspector=ident)
            roster.teams[at][j] = staff[ident]
            roster.change(staff[ident], 1)


def _shortage(roster: Roster, place: int) -> dict[str, Any]:
    """Show that whoever fits the place and is not in the team has no turn left."""
    visit, j = divmod(place, roster.width)
    away = set(roster.blocked[visit]).union(roster.teams[visit])
    able = [p for p in roster.places[visit][j].members if p not in away]
    return {
        "slots": [list(roster.slot(place))],
        "inspectors": sorted(roster.staff[p].id for p in able),
        "need": 1,
        "supply": 0,
    }


def substitute(
    alg: str,
    seed: str,
    crew: Mapping[str, Any],
    *,
    visit: str,
    place: int,
    event: int,
) -> dict[str, Any]:
    """Fill one place anew; every other team stays as it is.

    `crew` is {visits, inspectors, blocked, teams}: the input of `assign`, with every inspector
    ever released from this visit added to `blocked`, and the teams as they stand. `event`
    numbers the substitutions of the draw.
    Gives {visit, place, released, inspector, certificate}: inspector or certificate is null.
    Raises: what `assign` raises; E_BLOCK_REF for an unknown visit, place or team.
    """
    blocked: Blocked = crew["blocked"]
    roster = muster(alg, seed, crew["visits"], crew["inspectors"], blocked)
    _seat(roster, crew["teams"])
    if visit not in roster.visits:
        raise DrawRefusal("E_BLOCK_REF", "visit", visit=visit)
    at = roster.visits.index(visit)
    if not 0 <= place < len(roster.teams[at]):
        raise DrawRefusal("E_BLOCK_REF", "place", place=place)
    released = roster.teams[at][place]
    if released != NOBODY:
        roster.teams[at][place] = NOBODY
        roster.change(released, -1)
        # Whoever was released cannot come back to this visit.
        roster.blocked[at][:] = sorted({*roster.blocked[at], released})
    slot = at * roster.width + place
    free = roster.free(at, roster.places[at][place])
    label = roster.label(slot) + b"\0%d" % event
    chosen = free.pick(chooser(alg, seed, "ssj1.sub")(label, free.many)) if free else NOBODY
    return {
        "visit": visit,
        "place": place,
        "released": None if released == NOBODY else roster.staff[released].id,
        "inspector": None if chosen == NOBODY else roster.staff[chosen].id,
        "certificate": None if free else _shortage(roster, slot),
    }
