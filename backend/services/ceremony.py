"""The ceremony of a draw: everybody commits, the named chance is entered, everybody reveals."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from backend.db.tables.draws import Draw, DrawShare
from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import chains, deposits, drawrows, parties, tasks
from backend.services.act import Act
from backend.services.chains import Link
from backend.services.entropy import check_due, check_value
from backend.services.errors import ServiceRefusal
from backend.services.frames import Token
from backend.services.planchecks import OPERATOR
from backend.services.records.draws import Announced, DrawRecord
from inspection_plans import states
from inspection_plans.draw.digest import hexdigest
from inspection_plans.draw.links import link_secret
from inspection_plans.draw.seed import commitment, tagged
from inspection_plans.errors import Family
from inspection_plans.states import Noun
from media.keys import wrap

SHARE = """
insert into draw_share (draw, party, region, commitment, secret, committed_at)
values ($1, $2, $3, $4, $5, $6)
"""
LINK = """
update draw_share set chain = $3, link_index = $4, link = $5 where draw = $1 and party = $2
"""
COMMIT_TAG = tagged("ssj1.commit")


class NotAParty(ServiceRefusal):
    """This draw has no such party; parties are named at the freeze."""

    code = "draw.not_a_party"
    family = Family.CONFLICT


class Committed(ServiceRefusal):
    """The party has committed already; a second, different commitment would be a choice."""

    code = "draw.committed"
    family = Family.CONFLICT


class CommitsMissing(ServiceRefusal):
    """Chance may be entered only after every party has committed."""

    code = "draw.commits_missing"
    family = Family.CONFLICT


class Unannounced(ServiceRefusal):
    """This source was not named at the freeze; choosing it now would be a choice."""

    code = "draw.entropy_unannounced"
    family = Family.CONFLICT


class EntropyGiven(ServiceRefusal):
    """The source has another value already."""

    code = "draw.entropy_given"
    family = Family.CONFLICT


class RevealEarly(ServiceRefusal):
    """Nobody reveals before every commitment and every named chance is in."""

    code = "draw.reveal_early"
    family = Family.CONFLICT


class RevealMismatch(ServiceRefusal):
    """What is revealed does not open the party's commitment."""

    code = "draw.reveal_mismatch"


class RevealLate(ServiceRefusal):
    """The deadline is over; the attempt is made void and names who was missing."""

    code = "draw.reveal_late"
    family = Family.CONFLICT


class HeadUnknown(ServiceRefusal):
    """What was signed is not the hash of an entry about this draw."""

    code = "draw.head_unknown"


async def _share(
    draw: DrawRecord, party: str, commits: str, secret: bytes | None, act: Act
) -> None:
    await DB.connection.execute(SHARE, draw.id, party, draw.region, commits, secret, act.at)


async def _keep_link(draw: DrawRecord, party: str, link: Link, *, keys: Keyring) -> None:
    sealed = wrap(keys.kek, bytes.fromhex(link.value))
    await DB.connection.execute(LINK, draw.id, party, link.chain, link.index, sealed)


async def _commit_operator(
    draw: DrawRecord, *, keys: Keyring, token: Token, act: Act
) -> DrawRecord:
    """Commit for the product itself; its secret is sealed here, so only an outage withholds it.

    Source: draw.md section 3.5.
    """
    year = await drawrows.year_of(draw)
    link = await chains.operator_link(draw, year, keys=keys, token=token, act=act)
    secret = link_secret(draw.alg, link.value)
    commits = commitment(draw.alg, draw.code, draw.attempt, OPERATOR, secret)
    await _share(draw, OPERATOR, commits, wrap(keys.kek, bytes.fromhex(secret)), act)
    await _keep_link(draw, OPERATOR, link, keys=keys)
    signature = keys.server.sign(COMMIT_TAG + bytes.fromhex(commits)).hex()
    body = {"party": OPERATOR, "commitment": commits, "signature": signature}
    return await drawrows.note(draw, "commit", body, act=act)


async def _commit_deposits(draw: DrawRecord, *, keys: Keyring, act: Act) -> DrawRecord:
    """Commit for the parties that left a link for this attempt, with the signature they left."""
    for one in await deposits.take(draw, act=act, keys=keys):
        await _share(
            draw, one.party, one.commitment, wrap(keys.kek, bytes.fromhex(one.secret)), act
        )
        await _keep_link(draw, one.party, one.link, keys=keys)
        body = {"party": one.party, "commitment": one.commitment, "signature": one.signature}
        draw = await drawrows.note(draw, "commit", body, act=act)
        await drawrows.record(draw, "committed", act=act, reason=f"{one.party}: deposit")
    return draw


async def begin(draw: DrawRecord, *, keys: Keyring, token: Token, act: Act) -> DrawRecord:
    """Open the ceremony of an attempt that was just frozen; unattended parties commit at once.

    Raises: ChainExhausted ("chain.exhausted").
    """
    await drawrows.sign_as_operator(draw, keys=keys, act=act)
    await drawrows.record(draw, "frozen", act=act)
    draw = await _commit_operator(draw, keys=keys, token=token, act=act)
    draw = await _commit_deposits(draw, keys=keys, act=act)
    await tasks.enqueue(
        "draw.expire",
        {"draw": str(draw.id)},
        region=draw.region,
        at=act.at,
        run_at=draw.reveal_by + timedelta(seconds=1),
    )
    return await advance(draw, keys=keys, act=act)


async def commit(
    draw_id: UUID, party: str, commits: str, signature: str, *, act: Act, keys: Keyring
) -> DrawRecord:
    """Take a party's commitment (hex), signed by its key over tag and commitment.

    Raises: NotAParty, Committed, "signature.invalid", "draw.wrong_state".
    """
    async with DB.transaction(act.by.scope):
        draw = await drawrows.lock(draw_id)
        states.require(Noun.DRAW, draw.state, "reveal")
        if party not in draw.parties or party == OPERATOR:
            raise NotAParty(field="party", parties=list(draw.parties))
        signed = COMMIT_TAG + bytes.fromhex(commits)
        await parties.check_signature(party, signed, signature, region=draw.region)
        for share in await drawrows.shares(draw_id):
            if share.party == party and share.commitment == commits:
                return draw
            if share.party == party:
                raise Committed(field="party", committed_at=share.committed_at.isoformat())
        await _share(draw, party, commits, None, act)
        body = {"party": party, "commitment": commits, "signature": signature}
        draw = await drawrows.note(draw, "commit", body, act=act)
        await drawrows.record(draw, "committed", act=act, reason=party)
        return await advance(draw, keys=keys, act=act)


async def enter(
    draw_id: UUID,
    source: str,
    ref: str,
    value: str,
    witnesses: Sequence[str],
    *,
    act: Act,
    keys: Keyring,
) -> DrawRecord:
    """Enter the value of a source named at the freeze; the last one lets the operator reveal.

    Raises: CommitsMissing, Unannounced, EntropyGiven, "draw.dice_invalid", "draw.value_invalid",
    "draw.value_early".
    Source: draw.md sections 3.3 and 3.4.
    """
    async with DB.transaction(act.by.scope):
        draw = await drawrows.lock(draw_id)
        states.require(Noun.DRAW, draw.state, "reveal")
        awaited = drawrows.missing(draw, await drawrows.shares(draw_id))
        if any(item.startswith("commit:") for item in awaited):
            raise CommitsMissing(missing=list(awaited))
        one = next((e for e in draw.entropy if (e.source, e.ref) == (source, ref)), None)
        if one is None:
            raise Unannounced(field="ref", announced=msgspec.to_builtins(draw.entropy))
        check_due(source, ref, at=act.at)
        entered = Announced(source, ref, value, check_value(source, value, witnesses))
        if one == entered:
            return draw
        if one.value is not None:
            raise EntropyGiven(field="value", source=source, ref=ref)
        entropy = tuple(entered if e is one else e for e in draw.entropy)
        await Draw.update({Draw.entropy: msgspec.to_builtins(entropy)}).where(Draw.id == draw_id)
        body = {name: value for name, value in msgspec.to_builtins(entered).items() if value}
        draw = msgspec.structs.replace(draw, entropy=entropy)
        draw = await drawrows.note(draw, "entropy", body, act=act)
        await drawrows.record(draw, "entropy_entered", act=act, reason=f"{source}: {ref}")
        return await advance(draw, keys=keys, act=act)


async def _reveal(
    draw: DrawRecord,
    party: str,
    secret: bytes,
    signed: Sequence[tuple[str, str, str]],
    *,
    keys: Keyring,
    act: Act,
) -> DrawRecord:
    """Keep a secret that opens its commitment; the log gets its digest alone until disclosure.

    ``signed`` are (party, head, signature) of those present; nobody is where a link was left.
    """
    await DrawShare.update(
        {DrawShare.secret: wrap(keys.kek, secret), DrawShare.revealed_at: act.at}
    ).where((DrawShare.draw == draw.id) & (DrawShare.party == party))
    body = {
        "party": party,
        "digest": hexdigest(draw.alg, secret),
        "countersigned": [
            {"party": who, "head": head, "signature": signature} for who, head, signature in signed
        ],
    }
    draw = await drawrows.note(draw, "reveal", body, act=act)
    await drawrows.record(draw, "secret_revealed", act=act, reason=party)
    return draw


async def reveal(  # noqa: PLR0913 - what a party sends, as it sends it
    draw_id: UUID,
    party: str,
    secret: str,
    *,
    head: str,
    signature: str,
    act: Act,
    keys: Keyring,
    link: str | None = None,
) -> DrawRecord:
    """Take a party's secret (hex) with its signature over a head of this draw's log.

    A party that has left a chain for the year gives the ``link`` its secret derives from.
    Raises: NotAParty, RevealEarly, RevealLate, RevealMismatch, HeadUnknown, LinkWrong,
    "signature.invalid", "draw.wrong_state".  Source: draw.md sections 3.1, 3.3, 3.5.
    """
    async with DB.transaction(act.by.scope):
        draw = await drawrows.lock(draw_id)
        shares = await drawrows.shares(draw_id)
        share = next((one for one in shares if one.party == party), None)
        if party not in draw.parties or party == OPERATOR:
            raise NotAParty(field="party", parties=list(draw.parties))
        right = commitment(draw.alg, draw.code, draw.attempt, party, secret)
        if share is not None and share.commitment != right:
            raise RevealMismatch(field="secret")
        if share is not None and share.revealed_at is not None:
            return draw
        states.require(Noun.DRAW, draw.state, "reveal")
        awaited = drawrows.missing(draw, shares)
        if not all(item.startswith("reveal:") for item in awaited):
            raise RevealEarly(missing=list(awaited))
        if act.at > draw.reveal_by:
            raise RevealLate(reveal_by=draw.reveal_by.isoformat())
        await check_head(draw, head)
        await parties.check_signature(party, bytes.fromhex(head), signature, region=draw.region)
        year = await drawrows.year_of(draw)
        used = await chains.check_reveal(draw, year, party, secret, link, keys=keys)
        if used is not None:
            await _keep_link(draw, party, used, keys=keys)
        signed = [(party, head, signature)]
        await _reveal(draw, party, bytes.fromhex(secret), signed, keys=keys, act=act)
        return await advance(await drawrows.lock(draw_id), keys=keys, act=act)


async def check_head(draw: DrawRecord, head: str) -> None:
    """Check that an entry about this attempt has this hash. Raises: HeadUnknown."""
    known = await DB.connection.fetchval(
        "select true from draw_log where hash = $1 and draw = $2", head, draw.id
    )
    if not known:
        raise HeadUnknown(field="head", head=draw.head)


async def _reveal_sealed(draw: DrawRecord, *, keys: Keyring, act: Act) -> DrawRecord:
    """Reveal what rests sealed in the server: the operator's first, then links left in advance."""
    found = await drawrows.secrets(draw.id, keys=keys)
    open_shares = [one.party for one in await drawrows.shares(draw.id) if one.revealed_at is None]
    waiting = [party for party in open_shares if party in found]
    for party in sorted(waiting, key=lambda party: (party != OPERATOR, party)):
        head = draw.head
        mine = (OPERATOR, head, keys.server.sign(bytes.fromhex(head)).hex())
        signed = [mine] if party == OPERATOR else []
        draw = await _reveal(draw, party, bytes.fromhex(found[party]), signed, keys=keys, act=act)
    return draw


async def advance(draw: DrawRecord, *, keys: Keyring, act: Act) -> DrawRecord:
    """Do what has become possible: the operator reveals first, the last reveal orders the run."""
    awaited = drawrows.missing(draw, await drawrows.shares(draw.id))
    if awaited and all(item.startswith("reveal:") for item in awaited):
        draw = await _reveal_sealed(draw, keys=keys, act=act)
        awaited = drawrows.missing(draw, await drawrows.shares(draw.id))
    if not awaited:
        draw = await drawrows.move(draw, "reveal", {}, act=act)
        await tasks.enqueue(
            "draw.run",
            {"draw": str(draw.id)},
            region=draw.region,
            at=act.at,
            dedupe=str(draw.id),
        )
    await drawrows.show(draw, act=act)
    return draw
