"""Parties 抽取参与方 of draws: who contributes to the seed, with the keys they sign by."""

from collections.abc import Collection
from uuid import UUID

import asyncpg
import msgspec

from backend.db.tables.parties import Party
from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.planchecks import OPERATOR, PartyUnknown
from backend.services.records.draws import NewParty, PartyRecord
from inspection_plans.errors import Family
from media.keys import verify_server

# Two draws of an office may be frozen at once: the second finds the first one's row.
OPERATOR_ROW = """
insert into party (id, region, code, name, kind, public_key, active, created_at)
values ($1, $2, $3, $4, $3, $5, true, $6) on conflict (region, code) do nothing returning id
"""
NAMES = {OPERATOR: "组织抽取单位"}


class PartyTaken(ServiceRefusal):
    """The office has a party of this code, or the code is the operator's."""

    code = "party.code_taken"
    family = Family.CONFLICT


class KeyShared(ServiceRefusal):
    """Two parties with one key would be one party."""

    code = "party.key_shared"
    family = Family.CONFLICT


def to_party(row: asyncpg.Record) -> PartyRecord:
    """The record of one row."""
    return msgspec.convert(dict(row) | {"public_key": row["public_key"].hex()}, PartyRecord)


async def _insert(new: NewParty, region: int, act: Act) -> PartyRecord:
    party = PartyRecord(
        **msgspec.structs.asdict(new),
        id=act.new_id(),
        region=region,
        active=True,
        created_at=act.at,
    )
    values = msgspec.structs.asdict(party) | {"public_key": bytes.fromhex(new.public_key)}
    async with DB.transaction():
        await Party.insert(Party({getattr(Party, name): v for name, v in values.items()}))
    await audit.record(
        act, "party.registered", "party", party.id, region=party.region, title=party.name
    )
    return party


async def register(new: NewParty, *, act: Act) -> PartyRecord:
    """Register a party for the draws of the caller's office.

    Raises: PartyTaken ("party.code_taken"), KeyShared ("party.key_shared").
    """
    if OPERATOR in (new.code, new.kind):
        raise PartyTaken(field="code", code=new.code)
    async with DB.transaction(act.by.scope):
        shared = await DB.connection.fetchval(
            "select code from party where region = $1 and public_key = $2 and active",
            act.by.region,
            bytes.fromhex(new.public_key),
        )
        if shared is not None:
            raise KeyShared(field="public_key", party=shared)
        try:
            return await _insert(new, act.by.region, act)
        except asyncpg.UniqueViolationError:
            raise PartyTaken(field="code", code=new.code) from None


async def operator(region: int, *, keys: Keyring, act: Act) -> None:
    """Make sure the product itself is a party of a region, with the server's own key."""
    key = keys.server.public
    added = await DB.connection.fetchval(
        OPERATOR_ROW, act.new_id(), region, OPERATOR, NAMES[OPERATOR], key, act.at
    )
    if added is not None:
        await audit.record(
            act, "party.registered", "party", added, region=region, title=NAMES[OPERATOR]
        )
        return
    changed = await DB.connection.fetchval(
        "update party set public_key = $3 where region = $1 and code = $2 and public_key <> $3"
        " returning id",
        region,
        OPERATOR,
        key,
    )
    if changed is not None:
        await audit.record(
            act, "party.key_changed", "party", changed, region=region, title=NAMES[OPERATOR]
        )


async def retire(party_id: UUID, *, act: Act) -> PartyRecord:
    """Let a party take part in no further draw. Raises: Absent ("thing.absent")."""
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(
            "update party set active = false where id = $1 returning *", party_id
        )
        if row is None:
            raise Absent
        party = to_party(row)
        await audit.record(
            act, "party.retired", "party", party.id, region=party.region, title=party.name
        )
    return party


async def parties(*, act: Act) -> tuple[PartyRecord, ...]:
    """All parties in the caller's regions, the newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch("select * from party order by id desc limit 200")
    return tuple(to_party(row) for row in rows)


async def require(codes: Collection[str], *, region: int) -> None:
    """Check inside a transaction that all parties but the operator are registered and active.

    Raises: PartyUnknown ("plan.party_unknown").
    """
    rows = await DB.connection.fetch(
        "select code from party where region = $1 and active and code = any ($2)",
        region,
        list(codes),
    )
    unknown = sorted(set(codes) - {row["code"] for row in rows} - {OPERATOR})
    if unknown:
        raise PartyUnknown(field="parties", unknown=unknown)


async def keys_of(codes: Collection[str], *, region: int) -> list[dict[str, str]]:
    """Code, kind and public key (hex) of parties, by code: what a freeze names.

    Source: draw.md section 9; settled 14.
    """
    rows = await DB.connection.fetch(
        "select code, kind, public_key from party where region = $1 and code = any ($2)"
        ' order by code collate "C"',
        region,
        list(codes),
    )
    return [
        {"party": row["code"], "kind": row["kind"], "key": row["public_key"].hex()} for row in rows
    ]


async def check_signature(code: str, message: bytes, signature: str, *, region: int) -> None:
    """Check a party's Ed25519 signature (hex) inside a transaction.

    Raises: Absent for an unknown party, "signature.invalid".
    """
    key = await DB.connection.fetchval(
        "select public_key from party where region = $1 and code = $2", region, code
    )
    if key is None:
        raise Absent
    verify_server(key, message, bytes.fromhex(signature))
