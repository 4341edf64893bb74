"""Chains of secrets 随机数链: one tip a party and year, a link a draw, each link used once."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import audit, drawlog, parties
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from backend.services.frames import Token
from backend.services.planchecks import OPERATOR
from backend.services.records.chains import ChainRecord, NewChain
from backend.services.records.draws import DrawRecord
from inspection_plans import policy
from inspection_plans.draw.canon import canonical
from inspection_plans.draw.links import hashed, link_at, link_secret, steps
from inspection_plans.draw.seed import tagged
from inspection_plans.errors import Family
from inspection_plans.loader import jurisdiction_of
from media.keys import unwrap, wrap

CHAIN_TAG = tagged("ssj1.chain")
# More than an office draws in a year; a link costs one hash for each one after it.
OPERATOR_LINKS = 1000
LINK_BYTES = 32
ADD = """
insert into draw_chain (id, region, party, year, alg, tip, length, used, anchor, root,
  committed_at) values ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10) returning *
"""
OF = "select * from draw_chain where region = $1 and party = $2 and year = $3 for no key update"
USE = "update draw_chain set used = $2, anchor = $3 where id = $1"
# $1 region, $2 until: announced draws that have no attempt yet, with their parties.
DUE = """
select p.year, p.fire_at, party from plan p
  cross join lateral jsonb_array_elements_text(p.spec -> 'parties') party
where p.region = $1 and p.state = 'approved' and p.fire_at <= $2 order by p.fire_at, p.id
"""
# The highest link of a chain below which no draw is sealed any more.
OPENED = """
select c.party, c.tip, c.alg, s.link_index, s.link from draw_chain c
  join draw_share mine on mine.chain = c.id and mine.draw = $1
  cross join lateral (
    select link_index, link from draw_share where chain = c.id and link is not null
      and link_index < coalesce((select min(o.link_index) from draw_share o
        join draw d on d.id = o.draw
        where o.chain = c.id and d.state not in ('published', 'void')), 1 + c.length)
    order by link_index desc limit 1) s
order by c.party collate "C"
"""


class ChainExists(ServiceRefusal):
    """The party has a chain for the year; a second tip would be a choice."""

    code = "chain.exists"
    family = Family.CONFLICT


class ChainExhausted(ServiceRefusal):
    """Every link of the chain is used; another chain begins with the next year."""

    code = "chain.exhausted"
    family = Family.CONFLICT


class LinkWrong(ServiceRefusal):
    """What was given is no unused link of the party's chain, or not the secret of one."""

    code = "chain.link_wrong"


class Link(msgspec.Struct, frozen=True):
    """A link in use: of which chain, at which place, its value (hex)."""

    chain: UUID
    index: int
    value: str


def to_chain(row: asyncpg.Record) -> ChainRecord:
    """The record of one row, without its secrets."""
    fields = ChainRecord.__struct_fields__
    return ChainRecord(**{name: row[name] for name in fields if name in row.keys()})  # noqa: SIM118 - a driver's row


def signed_text(new: NewChain, alg: str) -> bytes:
    """What the party's key signs when it leaves a tip."""
    bound = {
        "alg": alg,
        "length": new.length,
        "party": new.party,
        "tip": new.tip,
        "year": new.year,
    }
    return CHAIN_TAG + canonical(bound).encode()


async def _announce(row: asyncpg.Record, signature: str, *, act: Act) -> None:
    """Write a tip into the year's public log: from now on no link can be chosen."""
    chain = {name: row[name] for name in ("party", "tip", "length")}
    body = {"chains": [{**chain, "signature": signature}]}
    await drawlog.register(row["region"], row["year"], [], alg=row["alg"], act=act, more=body)
    await audit.record(
        act,
        "chain.committed",
        "party",
        row["id"],
        region=row["region"],
        title=row["party"],
        after_sha256=row["tip"] if row["alg"] == "sha256" else "",
    )


async def commit(new: NewChain, *, alg: str, act: Act, keys: Keyring) -> ChainRecord:
    """Take the tip of a party's chain for a year; it stands in the public log, signed.

    Raises: Absent for an unknown party, ChainExists, "signature.invalid", "plan.digest_mixed".
    Source: draw.md section 3.5; settled 14.
    """
    region = act.by.region
    async with DB.transaction(act.by.scope):
        if new.party == OPERATOR:
            raise ChainExists(field="party", party=new.party)
        await parties.check_signature(
            new.party, signed_text(new, alg), new.signature, region=region
        )
        anchor = wrap(keys.kek, bytes.fromhex(new.tip))
        values = (new.party, new.year, alg, new.tip, new.length, anchor, None, act.at)
        try:
            async with DB.transaction():
                row = await DB.connection.fetchrow(ADD, act.new_id(), region, *values)
        except asyncpg.UniqueViolationError:
            raise ChainExists(field="year", party=new.party, year=new.year) from None
        await _announce(row, new.signature, act=act)
    return to_chain(row)


async def held(region: int, party: str, year: int) -> asyncpg.Record | None:
    """A party's chain of a year, locked: one draw after another takes its next link."""
    return await DB.connection.fetchrow(OF, region, party, year)


async def _operator(draw: DrawRecord, year: int, *, keys: Keyring, token: Token, act: Act) -> Any:  # noqa: ANN401 - a driver's row
    """The product's own chain: made once a year and region, its root sealed in the server."""
    found = await held(draw.region, OPERATOR, year)
    if found is not None:
        return found
    root = token(LINK_BYTES)
    tip = link_at(draw.alg, root.hex(), OPERATOR_LINKS, 0)
    new = NewChain(party=OPERATOR, year=year, tip=tip, length=OPERATOR_LINKS, signature="")
    anchor, sealed = wrap(keys.kek, bytes.fromhex(tip)), wrap(keys.kek, root)
    values = (OPERATOR, year, draw.alg, tip, OPERATOR_LINKS, anchor, sealed, act.at)
    row = await DB.connection.fetchrow(ADD, act.new_id(), draw.region, *values)
    await _announce(row, keys.server.sign(signed_text(new, draw.alg)).hex(), act=act)
    return row


async def operator_link(
    draw: DrawRecord, year: int, *, keys: Keyring, token: Token, act: Act
) -> Link:
    """Take the operator's next link; nobody chooses its secret draw by draw.

    Raises: ChainExhausted ("chain.exhausted").
    """
    row = await _operator(draw, year, keys=keys, token=token, act=act)
    index = row["used"] + 1
    if index > row["length"]:
        raise ChainExhausted(party=OPERATOR, length=row["length"])
    root = unwrap(keys.kek, row["root"]).hex()
    link = Link(row["id"], index, link_at(row["alg"], root, row["length"], index))
    await use(link, keys=keys)
    return link


async def use(link: Link, *, keys: Keyring) -> None:
    """Count a link as used: it and every one before it serve no further draw."""
    sealed = wrap(keys.kek, bytes.fromhex(link.value))
    await DB.connection.execute(USE, link.chain, link.index, sealed)


def place(row: asyncpg.Record, value: str, *, keys: Keyring) -> Link:
    """Where a link stands in a chain, seen from the last one used.

    Raises: LinkWrong ("chain.link_wrong") with the party's name.
    """
    anchor = unwrap(keys.kek, row["anchor"]).hex()
    count = steps(row["alg"], value, anchor, row["length"] - row["used"])
    if count is None:
        raise LinkWrong(field="link", party=row["party"], used=row["used"])
    return Link(row["id"], row["used"] + count, value)


async def check_reveal(
    draw: DrawRecord, year: int, party: str, secret: str, link: str | None, *, keys: Keyring
) -> Link | None:
    """Hold a revealed secret against the party's chain, where it has left one for the year.

    Raises: LinkWrong ("chain.link_wrong").
    """
    row = await held(draw.region, party, year)
    if row is None:
        return None
    if link is None or link_secret(row["alg"], link) != secret:
        raise LinkWrong(field="link", party=party, used=row["used"])
    found = place(row, link, keys=keys)
    await use(found, keys=keys)
    return found


async def opened(draw: DrawRecord, *, keys: Keyring) -> list[dict[str, Any]]:
    """The links that the disclosure of a draw can open, one a chain: no lower one is sealed.

    Every lower link follows from the one opened, so none is published twice.
    """
    rows = await DB.connection.fetch(OPENED, draw.id)
    return [
        {
            "party": row["party"],
            "tip": row["tip"],
            "index": row["link_index"],
            "link": unwrap(keys.kek, row["link"]).hex(),
        }
        for row in rows
    ]


async def _due(region: int, act: Act) -> list[asyncpg.Record]:
    days = policy.number("chain_warning_days", jurisdiction_of(region))
    found: list[asyncpg.Record] = await DB.connection.fetch(
        DUE, region, act.at + timedelta(days=days)
    )
    return found


def _with_due(chain: ChainRecord, due: Sequence[asyncpg.Record]) -> ChainRecord:
    days: list[date] = [
        on_day(row["fire_at"])
        for row in due
        if (row["party"], row["year"]) == (chain.party, chain.year)
    ]
    left = chain.length - chain.used
    ends = days[left] if len(days) > left else None
    return msgspec.structs.replace(chain, due=len(days), runs_out_on=ends)


async def _standing(act: Act) -> list[ChainRecord]:
    rows = await DB.connection.fetch("select * from draw_chain order by region, year, party")
    due = {region: await _due(region, act) for region in {row["region"] for row in rows}}
    return [_with_due(to_chain(row), due[row["region"]]) for row in rows]


async def chains(*, act: Act) -> tuple[ChainRecord, ...]:
    """All chains of the caller's regions, with the draws that will ask for links."""
    async with DB.transaction(act.by.scope, readonly=True):
        return tuple(await _standing(act))


async def warn(*, act: Act) -> int:
    """Tell, once a day, of each chain that will not last the draws due soon; how many.

    Source: draw.md section 3.5; the warning time is a setting.
    """
    async with DB.transaction(act.by.scope):
        short = [one for one in await _standing(act) if one.runs_out_on is not None]
        for one in short:
            await audit.record(
                act,
                "chain.running_out",
                "party",
                one.id,
                region=one.region,
                title=one.party,
                reason=f"{one.length - one.used} of {one.length} left, out on {one.runs_out_on}",
            )
    return len(short)


def derives(alg: str, tip: str, index: int, link: str) -> bool:
    """Whether an opened link leads to the tip that was announced."""
    return hashed(alg, link, index) == tip
