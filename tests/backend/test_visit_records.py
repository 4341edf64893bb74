"""The record by its sheet: what it lacks, the version it began with, the samples it drew."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.clock import new_id
from backend.piccolo_conf import DB
from backend.services import samples, sheet_versions, visit_lists, visit_records, visits
from backend.services.errors import Absent
from backend.services.sheet_versions import VersionLost
from inspection_plans import sampling
from inspection_plans.completeness import relevant_items
from inspection_plans.expressions import Known
from inspection_plans.loader import applied_sheet, jurisdiction_of
from inspection_plans.sheets import Sheet, canonical
from tests import field as worlds
from tests import world
from tests.backend import sheets
from tests.backend.desk import Desk
from tests.inspection_plans.test_checklist import good_answer
from tests.phone import Capture, Phone, answers_sha

PLACE = {"st": "ok", "crs": "wgs84", "n": 3, "lat": 371000000, "lon": 1221000000, "acc_cm": 900}


def todays(desk: Desk, code: str = "CV") -> Sheet:
    return applied_sheet(code, jurisdiction_of(world.SHANDONG), desk.clock().date())[0]


@pytest.fixture
async def field(desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection) -> worlds.Field:
    """A visit whose sheet is today's, with all that it asks for."""
    return await worlds.a_field(desk, client, owner, sheet="CV", version=todays(desk))


def told(sheet: Sheet, *but: str, **changes: Any) -> list[dict[str, Any]]:
    """Passing answers to every item that is asked of an offline lesson, excused from evidence."""
    left_out = {"CV-13", *but}
    return [
        {"item": item.code, "value": dict(good_answer(item).value or {}), "without": "未复制"}
        | changes
        for item in sheet.items
        if item.code not in left_out
    ]


async def record(
    phone: Phone, answers: list[dict[str, Any]], captures: tuple[Capture, ...] = (), known: int = 0
) -> None:
    """Answers, declarations but of the first ``known``, and the claim."""
    claim = {"items": [one.listed for one in captures], "answers_sha": answers_sha(answers)}
    results = await phone.send(
        phone.op("answer.set", {"answers": answers}),
        *(phone.op("evidence.declare", one.body) for one in captures[known:]),
        phone.op("visit.finalize", claim),
    )
    assert {one["result"] for one in results} == {"applied"}, results


async def missing(field: worlds.Field) -> tuple[str, ...]:
    view = await visit_lists.view(field.visit, act=field.desk.act)
    return view.waiting.missing


async def test_a_record_is_complete_when_its_sheet_is_satisfied(field: worlds.Field) -> None:
    phone, sheet = field.phone, todays(field.desk)
    await worlds.signed(phone, *field.inspectors[:2])
    await record(phone, told(sheet, "CV-05", "CV-14"))
    assert await field.state() == "submitted"
    assert await missing(field) == ("answer:CV-05",), "an opinion is nobody's duty"
    skipped = {"item": "CV-05", "skip": "could_not_check", "reason": "教师已离场"}
    await record(phone, sorted([*told(sheet, "CV-05"), skipped], key=lambda one: one["item"]))
    assert await field.state() == "complete"
    assert await missing(field) == ()


async def test_evidence_is_brought_or_its_lack_explained(field: worlds.Field) -> None:
    phone, sheet = field.phone, todays(field.desk)
    await worlds.signed(phone, *field.inspectors[:2])
    bare = [one | {"without": ""} if one["item"] == "CV-03" else one for one in told(sheet)]
    await record(phone, bare)
    assert set(await missing(field)) == {"capture:CV-03.photo", "capture:CV-03.attendance_record"}
    shots = [phone.capture(worlds.a_jpeg(n), item="CV-03") for n in (1, 2)]
    await record(phone, bare, (shots[0],))
    one_left = {f"evidence:{shots[0].id}", "capture:CV-03.attendance_record"}
    assert set(await missing(field)) == one_left, "a listed picture counts and is waited for"
    await record(phone, bare, tuple(shots), known=1)
    assert set(await missing(field)) == {f"evidence:{one.id}" for one in shots}
    await field.owner.execute("update evidence set state = 'verified'")
    product = await world.the_product(field.clock())
    assert await visits.complete_if_ready(field.visit, act=product, rules=field.desk.rules)
    assert await field.state() == "complete"


async def test_withdrawn_and_unlisted_pictures_satisfy_nothing(field: worlds.Field) -> None:
    phone, sheet = field.phone, todays(field.desk)
    bare = [one | {"without": ""} if one["item"] == "CV-03" else one for one in told(sheet)]
    shots = [phone.capture(worlds.a_jpeg(n), item="CV-03") for n in (1, 2)]
    await phone.send(*(phone.op("evidence.declare", one.body) for one in shots))
    await record(phone, bare)
    lacks = {"capture:CV-03.photo", "capture:CV-03.attendance_record"}
    assert lacks <= set(await missing(field))
    await field.owner.execute("update evidence set state = 'verified'")
    assert lacks <= set(await missing(field)), "a claim that does not list them is signed"
    await record(phone, bare, tuple(shots), known=2)
    assert not lacks & set(await missing(field))
    await field.owner.execute("update evidence set state = 'withdrawn'")
    assert lacks <= set(await missing(field))


async def test_interviews_and_the_check_in_serve_every_item(field: worlds.Field) -> None:
    phone, sheet = field.phone, todays(field.desk)
    await record(phone, [one | {"without": ""} for one in told(sheet)])
    lacks = set(await missing(field))
    assert {
        "capture:CV-01.location",
        "capture:CV-04.interview",
        "capture:CV-10.interview",
    } <= lacks
    talk = {"role": "trainee", "formal": False, "questions": [{"q": "贷款？", "a": "没有"}]}
    await phone.send(
        phone.op("visit.checkin", {"loc": PLACE, "chal": phone.task["challenge"]}),
        *(phone.op("interview.record", talk) for _ in range(2)),
    )
    lacks = set(await missing(field))
    assert "capture:CV-10.interview" in lacks, "three are asked for"
    assert not {"capture:CV-01.location", "capture:CV-04.interview"} & lacks
    await phone.send(phone.op("interview.record", talk))
    assert "capture:CV-10.interview" not in set(await missing(field))


async def test_a_value_beyond_its_bound_is_explained(field: worlds.Field) -> None:
    phone, sheet = field.phone, todays(field.desk)
    await worlds.signed(phone, *field.inspectors[:2])
    answers = told(sheet)
    asked = next(one for one in answers if one["item"] == "CV-10")
    asked["value"] = {"counts": {"asked": 6}, "ticked": ["none"]}
    await record(phone, answers)
    assert await missing(field) == ("bound:CV-10.0",)
    asked["reason"] = "另有一名学员课后到场"
    await record(phone, answers)
    assert await field.state() == "complete"


async def test_the_order_in_which_operations_come_decides_nothing(field: worlds.Field) -> None:
    phone, sheet = field.phone, todays(field.desk)
    answers = told(sheet)
    await phone.send(
        phone.op("visit.finalize", {"items": [], "answers_sha": answers_sha(answers)}),
    )
    assert await field.state() == "submitted"
    await phone.send(phone.op("answer.set", {"answers": answers[5:]}))
    await worlds.signed(phone, *field.inspectors[:2])
    assert await field.state() == "submitted"
    await phone.send(phone.op("answer.set", {"answers": answers[:5]}))
    assert await field.state() == "complete"


async def test_an_item_that_is_not_asked_makes_no_finding(field: worlds.Field) -> None:
    phone, sheet = field.phone, todays(field.desk)
    await worlds.signed(phone, *field.inspectors[:2])
    online = {"item": "CV-13", "value": {"counts": {"online": 9, "enrolled": 5}}, "without": "无"}
    answers = sorted([*told(sheet), online], key=lambda one: str(one["item"]))
    await record(phone, answers)
    assert await field.state() == "complete"
    verdict = await field.owner.fetchval("select verdict from answer where item = 'CV-13'")
    assert verdict == "fail", "the answer stays as it was given"
    assert await field.owner.fetchval("select count(*) from finding") == 0


def before(sheet: Sheet) -> Sheet:
    """The sheet of an earlier pack: one item more, another wording, no conditions."""
    first = sheet.items[0]
    gone = replace(first, code="CV-90", zh="（已废止的要点）", evidence=(), relevant=None)
    items = [replace(item, evidence=(), required=item.code == first.code) for item in sheet.items]
    return replace(sheet, items=(replace(items[0], zh="原来的提法"), *items[1:], gone))


async def test_a_visit_keeps_the_sheet_it_began_with(
    desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    old = before(todays(desk))
    assert old.version != todays(desk).version
    field = await worlds.a_field(desk, client, owner, sheet="CV", version=old)
    phone = field.phone
    bundle = await phone.fetch_task(field.visit)
    sent = bundle["sheets"][phone.task["sheet_digest"]]
    assert phone.task["sheet_digest"] == old.version
    assert [item["code"] for item in sent["items"]] == [item.code for item in old.items]
    assert sent["items"][0]["zh"] == "原来的提法"
    await worlds.signed(phone, *field.inspectors[:2])
    first = {"item": "CV-01", "value": {"result": "yes", "place": _place()}}
    failed = {"item": "CV-90", "value": {"result": "no", "place": _place()}, "reason": "否"}
    await record(phone, [failed])
    assert await missing(field) == ("answer:CV-01",)
    await record(phone, [first, failed])
    assert await field.state() == "complete"
    found = await owner.fetch("select item, title_zh, clauses from finding")
    assert [(one["item"], one["title_zh"]) for one in found] == [("CV-90", "（已废止的要点）")]
    assert found[0]["clauses"] == list(old.items[0].clauses)


def _place() -> dict[str, Any]:
    return {"lat": 371000000, "lon": 1221000000, "acc_cm": 900, "crs": "wgs84"}


async def test_a_sheet_that_the_packs_have_lost_is_still_read(
    desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    field = await worlds.a_field(desk, client, owner, sheet="CV", version=before(todays(desk)))
    content = await owner.fetchval("select content from sheet_version where sheet = 'CV'")
    assert content == canonical(before(todays(desk)))
    sheet_versions._read.clear()  # noqa: SLF001 - as after a restart
    (result,) = await field.phone.send(
        field.phone.op("answer.set", {"answers": [{"item": "CV-90", "skip": "not_applicable",
                                                   "reason": "已废止"}]})
    )  # fmt: skip
    assert result["result"] == "applied"


async def test_a_visit_without_a_kept_version_cannot_be_made(desk: Desk) -> None:
    await desk.take("institutions", sheets.an_institution())
    institution = await desk.id_of("institution")
    unknown = replace(todays(desk), zh="谁也没有存过")
    async with DB.transaction(desk.act.by.scope):
        new = visits.NewVisit(
            id=new_id(),
            region=world.SHANDONG,
            institution=institution,
            code="V-unknown",
            kind="class_session",
            unannounced=True,
            selection="random",
            sheet="CV",
            sheet_digest=unknown.version,
            jurisdiction=jurisdiction_of(world.SHANDONG),
            on_date=desk.clock().date(),
            sealed_until=desk.clock(),
            team=(),
        )
        with pytest.raises(VersionLost):
            await visits.create([new], act=desk.act)


async def test_content_that_is_not_its_digest_is_not_kept(owner: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(
            "insert into sheet_version values ($1, 'CV', '{}'::bytea, now())", "ab" * 32
        )


async def a_class_visit(desk: Desk, field: worlds.Field) -> UUID:
    """A second visit of the team, about the class whose roster is filed."""
    return await worlds.a_visit(
        desk,
        field.institution,
        field.inspectors[:2],
        sheet="CV",
        version=todays(desk),
        kind="class_session",
        training_class=await worlds.a_class(desk),
    )


async def test_a_sample_is_drawn_once_and_can_be_drawn_again(
    desk: Desk, field: worlds.Field, owner: asyncpg.Connection
) -> None:
    visit = await a_class_visit(desk, field)
    tasks = [await one.fetch_task(visit) for one in field.phones]
    bundles = [next(t for t in one["tasks"] if t["visit"] == str(visit)) for one in tasks]
    seeds = {one["sample_seed"] for one in bundles}
    assert len(seeds) == 1
    drawn = [one["samples"] for one in bundles]
    assert drawn[0] == drawn[1], "both phones are told the same people"
    (roster,) = drawn[0]
    trainees = await owner.fetch("select id, roster_no from trainee")
    assert (roster["label"], roster["population"]) == ("roster", worlds.ROSTER)
    again = sampling.sample(seeds.pop(), "roster", [str(row["id"]) for row in trainees], 5)
    assert [one["id"] for one in roster["chosen"]] == list(again)
    assert all(one["shown"] for one in roster["chosen"])
    kept = await samples.of_visit(visit, act=desk.act)
    assert [(one.label, one.wanted, one.holds) for one in kept.samples] == [("roster", 5, True)]
    assert [str(one) for one in kept.samples[0].chosen] == list(again)


async def test_a_changed_roster_does_not_change_a_sample(
    desk: Desk, field: worlds.Field, owner: asyncpg.Connection
) -> None:
    visit = await a_class_visit(desk, field)
    before_it = await field.phone.fetch_task(visit)
    await desk.take("rosters", *(sheets.a_trainee(1, n) for n in range(1, worlds.ROSTER + 49)))
    assert await owner.fetchval("select count(*) from trainee") == worlds.ROSTER + 48
    after_it = await field.phone.fetch_task(visit)
    first, second = (
        next(task["samples"] for task in one["tasks"] if task["visit"] == str(visit))
        for one in (before_it, after_it)
    )
    assert [one["id"] for one in first[0]["chosen"]] == [one["id"] for one in second[0]["chosen"]]
    assert second[0]["population"] == worlds.ROSTER


async def test_a_sample_that_was_tampered_with_does_not_hold(
    desk: Desk, field: worlds.Field, owner: asyncpg.Connection
) -> None:
    visit = await a_class_visit(desk, field)
    await field.phone.fetch_task(visit)
    await owner.execute("update visit_sample set chosen = population[1:5] where visit = $1", visit)
    kept = await samples.of_visit(visit, act=desk.act)
    assert [one.holds for one in kept.samples] == [False]


async def test_seeds_differ_and_nothing_filed_is_not_drawn(
    desk: Desk, field: worlds.Field, owner: asyncpg.Connection
) -> None:
    other = await worlds.a_visit(desk, field.institution, field.inspectors[:2])
    seeds = await owner.fetch("select sample_seed from visit")
    assert len({row["sample_seed"] for row in seeds}) == 2
    await field.phone.fetch_task(other)
    assert await owner.fetchval("select count(*) from visit_sample") == 0


async def test_a_visit_made_before_there_were_seeds_gets_one(
    field: worlds.Field, owner: asyncpg.Connection
) -> None:
    await owner.execute("update visit set sample_seed = null")
    bundle = await field.phone.fetch_task(field.visit)
    seed = bundle["tasks"][0]["sample_seed"]
    assert len(seed) == 64
    again = await field.phone.fetch_task(field.visit)
    assert again["tasks"][0]["sample_seed"] == seed


async def test_samples_stay_with_the_office(desk: Desk, field: worlds.Field) -> None:
    visit = await a_class_visit(desk, field)
    await field.phone.fetch_task(visit)
    stranger = await world.a_person(desk.clock(), "supervisor", region=world.SHANXI)
    with pytest.raises(Absent):
        await samples.of_visit(visit, act=stranger.act(desk.clock()))
    sealed = await worlds.a_visit(
        desk,
        field.institution,
        field.inspectors[:2],
        sealed_until=desk.clock() + timedelta(hours=1),
    )
    with pytest.raises(Absent):
        await samples.of_visit(sealed, act=desk.act)


async def test_the_task_tells_what_conditions_ask_for(desk: Desk, field: worlds.Field) -> None:
    bundle = await field.phone.fetch_task(field.visit)
    async with DB.transaction(desk.act.by.scope):
        facts = await visit_records.facts_of(field.visit)
    assert bundle["tasks"][0]["facts"] == facts
    assert facts["kind"] == "training_site"
    assert facts["places"] == ["CN-37", "national"]
    assert facts["remote"] is False
    assert set(facts["institution_kinds"]) <= {"training", "evaluation"}


async def test_the_office_sees_the_points_of_a_document_review(
    desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    sheet = todays(desk, "DC")
    field = await worlds.a_field(
        desk, client, owner, sheet="DC", version=sheet, kind="document_review"
    )
    phone = field.phone
    await phone.send(
        phone.op(
            "answer.set",
            {
                "answers": [
                    {"item": "DC-02", "value": {"result": "yes"}},
                    {"item": "DC-03", "value": {"result": "no"}},
                    {"item": "DC-04", "skip": "could_not_check", "reason": "合同未交"},
                ]
            },
        )
    )
    headers = await world.signed_in(client, desk.who)
    answer = await client.get(f"/api/v1/visits/{field.visit}", headers=headers)
    view = answer.json()
    assert view["score"]["points"] == 5
    async with DB.transaction(desk.act.by.scope):
        facts = await visit_records.facts_of(field.visit)
    asked = relevant_items(sheet, Known(facts=facts))
    worth = {item.code: item.points or 0 for item in sheet.items}
    assert view["score"]["possible"] == sum(worth[code] for code in asked)
    assert view["score"]["open"] == view["score"]["possible"] - 5 - worth["DC-03"]
    assert len(view["samples"]["seed"]) == 64
    assert view["samples"]["samples"] == []
    second = field.phones[1]
    await second.send(
        second.op("answer.set", {"answers": [{"item": "DC-02", "value": {"result": "no"}}]})
    )
    again = await client.get(f"/api/v1/visits/{field.visit}", headers=headers)
    assert again.json()["score"]["points"] == 0, "where devices disagree the gravest counts"
