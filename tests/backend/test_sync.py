"""What phones are told of their tasks, and what the office is told of phones."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from backend.clock import new_id
from backend.piccolo_conf import DB
from backend.services import accounts, bundles, visit_records, visits, waiting
from backend.services.act import Act
from inspection_plans.library import Library
from tests import casework, world
from tests import field as worlds
from tests.backend import sheets
from tests.backend.desk import Desk
from tests.conftest import superuser
from tests.phone import Phone, answers_sha


@pytest.fixture
async def field(desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection) -> worlds.Field:
    return await worlds.a_field(desk, client, owner)


async def boss(field: worlds.Field) -> dict[str, str]:
    return await world.signed_in(field.http, field.desk.who)


async def told(phone: Phone, since: str = "0") -> dict[str, Any]:
    bundle: dict[str, Any] = await phone.get(f"/api/v1/tasks?since={since}")
    return bundle


def named(bundle: dict[str, Any]) -> list[str]:
    return [task["visit"] for task in bundle["tasks"]]


async def test_nothing_new_costs_no_row_and_keeps_the_cursor(field: worlds.Field) -> None:
    phone = field.phone
    first = await told(phone)
    assert (first["whole"], named(first)) == (True, [str(field.visit)])
    entries = await field.owner.fetchval("select count(*) from aud.entry")
    again = await told(phone, first["cursor"])
    assert (again["whole"], named(again), again["cursor"]) == (False, [], first["cursor"])
    assert await field.owner.fetchval("select count(*) from aud.entry") == entries


@pytest.mark.parametrize(
    "change",
    [
        "update visit set on_date = on_date + 1",
        "update institution set address = '新址'",
        "update inspector set name = '改名' where id = '{other}'",
        "update assignment set lead = not lead where inspector = '{other}'",
    ],
)
async def test_what_a_phone_is_told_of_is_told_again_when_it_changes(
    field: worlds.Field, change: str
) -> None:
    phone = field.phone
    cursor = (await told(phone))["cursor"]
    await field.owner.execute("update visit set gap_reason = '无关'")
    assert named(await told(phone, cursor)) == []
    await field.owner.execute(change.format(other=field.inspectors[1]))
    news = await told(phone, cursor)
    assert named(news) == [str(field.visit)]
    assert named(await told(phone, news["cursor"])) == []


async def test_a_roster_that_changes_is_told_again(
    desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await desk.take("institutions", sheets.an_institution())
    training_class = await worlds.a_class(desk)
    field = await worlds.a_field(
        desk, client, owner, kind="class_session", sheet="CV", training_class=training_class
    )
    first = await told(field.phone)
    await desk.take("rosters", sheets.a_trainee(1, worlds.ROSTER + 1))
    news = await told(field.phone, first["cursor"])
    assert [len(task["roster"]["trainees"]) for task in news["tasks"]] == [worlds.ROSTER + 1]


async def test_a_task_committed_late_is_not_missed(
    field: worlds.Field, desk: Desk, stack: Any
) -> None:
    """It is written before a phone asks and committed after: by any clock it would be older."""
    phone = field.phone
    other = await asyncpg.connect(superuser(stack))
    slow = other.transaction()
    await slow.start()
    await other.execute("update visit set code = 'SLOW' where id = $1", field.visit)
    cursor = (await told(phone))["cursor"]
    second = await worlds.a_visit(desk, field.institution, field.inspectors[:2])
    news = await told(phone, cursor)
    assert named(news) == [str(second)]
    await slow.commit()
    await other.close()
    late = await told(phone, news["cursor"])
    assert [task["code"] for task in late["tasks"] if task["visit"] == str(field.visit)] == [
        "SLOW"
    ]


async def test_a_cursor_from_before_a_restore_asks_for_everything(field: worlds.Field) -> None:
    phone = field.phone
    cursor = (await told(phone))["cursor"]
    assert (await told(phone, cursor))["whole"] is False
    await field.owner.execute("update device set cursors = '{}'")
    assert (await told(phone, cursor))["whole"] is True
    other = field.phones[1]
    assert (await told(other, (await told(phone))["cursor"]))["whole"] is True
    for wrong in ("x", "1-", "-1", "1-1-1", "9" * 21):
        answer = await phone.http.get(f"/api/v1/tasks?since={wrong}", headers=phone.headers)
        assert answer.status_code == 422, wrong
    assert (await told(phone, "1772000000000"))["whole"] is True


async def test_what_is_done_or_gone_is_told_once(field: worlds.Field) -> None:
    phone, other = field.phones
    cursors = [(await told(one))["cursor"] for one in (phone, other)]
    shut = {"outcome": "closed", "text": "无人"}
    await phone.send(phone.op("obstruction.record", shut))
    news = await told(other, cursors[1])
    assert (named(news), news["over"]) == ([], [{"visit": str(field.visit), "state": "closed"}])
    assert (await told(other, news["cursor"]))["over"] == []
    await phone.send(phone.op("recusal.declare", {"ground": "亲属"}))
    assert (await told(phone, cursors[0]))["gone"] == [str(field.visit)]


async def test_a_task_tells_what_is_on_record_of_its_institution(
    field: worlds.Field, desk: Desk
) -> None:
    [task] = (await told(field.phone))["tasks"]
    assert task["history"] == {"visits": 0, "past": [], "orders": []}
    matter = await casework.a_matter(field.owner, field.clock(), "TI_01", "TI_03")
    await casework.served(matter, field.clock())
    visit = await worlds.a_visit(desk, matter.institution, field.inspectors[:2])

    async def history() -> dict[str, Any]:
        found = {task["visit"]: task["history"] for task in (await told(field.phone))["tasks"]}
        told_of: dict[str, Any] = found[str(visit)]
        return told_of

    # A visit that is still in hand is nobody's to read on a phone; an order is.
    now = await history()
    assert (now["visits"], now["past"], len(now["orders"])) == (0, [], 1)
    assert now["orders"][0]["number"]
    assert now["orders"][0]["due_on"]
    await field.owner.execute("update visit set state = 'concluded' where id = $1", matter.visit)
    [past] = (await history())["past"]
    assert past["state"] == "concluded"
    assert [found["state"] for found in past["findings"]] == ["ordered", "ordered"]
    await field.owner.execute("update finding set state = 'dismissed'")
    assert (await history())["past"][0]["findings"] == []


async def test_questions_do_not_grow_with_tasks(
    field: worlds.Field, desk: Desk, rules: Library
) -> None:
    person = await person_of(field, field.phone)
    act = Act(by=person, at=field.clock(), new_id=new_id)
    keys = field.phone.http._transport.app.state.keyring  # type: ignore[attr-defined] # noqa: SLF001
    counts = []
    for _ in range(2):
        asked: list[str] = []
        async with DB.transaction(person.scope):
            link = DB.connection
            with link.query_logger(lambda record, asked=asked: asked.append(record.query)):
                found = await bundles.bundle("0", act=act, keys=keys, rules=rules)
        counts.append((len(found.tasks), len(asked)))
        for _ in range(6):
            await worlds.a_visit(desk, field.institution, field.inspectors[:2])
    assert [tasks for tasks, _ in counts] == [1, 7]
    # The first look at new ones opens them: one question more, for however many.
    assert counts[1][1] <= counts[0][1] + 1


async def person_of(field: worlds.Field, phone: Phone) -> Any:
    account = await field.owner.fetchval("select account from device where id = $1", phone.dev)
    person = await accounts.load_person(account, at=field.clock())
    assert person is not None
    return msgspec.structs.replace(person, device=phone.dev, device_spki=phone.key.spki)


async def beat(phone: Phone, **says: Any) -> httpx.Response:
    body = {"pending_count": 0, "pending_bytes": 0} | says
    return await phone.post("/api/v1/devices/me/heartbeat", msgspec.json.encode(body))


async def test_the_office_sees_who_holds_unsent_items(field: worlds.Field) -> None:
    phone, other = field.phones
    shots = [phone.capture(worlds.a_jpeg(n)) for n in (1, 2)]
    await phone.send(
        *(phone.op("evidence.declare", one.body) for one in shots),
        phone.op(
            "visit.finalize",
            {"items": [one.listed for one in shots], "answers_sha": answers_sha([])},
        ),
    )
    await field.owner.execute(
        "update evidence set state = 'verified' where id = $1", UUID(shots[0].id)
    )
    since = field.clock()
    pending = {"pending_count": 1, "pending_bytes": 900, "oldest_pending_at": since.isoformat()}
    one = pending | {"visit": str(field.visit)}
    assert (await beat(phone, **pending, tasks=[one])).status_code == 204
    for path, headers in (
        (f"/api/v1/visits/{field.visit}/holders", await boss(field)),
        (f"/api/v1/tasks/{field.visit}/holders", other.headers),
    ):
        answer = await field.http.get(path, headers=headers)
        found = {row["dev"]: row for row in answer.json()["holders"]}
        mine = found[str(phone.dev)]
        assert (mine["listed"], mine["due"], mine["announced"]) == (2, 1, 1)
        assert (mine["claimed"], mine["pending_count"], mine["level"]) == (True, 1, "none")
        assert (found[str(other.dev)]["took_part"], found[str(other.dev)]["due"]) == (False, 0)
    stranger = await worlds.a_phone(field.desk, field.http, field.inspectors[2])
    answer = await field.http.get(f"/api/v1/tasks/{field.visit}/holders", headers=stranger.headers)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("hours", "level", "overdue"), [(23, "none", 0), (24, "warning", 1), (72, "alarm", 1)]
)
async def test_what_stays_unsent_for_long_is_an_alarm(
    field: worlds.Field, hours: int, level: str, overdue: int
) -> None:
    phone = field.phone
    since = field.clock() - timedelta(hours=hours)
    await beat(phone, pending_count=3, pending_bytes=9, oldest_pending_at=since.isoformat())
    headers = await boss(field)
    every = (await field.http.get("/api/v1/devices", headers=headers)).json()["devices"]
    assert [(one["dev"], one["level"]) for one in every] == [(str(phone.dev), level)]
    late = await field.http.get("/api/v1/devices?overdue=true", headers=headers)
    assert len(late.json()["devices"]) == overdue
    lines = {one.matter: one.count for one in await waiting.lines(act=field.desk.act)}
    assert lines.get("unsent", 0) == overdue
    await beat(phone)
    assert (await field.http.get("/api/v1/devices", headers=headers)).json()["devices"] == []


async def test_a_wiped_phone_counts_anew_and_is_an_alarm(field: worlds.Field) -> None:
    phone = field.phone
    before = worlds.an_answer("TI-11"), worlds.an_answer("TI-12")
    for _ in range(4):
        await phone.send(phone.op("answer.set", {"answers": list(before)}))
    phone.inst_epoch, phone.seq = "00112233445566bb", 0
    assert (await beat(phone, inst_epoch=phone.inst_epoch)).status_code == 204
    again = worlds.an_answer("TI-11", "no")
    await phone.send(phone.op("answer.set", {"answers": [again]}))
    rows = await field.owner.fetch("select item, verdict, wave from answer order by item")
    assert [tuple(row) for row in rows] == [("TI-11", "fail", 2), ("TI-12", "pass", 1)]
    headers = await boss(field)
    alarms = (await field.http.get("/api/v1/devices/alarms", headers=headers)).json()["alarms"]
    assert [(one["kind"], one["subject"]) for one in alarms] == [
        ("storage_wiped", phone.inst_epoch)
    ]
    path = f"/api/v1/devices/alarms/{alarms[0]['id']}/settling"
    done = await field.http.post(path, json={"reason": "重装系统"}, headers=headers)
    assert done.status_code == 204
    twice = await field.http.post(path, json={"reason": "重装系统"}, headers=headers)
    assert (twice.status_code, twice.json()["code"]) == (409, "device.alarm_settled")
    left = await field.http.get("/api/v1/devices/alarms", headers=headers)
    assert left.json() == {"alarms": []}
    await worlds.signed(phone, *field.inspectors[:2])
    claim = {"items": [], "answers_sha": answers_sha([again])}
    await phone.send(phone.op("visit.finalize", claim))
    assert await field.state() == "complete"


async def test_what_waited_is_applied_whichever_phone_brings_it(field: worlds.Field) -> None:
    phone, other = field.phones
    shot = other.capture(worlds.a_jpeg())
    paper = {
        "title": "签到表",
        "holder": "教务处",
        "pages": 1,
        "compared": True,
        "evidence": [shot.id],
    }
    early = await phone.send(phone.op("document.copy", paper))
    assert early[0]["result"] == "blocked"
    await other.send(other.op("evidence.declare", shot.body))
    row = await field.owner.fetchrow("select dev, inspector from visit_event")
    assert tuple(row) == (phone.dev, phone.inspector)
    body = await field.owner.fetchval(
        "select body from aud.entry where body ->> 'verb' = 'document.copy'"
    )
    assert msgspec.json.decode(body)["device"] == str(phone.dev)


async def test_a_contributors_captures_join_by_their_hashes(
    field: worlds.Field,
) -> None:
    recorder, other = field.phones
    listed, unlisted = (other.capture(worlds.a_jpeg(n)) for n in (1, 2))
    await worlds.signed(recorder, *field.inspectors[:2])
    joined = {"dev": str(other.dev), "items": [listed.listed]}
    claim = {"items": [listed.listed], "answers_sha": answers_sha([])}
    await recorder.send(
        recorder.op("contributor.list", joined), recorder.op("visit.finalize", claim)
    )
    view = await field.http.get(f"/api/v1/visits/{field.visit}", headers=await boss(field))
    assert view.json()["waiting"]["missing"] == [f"evidence:{listed.id}"]
    await other.send(
        *(other.op("evidence.declare", one.body) for one in (listed, unlisted)),
        other.op("visit.finalize", {"items": [], "answers_sha": answers_sha([])}),
    )
    await field.owner.execute("update evidence set state = 'verified'")
    product = await world.the_product(field.clock())
    assert await visits.complete_if_ready(field.visit, act=product, rules=field.desk.rules)
    path = f"/api/v1/visits/{field.visit}/evidence"
    found = await field.http.get(path, headers=await boss(field))
    flags = {
        one["id"]: (one["listed"], one["contributed"], one["after_signature"])
        for one in found.json()["evidence"]
    }
    assert flags == {listed.id: (True, True, False), unlisted.id: (False, False, True)}


async def test_an_update_that_is_forced_strands_nothing(field: worlds.Field) -> None:
    phone, shot = field.phone, field.phone.capture(worlds.a_jpeg())
    for version, status in (("0.0.9", 409), ("0.1.0", 200), ("0.1", 200), ("1", 200), ("x", 422)):
        headers = phone.headers | {"App-Version": version}
        answer = await field.http.get("/api/v1/tasks", headers=headers)
        assert answer.status_code == status, version
        assert status != 409 or answer.json()["code"] == "app.update_needed"
    phone.headers |= {"App-Version": "0.0.9"}
    told = await phone.send(phone.op("visit.start", {}), phone.op("evidence.declare", shot.body))
    assert [one["result"] for one in told] == ["applied", "applied"]
    urls = await phone.post(f"/api/v1/evidence/{shot.id}/urls")
    assert (urls.status_code, urls.json()["state"]) == (200, "uploading")
    assert (await beat(phone)).status_code == 204
    assert await phone.get("/api/v1/devices/me/receipts") == {"receipts": []}
    cursor = await phone.get(f"/api/v1/devices/me/cursor?inst_epoch={phone.inst_epoch}")
    assert cursor["max_contiguous"] == 2


async def disagreeing(field: worlds.Field, path: str, headers: dict[str, str]) -> dict[str, Any]:
    answer = await field.http.get(path, headers=headers)
    (found,) = answer.json()["disagreements"]
    one: dict[str, Any] = found
    return one


async def failing(field: worlds.Field) -> list[str]:
    async with DB.transaction(field.desk.act.by.scope, readonly=True):
        return [one.item for one in await visit_records.failing(field.visit)]


async def test_whose_answer_counts_is_said_and_no_row_is_lost(field: worlds.Field) -> None:
    one, other = field.phones
    same, good, bad = (
        worlds.an_answer(*pair) for pair in (("TI-12",), ("TI-11", "yes"), ("TI-11", "no"))
    )
    await one.send(one.op("answer.set", {"answers": [good, same]}))
    await other.send(other.op("answer.set", {"answers": [bad, same]}))
    office, own = f"/api/v1/visits/{field.visit}", f"/api/v1/tasks/{field.visit}"
    headers = await boss(field)
    first = await disagreeing(field, f"{office}/disagreements", headers)
    assert (first["item"], len(first["answers"]), first["choice"]) == ("TI-11", 2, None)
    assert await failing(field) == ["TI-11"], "both count unless somebody says"
    mine = msgspec.json.encode({"item": "TI-11", "keep": str(one.dev)})
    assert (await one.post(f"{own}/disagreements", mine)).status_code == 204
    assert await failing(field) == []
    second = await disagreeing(field, f"{own}/disagreements", other.headers)
    assert second["choice"]["keep"] == str(one.dev)
    both = {"item": "TI-11", "reason": "两人看法不同，均保留"}
    done = await field.http.post(f"{office}/disagreements", json=both, headers=headers)
    assert (done.status_code, await failing(field)) == (204, ["TI-11"])
    theirs = msgspec.json.encode({"item": "TI-11", "keep": str(one.dev)})
    await other.post(f"{own}/disagreements", theirs)
    await other.send(other.op("answer.set", {"answers": [bad | {"reason": "再次核对"}]}))
    assert await failing(field) == ["TI-11"], "a choice ends when what it compared changes"
    assert (await disagreeing(field, f"{own}/disagreements", one.headers))["choice"] is None
    assert (await field.held())["answer"] == 4
    for wrong in ({"item": "TI-99"}, {"item": "TI-11", "keep": str(new_id())}):
        refused = await field.http.post(f"{office}/disagreements", json=wrong, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (404, "thing.absent")
    stranger = await worlds.a_phone(field.desk, field.http, field.inspectors[2])
    foreign = await field.http.get(f"{own}/disagreements", headers=stranger.headers)
    assert foreign.status_code == 404
    assert await field.entries("answer.chosen") == 3
