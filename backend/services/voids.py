"""Attempts without a result are made void: by two persons, or by a deadline; never silently."""

from collections.abc import Mapping
from unicodedata import normalize
from uuid import UUID

from backend.db.tables.draws import Draw
from backend.piccolo_conf import DB
from backend.services import drawrows
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from backend.services.records.draws import DrawRecord
from inspection_plans import gates
from inspection_plans.draw.canon import check_text
from inspection_plans.errors import Family
from inspection_plans.states import Noun


class InTime(ServiceRefusal):
    """The deadline is not over: nobody can be called missing."""

    code = "draw.in_time"
    family = Family.CONFLICT


class ResultStands(ServiceRefusal):
    """A draw with a result is never made void; nor is a void one made void again."""

    code = "draw.result_stands"
    family = Family.CONFLICT


class AllRevealed(ServiceRefusal):
    """Everybody has revealed: the result is settled, and to void it now would be to choose."""

    code = "draw.all_revealed"
    family = Family.GATE


class NotProposed(ServiceRefusal):
    """Making a draw void takes a proposal with a reason and a second person."""

    code = "draw.void_not_proposed"
    family = Family.GATE


async def propose(draw_id: UUID, reason: str, *, act: Act) -> DrawRecord:
    """Propose to make an attempt without a result void, with a reason the public will read.

    Raises: ResultStands ("draw.result_stands"), AllRevealed ("draw.all_revealed"), E_CONTROL,
    E_NFC.  Source: draw.md section 9 (void after all reveals known is red).
    """
    check_text(reason, "reason")
    async with DB.transaction(act.by.scope):
        draw = await drawrows.lock(draw_id)
        _without_result(draw)
        await Draw.update(
            {Draw.void_reason: reason.strip(), Draw.void_proposed_by: act.by.id}
        ).where(Draw.id == draw_id)
        await drawrows.record(draw, "void_proposed", act=act, reason=reason.strip())
        return await drawrows.lock(draw_id)


def _without_result(draw: DrawRecord) -> None:
    if draw.state == "revealed":
        raise AllRevealed(state=draw.state)
    if draw.state != "frozen":
        raise ResultStands(state=draw.state)


async def agree(draw_id: UUID, *, act: Act) -> DrawRecord:
    """Make an attempt void as proposed, by a second person; it stays visible with both names.

    Raises: ResultStands, AllRevealed, NotProposed, "draw.same_person".
    """
    async with DB.transaction(act.by.scope):
        draw = await drawrows.lock(draw_id)
        _without_result(draw)
        if draw.void_reason is None or draw.void_proposed_by is None:
            raise NotProposed
        gates.second_person(Noun.DRAW, author=draw.void_proposed_by, approver=act.by.id)
        proposer = await DB.connection.fetchval(
            "select display_name from account where id = $1", draw.void_proposed_by
        )
        body: dict[str, object] = {
            "party": None,
            "missing": [],
            "reason": draw.void_reason,
            "by": normalize("NFC", proposer),
            "second": normalize("NFC", act.by.name),
        }
        return await _void(draw, body, act=act, voided_by=act.by.id)


async def _void(
    draw: DrawRecord, body: Mapping[str, object], *, act: Act, voided_by: UUID | None
) -> DrawRecord:
    draw = await drawrows.note(draw, "void", body, act=act)
    reason = str(body["reason"])
    new: drawrows.Columns = {Draw.void_reason: reason, Draw.voided_by: voided_by}
    draw = await drawrows.move(draw, "void", new, act=act, reason=reason)
    await drawrows.show(draw, act=act)
    return draw


async def expire(draw_id: UUID, *, act: Act) -> DrawRecord:
    """Make an attempt void whose deadline is over, and name the parties that were missing.

    Never a default value in place of a missing one: that would hand over a free bit.
    Raises: InTime ("draw.in_time").  Source: draw.md section 3.5.
    """
    async with DB.transaction(act.by.scope):
        draw = await drawrows.lock(draw_id)
        if draw.state != "frozen":
            return draw
        if act.at <= draw.reveal_by:
            raise InTime(reveal_by=draw.reveal_by.isoformat())
        awaited = drawrows.missing(draw, await drawrows.shares(draw_id))
        blamed = [item.partition(":")[2] for item in awaited if not item.startswith("entropy:")]
        body = {
            "party": blamed[0] if blamed else None,
            "missing": blamed,
            "reason": f"deadline: {', '.join(awaited)}",
        }
        return await _void(draw, body, act=act, voided_by=None)
