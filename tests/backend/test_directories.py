"""The directories over HTTP: who sees what, what was true on a day."""

from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.services import directories, versions
from backend.services.errors import Absent
from tests.backend.desk import Desk
from tests.backend.sheets import (
    a_credit_code,
    a_session,
    a_trainee,
    an_inspector,
    an_institution,
)
from tests.world import HEILONGJIANG, a_person, an_office, signed_in


async def get(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> Any:
    answer = await client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_institution_and_all_that_belongs_to_it(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    await desk.fill()
    headers = await signed_in(client, desk.who)
    (listed,) = await get(client, "/api/v1/institutions?search=虚构&kind=training", headers)
    one = await get(client, f"/api/v1/institutions/{listed['id']}", headers)
    (entry,) = await get(client, f"/api/v1/institutions/{listed['id']}/catalogue", headers)
    (held,) = await get(client, f"/api/v1/classes?institution={listed['id']}", headers)
    (lesson,) = await get(client, f"/api/v1/classes/{held['id']}/sessions", headers)
    (trainee,) = await get(client, f"/api/v1/classes/{held['id']}/roster", headers)
    assert one == listed
    assert (one["credit_code"], one["kinds"], one["lat_e7"], one["crs"], one["rev"]) == (
        a_credit_code(),
        ["training", "evaluation"],
        375130123,
        "gcj02",
        1,
    )
    assert (entry["occupation"], entry["levels"], entry["valid_until"]) == (
        "big-data",
        ["junior", "intermediate"],
        "2027-05-01",
    )
    assert (held["code"], held["mode"], held["status"]) == ("C001", "mixed", "running")
    assert (lesson["starts_at"], lesson["minutes"]) == ("2026-03-05T01:00:00Z", 150)
    assert (trainee["name"], trainee["id_tail"]) == ("虚构学员1", "001X")
    assert await get(client, f"/api/v1/classes/{held['id']}", headers) == held


async def test_an_inspector_and_the_declared_relations(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    await desk.fill()
    headers = await signed_in(client, desk.who)
    (listed,) = await get(client, "/api/v1/inspectors?search=S001", headers)
    (tie,) = await get(client, f"/api/v1/inspectors/{listed['id']}/relations", headers)
    assert await get(client, f"/api/v1/inspectors/{listed['id']}", headers) == listed
    assert (listed["lead"], listed["available"], listed["areas"]) == (True, True, [370100, 371000])
    assert (tie["institution"], tie["until"]) == (str(await desk.id_of("institution")), None)


async def test_the_list_of_inspection_items(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.fill()
    headers = await signed_in(client, desk.who)
    (item,) = await get(client, "/api/v1/items", headers)
    versions_of = await get(client, f"/api/v1/versions/inspection_item/{item['id']}", headers)
    assert (item["code"], item["way"], item["frequency_cap"]) == ("I01", "on_site", 2)
    assert versions_of[0]["payload"] == item


async def test_lists_go_on_after_the_last_id(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.take("institutions", *[an_institution(n) for n in range(1, 8)])
    headers = await signed_in(client, desk.who)
    seen: list[str] = []
    after = ""
    while page := await get(client, f"/api/v1/institutions?limit=3{after}", headers):
        seen += [row["id"] for row in page]
        after = f"&after={seen[-1]}"
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 7


@pytest.mark.parametrize(
    "path",
    [
        "institutions/{institution}",
        "institutions/{institution}/catalogue",
        "inspectors/{inspector}",
        "inspectors/{inspector}/relations",
        "classes/{training_class}",
        "classes/{training_class}/sessions",
        "classes/{training_class}/roster",
        "versions/institution/{institution}/on/2026-12-31",
    ],
)
async def test_another_province_sees_what_was_never_there(
    desk: Desk, client: httpx.AsyncClient, path: str
) -> None:
    await desk.fill()
    office = await an_office(desk.clock(), region=HEILONGJIANG, short_name="黑人社")
    stranger = await a_person(desk.clock(), "supervisor", region=HEILONGJIANG, office=office)
    headers = await signed_in(client, stranger)
    tables = ("institution", "inspector", "training_class")
    ids = {table: await desk.id_of(table) for table in tables}
    foreign = await client.get(f"/api/v1/{path.format(**ids)}", headers=headers)
    nothing = await client.get(
        f"/api/v1/{path.format(**dict.fromkeys(tables, UUID(int=7)))}", headers=headers
    )
    own = {"code": "thing.absent", "status": 404}
    assert {key: foreign.json()[key] for key in own} == own
    assert {**foreign.json(), "request_id": ""} == {**nothing.json(), "request_id": ""}
    for list_path in ("institutions", "inspectors", "items", "classes", "imports", "filings"):
        assert await get(client, f"/api/v1/{list_path}", headers) == []


async def test_an_institution_sees_itself_alone(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.fill()
    await desk.take("institutions", an_institution(2))
    mine = (await directories.institution_by_credit_code(a_credit_code(), act=desk.act)).id
    user = await a_person(desk.clock(), "institution_user", institution=mine)
    headers = await signed_in(client, user)
    (listed,) = await get(client, "/api/v1/institutions", headers)
    assert await get(client, "/api/v1/own/institution", headers) == listed
    assert listed["id"] == str(mine)
    assert len(await get(client, "/api/v1/classes", headers)) == 1
    roster = await get(
        client, f"/api/v1/versions/roster/{await desk.id_of('training_class')}", headers
    )
    assert [version["rev"] for version in roster] == [1]
    refused = await client.get("/api/v1/inspectors", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "person.denied")
    at = await desk.owner.fetchval("select id from inspector")
    hidden = await client.get(f"/api/v1/versions/inspector/{at}", headers=headers)
    assert hidden.json() == []


async def test_what_was_true_on_a_day(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.take("institutions", an_institution(risk_class="A"))
    institution = await desk.id_of("institution")
    first = desk.clock()
    desk.clock.tick(days=30)
    await desk.take("institutions", an_institution(risk_class="C"))
    headers = await signed_in(client, desk.who)
    base = f"/api/v1/versions/institution/{institution}"
    before = await client.get(f"{base}/on/2026-03-01", headers=headers)
    then = await get(client, f"{base}/on/2026-03-02", headers)
    now = await get(client, f"{base}/on/2026-04-30", headers)
    both = await get(client, base, headers)
    assert before.json()["code"] == "thing.absent"
    assert (then["rev"], then["payload"]["risk_class"]) == (1, "A")
    assert (now["rev"], now["payload"]["risk_class"]) == (2, "C")
    assert [version["rev"] for version in both] == [2, 1]
    assert (await versions.as_of("institution", institution, first, act=desk.act)).rev == 1
    assert [v["rev"] for v in await get(client, f"{base}?before=2", headers)] == [1]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_days_at_the_end_of_the_calendar(
    desk: Desk, client: httpx.AsyncClient, day: str
) -> None:
    headers = await signed_in(client, desk.who)
    answer = await client.get(
        f"/api/v1/versions/institution/{UUID(int=1)}/on/{day}", headers=headers
    )
    assert answer.json()["code"] == "thing.absent"


async def test_a_schedule_and_a_roster_have_versions_as_a_whole(desk: Desk) -> None:
    await desk.fill()
    await desk.take("rosters", a_trainee(roster_no=2), a_trainee(roster_no=3))
    await desk.take("sessions", a_session(starts="14:00", ends="16:00"))
    subject = await desk.id_of("training_class")
    roster = await versions.versions("roster", subject, act=desk.act)
    schedule = await versions.versions("schedule", subject, act=desk.act)
    assert [len(version.payload["entries"]) for version in roster] == [3, 1]
    assert [version.payload["entries"][0]["minutes"] for version in schedule] == [120, 150]


async def test_nothing_else_has_versions(desk: Desk) -> None:
    with pytest.raises(versions.KindUnknown):
        await versions.versions("account", UUID(int=1), act=desk.act)


async def test_an_inspector_is_linked_to_one_account(desk: Desk) -> None:
    await desk.take("inspectors", an_inspector(1), an_inspector(2))
    one, two = [row.id for row in await directories.inspectors(act=desk.act)]
    account = (await a_person(desk.clock(), "inspector")).person.id
    linked = await directories.link_account(one, account, act=desk.act)
    again = await directories.link_account(one, account, act=desk.act)
    assert (linked.account, linked.rev) == (account, 2)
    assert again == linked
    with pytest.raises(directories.Linked):
        await directories.link_account(two, account, act=desk.act)
    with pytest.raises(Absent):
        await directories.link_account(UUID(int=1), account, act=desk.act)
    history = await versions.versions("inspector", one, act=desk.act)
    assert [version.payload["account"] for version in history] == [str(account), None]
    person = await a_person(desk.clock(), "supervisor")
    assert (await desk.take("inspectors", an_inspector(2))).unchanged_count == 1
    assert person.person.inspector is None


async def test_the_table_itself_holds_the_bounds(owner: asyncpg.Connection, desk: Desk) -> None:
    await desk.fill()
    for bad in (
        "update institution set risk_class = 'E'",
        "update trainee set id_tail = '12345'",
        "update class_session set minutes = 0",
        "update catalogue_entry set valid_until = listed_on - 1",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute(bad)


async def test_regions_and_occupations_over_http(desk: Desk, client: httpx.AsyncClient) -> None:
    headers = await signed_in(client, desk.who)
    (nation,) = await get(client, "/api/v1/regions", headers)
    under = await get(client, f"/api/v1/regions?parent={nation['code']}", headers)
    weihai = await get(client, "/api/v1/regions/371000", headers)
    known = await get(client, "/api/v1/occupations", headers)
    assert (nation["code"], len(under), weihai["name_zh"]) == (100000, 34, "威海市")
    assert {row["code"] for row in known} >= {"ai", "big-data", "blockchain"}
    assert {tuple(row["levels"]) for row in known} == {("junior", "intermediate", "senior")}


async def test_an_institution_user_without_institution_owns_none(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    lost = await a_person(desk.clock(), "institution_user")
    answer = await client.get("/api/v1/own/institution", headers=await signed_in(client, lost))
    assert answer.json()["code"] == "thing.absent"
