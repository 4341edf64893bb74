"""Rows of a draw: locked, noted in the log, countersigned by the operator, shown to the public."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from piccolo.columns import Column

from backend.db.tables.draws import Draw
from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import audit, drawlog, signatures
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.planchecks import OPERATOR
from backend.services.records.draws import Countersign, DrawRecord, Outcome, Share
from inspection_plans import states
from inspection_plans.draw.digest import hexdigest
from inspection_plans.draw.record import attach
from inspection_plans.draw.seed import seed
from inspection_plans.states import Noun
from media.keys import unwrap

PAGE = """
insert into draw_page (draw, region, code, attempt, state, disclose_on, etag, body, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (draw) do update set state = excluded.state, etag = excluded.etag,
  body = excluded.body, updated_at = excluded.updated_at
"""
COUNTERSIGN = """
insert into draw_countersign (region, hash, party, signature, signed_at)
values ($1, $2, $3, $4, $5)
on conflict (hash, party) do nothing
"""
# What Piccolo's update takes: values by column.
Columns = dict[Column | str, Any]
PAST = {"reveal": "revealed", "draw": "drawn", "publish": "published", "void": "voided"}


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """What a draw has frozen; ``keys`` are the salts' secrets in hex, never logged."""

    plan: dict[str, Any]
    frames: dict[str, list[Any]]
    keys: dict[str, str]
    pseudonyms: dict[str, Any]


def to_draw(row: asyncpg.Record) -> DrawRecord:
    """The record of one row; the seed stays in the row."""
    return msgspec.convert(dict(row), DrawRecord)


async def store(draw: DrawRecord) -> None:
    """Write the row of a new attempt."""
    values = msgspec.structs.asdict(draw) | {
        "entropy": msgspec.to_builtins(draw.entropy),
        "parties": list(draw.parties),
    }
    await Draw.insert(Draw({getattr(Draw, name): value for name, value in values.items()}))


async def lock(draw_id: UUID) -> DrawRecord:
    """The draw, locked until the transaction ends. Raises: Absent ("thing.absent")."""
    row = await DB.connection.fetchrow(
        "select * from draw where id = $1 for no key update", draw_id
    )
    if row is None:
        raise Absent
    return to_draw(row)


async def year_of(draw: DrawRecord) -> int:
    """The year whose log the draw belongs to."""
    year: int = await DB.connection.fetchval("select year from plan where id = $1", draw.plan)
    return year


async def note(draw: DrawRecord, kind: str, body: Mapping[str, Any], *, act: Act) -> DrawRecord:
    """Write one entry about a draw into its year's log and move the draw's head to it."""
    entry = await drawlog.append(
        draw.region,
        await year_of(draw),
        kind,
        {"draw": draw.code, "attempt": draw.attempt, **body},
        alg=draw.alg,
        draw=draw.id,
        act=act,
    )
    await Draw.update({Draw.head: entry["hash"]}).where(Draw.id == draw.id)
    return msgspec.structs.replace(draw, head=entry["hash"])


async def countersign(draw: DrawRecord, party: str, signature: bytes, *, act: Act) -> None:
    """Keep a party's signature over the draw's head; the same one again changes nothing."""
    await DB.connection.execute(COUNTERSIGN, draw.region, draw.head, party, signature, act.at)


async def sign_as_operator(draw: DrawRecord, *, keys: Keyring, act: Act) -> None:
    """Countersign the head with the server's key. Source: draw.md section 9; settled 14."""
    await countersign(draw, OPERATOR, keys.server.sign(bytes.fromhex(draw.head)), act=act)


async def move(
    draw: DrawRecord,
    verb: str,
    new: Columns,
    *,
    act: Act,
    reason: str = "",
) -> DrawRecord:
    """Carry a locked draw into the state ``verb`` leads to, with new values, audited.

    Raises: "draw.wrong_state".
    """
    state = states.require(Noun.DRAW, draw.state, verb)
    await Draw.update({**new, Draw.state: state}).where(Draw.id == draw.id)
    moved = await lock(draw.id)
    await record(moved, PAST[verb], act=act, reason=reason)
    return moved


async def record(draw: DrawRecord, what: str, *, act: Act, reason: str = "") -> None:
    """Write the audit entry of a deed about a draw; its head says which log it stands in."""
    await audit.record(
        act,
        f"draw.{what}",
        "draw",
        draw.id,
        region=draw.region,
        title=draw.code,
        rev=draw.attempt,
        reason=reason,
        after_sha256=draw.head if draw.alg == "sha256" else "",
    )


async def frozen(draw_id: UUID, *, keys: Keyring) -> Frozen:
    """Everything frozen, with the frames' secrets unwrapped."""
    row = await DB.connection.fetchrow("select * from draw_frame where draw = $1", draw_id)
    if row is None:
        raise Absent
    return Frozen(
        plan=row["plan_doc"],
        frames={name: row[name] for name in ("objects", "inspectors", "blocked")},
        keys={
            "objects": unwrap(keys.kek, row["object_key"]).hex(),
            "inspectors": unwrap(keys.kek, row["inspector_key"]).hex(),
        },
        pseudonyms=row["pseudonyms"],
    )


async def shares(draw_id: UUID) -> tuple[Share, ...]:
    """Who has committed to what and revealed when, by party."""
    rows = await DB.connection.fetch(
        "select party, commitment, committed_at, revealed_at from draw_share where draw = $1"
        ' order by party collate "C"',
        draw_id,
    )
    return tuple(Share(**dict(row)) for row in rows)


async def secrets(draw_id: UUID, *, keys: Keyring) -> dict[str, str]:
    """Party → its secret (hex) of those that are here, revealed or sealed in the server."""
    rows = await DB.connection.fetch(
        "select party, secret from draw_share where draw = $1 and secret is not null", draw_id
    )
    return {row["party"]: unwrap(keys.kek, row["secret"]).hex() for row in rows}


async def seed_of(draw: DrawRecord, kept: Frozen, *, keys: Keyring) -> str:
    """The seed (hex) of an attempt whose secrets are all here. Source: draw.md section 3.2."""
    return seed(
        draw.alg,
        draw.code,
        draw.attempt,
        plan=kept.plan,
        frames={"objects": draw.frame_objects, "inspectors": draw.frame_inspectors},
        reveals=await secrets(draw.id, keys=keys),
        entropy=[
            {"source": one.source, "ref": one.ref, "value": one.value or ""}
            for one in draw.entropy
        ],
    )


async def countersigns(draw: DrawRecord) -> tuple[Countersign, ...]:
    """The signatures over the heads of this draw's entries, oldest first."""
    rows = await DB.connection.fetch(
        "select c.party, c.hash, c.signature, c.signed_at from draw_countersign c"
        " join draw_log l on l.hash = c.hash where l.draw = $1 order by l.seq, c.party",
        draw.id,
    )
    return tuple(
        Countersign(row["party"], row["hash"], row["signature"].hex(), row["signed_at"])
        for row in rows
    )


SIGNED = """
select c.party, c.hash as head, encode(c.signature, 'hex') as signature, l.seq
from draw_countersign c join draw_log l on l.hash = c.hash join draw d on d.id = l.draw
where d.plan = $1 and c.party = any ($2) order by l.seq, c.party collate "C"
"""


async def signed(draw: DrawRecord, *, since: int = 0) -> list[dict[str, str]]:
    """Countersignatures {party, head, signature} over the plan's entries from ``since`` on."""
    rows = await DB.connection.fetch(SIGNED, draw.plan, list(draw.parties))
    return [
        {name: row[name] for name in ("party", "head", "signature")}
        for row in rows
        if row["seq"] >= since
    ]


async def attached(draw: DrawRecord, record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the countersignatures that its log cannot hold: given since it was opened.

    Source: draw.md section 9.
    """
    opened = [
        entry["seq"]
        for entry in record["log"]
        if entry["type"] == "disclose" and entry["body"]["draw"] == draw.code
    ]
    return attach(record, countersigns=await signed(draw, since=min(opened)))


async def shown(draw: DrawRecord) -> dict[str, Any] | None:
    """The record on the draw's public page with today's countersignatures; None before."""
    body = await DB.connection.fetchval("select body from draw_page where draw = $1", draw.id)
    record = None if body is None else msgspec.json.decode(body)["record"]
    if record is None:
        return None
    proofs = record.get("openings", ())
    return {**await attached(draw, record), **({"openings": proofs} if proofs else {})}


def missing(draw: DrawRecord, found: Sequence[Share]) -> tuple[str, ...]:
    """What the draw still waits for, in order: commitments, then chance, then reveals."""
    committed = {share.party for share in found}
    awaited = [f"commit:{party}" for party in draw.parties if party not in committed]
    if not awaited:
        awaited = [f"entropy:{one.source}:{one.ref}" for one in draw.entropy if one.value is None]
    if not awaited:
        awaited = [f"reveal:{share.party}" for share in found if share.revealed_at is None]
    return tuple(awaited)


async def outcome(draw_id: UUID) -> Outcome | None:
    """The result in numbers, or None before there is one."""
    row = await DB.connection.fetchrow("select * from draw_result where draw = $1", draw_id)
    return None if row is None else count(row["selection"], row["assignment"])


def count(selection: Sequence[Mapping[str, Any]], assignment: Mapping[str, Any]) -> Outcome:
    """What may be told of a sealed result; an infeasible sending says how many are missing."""
    proof = assignment["certificate"] or {"need": 0, "supply": 0}
    return Outcome(
        status=assignment["status"],
        selected=sum(part["n"] for part in selection),
        shortfall=sum(part["shortfall"] for part in selection),
        reserve=sum(len(part["reserve"]) for part in selection),
        open_places=len(assignment["open"]),
        need=proof["need"],
        supply=proof["supply"],
    )


async def show(draw: DrawRecord, *, act: Act, full: Mapping[str, Any] | None = None) -> None:
    """Write the draw's public page: digests and counts, and the full record once disclosed."""
    exclusions = await DB.connection.fetchval(
        "select body -> 'exclusions' from draw_log where draw = $1 and type = 'freeze'", draw.id
    )
    page = {
        "draw": msgspec.to_builtins(draw, str_keys=True),
        "exclusions": exclusions,
        "shares": msgspec.to_builtins(await shares(draw.id)),
        "countersigns": msgspec.to_builtins(await countersigns(draw)),
        "unsigned": await signatures.unsigned(draw),
        "outcome": msgspec.to_builtins(await outcome(draw.id)),
        "record": full,
    }
    for private in ("id", "plan", "voided_by", "void_proposed_by"):
        del page["draw"][private]
    body = msgspec.json.encode(page, order="sorted")
    await DB.connection.execute(
        PAGE,
        draw.id,
        draw.region,
        draw.code,
        draw.attempt,
        draw.state,
        draw.disclose_on,
        hexdigest("sha256", body),
        body,
        act.at,
    )
