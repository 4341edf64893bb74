"""What goes otherwise than drawn, done at the desk by the people whose work it is."""

import re
from hashlib import sha256
from uuid import UUID

import asyncpg
import httpx
from litestar import Litestar

from backend.clock import new_id
from backend.services import gaps, plans, second_looks, visit_lists
from media.keys import ServerKey
from tests import casework, drawing
from tests.backend.rooms import Desk, at_the_desk, text_of
from tests.backend.test_desk_casework import as_person, asked, done, send
from tests.backend.test_desk_visits import complete
from tests.backend.test_externals import a_plan as an_external_plan
from tests.backend.test_pages import DESK_POLICY, outline
from tests.backend.test_replacements import a_drawn_plan, first_visit, team
from tests.backend.test_unattended import Chain
from tests.conftest import StillClock

Client = httpx.AsyncClient
Owner = asyncpg.Connection


async def both(app: Litestar, office: drawing.Office, clock: StillClock) -> tuple[Desk, Desk]:
    """The supervisor and the approver at their desks, at the office's hour."""
    clock.set(office.at)
    return await at_the_desk(app, office.supervisor), await at_the_desk(app, office.approver)


async def test_an_object_is_withdrawn_by_two_persons(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_plan(app, clock)
    visit = await first_visit(owner, office)
    one, two = await both(app, office, clock)
    page = f"/desk/visits/{visit}/changes"
    outline(await one.open(page), DESK_POLICY)
    new = {"_which": "withdraw", "reason": "moved", "paper": "迁址告知书（虚构）"}
    wrong = await one.send(
        page, f"/desk/visits/{visit}/withdrawal", new | {"evidence_sha256": "x"}, status=422
    )
    outline(wrong, DESK_POLICY)
    assert 'value="迁址告知书（虚构）"' in wrong.text
    assert 'id="withdraw-evidence_sha256-wrong"' in wrong.text
    none = await one.send(page, f"/desk/visits/{visit}/withdrawal", new, status=422)
    assert 'id="withdraw-evidence_sha256-wrong"' in none.text
    proof = {"proof": ("告知书.pdf", b"a proof", "application/pdf")}
    await one.send(page, f"/desk/visits/{visit}/withdrawal", new, files=proof)
    digest = await owner.fetchval("select evidence_sha256 from withdrawal")
    assert digest == sha256(b"a proof").hexdigest()
    assert "须由另一人决定" in text_of(await one.open(page))
    assert "撤出对象" in text_of(await two.open("/desk/second"))
    assert "他人已提出" in text_of(await two.open("/desk"))
    shown = await two.open(page)
    outline(shown, DESK_POLICY)
    assert "确认不可恢复" in shown.text  # what it means, before it is pressed
    found = re.search(
        rf"/desk/visits/{visit}/withdrawal/([0-9a-f-]{{36}})/confirmation", shown.text
    )
    assert found
    own = await one.send(
        page, f"/desk/visits/{visit}/withdrawal/{found[1]}/confirmation", status=403
    )
    assert 'role="alert"' in own.text
    await two.send(page, f"/desk/visits/{visit}/withdrawal/{found[1]}/confirmation")
    assert await owner.fetchval("select state from visit where id = $1", visit) == "closed"
    new_visit, code, hour = await owner.fetchrow(
        "select v.id, v.code, v.sealed_until from withdrawal w"
        " join visit v on v.id = w.replacement"
    )
    sealed = await two.open(page)
    assert "到其检查时间才显示" in sealed.text
    assert code not in sealed.text
    after = text_of(await two.open(f"/desk/draws/{draw.id}/changes"))
    assert "已撤出 1 家，上限 3 家" in after
    assert "没有待第二人决定的事项" in text_of(await two.open("/desk/second"))
    clock.set(hour)
    again = await at_the_desk(app, office.approver)  # the old session is over by then
    assert f"/desk/visits/{new_visit}" in (await again.open(page)).text


async def test_recusals_are_asked_for_and_the_fourth_is_decided(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, _ = await a_drawn_plan(app, clock, people=9)
    visit = await first_visit(owner, office)
    one, two = await both(app, office, clock)
    page = f"/desk/visits/{visit}/changes"
    for _ in range(4):
        who = (await team(owner, visit))[1]
        fields = {
            "_which": "recuse",
            "inspector": str(who),
            "cause": "illness",
            "ground": "发烧住院",
        }
        await one.send(page, f"/desk/visits/{visit}/recusals", fields)
    said = text_of(await one.open(page))
    assert "已录入，待审批人员决定" in said
    ident = await owner.fetchval("select id from recusal_request where state = 'pending'")
    path = f"/desk/visits/{visit}/recusals/{ident}"
    which = {"_which": f"recusal-{ident}"}
    bare = await two.send(page, path, which | {"reason": "写下的理由"}, status=422)
    outline(bare, DESK_POLICY)
    assert "写下的理由</textarea>" in bare.text
    await one.send(page, path, which | {"grant": "yes", "reason": "属实"}, status=403)
    await two.send(page, path, which | {"grant": "yes", "reason": "属实"})
    assert who not in await team(owner, visit)
    row = await owner.fetchrow(
        "update assignment set state = 'recused' where visit = $1 and place = 2"
        " and state = 'active' returning inspector",
        visit,
    )
    await owner.execute("update visit set state = 'recused' where id = $1", visit)
    assert "补齐已回避的位置" in text_of(await one.open(page))
    await one.send(page, f"/desk/visits/{visit}/refill", {"_which": "refill"})
    seated = await team(owner, visit)
    assert (len(seated), row["inspector"] in seated) == (2, False)


async def test_further_inspectors_fill_an_infeasible_draw_and_are_sent_anew(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw = await a_drawn_plan(app, clock, people=3, cap="2")
    await drawing.inspectors(office.act, range(4, 12), cap="3")
    one, two = await both(app, office, clock)
    page = f"/desk/draws/{draw.id}/changes"
    outline(await one.open(page), DESK_POLICY)
    nobody = await one.send(
        page, f"/desk/draws/{draw.id}/inspectors", {"_which": "staff"}, status=422
    )
    outline(nobody, DESK_POLICY)
    assert 'id="staff-inspectors-wrong"' in nobody.text
    rows = await owner.fetch("select id from inspector where staff_code > 'S003'")
    staff: dict[str, str | list[str]] = {
        "_which": "staff",
        "inspectors": [str(row["id"]) for row in rows],
    }
    await two.send(page, f"/desk/draws/{draw.id}/inspectors", staff, status=403)
    await one.send(page, f"/desk/draws/{draw.id}/inspectors", staff)
    assert "补充 8 人，填补 0 个位置，仍空缺 14 个" in text_of(await one.open(page))
    await one.send(page, f"/desk/draws/{draw.id}/sending", {"_which": "sending"})
    attempt, stage = await owner.fetchrow("select attempt, stage from draw order by attempt desc")
    assert (attempt, stage) == (2, "assignment")


async def test_a_party_leaves_its_key_its_chain_and_a_link(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    one, two = await both(app, office, clock)
    page = "/desk/parties"
    signer = drawing.Signer("supervision", ServerKey.from_seed(bytes(range(32))), b"")
    new = {"_which": "party", "code": signer.code, "name": "监督单位", "kind": "supervisor"}
    wrong = await one.send(page, page, new | {"public_key": "x"}, status=422)
    outline(wrong, DESK_POLICY)
    assert 'value="监督单位"' in wrong.text
    key = {"public_key": signer.key.public.hex()}
    await two.send(page, page, new | key, status=403)
    await one.send(page, page, new | key)
    chain = Chain(signer)
    tip = chain.new()
    fields = {
        "_which": "chain",
        "party": tip.party,
        "year": str(tip.year),
        "length": str(tip.length),
        "tip": tip.tip,
        "signature": tip.signature,
    }
    forged = await one.send(page, f"{page}/chains", fields | {"signature": "0" * 128}, status=403)
    assert tip.tip in forged.text
    await one.send(page, f"{page}/chains", fields)
    spec = drawing.a_spec(parties=("operator", signer.code), entropy=(), cool_down_days=0)
    plan = await drawing.an_approved_plan(office, spec=spec)
    code = plans.draw_code(plan)
    left = chain.deposit(office, code, 1)
    deposit = {"_which": "deposit", "party": left.party, "draw": code, "index": "1"}
    deposit |= {"attempt": "1", "commitment": left.commitment, "sealed": left.sealed}
    deposit |= {"commit_signature": left.commit_signature, "signature": left.signature}
    await one.send(page, f"{page}/deposits", deposit)
    shown = await one.open(page)
    outline(shown, DESK_POLICY)
    assert code in shown.text
    twice = await one.send(page, f"{page}/deposits", deposit, status=409)
    assert left.sealed in twice.text
    ident = await owner.fetchval("select id from party where code = $1", signer.code)
    await one.send(page, f"{page}/{ident}/retirement", {"_which": f"retire-{ident}"})
    assert "已停用" in text_of(await one.open(page))


async def test_an_institution_is_excluded_by_hand_by_two_persons(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 4))
    plan = await drawing.an_approved_plan(office)
    one, two = await both(app, office, clock)
    page = f"/desk/plans/{plan.id}"
    new = {"_which": "exclude", "reason": "正在接受巡视", "paper": "虚构函〔2026〕1号"}
    unknown = await one.send(
        page, f"{page}/exclusions", new | {"credit_code": "91370000000000000X"}, status=422
    )
    outline(unknown, DESK_POLICY)
    assert 'id="exclude-credit_code-wrong"' in unknown.text
    assert "正在接受巡视</textarea>" in unknown.text
    await one.send(page, f"{page}/exclusions", new | {"credit_code": drawing.credit_code(1)})
    await one.send(page, f"{page}/exclusions", new | {"credit_code": drawing.credit_code(2)})
    first, second = [
        row["id"] for row in await owner.fetch("select id from manual_exclusion order by id")
    ]
    assert "人工排除" in text_of(await two.open("/desk/second"))
    outline(await two.open(page), DESK_POLICY)
    await one.send(page, f"{page}/exclusions/{first}/confirmation", status=403)
    await two.send(page, f"{page}/exclusions/{first}/confirmation")
    await two.send(page, f"{page}/exclusions/{second}/refusal", {"reason": "理由不足"})
    await one.send(page, f"{page}/exclusions/{first}/end", {"reason": "情况已变化"})
    states = await owner.fetch("select state from manual_exclusion order by id")
    assert [row["state"] for row in states] == ["ended", "refused"]


async def test_a_result_from_elsewhere_is_entered_and_confirmed(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, plan = await an_external_plan(app, clock)
    one, two = await both(app, office, clock)
    page = f"/desk/plans/{plan.id}/external"
    assert page in (await one.open(f"/desk/plans/{plan.id}")).text
    day = plan.window_from.isoformat()
    first = f"{drawing.credit_code(1)} 培训 {day} S001 S002"
    rows = f"{first}\n{drawing.credit_code(2)}，training，{day}，S002，S003"
    new = {
        "_which": "external",
        "platform": "虚构平台",
        "reference": "CC-7",
        "drawn_on": "2026-03-02",
    }
    wrong = await one.send(page, page, new | {"visits": "不完整的一行"}, status=422)
    outline(wrong, DESK_POLICY)
    assert "不完整的一行</textarea>" in wrong.text
    assert 'id="external-visits-wrong"' in wrong.text
    await one.send(page, page, new | {"visits": rows})
    assert "外部抽取" in text_of(await two.open("/desk/second"))
    shown = await two.open(page)
    outline(shown, DESK_POLICY)
    assert "立即产生 2 次检查" in shown.text
    await one.send(page, f"{page}/confirmation", status=403)
    await two.send(page, f"{page}/confirmation")
    assert await owner.fetchval("select count(*) from visit") == 2


async def a_phone(owner: Owner, matter: casework.Matter, *, lists: bool) -> UUID:
    """A phone with a part in a visit; its claim ``lists`` one capture that never arrived."""
    phone, piece = new_id(), new_id()
    author = matter.office.author.person.id
    await owner.execute(
        "insert into device (id, region, account, spki, kid, user_agent, platform, persisted,"
        " enrolled_at, approved_by) values ($1, $2, $3, '', $4, '', 'android', true, now(), $3)",
        phone,
        matter.office.region,
        author,
        phone.hex[:16],
    )
    await owner.execute(
        "insert into op (op_id, region, dev, inst_epoch, seq, kind, visit, digest, envelope,"
        " status, result, received_at) values ($1, $2, $3, 'e', 1, 'visit.checkin', $4, $5, '',"
        " 'applied', '', now())",
        new_id(),
        matter.office.region,
        phone,
        matter.visit,
        "0" * 64,
    )
    if lists:
        await owner.execute(
            "insert into claim (visit, dev, region, op_id, items, answers_sha256, seq, claimed_at)"
            " values ($1, $2, $3, $4, jsonb_build_array(jsonb_build_object('id', $5::text,"
            " 'sha256', repeat('a', 64))), '', 2, now())",
            matter.visit,
            phone,
            matter.office.region,
            new_id(),
            str(piece),
        )
    return phone


async def test_lost_captures_and_phones_are_given_up_by_two_persons(
    owner: Owner, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    await a_phone(owner, matter, lists=True)
    silent = await a_phone(owner, matter, lists=False)
    base = await complete(owner, matter, "submitted")
    act = matter.office.author.act(clock())
    assert await visit_lists.pending([matter.visit], act=act) == {matter.visit: (1, 1)}
    await as_person(client, matter.office.author)
    assert "1 件中还有 1 件未到" in (await client.get("/desk/visits")).text
    page = f"{base}/changes"
    assert page in (await client.get(base)).text
    outline(await client.get(page), DESK_POLICY)
    empty = await send(client, page, f"{base}/gap", _which="gap", reason=" ")
    outline(empty, DESK_POLICY)
    assert empty.status_code == 422
    closing = f"{base}/devices/{silent}/closing"
    await done(client, page, closing, _which=f"give-up-{silent}", reason="手机落水损坏")
    await done(client, page, f"{base}/gap", _which="gap", reason="存储卡损坏")
    looks = await second_looks.page(act=matter.office.approver.act(clock()))
    assert sorted(look.kind for look in looks) == ["device", "gap"]
    assert (await send(client, page, f"{base}/gap/approval")).status_code == 403
    await as_person(client, matter.office.approver)
    shown = await client.get(page)
    outline(shown, DESK_POLICY)
    assert "缺 1 件；不能再恢复审核" in shown.text
    await done(client, page, f"{closing}/approval", _which=f"close-{silent}")
    await done(client, page, f"{base}/gap/approval", _which="approve-gap")
    known = await gaps.of_visit(matter.visit, act=act)
    assert known.approved_by == matter.office.approver.person.id
    assert (await visit_lists.get(matter.visit, act=act)).state == "concluded_with_gap"


async def test_the_pages_of_changes_ask_as_often_for_many_as_for_one(
    owner: Owner, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    await a_phone(owner, matter, lists=True)
    base = await complete(owner, matter, "submitted")
    await as_person(client, matter.office.approver)
    paths = [f"{base}/changes", f"{base}/trail", "/desk/second", "/desk/visits", "/desk/custody"]
    paths += ["/desk/bundles", "/desk/bad-records", "/desk/parties"]
    act = matter.office.author.act(clock())
    await gaps.propose_gap(matter.visit, "存储卡损坏", act=act)
    few = [await asked(client, path) for path in paths]
    for _ in range(3):
        phone = await a_phone(owner, matter, lists=True)
        await gaps.propose_closing(matter.visit, phone, "手机遗失", act=act)
        other = await casework.another(owner, matter, clock())
        await a_phone(owner, other, lists=True)
        await complete(owner, other, "submitted")
        await gaps.propose_gap(other.visit, "存储卡损坏", act=act)
    many = [await asked(client, path) for path in paths]
    assert many == few
