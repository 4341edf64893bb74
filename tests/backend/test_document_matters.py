"""Documents about the rarer matters: each says what its rows say, and cites what they rest on."""

import io
from datetime import date
from uuid import UUID

import asyncpg
import httpx
import pytest
from litestar import Litestar
from pypdf import PdfReader

from backend import jobs
from backend.clock import new_id, token
from backend.services import case_deeds, publications, replies, reply_decisions
from backend.services.act import Act
from backend.services.documents import Document, issuing
from backend.services.documents.issuing import Stamp
from backend.services.errors import Absent
from backend.services.public_facts import Fact
from backend.services.publications import Content
from backend.services.records.case_steps import Decision, HandOver
from backend.services.reply_decisions import NewDecision
from inspection_plans.loader import load
from media.bucket import Bucket
from media.rooms import Room
from tests import casework, world
from tests import field as worlds
from tests.backend.desk import Desk
from tests.backend.test_case_deeds import TEXT, a_trial
from tests.conftest import StillClock, Work


async def issued(kind: str, matter: UUID, act: Act) -> Document:
    stamp = Stamp(secret=token(16), origin="https://mingcha.invalid")
    return await issuing.issue(kind, matter, act=act, stamp=stamp)


async def words(work: Work, owner: asyncpg.Connection, s3: Bucket) -> dict[str, str]:
    """What every document says once it is set, by number, without spaces."""
    while await jobs.printer.once(work.context):
        pass
    found = {}
    for row in await owner.fetch("select number, object_key, fault from document"):
        assert row["fault"] is None
        raw = s3.fetch(Room.EXPORTS, row["object_key"], limit=5_000_000)
        pages = PdfReader(io.BytesIO(raw)).pages
        found[row["number"]] = "".join("".join(page.extract_text() for page in pages).split())
    return found


async def test_letters_of_a_case_carry_the_numbers_of_their_steps(
    app: Litestar,  # noqa: ARG001 - its lifespan holds the pools
    owner: asyncpg.Connection,
    clock: StillClock,
    work: Work,
    s3: Bucket,
) -> None:
    trial = await a_trial(owner, clock)
    await trial.ready()
    proposed = await trial.propose()
    decision = Decision(
        removed=True, decided_on=trial.today, reference="项目办〔2026〕3号", catalogue_version="2"
    )
    await case_deeds.decide(trial.case.id, decision, act=trial.act("author"))
    letter = HandOver(
        receiver="市场监管部门", subject="虚假宣传", text="移交处理", handed_on=trial.today
    )
    handed = await case_deeds.hand_over(trial.case.id, letter, act=trial.act("approver"))
    act = trial.act("author")
    proposal = await issued("removal_proposal", proposed.id, act)
    moved = await issued("hand_over_letter", handed.id, act)
    with pytest.raises(Absent):  # a step of another kind
        await issued("hand_over_letter", proposed.id, act)
    assert (proposal.number, moved.number) == (proposed.number, handed.number)
    said = await words(work, owner, s3)
    assert TEXT in said[proposal.number]
    assert "本平台不会自行将任何机构移出目录" in said[proposal.number]
    assert "市场监管部门：" in said[moved.number]


async def test_an_extension_granted_or_not_is_a_decision_with_a_number(
    app: Litestar,  # noqa: ARG001 - its lifespan holds the pools
    owner: asyncpg.Connection,
    clock: StillClock,
    work: Work,
    s3: Bucket,
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    party, act = matter.user.act(clock()), matter.office.author.act(clock())
    numbers = []
    for granted in (True, False):
        asked = replies.Words(
            kind="extension", text="停电", finding=None, wanted_on=date(2026, 3, 27)
        )
        draft = await replies.save(notice.id, new_id(), asked, base=None, act=party)
        await replies.send(notice.id, (draft.id,), key=work.context.keys.server, act=party)
        with pytest.raises(Absent):  # nobody decided
            await issued("extension_decision", draft.id, act)
        new = NewDecision(granted=granted, reason="情况如述")
        other = matter.office.other.act(clock())
        try:
            await reply_decisions.decide(notice.id, draft.id, new, act=other)
        except reply_decisions.ExtendedOften:
            break
        numbers.append((await issued("extension_decision", draft.id, act)).number)
    assert numbers == ["威人社延期字〔2026〕1号", "威人社延期字〔2026〕2号"]
    said = await words(work, owner, s3)
    assert "准予延期" in said[numbers[0]]
    assert "延至2026年3月27日" in said[numbers[0]]
    assert "不予延期" in said[numbers[1]]


async def test_a_publication_is_printed_as_the_public_reads_it(
    app: Litestar,  # noqa: ARG001 - its lifespan holds the pools
    owner: asyncpg.Connection,
    clock: StillClock,
    work: Work,
    s3: Bucket,
) -> None:
    matter = await casework.a_matter(owner, clock())
    await casework.served(matter, clock())
    await casework.concluded(owner, matter.visit, clock())
    act, boss = matter.office.author.act(clock()), matter.office.approver.act(clock())
    fact = Fact(finding=matter.findings[0].id, text="未按备案的计划开班")
    content = Content(wordings=("correction_ordered",), facts=(fact,))
    preview = await publications.prepare("result", matter.visit, content, rules=load(), act=act)
    with pytest.raises(Absent):  # not public yet
        await issued("publication_notice", preview.id, act)
    await publications.approve(preview.id, digest=preview.digest, act=boss)
    done = await publications.publish(preview.id, act=act)
    paper = await issued("publication_notice", done.id, act)
    said = (await words(work, owner, s3))[paper.number]
    assert done.digest in said
    assert "发现问题已责令改正" in said
    assert "未按备案的计划开班" in said


async def test_a_roll_call_and_a_reinspection_are_printed(
    desk: Desk,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StillClock,
    work: Work,
    s3: Bucket,
) -> None:
    await desk.take("institutions", worlds.sheets.an_institution())
    group = await worlds.a_class(desk)
    field = await worlds.a_field(
        desk, client, owner, kind="class_session", sheet="CV", training_class=group
    )
    phone, roster = field.phone, field.phone.task["roster"]
    marks = [
        {"trainee": one["id"], "state": "absent" if n < 2 else "present"}
        for n, one in enumerate(roster["trainees"][:6])
    ]
    called = {
        "training_class": str(group),
        "roster": roster["sha256"],
        "marks": marks,
        "strangers": 1,
    }
    (told,) = await phone.send(phone.op("rollcall.record", called))
    assert told["result"] == "applied"
    office = await owner.fetchval("select office from account where id = $1", desk.who.person.id)
    assert office is not None
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    await owner.execute(
        "update visit set origin_notice = $2 where id = $1", matter.visit, notice.id
    )
    sheet = await issued("attendance_sheet", field.visit, desk.act)
    again = await issued("reinspection_record", matter.visit, matter.office.author.act(clock()))
    with pytest.raises(Absent):  # no re-inspection
        await issued("reinspection_record", field.visit, desk.act)
    said = await words(work, owner, s3)
    assert "全班至少有2人缺席" in said[sheet.number]
    assert notice.number is not None
    assert notice.number in said[again.number]
    assert sheet.region == world.SHANDONG
