"""Further deeds of casework at the desk: money, bad records, stays, consents, acts, bundles."""

import asyncpg
import httpx

from backend.clock import new_id
from backend.services import bad_records, consents, custody_acts, dossiers
from tests import casework, world
from tests.backend.test_case_deeds import REMEDIES, a_cheat
from tests.backend.test_desk_casework import as_person, done, send
from tests.backend.test_pages import DESK_POLICY, outline
from tests.conftest import StillClock

Client = httpx.AsyncClient
Owner = asyncpg.Connection


async def test_money_is_ordered_back_in_yuan_and_paid_in_parts(
    owner: Owner, client: Client, clock: StillClock
) -> None:
    trial = await a_cheat(owner, clock)
    await trial.ready("recovery")
    page = f"/desk/cases/{trial.case.id}"
    await as_person(client, trial.matter.office.approver)
    shown = await client.get(page)
    outline(shown, DESK_POLICY)
    assert "决定书取得编号，不能修改" in shown.text
    new = {"_which": "recover", "amount_fen": "1,500.00", "payee": "财政专户", "text": "追缴补贴"}
    new |= {"remedies": REMEDIES, "instalments": "2026-04-01 750\n2026-05-01 750.00"}
    wrong = await send(client, page, f"{page}/recoveries", **new | {"amount_fen": "一千五"})
    outline(wrong, DESK_POLICY)
    assert (wrong.status_code, 'value="一千五"' in wrong.text) == (422, True)
    assert 'id="recover-amount_fen-wrong"' in wrong.text
    for lines in ("2026-04-01", "明天 750", "2026-04-01 700"):
        bad = await send(client, page, f"{page}/recoveries", **new | {"instalments": lines})
        assert (bad.status_code, 'id="recover-instalments-wrong"' in bad.text) == (422, True)
        assert f"{lines}</textarea>" in bad.text
    after = await done(client, page, f"{page}/recoveries", **new)
    assert "1,500.00" in after.text
    ident = await owner.fetchval("select id from case_step where kind = 'recovery'")
    await as_person(client, trial.matter.office.author)
    paid = {"_which": f"pay-{ident}", "recovery": str(ident), "reference": "凭证1"}
    paid |= {"paid_on": trial.today.isoformat()}
    much = await send(client, page, f"{page}/payments", **paid, amount_fen="1500.01")
    outline(much, DESK_POLICY)
    assert (much.status_code, f'id="pay-{ident}-amount_fen-wrong"' in much.text) == (409, True)
    after = await done(client, page, f"{page}/payments", **paid, amount_fen="800.5")
    assert "699.50" in after.text
    clock.tick(days=70)
    assert "逾期 699.50 元" in (await client.get(page)).text
    await done(client, page, f"{page}/payments", **paid, amount_fen="699.5")
    assert "已付清" in (await client.get(page)).text


async def test_a_bad_record_is_entered_and_taken_back_by_another(
    owner: Owner, client: Client, clock: StillClock
) -> None:
    trial = await a_cheat(owner, clock)
    await trial.ready("recovery")
    page = f"/desk/cases/{trial.case.id}"
    await as_person(client, trial.matter.office.approver)
    assert "在 2029-03-02 之前新的培训计划" in (await client.get(page)).text
    new = {"_which": "bad-record", "reason": "骗取补贴", "remedies": REMEDIES}
    empty = await send(client, page, f"{page}/bad-record", **new)
    outline(empty, DESK_POLICY)
    assert (empty.status_code, "骗取补贴</textarea>" in empty.text) == (422, True)
    await done(client, page, f"{page}/bad-record", **new, decided_on=trial.today.isoformat())
    (one,) = await bad_records.page(act=trial.act("approver"))
    listed = "/desk/bad-records"
    outline(await client.get(listed), DESK_POLICY)
    end = {"_which": f"end-{one.id}", "reason": "另案撤销"}
    own = await send(client, listed, f"{listed}/{one.id}/end", **end)
    outline(own, DESK_POLICY)
    assert (own.status_code, "另案撤销</textarea>" in own.text) == (403, True)
    await as_person(client, trial.matter.office.author)
    assert (await send(client, listed, f"{listed}/{one.id}/end", **end)).status_code == 403
    await as_person(client, trial.matter.office.other)
    after = await done(client, listed, f"{listed}/{one.id}/end", **end)
    assert "已失效" in after.text


async def test_a_case_stands_still_and_a_person_takes_no_part(
    owner: Owner, client: Client, clock: StillClock
) -> None:
    trial = await a_cheat(owner, clock)
    page, today = f"/desk/cases/{trial.case.id}", trial.today.isoformat()
    office = trial.matter.office
    await as_person(client, office.author)
    stop = {"_which": "stop", "whose": "party", "ground": "stay", "paper": "裁定1"}
    stop |= {"first_on": today}
    bare = await send(client, page, f"{page}/stops", **stop)
    outline(bare, DESK_POLICY)
    assert (bare.status_code, 'value="裁定1"' in bare.text) == (422, True)
    after = await done(client, page, f"{page}/stops", **stop, reason="复议机关决定")
    assert "复议机关决定" in after.text
    end = {"whose": "party", "ground": "stay", "last_on": today, "reason": "复议终结"}
    await done(client, page, f"{page}/stops/end", **end)
    who = office.other.person
    request = {"_which": "recusal", "account": str(who.id), "ground": "近亲属", "asked_on": today}
    after = await done(client, page, f"{page}/recusals", **request)
    assert who.name in after.text
    step = await owner.fetchval("select id from case_step where kind = 'recusal_request'")
    decide = {"_which": f"recusal-{step}", "granted": "yes", "reason": "属实"}
    assert (await send(client, page, f"{page}/recusals/{step}", **decide)).status_code == 403
    await as_person(client, office.other)
    own = await send(client, page, f"{page}/recusals/{step}", **decide)
    assert own.status_code == 403
    await as_person(client, office.approver)
    after = await done(client, page, f"{page}/recusals/{step}", **decide)
    assert "没有待决定的回避申请" in after.text


async def test_a_consent_is_recorded_and_withdrawn_and_a_paper_handed_over_again(
    owner: Owner, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    page, today = f"/desk/institutions/{matter.institution}", clock().date().isoformat()
    await as_person(client, matter.office.author)
    new = {"_which": "consent", "reference": "确认书1", "receiver": "李某"}
    new |= {"address": "li@example.invalid"}
    late = await send(client, page, f"{page}/consents", **new, agreed_on="2030-01-01")
    outline(late, DESK_POLICY)
    assert (late.status_code, 'id="consent-agreed_on-wrong"' in late.text) == (422, True)
    assert 'value="li@example.invalid"' in late.text
    await done(client, page, f"{page}/consents", **new, agreed_on=today)
    (one,) = await consents.of(matter.institution, act=matter.office.author.act(clock()))
    paper = f"/desk/notices/{notice.id}"
    shown = await client.get(paper)
    outline(shown, DESK_POLICY)
    assert f"{paper}/service/again" in shown.text
    way = {"_which": "serve-electronic", "way": "electronic", "consent": str(one.id)}
    wrong = await send(client, paper, f"{paper}/service/again", **way, receiver="王某")
    outline(wrong, DESK_POLICY)
    assert (wrong.status_code, '<details class="more" open>' in wrong.text) == (422, True)
    assert 'value="王某"' in wrong.text
    after = await done(
        client, paper, f"{paper}/service/again", **way, receiver="李某", served_on=today
    )
    assert "再次送交已记录" in after.text
    gone = {"_which": "withdraw-consent", "reason": "机构书面撤回"}
    await done(client, page, f"{page}/consents/withdrawal", **gone)
    (one,) = await consents.of(matter.institution, act=matter.office.author.act(clock()))
    assert one.withdrawn_on is not None
    await as_person(client, matter.office.legal)
    assert "录入确认书" not in (await client.get(page)).text


async def test_evidence_is_made_void_by_two_persons(
    owner: Owner, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    piece = await casework.a_piece(owner, visit=matter.visit, state="quarantined")
    await owner.execute(
        "update evidence set transport = jsonb_build_object('enc', 'none', 'sha256', sha256,"
        " 'size', size) where id = $1",
        piece,
    )
    page = f"/desk/evidence/{piece}"
    await as_person(client, matter.office.author)
    outline(await client.get(page), DESK_POLICY)
    empty = await send(client, page, f"{page}/acts", _which="custody", reason="误拍")
    outline(empty, DESK_POLICY)
    assert (empty.status_code, "误拍</textarea>" in empty.text) == (422, True)
    await done(client, page, f"{page}/acts", _which="custody", kind="void", reason="误拍")
    act = matter.office.approver.act(clock())
    (one,) = await custody_acts.of_evidence(piece, act=act)
    decide = {"_which": f"custody-{one.id}", "approve": "yes", "reason": "属实"}
    assert (await send(client, page, f"{page}/acts/{one.id}", **decide)).status_code == 403
    await as_person(client, matter.office.approver)
    listed = await client.get("/desk/custody?state=proposed")
    outline(listed, DESK_POLICY)
    assert f"{page}#custody" in listed.text
    assert "不可恢复" in (await client.get(page)).text
    after = await done(client, page, f"{page}/acts/{one.id}", **decide)
    assert "已同意" in after.text
    assert await owner.fetchval("select state from evidence where id = $1", piece) == "withdrawn"


async def test_a_bundle_is_ordered_watched_and_cancelled_beside_its_trail(
    owner: Owner, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    base = f"/desk/visits/{matter.visit}"
    await as_person(client, matter.office.author)
    assert f"{base}/trail" in (await client.get(base)).text
    empty = await send(client, f"{base}/trail", f"{base}/bundles", _which="bundle", witness="王某")
    outline(empty, DESK_POLICY)
    assert (empty.status_code, 'value="王某"' in empty.text) == (422, True)
    new = {"_which": "bundle", "purpose": "行政复议答复", "audience": "office"}
    after = await done(client, f"{base}/trail", f"{base}/bundles", **new)
    assert "行政复议答复" in after.text
    assert "制作证据包" in after.text  # its entry in the log, in words
    (one,) = await dossiers.page(act=matter.office.author.act(clock()))
    early = await client.get(f"/desk/bundles/{one.id}/file")
    assert early.status_code == 409
    listed = await client.get("/desk/bundles")
    outline(listed, DESK_POLICY)
    path = f"/desk/bundles/{one.id}/cancellation"
    await as_person(client, matter.office.approver)
    assert (await send(client, "/desk/bundles", path)).status_code == 403
    await as_person(client, matter.office.author)
    assert "已取消" in (await done(client, "/desk/bundles", path)).text


async def test_the_trail_of_a_notice_and_a_case_is_a_link_away(
    owner: Owner, client: Client, clock: StillClock
) -> None:
    trial = await a_cheat(owner, clock)
    other = await casework.another(owner, trial.matter, clock())
    notice = await casework.served(other, clock())
    await as_person(client, trial.matter.office.author)
    for base, words in (
        (f"/desk/notices/{notice.id}", ("起草", "送达")),
        (f"/desk/cases/{trial.case.id}", ("立案", "查证属实")),
    ):
        assert f"{base}/trail" in (await client.get(base)).text
        page = await client.get(f"{base}/trail")
        outline(page, DESK_POLICY)
        assert all(word in page.text for word in words)
    assert (await client.get(f"/desk/cases/{new_id()}/trail")).status_code == 404
    await as_person(client, trial.matter.user)
    assert (await client.get(f"/desk/cases/{trial.case.id}/trail")).status_code == 403


async def test_an_office_steps_aside_for_an_institution_and_takes_part_again(
    owner: Owner, client: Client, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    above = await casework.an_office(clock(), world.SHANDONG, "鲁人社")
    page = f"/desk/institutions/{matter.institution}"
    new = {"_which": "aside", "office": str(matter.office.id), "ground": "该校系本单位举办"}
    await as_person(client, matter.office.approver)  # its own people decide nothing about that
    own = await send(client, page, f"{page}/office-recusals", **new, paper="回避决定1号")
    assert own.status_code == 403
    await as_person(client, above.approver)
    outline(await client.get(page), DESK_POLICY)
    bare = await send(client, page, f"{page}/office-recusals", **new)
    outline(bare, DESK_POLICY)
    assert (bare.status_code, "该校系本单位举办</textarea>" in bare.text) == (422, True)
    after = await done(client, page, f"{page}/office-recusals", **new, paper="回避决定1号")
    assert "回避中" in after.text
    ident = await owner.fetchval("select id from office_recusal")
    end = {"_which": f"end-aside-{ident}", "reason": "已脱钩"}
    after = await done(client, page, f"{page}/office-recusals/{ident}/end", **end)
    assert "已脱钩" in after.text
    await as_person(client, above.author)
    assert (await send(client, page, f"{page}/office-recusals", **new)).status_code == 403
