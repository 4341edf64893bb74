"""Sign-in, lock-out, tokens, roles and devices through the API."""

import asyncio
import base64
from datetime import timedelta

import asyncpg
import httpx
import pytest

from backend.services import accounts, offices
from media.keys import DeviceKey
from tests import world
from tests.conftest import StillClock

WRONG = {"login": "person-0", "password": "not the password"}


async def a_supervisor(clock: StillClock) -> world.Login:
    return await world.a_person(clock(), "supervisor")


async def test_health_names_the_regions(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/health")
    assert answer.status_code == 200
    assert answer.json()["regions"] > 300


async def test_sign_in_and_me(client: httpx.AsyncClient, clock: StillClock) -> None:
    who = await a_supervisor(clock)
    answer = await client.get("/api/v1/me", headers=await world.signed_in(client, who))
    assert answer.status_code == 200
    assert answer.json()["roles"] == ["supervisor"]
    assert answer.json()["region"] == world.SHANDONG


async def test_unknown_login_and_wrong_password_are_told_apart_by_nobody(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    who = await a_supervisor(clock)
    unknown = await client.post("/api/v1/sessions", json=WRONG)
    wrong = await client.post("/api/v1/sessions", json={**WRONG, "login": who.login})
    assert unknown.status_code == wrong.status_code == 403
    left, right = unknown.json(), wrong.json()
    assert left.pop("request_id") != right.pop("request_id")
    assert left == right
    assert left["code"] == "session.wrong_login"


async def test_five_wrong_passwords_lock_for_a_quarter_of_an_hour(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    who = await a_supervisor(clock)
    wrong = {"login": who.login, "password": "not the password"}
    for _ in range(5):
        assert (await client.post("/api/v1/sessions", json=wrong)).status_code == 403
    right = {"login": who.login, "password": who.password}
    locked = await client.post("/api/v1/sessions", json=right)
    assert (locked.status_code, locked.json()["code"]) == (429, "session.locked")
    clock.tick(minutes=15)
    assert (await client.post("/api/v1/sessions", json=right)).status_code == 201


async def test_wrong_passwords_at_once_are_all_counted(
    client: httpx.AsyncClient, clock: StillClock, owner: asyncpg.Connection
) -> None:
    who = await a_supervisor(clock)
    wrong = {"login": who.login, "password": "not the password"}
    await asyncio.gather(*(client.post("/api/v1/sessions", json=wrong) for _ in range(4)))
    count = await owner.fetchval("select failed_count from account where id = $1", who.person.id)
    assert count == 4


async def test_only_hashes_are_stored(
    client: httpx.AsyncClient, clock: StillClock, owner: asyncpg.Connection
) -> None:
    who = await a_supervisor(clock)
    body = {"login": who.login, "password": who.password}
    pair = (await client.post("/api/v1/sessions", json=body)).json()
    row = await owner.fetchrow("select * from access_token")
    assert row["hash"] == accounts.digest(pair["access"])
    assert row["refresh_hash"] == accounts.digest(pair["refresh"])
    stored = await owner.fetchval("select password_hash from account where id = $1", who.person.id)
    assert stored.startswith("$argon2id$")


async def test_an_access_token_ends_after_ten_minutes(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    headers = await world.signed_in(client, await a_supervisor(clock))
    clock.tick(minutes=9, seconds=59)
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 200
    clock.tick(seconds=5)
    over = await client.get("/api/v1/me", headers=headers)
    assert (over.status_code, over.json()["code"]) == (401, "person.unknown")


async def test_a_refresh_token_works_once_and_its_second_use_ends_everything(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    who = await a_supervisor(clock)
    body = {"login": who.login, "password": who.password}
    first = (await client.post("/api/v1/sessions", json=body)).json()
    renewal = {"refresh": first["refresh"]}
    second = (await client.post("/api/v1/sessions/renewal", json=renewal)).json()
    headers = {"Authorization": f"Bearer {second['access']}"}
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 200
    again = await client.post("/api/v1/sessions/renewal", json=renewal)
    assert (again.status_code, again.json()["code"]) == (403, "session.over")
    clock.tick(seconds=4)
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 401


async def test_signing_out_ends_the_token_at_once(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    headers = await world.signed_in(client, await a_supervisor(clock))
    assert (await client.post("/api/v1/sessions/end", headers=headers)).status_code == 204
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 401


async def test_a_disabled_account_is_out_within_five_seconds(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    who = await a_supervisor(clock)
    headers = await world.signed_in(client, who)
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 200
    admin = await world.signed_in(client, await world.a_person(clock(), "sysadmin"))
    closing = await client.post(f"/api/v1/accounts/{who.person.id}/closing", headers=admin)
    assert closing.status_code == 204
    clock.tick(seconds=5)
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 401


@pytest.mark.usefixtures("app")
async def test_a_role_ends_with_its_term(clock: StillClock) -> None:
    who = await a_supervisor(clock)
    product = await world.the_product(clock())
    until = accounts.on_day(clock())
    await accounts.assign_role(
        who.person.id, "approver", region=world.SHANDONG, act=product, until=until
    )
    today = await accounts.load_person(who.person.id, at=clock())
    tomorrow = await accounts.load_person(who.person.id, at=clock() + timedelta(days=1))
    assert today is not None
    assert tomorrow is not None
    assert today.roles == {"approver", "supervisor"}
    assert tomorrow.roles == {"supervisor"}


@pytest.mark.usefixtures("app")
async def test_a_region_role_sees_everything_below_it(clock: StillClock) -> None:
    province = await world.a_person(clock(), "supervisor", region=world.SHANDONG)
    city = await world.a_person(clock(), "supervisor", region=world.WEIHAI)
    assert world.WEIHAI in province.person.regions
    assert city.person.regions == (world.WEIHAI,)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("held", "wanted"),
    [("sysadmin", "secadmin"), ("auditadmin", "supervisor"), ("supervisor", "sysadmin")],
)
async def test_the_three_administrators_exclude_each_other(
    clock: StillClock, held: str, wanted: str
) -> None:
    who = await world.a_person(clock(), held)
    product = await world.the_product(clock())
    with pytest.raises(accounts.AdminsExclude):
        await accounts.assign_role(who.person.id, wanted, region=world.SHANDONG, act=product)
    after = await accounts.load_person(who.person.id, at=clock())
    assert after is not None
    assert after.roles == {held}


@pytest.mark.usefixtures("app")
async def test_an_empty_installation_is_settled_once(clock: StillClock) -> None:
    product = await world.the_product(clock())
    secrets = ("a" * 43, "b" * 43, "c" * 43)
    assert list(await offices.settle(secrets, act=product)) == [
        "sysadmin",
        "secadmin",
        "auditadmin",
    ]
    with pytest.raises(offices.AlreadySettled):
        await offices.settle(secrets, act=product)
    person = await accounts.use_link("a" * 43, "a long enough password", at=clock())
    assert person.roles == {"sysadmin"}
    with pytest.raises(accounts.LinkUsed):
        await accounts.use_link("a" * 43, "another long password", at=clock())
    clock.tick(hours=25)
    with pytest.raises(accounts.LinkUsed):
        await accounts.use_link("b" * 43, "another long password", at=clock())


async def test_opening_accounts_is_the_system_administrators_work(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    admin = await world.signed_in(client, await world.a_person(clock(), "sysadmin"))
    new = {"login": "zhang.san", "name": "张三", "kind": "office", "region": world.SHANDONG}
    made = await client.post("/api/v1/accounts", json=new, headers=admin)
    assert made.status_code == 201
    twice = await client.post("/api/v1/accounts", json=new, headers=admin)
    assert (twice.status_code, twice.json()["code"]) == (409, "account.login_taken")
    other = await world.signed_in(client, await a_supervisor(clock))
    denied = await client.post("/api/v1/accounts", json={**new, "login": "li.si"}, headers=other)
    assert (denied.status_code, denied.json()["code"]) == (403, "person.denied")


async def enrolled(
    client: httpx.AsyncClient, clock: StillClock, key: DeviceKey, who: world.Login
) -> httpx.Response:
    boss = await world.signed_in(client, await a_supervisor(clock))
    path = f"/api/v1/accounts/{who.person.id}/enrolments"
    code = (await client.post(path, headers=boss)).json()["code"]
    body = {
        "code": code,
        "spki": base64.b64encode(key.spki).decode(),
        "user_agent": "test",
        "platform": "linux",
        "persisted": True,
    }
    mine = await world.signed_in(client, who)
    first = await client.post("/api/v1/devices", json=body, headers=mine)
    if first.status_code == 201:
        again = await client.post("/api/v1/devices", json=body, headers=mine)
        assert (again.status_code, again.json()["code"]) == (404, "device.code_used")
    return first


async def test_a_phone_is_enrolled_once_with_an_approved_code(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    who = await world.a_person(clock(), "inspector")
    first = await enrolled(client, clock, DeviceKey.generate(), who)
    assert first.status_code == 201
    headers = await world.signed_in(client, who, device=first.json()["id"])
    assert (await client.get("/api/v1/me", headers=headers)).json()["device"] == first.json()["id"]


async def test_one_key_is_one_device(client: httpx.AsyncClient, clock: StillClock) -> None:
    key = DeviceKey.generate()
    first = await enrolled(client, clock, key, await world.a_person(clock(), "inspector"))
    second = await enrolled(client, clock, key, await world.a_person(clock(), "inspector"))
    assert first.status_code == 201
    assert (second.status_code, second.json()["code"]) == (409, "device.key_enrolled")


async def test_a_token_of_somebody_elses_device_is_refused(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    who = await world.a_person(clock(), "inspector")
    device = (await enrolled(client, clock, DeviceKey.generate(), who)).json()["id"]
    other = await world.a_person(clock(), "inspector")
    body = {"login": other.login, "password": other.password, "device": device}
    answer = await client.post("/api/v1/sessions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "session.device_foreign")


async def test_a_revoked_phone_is_out(client: httpx.AsyncClient, clock: StillClock) -> None:
    who = await world.a_person(clock(), "inspector")
    device = (await enrolled(client, clock, DeviceKey.generate(), who)).json()["id"]
    headers = await world.signed_in(client, who, device=device)
    boss = await world.signed_in(client, await a_supervisor(clock))
    gone = await client.post(f"/api/v1/devices/{device}/revocation", json={}, headers=boss)
    assert gone.status_code == 204
    clock.tick(seconds=5)
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "request.malformed"),
        (b'{"login": "a", "password": "b", "extra": 1}', 422, "request.invalid"),
        (b'{"login": 5, "password": "b"}', 422, "request.invalid"),
        (b'{"login": "\\u0000", "password": "b"}', 400, "request.malformed"),
    ],
)
async def test_bad_bodies_are_refused_with_a_code(
    client: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    headers = {"content-type": "application/json"}
    answer = await client.post("/api/v1/sessions", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["todo"]


async def test_refusals_speak_english_when_asked(client: httpx.AsyncClient) -> None:
    chinese = await client.post("/api/v1/sessions", json=WRONG)
    english = await client.post("/api/v1/sessions", json=WRONG, headers={"accept-language": "en"})
    assert chinese.json()["title"] == "账号或密码不正确"
    assert english.json()["title"] == "Login or password is wrong"


async def test_an_office_is_opened_once(client: httpx.AsyncClient, clock: StillClock) -> None:
    admin = await world.signed_in(client, await world.a_person(clock(), "sysadmin"))
    new = {
        "region": world.WEIHAI,
        "name": "威海示例局",
        "short_name": "威人社",
        "department": "hr",
    }
    first = await client.post("/api/v1/offices", json=new, headers=admin)
    again = await client.post("/api/v1/offices", json=new, headers=admin)
    other = {**new, "region": world.TAIYUAN}
    foreign = await client.post("/api/v1/offices", json=other, headers=admin)
    assert first.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "office.exists")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "thing.absent")
