"""The public record and its chained log (draw.md section 9).

**Log.** An entry is {seq, prev, time, type, body, hash}; `TYPES` says what a body holds at least.
What is not plain from its name:

* `plan_year.draws` are {draw, due ISO date, number}; numbers count 1, 2, 3 … through the year.
* `attempt_open.stage` is `draw`, `assignment` (only the sending is tried anew) or `external` (a
  draw made elsewhere: entered, labelled, never verifiable).
* `freeze.objects` and `.inspectors` are {root, count}, `.parties` codes in byte order, `.entropy`
  [{source, ref}]. `.party_keys` is [{party, kind, key}] in the order of `.parties`: the Ed25519
  public key, 64 hexadecimal digits, by which a party commits and countersigns. Optional:
  `.exclusions` [{code, count}], and `.replacement_tip`, the committed end of the supervisor's
  chain of replacement keys (section 8, strong profile).
* `commit.signature`: the party's signature over pad32("ssj1.commit") and the commitment's bytes.
* `reveal.countersigned` and `disclose.countersigned` are [{party, head, signature}]: signatures
  over the 32 bytes of the hash of an entry that stands before this one. `disclose` holds all
  that were given since the reveals, so that none can vanish later.
* `disclose.persons` is [{id, licence, salt}], of those sent alone (section 2.5).
* `result` holds what `outcome.sealed` gives; of an external draw {status: "external", platform,
  reference, drawn_on, visits: digest of the record's list} instead.
* `replace.link` is the next link of the replacement chain, where a tip was frozen.
* `sealed` is one of the next four kinds before the disclosure: `digest` is `sealing.seal` of its
  body with a salt, numbers count 0, 1, 2 … . After the disclosure the entry itself follows, with
  `opens`, that number, and the `salt`; it counts where it was sealed.
* `supplement` holds whole rows {inspectors: [row], blocked: [[inspector, object]]}. A new attempt
  of the stage `assignment` has them in its frame too; without one they count for substitutes.

**Record.** Profile `full` is what `build` gives, `sealed` what `build_sealed`, `external` what
`build_external`; `attach` adds two lists. `countersigns` are [{party, head, signature}] that the
log cannot hold because they sign its end: at least one covers the last entry about the draw.
`openings` are frame rows proved alone: {frame: objects or inspectors, row, salt, index, count,
path}, which is what `merkle.opening` gives and the frame's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .canon import canonical, digest
from .digest import hexdigest
from .errors import DrawRefusal
from .merkle import frame_root, row_id
from .outcome import sealed
from .seed import tagged

FIRST_PREV = "0" * 64
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")

TYPES: dict[str, tuple[str, ...]] = {
    "plan_year": ("year", "draws"),
    "attempt_open": ("draw", "attempt", "stage"),
    "plan": ("draw", "attempt", "digest"),
    "freeze": ("draw", "attempt", "objects", "inspectors", "blocked", "parties", "entropy"),
    "commit": ("draw", "attempt", "party", "commitment"),
    "entropy": ("draw", "attempt", "source", "ref", "value"),
    "reveal": ("draw", "attempt", "party", "digest", "countersigned"),
    "result": ("draw", "attempt", "status"),
    "void": ("draw", "attempt", "party", "reason"),
    "withdraw": ("draw", "object", "reason", "evidence", "by", "second"),
    "replace": ("draw", "stratum", "object", "withdrawn"),
    "substitute": ("draw", "visit", "place", "event", "released", "inspector"),
    "supplement": ("draw", "inspectors", "blocked"),
    "sealed": ("draw", "number", "kind", "digest"),
    "disclose": ("draw", "attempt"),
    "opening": ("draw", "attempt", "party", "value"),
}


def entry_hash(alg: str, entry: Mapping[str, Any]) -> str:
    """Hash an entry without its own `hash`, 64 hexadecimal digits."""
    rest = {key: value for key, value in entry.items() if key != "hash"}
    return hexdigest(alg, tagged("ssj1.log") + canonical(rest).encode())


def head(log: Sequence[Mapping[str, Any]]) -> str:
    """Give the hash that stands for the whole log; 64 zeros for an empty one."""
    return str(log[-1]["hash"]) if log else FIRST_PREV


def append(
    log: Sequence[Mapping[str, Any]],
    kind: str,
    body: Mapping[str, Any],
    time: str,
    *,
    alg: str = "sha256",
) -> dict[str, Any]:
    """Make the entry that follows; of `log` only the last entry is read, nothing is changed.

    `time` is UTC to the second, as 2027-01-04T08:00:00Z.
    Raises: E_TYPE for an unknown type or another form of time, E_KEY for a body lacking a key.
    """
    if kind not in TYPES:
        raise DrawRefusal("E_TYPE", "type", type=kind)
    if not TIME.fullmatch(time):
        raise DrawRefusal("E_TYPE", "time", time=time)
    for key in TYPES[kind]:
        if key not in body:
            raise DrawRefusal("E_KEY", key, type=kind)
    entry = {
        "seq": int(log[-1]["seq"]) + 1 if log else 0,
        "prev": head(log),
        "time": time,
        "type": kind,
        "body": dict(body),
    }
    entry["hash"] = entry_hash(alg, entry)
    return entry


def frozen(
    alg: str, frames: Mapping[str, Sequence[Any]], keys: Mapping[str, str]
) -> dict[str, Any]:
    """Commit to frames {objects, inspectors, blocked}: the part of a freeze body they give."""
    blocked = sorted(list(pair) for pair in frames["blocked"])
    if blocked != [list(pair) for pair in frames["blocked"]]:
        raise DrawRefusal("E_BLOCK_REF", "blocked")
    roots = {
        name: {"root": frame_root(alg, keys[name], frames[name]), "count": len(frames[name])}
        for name in ("objects", "inspectors")
    }
    return {**roots, "blocked": digest(alg, blocked)}


def result_body(
    alg: str, draw: str, attempt: int, seed: str, outcome: Mapping[str, Any]
) -> dict[str, Any]:
    """Give the body of a `result` entry: digests alone, for the targets are still sealed."""
    return {"draw": draw, "attempt": attempt, **sealed(alg, seed, outcome)}


def external_body(
    alg: str, draw: str, attempt: int, origin: Mapping[str, str], visits: Iterable[Any]
) -> dict[str, Any]:
    """Give the body of the `result` of a draw made elsewhere.

    `origin` is {platform, reference, drawn_on}; `visits` is what was entered, canonical JSON.
    """
    named = {name: origin[name] for name in ("platform", "reference", "drawn_on")}
    body = {"draw": draw, "attempt": attempt, "status": "external", **named}
    return {**body, "visits": digest(alg, list(visits))}


def _profile(
    profile: str, alg: str, draw: str, plan: Mapping[str, Any], log: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return {"profile": profile, "alg": alg, "draw": draw, "plan": dict(plan), "log": list(log)}


def build(
    alg: str,
    draw: str,
    plan: Mapping[str, Any],
    frames: Mapping[str, Sequence[Any]],
    *,
    keys: Mapping[str, str],
    log: Sequence[Mapping[str, Any]],
    outcome: Mapping[str, Any],
) -> dict[str, Any]:
    """Put the public record together, profile FULL (section 2.6): everybody can replay it.

    Disclosures, openings and withdrawals are entries of the log; they stand nowhere twice.
    """
    return {
        **_profile("full", alg, draw, plan, log),
        **{name: sorted(frames[name], key=row_id) for name in ("objects", "inspectors")},
        "blocked": list(frames["blocked"]),
        "keys": {"objects": keys["objects"], "inspectors": keys["inspectors"]},
        "selection": list(outcome["selection"]),
        "assignment": dict(outcome["assignment"]),
        "days": dict(outcome["days"]),
    }


def build_sealed(
    alg: str,
    draw: str,
    plan: Mapping[str, Any],
    *,
    log: Sequence[Mapping[str, Any]],
    totals: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    """Put the record of profile SEALED-ROWS together: no row, but totals and thresholds.

    `totals` are those of `outcome.draw`; the log holds the openings of all secrets, so that
    everybody can compute the ticket of a row that was opened to him.
    """
    return {**_profile("sealed", alg, draw, plan, log), "totals": list(totals)}


def build_external(
    alg: str,
    draw: str,
    plan: Mapping[str, Any],
    *,
    log: Sequence[Mapping[str, Any]],
    visits: Iterable[Any],
) -> dict[str, Any]:
    """Put the record of a draw made elsewhere together; nothing in it can be replayed."""
    return {**_profile("external", alg, draw, plan, log), "visits": list(visits)}


def attach(
    record: Mapping[str, Any],
    *,
    countersigns: Iterable[Mapping[str, str]] = (),
    openings: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Give a record of any profile with the signatures over its head and with single rows."""
    proofs = {"openings": list(openings)} if openings else {}
    return {**record, "countersigns": list(countersigns), **proofs}
