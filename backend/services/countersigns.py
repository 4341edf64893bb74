"""Countersignatures 副署: parties sign the log's head at freeze and result; gaps show."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import ceremony, drawrows, parties, signatures
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.phrases import phrase
from backend.services.records.draws import DrawRecord, Head
from backend.services.texts import Language

PRINTED = 16


async def countersign(
    draw_id: UUID, party: str, head: str, signature: str, *, act: Act
) -> DrawRecord:
    """Keep a party's signature over a head of this draw's log; printed and exported with it.

    Raises: NotAParty ("draw.not_a_party"), HeadUnknown ("draw.head_unknown"),
    "signature.invalid".
    """
    async with DB.transaction(act.by.scope):
        draw = await drawrows.lock(draw_id)
        if party not in draw.parties:
            raise ceremony.NotAParty(field="party", parties=list(draw.parties))
        await ceremony.check_head(draw, head)
        await parties.check_signature(party, bytes.fromhex(head), signature, region=draw.region)
        at_head = msgspec.structs.replace(draw, head=head)
        await drawrows.countersign(at_head, party, bytes.fromhex(signature), act=act)
        await drawrows.record(draw, "countersigned", act=act, reason=party)
        await drawrows.show(draw, act=act, full=await drawrows.shown(draw))
    return draw


def _line(draw: DrawRecord, printed: str, silent: Sequence[str], language: Language) -> str:
    signed = [party for party in draw.parties if party not in silent]
    nobody = phrase("nobody", language)
    between = "、" if language == "zh" else ", "
    return phrase(
        "draw_head",
        language,
        code=draw.code,
        attempt=draw.attempt,
        head=" ".join(printed[place : place + 4] for place in range(0, PRINTED, 4)),
        signed=between.join(signed) or nobody,
        unsigned=between.join(silent) or nobody,
    )


async def head(draw_id: UUID, *, act: Act, origin: str) -> Head:
    """What a notice prints of a draw: the first digits of the head of its freeze or result.

    Raises: Absent ("thing.absent").  Source: draw.md section 9.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow("select * from draw where id = $1", draw_id)
        if row is None:
            raise Absent
        draw = drawrows.to_draw(row)
        stations = await signatures.stations(draw_id)
        silent = await signatures.unsigned(draw)
    if not stations:
        raise Absent
    kind, full = stations[-1]["type"], stations[-1]["hash"]
    printed = full[:PRINTED]
    return Head(
        draw=draw.code,
        attempt=draw.attempt,
        station=kind,
        head=full,
        printed=printed,
        latest=draw.head,
        address=f"{origin}/api/v1/public/draws/{draw.code}?attempt={draw.attempt}",
        zh=_line(draw, printed, silent[kind], "zh"),
        en=_line(draw, printed, silent[kind], "en"),
        unsigned=silent,
    )


async def remind(*, act: Act) -> int:
    """Note, once a day, every open attempt that still waits for somebody; how many there are."""
    async with DB.transaction(act.by.scope):
        rows = await DB.connection.fetch(
            "select * from draw where state = 'frozen' and reveal_by >= $1 order by id", act.at
        )
        for row in rows:
            draw = drawrows.to_draw(row)
            awaited = drawrows.missing(draw, await drawrows.shares(draw.id))
            await drawrows.record(draw, "reminded", act=act, reason=", ".join(awaited))
    return len(rows)
