"""Tips: sent by nobody in particular, seen by few, answered in time, opened by two."""

import asyncio
import io
import json
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from PIL import Image

from backend.clock import new_id
from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services import policy, tips, visitors
from backend.services.errors import Absent
from tests.backend.desk import Desk
from tests.backend.sheets import a_credit_code
from tests.conftest import Work
from tests.world import SHANDONG, SHANXI, WEIHAI, Login, a_person, signed_in

LOAN = {
    "lender": "虚构小额贷款公司",
    "contract_number": "HT-2026-0001",
    "principal_fen": 1_980_000,
    "instalment_fen": 165_000,
    "instalments": 12,
    "arranged_by": "招生老师",
    "refund_asked": True,
}
WHO = {"name": "虚构举报人甲", "contact": "130-0000-0000"}
TEXT = "报名当天被要求贷款缴费，说考不过包退，后来不退。"
TABLES = ("tip", "tip_message", "tip_file", "tip_event", "tip_matter", "tip_opening")


def a_tip(**changed: Any) -> dict[str, Any]:
    return {
        "category": "loan",
        "text": TEXT,
        "about": "虚构培训机构",
        "region": WEIHAI,
        "loan": LOAN,
    } | changed


async def sent(client: httpx.AsyncClient, **changed: Any) -> str:
    answer = await client.post("/api/v1/public/tips", json=a_tip(**changed))
    assert answer.status_code == 201, answer.text
    code: str = answer.json()["code"]
    return code


async def read(client: httpx.AsyncClient, code: str) -> dict[str, Any]:
    answer = await client.get("/api/v1/public/tip", headers={"Tip-Code": code})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def the_tip(owner: asyncpg.Connection) -> UUID:
    found: UUID = await owner.fetchval("select id from tip order by id desc limit 1")
    return found


async def test_a_tip_goes_both_ways(client: httpx.AsyncClient, desk: Desk) -> None:
    code = await sent(client)
    headers = await signed_in(client, desk.who)
    path = f"/api/v1/tips/{await the_tip(desk.owner)}"

    async def do(verb: str, **body: Any) -> httpx.Response:
        return await client.post(f"{path}/{verb}", json=body, headers=headers)

    early = await do("answers", text="您好")
    await do("triage", remark="属于培训贷")
    unanswered = await do("closing", reason="已办结")
    await do("answers", text="已收到，正在核查。")
    more = await client.post(
        "/api/v1/public/tip/messages", json={"text": "我有合同照片"}, headers={"Tip-Code": code}
    )
    await do("answers", text="请上传。")
    mine = await read(client, code.lower().replace("-", " "))
    closed = await do("closing", reason="已督促退费")
    late = await client.post(
        "/api/v1/public/tip/messages", json={"text": "谢谢"}, headers={"Tip-Code": code}
    )
    assert [m["text"] for m in mine["messages"]] == [
        "已收到，正在核查。",
        "我有合同照片",
        "请上传。",
    ]
    assert (mine["state"], mine["loan"], mine["due_on"]) == ("answered", LOAN, "2026-05-06")
    assert [e["kind"] for e in closed.json()["events"]] == [
        "triaged",
        "answered",
        "answered",
        "closed",
    ]
    codes = [answer.json().get("code") for answer in (early, unanswered, more, late)]
    assert codes == ["tip.wrong_state", "tip.wrong_state", None, "tip.closed"]


async def test_the_code_is_kept_as_a_digest_alone(
    client: httpx.AsyncClient, desk: Desk, work: Work
) -> None:
    code = await sent(client, identity=WHO, witness=True)
    await work.drain()
    rows = []
    for table in await desk.owner.fetch(
        "select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n"
        " on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname in ('public', 'aud')"
    ):
        found = await desk.owner.fetch(f"select t::text as row from {table['name']} t")  # noqa: S608 - names from the catalogue
        rows += [row["row"] for row in found]
    held = "\n".join(rows)
    assert len(code.replace("-", "")) == 26
    for secret in (code, code.replace("-", ""), WHO["name"], WHO["contact"]):
        assert secret not in held


async def test_no_entry_of_the_log_names_a_sender(client: httpx.AsyncClient, desk: Desk) -> None:
    await sent(client, identity=WHO)
    for row in await desk.owner.fetch("select body from aud.entry"):
        body = row["body"] if isinstance(row["body"], dict) else json.loads(row["body"])
        if str(body["verb"]).startswith("tip."):
            assert (body["ip_trunc"], body["req_id"], body["reason"]) == ("", "", "")
            assert body["actor"]["id"] == str(UUID(int=0))
            assert body["object"]["title_snapshot"] == "loan"


async def test_a_wrong_code_is_absent(client: httpx.AsyncClient) -> None:
    await sent(client)
    for code in ("", "X", "A" * 26, "AAAA-" * 6 + "AA", "!" * 60):
        answer = await client.get("/api/v1/public/tip", headers={"Tip-Code": code})
        assert (answer.status_code, answer.json()["code"]) == (404, "thing.absent")


async def test_an_address_sends_five_an_hour(client: httpx.AsyncClient, desk: Desk) -> None:
    for _ in range(tips.TIPS_AN_HOUR):
        await sent(client)
    sixth = await client.post("/api/v1/public/tips", json=a_tip())
    desk.clock.tick(minutes=61)
    await sent(client)
    assert (sixth.status_code, sixth.json()["code"]) == (429, "visitor.too_often")
    kept = await desk.owner.fetch("select key from rate_kv")
    assert all("127.0.0.1" not in row["key"] for row in kept)


async def test_nobody_of_the_field_or_an_institution_sees_a_tip(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    """Every role in turn, at the routes and behind them, in transactions of every scope."""
    await desk.fill()
    await sent(client, credit_code=a_credit_code(), region=None)
    tip_id = await the_tip(desk.owner)
    school = await desk.id_of("institution")
    assert await desk.owner.fetchval("select institution from tip") == school
    people = {
        role: await a_person(desk.clock(), role, region=SHANDONG)
        for role in sorted(policy.ROLES - policy.INSTITUTION - {"supervisor", "legal"})
    }
    people["institution_user"] = await a_person(
        desk.clock(), "institution_user", institution=school
    )
    # In a small office one person may hold both; whoever inspects learns nothing all the same.
    people["both"] = await a_person(desk.clock(), "supervisor", "inspector", region=SHANDONG)
    people["far"] = await a_person(desk.clock(), "supervisor", region=SHANXI)
    for name, person in people.items():
        headers = await signed_in(client, person)
        for path in ("/api/v1/tips", f"/api/v1/tips/{tip_id}"):
            answer = await client.get(path, headers=headers)
            assert answer.text == "[]" or answer.status_code in (403, 404), (name, answer.text)
        assert await _behind(person.person.scope) == {}, name
    product = Scope(regions=(SHANDONG, WEIHAI), role="worker")
    assert await _behind(product) == {}
    assert await _behind(desk.who.person.scope) == {}
    for table in TABLES:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with DB.transaction(Scope(role="public")):
                await DB.connection.fetchval(f"select count(*) from {table}")  # noqa: S608 - ours


async def _behind(scope: Scope) -> dict[str, int]:
    """The rows of tips that a transaction of this scope comes upon, as any other room reads."""
    found = {}
    for table in TABLES:
        try:
            async with DB.transaction(scope):
                rows = await DB.connection.fetchval(f"select count(*) from {table}")  # noqa: S608 - ours
        except asyncpg.InsufficientPrivilegeError:
            rows = 0
        if rows:
            found[table] = rows
    return found


async def test_an_identity_is_opened_by_two_once(client: httpx.AsyncClient, desk: Desk) -> None:
    await sent(client, identity=WHO, witness=True)
    path = f"/api/v1/tips/{await the_tip(desk.owner)}"
    legal = await a_person(desk.clock(), "legal", "supervisor")
    colleague = await a_person(desk.clock(), "supervisor")
    asker, second, third = [await signed_in(client, who) for who in (desk.who, legal, colleague)]

    async def do(verb: str, headers: dict[str, str]) -> tuple[int, Any]:
        body = {"reason": "作证需要联系"} if verb == "identity-requests" else None
        answer = await client.post(f"{path}/{verb}", json=body, headers=headers)
        said = answer.json() if answer.content else {}
        return answer.status_code, said.get("code", said)

    assert await do("identity-approval", second) == (409, "tip.not_asked")
    assert (await do("identity-requests", second))[0] == 204
    assert (await do("identity-approval", second))[0] == 403
    assert await do("identity-requests", asker) == (409, "tip.asked_already")
    assert await do("identity", second) == (409, "tip.not_approved")
    other = await signed_in(client, await a_person(desk.clock(), "approver"))
    assert (await do("identity-approval", other))[0] == 204
    assert await do("identity", third) == (409, "tip.not_approved")
    assert await do("identity", second) == (201, WHO)
    assert await do("identity", second) == (409, "tip.not_asked")
    kinds = [
        row["kind"] for row in await desk.owner.fetch("select kind from tip_event order by id")
    ]
    assert kinds == ["identity_asked", "identity_approved", "identity_opened"]


async def test_a_witness_says_who_they_are(client: httpx.AsyncClient, desk: Desk) -> None:
    nameless = await client.post("/api/v1/public/tips", json=a_tip(witness=True))
    nowhere = await client.post("/api/v1/public/tips", json=a_tip(region=999_999))
    assert [a.json()["code"] for a in (nameless, nowhere)] == [
        "tip.witness_unknown",
        "tip.place_unknown",
    ]
    assert await desk.owner.fetchval("select count(*) from tip") == 0


async def test_tips_are_grouped_linked_referred_and_paraphrased(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    for _ in range(2):
        await sent(client)
    ids = [row["id"] for row in await desk.owner.fetch("select id from tip order by id")]
    headers = await signed_in(client, desk.who)

    async def do(path: str, **body: Any) -> httpx.Response:
        return await client.post(f"/api/v1/{path}", json=body, headers=headers)

    one = await do("tip-matters", title="同一家机构的贷款", tips=[str(ids[0])] * 2)
    matter = await do("tip-matters", title="同一家机构的贷款", tips=[str(i) for i in ids])
    listed = await client.get(f"/api/v1/tips?matter={matter.json()['id']}", headers=headers)
    await do(f"tips/{ids[0]}/triage")
    nowhere = await do(f"tips/{ids[0]}/link", kind="visit", target=str(new_id()))
    close = await do(f"tips/{ids[0]}/paraphrase", text="据反映，报名当天被要求贷款缴费。")
    told = await do(f"tips/{ids[0]}/paraphrase", text="有人反映学费与借款有关。")
    referred = await do(f"tips/{ids[0]}/referrals", to="12378", reason="属金融监管")
    codes = [answer.json()["code"] for answer in (one, nowhere, close)]
    assert codes == ["tip.few", "tip.link_absent", "tip.too_close"]
    assert {row["id"] for row in listed.json()} == {str(i) for i in ids}
    assert told.json()["paraphrase"] == "有人反映学费与借款有关。"
    assert referred.json()["events"][-1]["detail"]["to"] == "12378"
    assert [m["text"] for m in referred.json()["messages"]] == ["→ 12378\n属金融监管"]


def a_picture() -> bytes:
    """A JPEG that says where and with what it was made."""
    exif = Image.Exif()
    exif[0x010F] = "SecretPhone"
    out = io.BytesIO()
    Image.new("RGB", (640, 480), (200, 120, 40)).save(out, "JPEG", exif=exif)
    return out.getvalue()


async def test_files_pass_the_same_pipeline(
    client: httpx.AsyncClient, desk: Desk, work: Work
) -> None:
    code = await sent(client)

    async def give(mime: str, raw: bytes) -> httpx.Response:
        return await client.post(
            "/api/v1/public/tip/files",
            content=raw,
            headers={"Tip-Code": code, "Content-Type": mime},
        )

    picture = a_picture()
    first = await give("image/jpeg", picture)
    again = await give("image/jpeg", picture)
    await give("image/png", b"\x89PNG\r\n\x1a\n" + b"not a picture")
    wrong = await give("application/x-msdownload", b"MZ")
    await work.drain()
    files = {file["mime"]: file for file in (await read(client, code))["files"]}
    assert (first.status_code, len(again.json())) == (201, 1)
    assert wrong.json()["code"] == "media.type_refused"
    assert {mime: file["state"] for mime, file in files.items()} == {
        "image/jpeg": "verified",
        "image/png": "quarantined",
    }
    headers = await signed_in(client, desk.who)
    path = f"/api/v1/tips/{await the_tip(desk.owner)}/files"
    shown = await client.get(f"{path}/{files['image/jpeg']['id']}", headers=headers)
    kept = await client.get(f"{path}/{files['image/png']['id']}", headers=headers)
    assert shown.content.startswith(b"\xff\xd8")
    assert b"SecretPhone" in picture
    assert b"SecretPhone" not in shown.content
    assert shown.headers["content-disposition"] == "attachment"
    assert kept.json()["code"] == "tip.file_not_proved"


async def test_a_tip_takes_five_files(client: httpx.AsyncClient) -> None:
    code = await sent(client)
    answers = [
        await client.post(
            "/api/v1/public/tip/files",
            content=b"%PDF-1.4 " + bytes([48 + n]),
            headers={"Tip-Code": code, "Content-Type": "application/pdf"},
        )
        for n in range(6)
    ]
    assert [a.status_code for a in answers] == [201] * 5 + [429]
    assert answers[-1].json()["code"] == "tip.too_many_files"


async def test_counts_are_exact_under_haste(app: Litestar, desk: Desk) -> None:
    assert app is not None
    visitor = visitors.Visitor(mark="m", at=desk.clock(), new_id=new_id, token=bytes)
    asked = [visitors.spend("x", visitor, most=7) for _ in range(20)]
    done = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(one is None for one in done) == 7
    assert sum(isinstance(one, visitors.TooOften) for one in done) == 13
    await visitors.sweep(desk.clock.tick(hours=2))
    assert await desk.owner.fetchval("select count(*) from rate_kv") == 0


@given(st.binary(min_size=16, max_size=16), st.booleans())
def test_a_code_is_read_however_it_is_typed(secret: bytes, low: bool) -> None:
    code = tips.spelled(secret)
    typed = code.lower().replace("-", " ") if low else code.replace("O", "0").replace("I", "1")
    assert tips.code_hash(typed) == tips.code_hash(code)


@given(st.text(max_size=40))
def test_what_is_no_code_is_absent(text: str) -> None:
    try:
        digest = tips.code_hash(text)
    except Absent:
        return
    assert len(digest) == 32


async def test_who_works_on_tips_finds_them(client: httpx.AsyncClient, desk: Desk) -> None:
    """The other half of the policy: the list is not empty for those whose work it is."""
    await sent(client)
    legal: Login = await a_person(desk.clock(), "legal")
    for who in (desk.who, legal):
        headers = await signed_in(client, who)
        assert len((await client.get("/api/v1/tips?category=loan", headers=headers)).json()) == 1
