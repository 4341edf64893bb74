"""One thing of every noun in Shandong, made as its own people make it."""

import io
import re
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import httpx
from litestar import Litestar

from backend import jobs
from backend.clock import new_id, token
from backend.piccolo_conf import DB
from backend.services import (
    case_steps,
    cases,
    consents,
    custody_acts,
    desk_review,
    dossiers,
    draws,
    exclusions,
    filings,
    import_orders,
    listings,
    packages,
    plans,
    publications,
    recounts,
    recusals,
    replies,
    simulations,
    withdrawals,
)
from backend.services.consents import NewConsent
from backend.services.documents import issuing
from backend.services.documents.issuing import Stamp
from backend.services.draw_events import Clerk
from backend.services.exclusions import NewExclusion
from backend.services.listings import NewExport
from backend.services.notifications import Matter, To, tell, webhooks
from backend.services.publications import Content
from backend.services.records.case_steps import Statement
from backend.services.records.draw_events import NewRecusal, NewWithdrawal
from backend.services.replies import Words
from inspection_plans.loader import load
from media.bucket import Bucket
from tests import casework, drawing
from tests.backend.desk import Desk
from tests.backend.sheets import ONE_OF_EACH
from tests.conftest import StillClock, Work
from tests.field import Field, a_class, a_field, a_jpeg, an_answer, signed, submitted
from tests.ports import free_port
from tests.world import SHANDONG, the_product

HEADS = {"roster": "ab" * 32, "present": 11, "absent": 1, "count": 11}
TRAINING_PLAN = {"items": [{"occupation": "ai", "persons": 100}]}
# Renewed by every call, or the same for everybody.
LIVELY = frozenset({"access_token", "session_kv", "rate_kv", "migration", "region", "occupation"})
# What a parameter means: the table and how the row is found there.
ROWS = {
    "account_id": "select account from device",
    "assignment_id": "select id from role_assignment where role = 'inspector'",
    "device_id": "select id from device",
    "device": "select dev from op",
    "evidence_id": "select id from evidence where state = 'sealed'",
    "upload_id": "select id from evidence where state = 'sealed'",
    "inspector_id": "select inspector from assignment",
    "class_id": "select id from training_class",
    "class_session": "select id from class_session",
    "party_id": "select id from party",
    "letter_id": "select id from dead_letter",
    "alarm_id": "select id from device_alarm",
    "ops": "select op_id from op_doubt",
    "keep": "select dev from op",
    "signal_id": "select id from signal",
    "ids": "select id from evidence where state = 'sealed'",
    "evidence": "select id from evidence where state = 'sealed'",
    "office": "select id from office",
    "run_id": "select id from import_run",
    "bad_record_id": "select id from bad_record",
    "recusal_id": "select id from office_recusal",
    "hit_id": "select id from desk_hit",
    "tip_id": "select id from tip",
    "message_id": "select id from message",
    "call_id": "select id from webhook_call",
    "tip_file_id": "select id from tip_file",
    "file_id": "select id from tip_file",
    "assignment": "select id from role_assignment where role = 'inspector'",
    "op_id": "select op_id from op_doubt",
}
# The papers of Shandong state none; a row is enough to try strangers at.
BAD_RECORD = """
insert into bad_record (id, region, institution, case_file, clause, reason, decided_on, entered_on,
  until_on, entered_by, entered_at) select $1, region, institution, id, 'x', 'x', $3::date,
  $3::date, $3::date + 1000, opened_by, opened_at from case_file where id = $2
"""
# Ended, so that the office goes on with its own matters.
ASIDE = """
insert into office_recusal (id, region, office, institution, ground, paper, decided_by, decided_at,
  ended_at, ended_by, ended_reason) select $1, c.region, a.office, c.institution, 'x', 'x', a.id,
  c.opened_at, c.opened_at, a.id, 'x' from case_file c join account a on a.id = c.opened_by
where c.id = $2
"""


@dataclass
class Estate:
    """The things' ids by the names that paths, queries and bodies use, and what betrays them."""

    http: httpx.AsyncClient
    owner: asyncpg.Connection
    clock: StillClock
    field: Field
    matter: casework.Matter
    ids: dict[str, UUID]
    marks: frozenset[str]


async def tables(owner: asyncpg.Connection) -> list[str]:
    """Every table whose rows a stranger must not change."""
    rows = await owner.fetch(
        "select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n"
        " on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname in ('public', 'aud')"
        " order by 1"
    )
    return [row["name"] for row in rows if row["name"].split(".")[1] not in LIVELY]


async def held(owner: asyncpg.Connection) -> dict[str, str]:
    """A digest of every table, behind the policies."""
    parts = [
        f"select '{name}' as name, md5(coalesce(string_agg(t::text, ',' order by t::text), ''))"  # noqa: S608 - names from the catalogue
        f" as digest from {name} t"
        for name in await tables(owner)
    ]
    rows = await owner.fetch(" union all ".join(parts))
    return {row["name"]: row["digest"] for row in rows}


async def marks_of(owner: asyncpg.Connection) -> frozenset[str]:
    """Every id there is, and the institutions' codes and names: none may reach a stranger."""
    found: set[str] = set()
    for name in await tables(owner):
        rows = await owner.fetch(f"select to_jsonb(t) ->> 'id' as id from {name} t")  # noqa: S608 - names from the catalogue
        found |= {row["id"] for row in rows if re.fullmatch("[0-9a-f-]{36}", row["id"] or "")}
    for row in await owner.fetch("select credit_code, name from institution"):
        found |= {row["credit_code"], row["name"]}
    return frozenset(found)


def text_of(answer: httpx.Response) -> str:
    """The words of an answer; those of a workbook unpacked."""
    if not answer.content.startswith(b"PK"):
        return answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        return "\n".join(book.read(name).decode("utf-8") for name in book.namelist())


async def an_estate(
    app: Litestar,
    http: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StillClock,
    work: Work,
) -> Estate:
    """Directories, a plan and a draw, a visit with sealed evidence, a matter with its papers."""
    office = await drawing.an_office(app, clock())
    seen = await a_field(Desk(office.supervisor, clock, load(), owner), http, owner)
    await a_class(seen.desk)
    for kind in ("catalogue", "relations", "sessions", "items"):
        await seen.desk.take(kind, *ONE_OF_EACH[kind])
    await _visited(seen, work.context.bucket, work)
    ids = {"visit_id": seen.visit, "institution_id": seen.institution}
    ids |= await _drawn(office, work, seen.institution)
    matter = await casework.a_matter(owner, clock())
    ids |= await _papers(owner, matter, clock)
    await _told(http, work)
    product = await the_product(clock())
    await desk_review.review(seen.institution, act=product, rules=load())
    asked = dossiers.NewDossier(visit=seen.visit, purpose="案件复核")
    ids["dossier_id"] = (await dossiers.order(asked, act=seen.desk.act)).id
    brought = await import_orders.order(
        "institutions", b"x", file_name="x.csv", dry_run=True, act=seen.desk.act
    )
    ids["order_id"] = brought.id
    ids |= await _in_custody(seen)
    ids |= await _sent(matter, clock, work)
    for name, sql in ROWS.items():
        ids[name] = await owner.fetchval(sql)
    missing = [name for name, found in ids.items() if found is None]
    assert not missing, f"the estate lacks {missing}"
    return Estate(http, owner, clock, seen, matter, ids, await marks_of(owner))


async def _told(http: httpx.AsyncClient, work: Work) -> None:
    """A tip with a file and a sealed sender."""
    said = {
        "category": "loan",
        "text": "报名当天被要求贷款缴费。",
        "about": "虚构机构",
        "region": SHANDONG,
        "identity": {"name": "虚构举报人", "contact": "000"},
    }
    code = (await http.post("/api/v1/public/tips", json=said)).json()["code"]
    headers = {"Tip-Code": code, "Content-Type": "application/pdf"}
    await http.post("/api/v1/public/tip/files", content=b"%PDF-1.4 x", headers=headers)
    await work.drain()


async def _sent(matter: casework.Matter, clock: StillClock, work: Work) -> dict[str, UUID]:
    """A document, an export, a message, and a webhook that was called."""
    act = matter.office.author.act(clock())
    stamp = Stamp(secret=token(16), origin="http://testserver")
    paper = await issuing.issue("result_statement", matter.visit, act=act, stamp=stamp)
    export = await listings.order(NewExport(list="notices", form="csv"), act=act)
    told = Matter(noun="visit", id=matter.visit, region=matter.office.region)
    async with DB.transaction(act.by.scope):
        person = To(accounts=(matter.office.legal.person.id,))
        await tell("visit.complete", told, to=person, act=act)
    host = f"localhost:{free_port()}"  # where nobody listens
    new = webhooks.NewWebhook(url=f"http://{host}/", events=("notice.served",), note="虚构平台")
    hook = await webhooks.add(new, act=act, hosts=(host,))
    await work.drain()
    while await jobs.following.once(work.context):
        pass
    return {"document_id": paper.id, "export_id": export.id, "webhook_id": hook.id}


async def _in_custody(seen: Field) -> dict[str, UUID]:
    """An act proposed on a piece, and an emergency package announced."""
    piece = await seen.owner.fetchval(ROWS["evidence_id"])
    proposed = await custody_acts.propose(piece, "void", "误拍", act=seen.desk.act)
    new = packages.NewPackage(sha256="ab" * 32, size=9)
    opened = await packages.open_package(new, host="one", act=seen.desk.act)
    recount = await recounts.order(seen.visit, piece, act=seen.desk.act)
    return {"act_id": proposed.id, "package_id": opened.id, "recount_id": recount}


async def _visited(seen: Field, bucket: Bucket, work: Work) -> None:
    """The phones record, upload and claim; then one operation is refused, one late, one double."""
    phone = seen.phone
    await signed(phone, *seen.inspectors[:2])
    # A wall clock that is an hour ahead is something for a reviewer; heads are counted again.
    ahead = {"wall": phone.now_ms + 3_600_000}
    capture = phone.capture(a_jpeg(), t=ahead, roll=HEADS)
    await submitted(seen, [capture], [an_answer()])
    await phone.post(f"/api/v1/evidence/{capture.id}/urls")
    place = bucket.presign_put(
        await seen.owner.fetchval("select object_key from evidence"),
        size=len(capture.raw),
        mime="image/jpeg",
        sha256_hex=capture.sha256,
        now=datetime.now(UTC),  # noqa: TID251 - the store judges an address by the real time
    )
    async with httpx.AsyncClient() as store:
        await store.put(place.url, content=capture.raw, headers=place.headers)
    await phone.complete(capture)
    await work.drain()
    late, ident = [{"answers": [an_answer(value=one)]} for one in ("no", "yes")], str(new_id())
    await phone.send(
        phone.op("visit.dance", {}),
        *(phone.op("answer.set", one, op_id=ident) for one in late),
    )
    seen.clock.tick(minutes=1)
    await work.drain()


async def _drawn(office: drawing.Office, work: Work, institution: UUID) -> dict[str, UUID]:
    await drawing.institutions(office.act, range(101, 107))
    await drawing.inspectors(office.act, range(101, 106))
    await drawing.a_party(office)
    plan = await drawing.an_approved_plan(office)
    draw = await drawing.a_frozen_draw(office, plan)
    await drawing.throw_dice(office, draw)
    await work.drain()
    waiting = await plans.create(drawing.a_draft(office.at, code="2026-Q2-01"), act=office.act)
    wish = NewExclusion(institution=institution, reason="正在接受巡视", paper="虚构函1号")
    excluded = await exclusions.propose(waiting.id, wish, act=office.act)
    simulated = await simulations.order(waiting.id, 3, act=office.act)
    made = await _events(office, draw.id)
    return made | {
        "plan_id": waiting.id,
        "plan": plan.id,
        "draw_id": draw.id,
        "exclusion_id": excluded.id,
        "simulation_id": simulated.id,
    }


async def _events(office: drawing.Office, draw: UUID) -> dict[str, UUID]:
    """A withdrawal proposed and an inspector released, at the hour of the last visit."""
    await draws.run(draw, act=office.act, keys=office.keys)
    async with DB.transaction(office.act.by.scope, readonly=True):
        rows = await DB.connection.fetch(
            "select v.id, v.sealed_until, a.inspector from visit v join assignment a"
            " on a.visit = v.id where v.draw = $1 order by v.code, a.place",
            draw,
        )
    office.at = max(row["sealed_until"] for row in rows)
    clerk = Clerk(office.act, office.keys, token)
    paper = NewWithdrawal(reason="moved", paper="虚构告知书", evidence_sha256="ab" * 32)
    proposed = await withdrawals.propose(rows[-1]["id"], paper, clerk=clerk)
    ground = NewRecusal(inspector=rows[0]["inspector"], cause="illness", ground="住院")
    asked = await recusals.ask(rows[0]["id"], ground, clerk=clerk)
    return {"withdrawal_id": proposed.id, "request_id": asked.id}


async def _papers(
    owner: asyncpg.Connection, matter: casework.Matter, clock: StillClock
) -> dict[str, UUID]:
    """A served order with a reply, a previewed publication, a case and a filing."""
    rules, act, user = load(), matter.office.author.act(clock()), matter.user.act(clock())
    notice = await casework.served(matter, clock())
    words = Words(kind="rectified", text="已经整改", finding=matter.findings[0].id)
    reply = await replies.save(notice.id, new_id(), words, base=None, act=user)
    await casework.concluded(owner, matter.visit, clock())
    preview = await publications.prepare(
        "result", matter.visit, Content(wordings=("correction_ordered",)), rules=rules, act=act
    )
    grave = await casework.another(owner, matter, clock(), "TI_02")
    case = await cases.open_critical((grave.findings[0].id,), reason="目录外开班", act=act)
    await owner.execute(BAD_RECORD, new_id(), case.id, clock().date())
    await owner.execute(ASIDE, new_id(), case.id)
    agreed = NewConsent(
        reference="确认书1", address="portal", receiver="王某", agreed_on=clock().date()
    )
    consent = await consents.record(matter.institution, agreed, act=act)
    said = Statement(text="已停止", stated_on=clock().date(), stated_by="校长", paper="笔录1")
    step = await case_steps.record(case.id, said, act=act)
    filing = await filings.save(
        matter.institution, "R06", "2026", TRAINING_PLAN, act=user, rules=rules
    )
    return {
        "notice_id": notice.id,
        "finding_id": matter.findings[0].id,
        "reply_id": reply.id,
        "publication_id": preview.id,
        "case_id": case.id,
        "consent_id": consent.id,
        "step_id": step.id,
        "filing_id": filing.id,
    }
