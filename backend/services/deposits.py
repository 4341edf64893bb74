"""Links left in advance 预存链节: sealed for the server's key, so that a draw runs unattended."""

from hashlib import sha256
from uuid import UUID

import asyncpg
import msgspec

from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import audit, chains, parties
from backend.services.act import Act
from backend.services.chains import Link, LinkWrong
from backend.services.errors import ServiceRefusal
from backend.services.records.chains import DepositRecord, NewDeposit
from backend.services.records.draws import DrawRecord
from inspection_plans.draw.canon import canonical
from inspection_plans.draw.links import link_secret
from inspection_plans.draw.seed import commitment, tagged
from inspection_plans.errors import Family
from media.keys import SealBroken

DEPOSIT_TAG = tagged("ssj1.deposit")
BOX = b"ssj1.link"
PLAN = """
select year, spec -> 'parties' as parties from plan
where region = $1 and region || '-' || code = $2 and state in ('approved', 'running')
"""
ADD = """
insert into draw_deposit (id, region, chain, party, code, attempt, link_index, commitment,
  commit_signature, sealed, signature, deposited_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning *
"""
READY = """
select d.*, c.used, c.alg from draw_deposit d join draw_chain c on c.id = d.chain
where d.region = $1 and d.code = $2 and d.attempt = $3 and d.used_in is null
  and d.party = any ($4) order by d.party collate "C" for no key update of c
"""


class NotAnnounced(ServiceRefusal):
    """No approved plan has a draw of this code with this party."""

    code = "deposit.not_announced"
    family = Family.CONFLICT


class Deposited(ServiceRefusal):
    """The attempt, or the link, has a deposit already."""

    code = "deposit.exists"
    family = Family.CONFLICT


class Taken(msgspec.Struct, frozen=True):
    """A deposit as a draw takes it: the party's commitment, signature, link and secret (hex)."""

    party: str
    commitment: str
    signature: str
    link: Link
    secret: str


def signed_text(new: NewDeposit) -> bytes:
    """What the party's key signs beside the commitment: which link, for which attempt."""
    bound = {
        "attempt": new.attempt,
        "commitment": new.commitment,
        "draw": new.draw,
        "index": new.index,
        "party": new.party,
        "sealed": sha256(bytes.fromhex(new.sealed)).hexdigest(),
    }
    return DEPOSIT_TAG + canonical(bound).encode()


def to_deposit(row: asyncpg.Record) -> DepositRecord:
    """The record of one row, without what is sealed."""
    return DepositRecord(**{name: row[name] for name in DepositRecord.__struct_fields__})


def _open(sealed: bytes, party: str, *, keys: Keyring) -> str:
    try:
        return keys.box.open(sealed, BOX).hex()
    except SealBroken:
        raise LinkWrong(field="sealed", party=party) from None


async def deposit(new: NewDeposit, *, act: Act, keys: Keyring) -> DepositRecord:
    """Keep a link for one attempt of an announced draw; a wrong one is refused at once.

    Raises: Absent, NotAnnounced, LinkWrong ("chain.link_wrong"), Deposited,
    "signature.invalid".  Source: draw.md section 3.5; settled 14.
    """
    region = act.by.region
    async with DB.transaction(act.by.scope):
        plan = await DB.connection.fetchrow(PLAN, region, new.draw)
        if plan is None or new.party not in plan["parties"]:
            raise NotAnnounced(field="draw", draw=new.draw, party=new.party)
        await parties.check_signature(new.party, signed_text(new), new.signature, region=region)
        signed = tagged("ssj1.commit") + bytes.fromhex(new.commitment)
        await parties.check_signature(new.party, signed, new.commit_signature, region=region)
        row = await chains.held(region, new.party, plan["year"])
        if row is None:
            raise LinkWrong(field="index", party=new.party)
        sealed = bytes.fromhex(new.sealed)
        link = chains.place(row, _open(sealed, new.party, keys=keys), keys=keys)
        right = commitment(
            row["alg"], new.draw, new.attempt, new.party, link_secret(row["alg"], link.value)
        )
        if link.index != new.index or right != new.commitment:
            raise LinkWrong(field="commitment", party=new.party, index=link.index)
        values = (new.index, new.commitment, new.commit_signature, sealed, new.signature, act.at)
        try:
            async with DB.transaction():
                whose = (region, link.chain, new.party, new.draw, new.attempt)
                stored = await DB.connection.fetchrow(ADD, act.new_id(), *whose, *values)
        except asyncpg.UniqueViolationError:
            raise Deposited(field="index", draw=new.draw, index=new.index) from None
        await _record(act, "deposited", stored)
    return to_deposit(stored)


async def _record(act: Act, verb: str, row: asyncpg.Record) -> None:
    await audit.record(
        act,
        f"chain.{verb}",
        "party",
        row["chain"],
        region=row["region"],
        title=row["party"],
        rev=row["link_index"],
        reason=f"{row['code']} / {row['attempt']}",
    )


async def take(draw: DrawRecord, *, act: Act, keys: Keyring) -> list[Taken]:
    """The deposits that this attempt can use; each is used once, and only in the chain's order.

    One whose link was passed by is told of and left: a later draw has opened what follows it.
    """
    rows = await DB.connection.fetch(
        READY, draw.region, draw.code, draw.attempt, list(draw.parties)
    )
    found = []
    for row in rows:
        if row["link_index"] <= row["used"]:
            await _record(act, "link_passed", row)
            continue
        value = _open(row["sealed"], row["party"], keys=keys)
        link = Link(row["chain"], row["link_index"], value)
        await chains.use(link, keys=keys)
        await DB.connection.execute(
            "update draw_deposit set used_in = $2 where id = $1", row["id"], draw.id
        )
        secret = link_secret(row["alg"], value)
        found.append(Taken(row["party"], row["commitment"], row["commit_signature"], link, secret))
    return found


async def deposits(*, act: Act, after: UUID | None = None) -> tuple[DepositRecord, ...]:
    """A page of deposits of the caller's regions, the newest first; nothing sealed in them."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(
            "select * from draw_deposit where $1::uuid is null or id < $1 order by id desc"
            " limit 200",
            after,
        )
    return tuple(to_deposit(row) for row in rows)
