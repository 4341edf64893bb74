"""Documents: numbered once, the same bytes for ever, read by anybody, told of by their code."""

import io
import json
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import asyncpg
import httpx
import pytest
from litestar import Litestar
from pypdf import PdfReader

from backend import jobs
from backend.clock import new_id, token
from backend.services import approvals, cases, documents, replies, service_proofs
from backend.services.documents import issuing, samples, templates
from backend.services.documents.issuing import Stamp
from backend.services.documents.press import Job, Unprintable, press
from backend.services.errors import Absent
from media.bucket import Bucket
from media.rooms import Room
from tests import casework, world
from tests import field as worlds
from tests.backend.desk import Desk
from tests.casework import Matter
from tests.conftest import StillClock, Work

ORIGIN = "https://mingcha.invalid"
LARGEST = 150_000


def a_stamp() -> Stamp:
    return Stamp(secret=token(16), origin=ORIGIN)


def words(pdf: bytes) -> str:
    """What a reader gets out of a PDF, without the breaks of its lines."""
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    return "".join("".join(pages).split())


async def printed(work: Work) -> None:
    while await jobs.printer.once(work.context):
        pass


@pytest.fixture
async def matter(app: Litestar, owner: asyncpg.Connection, clock: StillClock) -> Matter:  # noqa: ARG001
    return await casework.a_matter(owner, clock())


async def file_of(owner: asyncpg.Connection, s3: Bucket, ident: UUID) -> bytes:
    """The file of a document as the store holds it, held against its row."""
    row = await owner.fetchrow("select * from document where id = $1", ident)
    assert row["fault"] is None
    raw = s3.fetch(Room.EXPORTS, row["object_key"], limit=5_000_000)
    assert (sha256(raw).hexdigest(), len(raw)) == (row["sha256"], row["size"])
    return raw


async def test_every_kind_is_set_small_embedded_and_readable() -> None:
    sheets = [samples.job(templates.source(templates.own(k)), v.title) for k, v in KINDS]
    for (kind, described), done in zip(KINDS, await press(sheets), strict=True):
        assert len(done.pdf) <= LARGEST, kind
        reader = PdfReader(io.BytesIO(done.pdf))
        assert len(reader.pages) == done.pages
        width, height = (float(side) for side in reader.pages[0].mediabox[2:])
        assert (round(width), round(height)) == (595, 842)
        text = words(done.pdf)
        assert described.title in text, kind
        assert "示人社样字〔2026〕7号" in text, kind
        assert "3F7K2M9QX4TZ8W6BVN5RYCAH2E" in text, kind
        assert all_embedded(reader), kind


KINDS = sorted(templates.kinds().items())


def all_embedded(reader: PdfReader) -> bool:
    fonts = [
        font.get_object()
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index]
    ]
    descriptors = [
        font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object() for font in fonts
    ]
    return bool(fonts) and all({"/FontFile2", "/FontFile3"} & set(d) for d in descriptors)


async def test_a_line_holds_28_characters_and_a_page_22_lines() -> None:
    body = "#for n in range(50) [#box(width: 100%)[" + "检" * 28 + "]#linebreak()]"
    facts = samples.facts("x")
    (done,) = await press(
        [
            Job(
                source=templates.source("#set par(first-line-indent: 0pt)\n" + body),
                facts=facts,
                at=0,
            )
        ]
    )
    pages = PdfReader(io.BytesIO(done.pdf)).pages
    lines = [line for line in pages[0].extract_text().splitlines() if "检检" in line]
    assert [line.count("检") for line in lines] == [28] * 22


async def test_an_order_is_issued_set_and_fetched(
    matter: Matter,
    client: httpx.AsyncClient,
    clock: StillClock,
    work: Work,
    owner: asyncpg.Connection,
    s3: Bucket,
) -> None:
    notice = await casework.served(matter, clock())
    await work.drain()
    headers = await world.signed_in(client, matter.office.author)
    body = {"kind": "order", "matter": str(notice.id)}
    answer = await client.post("/api/v1/documents", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["number"] == (await numbers_of(owner))[0]
    path = f"/api/v1/documents/{made['id']}"
    early = await client.get(f"{path}/file", headers=headers)
    assert early.json()["code"] == "document.not_printed"
    twice = await client.post("/api/v1/documents", json=body, headers=headers)
    assert twice.json()["code"] == "document.already_issued"
    await printed(work)
    pdf = await file_of(owner, s3, UUID(made["id"]))
    text = words(pdf)
    for said in (made["number"], "海岬职业培训学校", "《职业教育法》第十一条", made["code"]):
        assert said in text
    head = await owner.fetchval("select max(size) from aud.checkpoint")
    assert f"第{head}条" in text
    place = await client.get(f"{path}/file", headers=headers, follow_redirects=False)
    assert place.status_code == 303
    public = (await client.get(f"/api/v1/public/documents/{made['code']}")).json()
    assert public == {
        "number": made["number"],
        "issued_on": "2026-03-02",
        "sha256": sha256(pdf).hexdigest(),
        "void": False,
    }
    never = await client.get("/api/v1/public/documents/" + "A" * 26)
    assert (never.status_code, never.json()["code"]) == (404, "thing.absent")
    verbs = await owner.fetch(
        "select body ->> 'verb' as verb, body ->> 'after_sha' as sha from aud.entry"
        " where body -> 'object' ->> 'id' = $1 order by id",
        made["id"],
    )
    assert [row["verb"] for row in verbs] == [
        "document.issued",
        "document.handed",
        "document.rendered",
        "document.fetched",
    ]
    assert verbs[2]["sha"] == public["sha256"]


async def test_the_paper_of_a_served_notice_is_with_the_party(
    matter: Matter, clock: StillClock, work: Work
) -> None:
    notice = await casework.approved(matter, clock())
    act, party = matter.office.author.act(clock()), matter.user.act(clock())
    await approvals.issue(notice.id, act=act)
    before = await issuing.issue("order", notice.id, act=act, stamp=a_stamp())
    with pytest.raises(Absent):
        await documents.get(before.id, act=party)
    await service_proofs.serve(notice.id, casework.by_hand(clock()), act=act)
    await work.drain()
    await jobs.following.once(work.context)
    seen = await documents.get(before.id, act=party)
    assert seen.handed == {"way": "in_person", "receiver": "李某", "refused": False}
    await documents.void(before.id, reason="x", act=matter.office.approver.act(clock()))
    after = await issuing.issue("order", notice.id, act=act, stamp=a_stamp())
    assert (await documents.get(after.id, act=party)).number == before.number


async def numbers_of(owner: asyncpg.Connection) -> list[str]:
    rows = await owner.fetch("select number from notice where number is not null order by id")
    return [row["number"] for row in rows]


async def test_set_again_it_is_the_same_whatever_its_template_says_today(
    matter: Matter, clock: StillClock, work: Work, owner: asyncpg.Connection, s3: Bucket
) -> None:
    act = matter.office.author.act(clock())
    one = await issuing.issue("result_statement", matter.visit, act=act, stamp=a_stamp())
    await printed(work)
    first = await file_of(owner, s3, one.id)
    await templates.save(
        "result_statement",
        "#heading-block()\n本局另有格式。#seal()",
        rev=0,
        note="新格式",
        act=act,
    )
    await owner.execute("update institution set name = '后来的名称'")
    await owner.execute("update finding set title_zh = '后来的标题'")
    clock.tick(days=30)
    await documents.print_again(one.id, act=act)
    await printed(work)
    assert await file_of(owner, s3, one.id) == first
    faults = await owner.fetch("select last_error from task where last_error is not null")
    assert faults == []
    await documents.void(one.id, reason="格式更换", act=matter.office.approver.act(clock()))
    two = await issuing.issue("result_statement", matter.visit, act=act, stamp=a_stamp())
    await printed(work)
    assert "本局另有格式" in words(await file_of(owner, s3, two.id))


async def test_a_void_document_keeps_its_number_and_says_so(
    matter: Matter,
    clock: StillClock,
    work: Work,
    owner: asyncpg.Connection,
    s3: Bucket,
    client: httpx.AsyncClient,
) -> None:
    act, boss = matter.office.author.act(clock()), matter.office.approver.act(clock())
    one = await issuing.issue("evidence_list", matter.visit, act=act, stamp=a_stamp())
    await documents.void(one.id, reason="清单有误", act=boss)
    two = await issuing.issue("evidence_list", matter.visit, act=act, stamp=a_stamp())
    assert [number.rpartition("〕")[2] for number in (one.number, two.number)] == ["1号", "2号"]
    with pytest.raises(documents.AlreadyVoid):
        await documents.void(one.id, reason="x", act=boss)
    await printed(work)
    await documents.link(one.id, act=act, bucket=s3)
    row = await owner.fetchrow("select * from document where id = $1", one.id)
    marked = s3.fetch(Room.EXPORTS, row["void_key"], limit=5_000_000)
    assert sha256(marked).hexdigest() == row["void_sha256"] != row["sha256"]
    assert "本文书已作废：2026-03-02清单有误" in words(marked)
    assert "作废" not in words(await file_of(owner, s3, one.id))
    told = (await client.get(f"/api/v1/public/documents/{one.code}")).json()
    assert (told["number"], told["void"], told["sha256"]) == (one.number, True, row["sha256"])


async def test_the_party_sees_what_was_handed_to_it_and_a_refusal_names_its_witness(
    matter: Matter, clock: StillClock, client: httpx.AsyncClient
) -> None:
    act = matter.office.author.act(clock())
    one = await issuing.issue("result_statement", matter.visit, act=act, stamp=a_stamp())
    listed = await issuing.issue("evidence_list", matter.visit, act=act, stamp=a_stamp())
    party = await world.signed_in(client, matter.user)
    path = f"/api/v1/documents/{one.id}"
    assert (await client.get(path, headers=party)).status_code == 404
    office = await world.signed_in(client, matter.office.author)
    refused = {"at": "2026-03-02T09:00:00+08:00", "reason": "负责人不在", "witness": "赵某"}
    answer = await client.post(f"{path}/hand-over", json=refused, headers=office)
    assert answer.json()["code"] == "document.hand_unclear"
    refused |= {"witness_title": "社区工作人员"}
    answer = await client.post(f"{path}/hand-over", json=refused, headers=office)
    assert answer.json()["handed"]["refused"] is True
    assert answer.json()["handed"]["witness"] == "赵某"
    seen = (await client.get(path, headers=party)).json()
    assert (seen["number"], seen["issued_by"]) == (one.number, None)
    kept = await client.post(
        f"/api/v1/documents/{listed.id}/hand-over", json=refused, headers=office
    )
    assert kept.json()["code"] == "document.not_for_party"
    stranger = await world.a_person(clock(), "supervisor", region=world.JINAN)
    with pytest.raises(Absent):
        await documents.get(one.id, act=stranger.act(clock()))
    issued = await client.post(
        "/api/v1/documents", json={"kind": "order", "matter": str(new_id())}, headers=office
    )
    assert issued.status_code == 404


async def test_words_of_users_are_never_source(
    matter: Matter, clock: StillClock, work: Work, owner: asyncpg.Connection, s3: Bucket
) -> None:
    evil = '#read("/etc/passwd") *x* $1/0$ \\ @none <pages> #panic()'
    await owner.execute("update finding set detail = $1", evil)
    act = matter.office.author.act(clock())
    one = await issuing.issue("result_statement", matter.visit, act=act, stamp=a_stamp())
    await printed(work)
    assert "".join(evil.split()) in words(await file_of(owner, s3, one.id))


@pytest.mark.parametrize(
    "body",
    [
        '#read("/etc/passwd")',
        '#read("../main.typ")',
        '#import "@preview/cetz:0.3.0"',
        "#d.nothing",
        "#panic()",
        '#text(font: "No Such Font")[x]',
        "#(",
    ],
)
async def test_a_template_reaches_nothing_and_must_compile(matter: Matter, body: str) -> None:
    act = matter.office.author.act(casework.START)
    with pytest.raises(Unprintable):
        await templates.save("order", body, rev=0, note="x", act=act)
    assert (await templates.current("order", act=act)).rev == 0


async def test_a_case_becomes_one_file_with_an_index(
    owner: asyncpg.Connection,
    app: Litestar,  # noqa: ARG001 - its lifespan holds the pools
    clock: StillClock,
    work: Work,
    s3: Bucket,
) -> None:
    matter = await casework.a_matter(owner, clock(), "TI_02")
    notice = await casework.served(matter, clock())
    act = matter.office.author.act(clock())
    said = replies.Words(kind="statement", text="当日有十二名学员在分教室上课。")
    party = matter.user.act(clock())
    draft = await replies.save(notice.id, new_id(), said, base=None, act=party)
    await replies.send(notice.id, (draft.id,), key=work.context.keys.server, act=party)
    case = await cases.open_critical((matter.findings[0].id,), reason="目录外开班", act=act)
    wanted = [
        ("visit_approval", matter.visit),
        ("visit_notice", matter.visit),
        ("order", notice.id),
        ("proof_of_service", notice.id),
        ("statement_record", draft.id),
    ]
    papers = [await issuing.issue(k, m, act=act, stamp=a_stamp()) for k, m in wanted]
    await printed(work)
    whole = await issuing.issue("case_index", case.id, act=act, stamp=a_stamp())
    await printed(work)
    pdf = await file_of(owner, s3, whole.id)
    held = [await documents.get(paper.id, act=act) for paper in papers]
    reader = PdfReader(io.BytesIO(pdf))
    pages = sum(one.pages or 0 for one in held)
    assert len(reader.pages) == pages + 1  # the index has one
    index = "".join(reader.pages[0].extract_text().split())
    assert all(one.number in index for one in held)
    assert all((one.sha256 or "x") in index for one in held)
    assert "当日有十二名学员" in words(pdf)


async def test_papers_of_a_visit_say_what_its_phones_recorded(
    desk: Desk,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    work: Work,
    clock: StillClock,
    s3: Bucket,
) -> None:
    clock.set(worlds_now())
    field = await worlds.a_field(desk, client, owner)
    phone, over = field.phone, "ab" * 32
    shot = phone.capture(worlds.a_jpeg(3))
    asked = [{"q": "共上了几次课？", "a": "六次，其中两次在线上。"}]
    refusal = {"role": "refusal", "reason": "需请示", "witness": "赵某", "over": over}
    spoken = phone.op("interview.record", {"role": "trainee", "formal": True, "questions": asked})
    things = [{"name": "签到簿", "count": "1册", "condition": "完好"}]
    kept = phone.op("preservation.list", {"things": things, "place": "302室", "keeper": "王某"})
    told = await phone.send(
        phone.op("visit.start", {}),
        phone.op(
            "certificate.shown",
            {"inspectors": [], "to": "校长"}
            | {"inspectors": [str(one) for one in field.inspectors[:2]]},
        ),
        spoken,
        kept,
        phone.op("signature.record", refusal),
        phone.op("evidence.declare", shot.body),
    )
    assert {one["result"] for one in told} == {"applied"}, told
    assert (await phone.upload(shot)).status_code == 200
    await phone.complete(shot)
    await work.drain()
    ops = {
        row["kind"]: row["op_id"]
        for row in await owner.fetch("select kind, op_id from visit_event")
    }
    office = await world.an_office(clock(), world.WEIHAI, "威人社")
    who = await world.a_person(clock(), "supervisor", region=world.SHANDONG, office=office)
    act = who.act(clock())
    made = {
        kind: await issuing.issue(kind, about, act=act, stamp=a_stamp())
        for kind, about in (
            ("onsite_record", field.visit),
            ("evidence_list", field.visit),
            ("interview_record", ops["interview.record"]),
            ("preservation_list", ops["preservation.list"]),
        )
    }
    await printed(work)
    texts = {kind: words(await file_of(owner, s3, one.id)) for kind, one in made.items()}
    assert "当事人拒绝签字" in texts["onsite_record"]
    assert "见证人：赵某" in texts["onsite_record"]
    assert shot.sha256[:32] in texts["evidence_list"]
    assert "附：照片（安全副本）" in texts["evidence_list"]
    assert "六次，其中两次在线上" in texts["interview_record"]
    assert "签到簿" in texts["preservation_list"]
    facts = json.loads(
        await owner.fetchval(
            "select convert_from(facts, 'UTF8') from document where kind = 'evidence_list'"
        )
    )
    (photo,) = facts["photos"]
    assert photo["original"] == shot.sha256 != photo["sha256"]
    with pytest.raises(Absent):  # nobody was called
        await issuing.issue("attendance_sheet", field.visit, act=act, stamp=a_stamp())


def worlds_now() -> datetime:

    return datetime.now(UTC)  # noqa: TID251 - the store judges an address by the real time
