"""Act 7: institutions reply with evidence; the office reviews, refuses, orders again, closes."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from uuid import UUID

from backend.services import cases, evidence, intake, replies, reviews, uploads
from backend.services.cases import Case
from backend.services.intake import Intake
from backend.services.replies import Words
from backend.services.reviews import Decision
from seed import images, people, pleas
from seed.casework import Matter, again, draft_of, through
from seed.field import Field
from seed.phone import JPEG, put

REPLIED_ON, DECIDED_ON, CLOSED_ON = date(2026, 5, 18), date(2026, 5, 22), date(2026, 6, 16)
UNMENDED = "loan"  # twice not accepted: a second order
ONCE_MORE = "refund_guarantee"  # once not accepted, then mended
SILENT = "out_of_catalogue"  # never answers: a case
STATES_CASE = "alliance"  # answers with a statement too, and has a case
AGAIN_DAYS = 10


@dataclass
class Ended:
    """How the matters ended."""

    replies: int = 0
    refused: int = 0
    second_orders: int = 0
    closed: int = 0
    extensions: int = 0
    upheld: int = 0
    cases: list[Case] = field(default_factory=list)


async def answer_all(here: Field, matters: list[Matter], done: Ended) -> None:
    """Every institution but the silent one replies; two of the replies do not satisfy."""
    here.stage.clock.move(REPLIED_ON)
    for matter in matters:
        if matter.trip.fate == pleas.ASKS_TIME:
            await pleas.more_time(here, matter)
            done.extensions += 1
        if matter.trip.fate == pleas.OBJECTS:
            await pleas.objection(here, matter)
            done.upheld += 1
        elif matter.trip.fate != SILENT:
            await reply(here, matter, "已按要求整改，附整改后照片。", done)
    here.stage.clock.move(DECIDED_ON)
    for matter in matters:
        if matter.trip.fate in (UNMENDED, ONCE_MORE):
            await decide(here, matter, "not_accepted", "照片未显示宣传品和合同已撤除", done)
            await _give_back(here, matter)
        elif matter.trip.fate not in (SILENT, pleas.OBJECTS):
            await decide(here, matter, "accepted", "", done)


async def reply(here: Field, matter: Matter, text: str, done: Ended) -> None:
    """The institution's user writes, sends a picture through the portal's lane, and sends."""
    stage, notice = here.stage, matter.notice
    user = await people.user_of(stage, here.cast, matter.trip.institution)
    piece = await _piece(here, matter, done)
    ids = [stage.ids()]
    words = Words(kind="rectified", text=text, finding=matter.findings[0].id, evidence=(piece,))
    await replies.save(notice.id, ids[0], words, base=None, act=stage.act(user))
    if matter.trip.fate == STATES_CASE:
        ids.append(stage.ids())
        stated = Words(kind="statement", text="联盟系总部对外合作名称，已全部停止使用。")
        await replies.save(notice.id, ids[1], stated, base=None, act=stage.act(user))
    key = stage.jobs.keys.server
    await replies.send(notice.id, tuple(ids), key=key, act=stage.act(user))
    done.replies += len(ids)
    await stage.drain()


async def _piece(here: Field, matter: Matter, done: Ended) -> UUID:
    """One picture of what was mended, pinned, sent and announced as any institution does it."""
    stage = here.stage
    user = await people.user_of(stage, here.cast, matter.trip.institution)
    seed = int.from_bytes(stage.secret("mended", matter.trip.code, done.replies)[:8])
    lines = (matter.trip.scene.name[:18], "已停止并撤除", f"编号 {seed % 10**8:08d}")
    raw = images.document("整改情况说明", lines, seed)
    piece = Intake(id=stage.ids(), sha256=sha256(raw).hexdigest(), size=len(raw), mime=JPEG)
    await intake.take(matter.notice.id, piece, act=stage.act(user), keys=stage.jobs.keys)
    address = await evidence.urls(piece.id, act=stage.act(user), bucket=stage.jobs.bucket)
    if address.put is not None:
        await put(here.store, address.put, raw)
    await uploads.complete(
        piece.id, act=stage.act(user), bucket=stage.jobs.bucket, spool=stage.jobs.spool
    )
    return piece.id


async def decide(here: Field, matter: Matter, outcome: str, reason: str, done: Ended) -> None:
    """The office takes the reply up and says what it thinks of every finding."""
    stage, region = here.stage, matter.trip.region
    notice = await again(here, matter, matter.notice.id)
    act = people.of(here.cast, region, "supervisor", stage)
    notice = matter.stand(await reviews.begin(notice.id, rev=notice.rev, act=act))
    for finding in matter.findings:
        said = Decision(
            finding=finding.id,
            outcome="accepted" if outcome == "accepted" else "not_accepted",
            reason=reason,
        )
        act = people.of(here.cast, region, "supervisor", stage)
        notice = matter.stand(await reviews.decide(notice.id, said, rev=notice.rev, act=act))
    done.refused += outcome != "accepted"


async def _give_back(here: Field, matter: Matter) -> None:
    notice, act = matter.notice, people.of(here.cast, matter.trip.region, "supervisor", here.stage)
    matter.stand(await reviews.return_reply(notice.id, rev=notice.rev, days=AGAIN_DAYS, act=act))


async def second_round(here: Field, matters: list[Matter], done: Ended) -> None:
    """The two reply again: one has mended, the other gets a second order and then mends."""
    here.stage.clock.move(DECIDED_ON + timedelta(days=5))
    for matter in matters:
        if matter.trip.fate == ONCE_MORE:
            await reply(here, matter, "海报已全部撤除，附前台照片。", done)
            await decide(here, matter, "accepted", "", done)
        if matter.trip.fate == UNMENDED:
            await reply(here, matter, "正在与合作方协商。", done)
            await decide(here, matter, "not_accepted", "贷款合同仍在履行", done)
            await _order_again(here, matter, done)


async def _order_again(here: Field, matter: Matter, done: Ended) -> None:
    notice, act = matter.notice, people.of(here.cast, matter.trip.region, "supervisor", here.stage)
    words = draft_of(matter, days=AGAIN_DAYS)
    new = await reviews.order_again(notice.id, words, rev=notice.rev, act=act)
    matter.notices.append(new)
    await through(here, matter)
    done.second_orders += 1
    here.stage.clock.move(DECIDED_ON + timedelta(days=12))
    await reply(here, matter, "贷款合同已全部解除并退款，附解除协议。", done)
    await decide(here, matter, "accepted", "", done)


async def open_cases(here: Field, matters: list[Matter], done: Ended) -> None:
    """A case about what goes beyond one place, and one about who never answered."""
    stage = here.stage
    for matter in matters:
        if matter.trip.fate == STATES_CASE:
            act = people.of(here.cast, matter.trip.region, "supervisor", stage)
            found = tuple(one.id for one in matter.findings)
            case = await cases.open_critical(found, reason="跨省开班，涉及他省", act=act)
            act = people.of(here.cast, matter.trip.region, "supervisor", stage)
            case = await cases.verify(case.id, act=act)
            done.cases.append(await pleas.stopped(here, matter, case))
    stage.clock.move(CLOSED_ON)
    for matter in matters:
        if matter.trip.fate == SILENT:
            done.cases.append(await _escalate(here, matter))


async def _escalate(here: Field, matter: Matter) -> Case:
    stage, region = here.stage, matter.trip.region
    notice = await again(here, matter, matter.notice.id)
    act = people.of(here.cast, region, "supervisor", stage)
    notice = await reviews.begin(notice.id, rev=notice.rev, act=act)
    act = people.of(here.cast, region, "supervisor", stage)
    case = await cases.open_from_notice(
        notice.id, rev=notice.rev, reason="逾期未改正，也未答复", act=act
    )
    matter.stand(await again(here, matter, notice.id))
    return case


async def close_all(here: Field, matters: list[Matter], done: Ended) -> None:
    """Another person closes what was accepted or withdrawn."""
    stage = here.stage
    stage.clock.move(CLOSED_ON)
    for matter in matters:
        if matter.trip.fate != SILENT:
            act = people.of(here.cast, matter.trip.region, "approver", stage)
            notice = matter.notice
            matter.stand(await reviews.close(notice.id, rev=notice.rev, act=act))
            done.closed += 1
