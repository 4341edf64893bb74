"""The ceremony of a draw and the mistakes its people make: each refused, nothing half done."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import httpx
import msgspec
import pytest
from litestar import Litestar

from backend.services import (
    ceremony,
    countersigns,
    disclosure,
    drawlog,
    draws,
    parties,
    plans,
    voids,
)
from backend.services.entropy import DiceInvalid, ValueInvalid, check_value
from backend.services.errors import Absent
from backend.services.planchecks import PartyUnknown
from backend.services.records.draws import DrawRecord, NewParty
from inspection_plans.draw.chain import check_chain
from inspection_plans.errors import RuleRefusal
from media.keys import verify_server
from tests import drawing, world
from tests.conftest import StillClock
from tests.drawing import Office, Signer

Owner = asyncpg.Connection


async def held(owner: Owner) -> list[list[tuple[object, ...]]]:
    """Everything that a refused deed must leave as it was."""
    statements = (
        "select id, state, head, entropy::text, void_reason from draw order by id",
        "select draw, party, commitment, secret, revealed_at from draw_share order by 1, 2",
        "select hash from draw_log order by seq",
        "select id from aud.entry order by id",
        "select etag from draw_page order by draw",
    )
    return [[tuple(row) for row in await owner.fetch(text)] for text in statements]


async def two_parties(app: Litestar, clock: StillClock) -> tuple[Office, DrawRecord, Signer]:
    """A frozen draw of operator and supervision, with dice."""
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 9))
    await drawing.inspectors(office.act, range(1, 5))
    signer = await drawing.a_party(office)
    spec = drawing.a_spec(parties=("operator", "supervision"))
    plan = await drawing.an_approved_plan(office, spec=spec)
    return office, await drawing.a_frozen_draw(office, plan), signer


async def refused(code: str, deed: Callable[[], Awaitable[object]], owner: Owner) -> None:
    """The deed is refused with this code and leaves everything as it was."""
    before = await held(owner)
    with pytest.raises(Exception) as refusal:  # noqa: PT011 - the code says which
        await deed()
    assert getattr(refusal.value, "code", refusal.value) == code
    assert await held(owner) == before


async def types(owner: Owner) -> list[str]:
    """The types of the log's entries, in order."""
    return [row["type"] for row in await owner.fetch("select type from draw_log order by seq")]


async def test_the_order_of_a_ceremony_stands_in_a_chained_log(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw, signer = await two_parties(app, clock)
    assert (await draws.draw(draw.id, act=office.act)).missing == ("commit:supervision",)
    await signer.commit(office, draw)
    draw = await drawing.throw_dice(office, draw)
    assert draw.state == "frozen"
    draw = await signer.reveal(office, draw)
    assert draw.state == "revealed"
    assert await types(owner) == [
        "plan_year",
        "attempt_open",
        "plan",
        "freeze",
        "plan_year",
        "commit",
        "commit",
        "entropy",
        "reveal",
        "reveal",
    ]
    log = await disclosure.log(370000, 2026)
    assert list(check_chain("sha256", log)) == []
    assert log[-1]["hash"] == draw.head


async def test_committing_twice_is_refused_and_the_same_again_is_not(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw, signer = await two_parties(app, clock)
    committed = await signer.commit(office, draw)
    before = await held(owner)
    assert await signer.commit(office, draw) == committed
    assert await held(owner) == before
    signer.secret = b"\x55" * 32
    await refused("draw.committed", lambda: signer.commit(office, draw), owner)


async def test_a_commitment_needs_the_key_of_its_party(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw, signer = await two_parties(app, clock)
    other = await drawing.a_party(office, "association", 21)
    await refused("draw.not_a_party", lambda: other.commit(office, draw), owner)
    signer.key = other.key
    await refused("signature.invalid", lambda: signer.commit(office, draw), owner)


async def test_nobody_reveals_early_or_something_else(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw, signer = await two_parties(app, clock)
    await refused("draw.reveal_early", lambda: signer.reveal(office, draw), owner)
    await signer.commit(office, draw)
    await refused("draw.reveal_early", lambda: signer.reveal(office, draw), owner)
    await drawing.throw_dice(office, draw)
    other = b"\x66" * 32
    await refused("draw.reveal_mismatch", lambda: signer.reveal(office, draw, other), owner)
    revealed = await signer.reveal(office, draw)
    before = await held(owner)
    assert (await signer.reveal(office, draw)).state == revealed.state
    assert await held(owner) == before
    await refused("draw.reveal_mismatch", lambda: signer.reveal(office, draw, other), owner)


async def test_a_reveal_signs_a_head_of_this_draw(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw, signer = await two_parties(app, clock)
    await signer.commit(office, draw)
    draw = await drawing.throw_dice(office, draw)

    async def reveal(head: str, signature: bytes) -> DrawRecord:
        return await ceremony.reveal(
            draw.id,
            signer.code,
            signer.secret.hex(),
            head=head,
            signature=signature.hex(),
            act=office.act,
            keys=office.keys,
        )

    foreign = "ab" * 32
    signed = signer.key.sign(bytes.fromhex(foreign))
    await refused("draw.head_unknown", lambda: reveal(foreign, signed), owner)
    await refused("signature.invalid", lambda: reveal(draw.head, signed), owner)

    async def countersign(party: str, head: str) -> DrawRecord:
        return await countersigns.countersign(draw.id, party, head, signed.hex(), act=office.act)

    await refused("draw.not_a_party", lambda: countersign("nobody", draw.head), owner)
    await refused("draw.head_unknown", lambda: countersign(signer.code, foreign), owner)
    await refused("signature.invalid", lambda: countersign(signer.code, draw.head), owner)


async def test_chance_is_the_announced_one_after_all_commitments(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw, signer = await two_parties(app, clock)

    async def enter(ref: str, value: str) -> DrawRecord:
        return await ceremony.enter(
            draw.id, "dice", ref, value, drawing.WITNESSES, act=office.act, keys=office.keys
        )

    ref = drawing.DICE.ref
    await refused("draw.commits_missing", lambda: enter(ref, drawing.DIGITS), owner)
    await signer.commit(office, draw)
    await refused("draw.entropy_unannounced", lambda: enter("明天", drawing.DIGITS), owner)
    await refused("draw.dice_invalid", lambda: enter(ref, "12"), owner)
    entered = await enter(ref, drawing.DIGITS)
    before = await held(owner)
    assert (await enter(ref, drawing.DIGITS)).entropy == entered.entropy
    assert await held(owner) == before
    await refused("draw.entropy_given", lambda: enter(ref, "9" * 20), owner)


async def test_who_does_not_reveal_in_time_is_named_and_left_out(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw, signer = await two_parties(app, clock)
    await signer.commit(office, draw)
    draw = await drawing.throw_dice(office, draw)
    await refused("draw.in_time", lambda: voids.expire(draw.id, act=office.act), owner)
    office.at = draw.reveal_by + timedelta(seconds=1)
    await refused("draw.reveal_late", lambda: signer.reveal(office, draw), owner)
    voided = await voids.expire(draw.id, act=await office.product())
    assert (voided.state, voided.voided_by) == ("void", None)
    body = msgspec.json.decode(
        await owner.fetchval("select body from draw_log where type = 'void'")
    )
    assert (body["party"], body["missing"]) == ("supervision", ["supervision"])
    again = await draws.freeze(
        draw.plan, act=office.act, keys=office.keys, token=lambda size: b"\7" * size
    )
    assert (again.attempt, again.parties, again.level) == (2, ("operator",), "C")
    same = ("frame_objects", "frame_inspectors", "blocked_digest", "plan_digest")
    assert [getattr(again, name) for name in same] == [getattr(draw, name) for name in same]
    await drawing.throw_dice(office, again)
    await draws.run(again.id, act=office.act, keys=office.keys)
    await owner.execute("update visit set state = 'concluded'")
    await disclosure.disclose(again.id, act=office.act, keys=office.keys)
    verdict = await disclosure.verify(again.id, act=office.act)
    assert (verdict.ok, verdict.problems) == (True, ())
    first = msgspec.json.decode((await disclosure.page(draw.code, attempt=1)).body)
    assert first["draw"]["void_reason"] == "deadline: reveal:supervision"


async def test_a_ceremony_that_was_never_held_blames_nobody(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw, signer = await two_parties(app, clock)
    await signer.commit(office, draw)
    office.at = draw.reveal_by + timedelta(seconds=1)
    await voids.expire(draw.id, act=await office.product())
    body = msgspec.json.decode(
        await owner.fetchval("select body from draw_log where type = 'void'")
    )
    assert (body["party"], body["missing"]) == (None, [])
    assert (await drawing.a_frozen_draw(office, await _plan(office, draw))).attempt == 2


async def _plan(office: Office, draw: DrawRecord) -> drawing.PlanRecord:
    return await plans.plan(draw.plan, act=office.act)


async def test_when_every_party_is_barred_no_attempt_is_left(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw, _ = await two_parties(app, clock)
    office.at = draw.reveal_by + timedelta(seconds=1)
    await voids.expire(draw.id, act=await office.product())
    await owner.execute(
        "update draw_log set body = jsonb_set(body, '{missing}', '[\"operator\",\"supervision\"]')"
        " where type = 'void'"
    )
    plan = await _plan(office, draw)
    await refused("draw.no_party_left", lambda: drawing.a_frozen_draw(office, plan), owner)


async def test_two_persons_make_a_draw_void_and_it_stays_visible(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw, _ = await two_parties(app, clock)
    await refused("draw.void_not_proposed", lambda: voids.agree(draw.id, act=office.second), owner)
    await voids.propose(draw.id, "骰子掉到桌下", act=office.act)
    await refused("E_CONTROL", lambda: voids.propose(draw.id, "a\nb", act=office.act), owner)
    await refused("draw.same_person", lambda: voids.agree(draw.id, act=office.act), owner)
    voided = await voids.agree(draw.id, act=office.second)
    assert (voided.state, voided.void_reason) == ("void", "骰子掉到桌下")
    log = await disclosure.log(370000, 2026)
    assert log[-1]["body"]["by"] == office.supervisor.person.name
    assert log[-1]["body"]["second"] == office.approver.person.name
    page = msgspec.json.decode((await disclosure.page(draw.code)).body)
    assert (page["draw"]["state"], page["draw"]["void_reason"]) == ("void", "骰子掉到桌下")
    await refused(
        "draw.result_stands",
        lambda: voids.propose(draw.id, "再来一次", act=office.act),
        owner,
    )


async def test_a_result_is_never_made_void(app: Litestar, clock: StillClock, owner: Owner) -> None:
    office, draw, signer = await two_parties(app, clock)
    await signer.commit(office, draw)
    await drawing.throw_dice(office, draw)
    await voids.propose(draw.id, "结果不合适", act=office.act)
    await signer.reveal(office, draw)

    async def propose() -> DrawRecord:
        return await voids.propose(draw.id, "重来", act=office.act)

    await refused("draw.all_revealed", propose, owner)
    await refused("draw.all_revealed", lambda: voids.agree(draw.id, act=office.second), owner)
    done = await draws.run(draw.id, act=office.act, keys=office.keys)
    assert done.void_reason is None
    await refused("draw.result_stands", propose, owner)
    await refused("draw.result_stands", lambda: voids.agree(draw.id, act=office.second), owner)
    with pytest.raises(plans.DrawOpen):
        await plans.cancel(draw.plan, "任务调整", act=office.second)
    with pytest.raises(plans.DrawOpen):
        await plans.close(draw.plan, act=office.act)
    with pytest.raises(RuleRefusal) as late:
        await signer.commit(office, draw)
    assert late.value.code == "draw.wrong_state"


async def test_the_operator_cannot_be_spoken_for(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw, signer = await two_parties(app, clock)
    signer.code = "operator"
    await refused("draw.not_a_party", lambda: signer.commit(office, draw), owner)
    await refused("draw.not_a_party", lambda: signer.reveal(office, draw), owner)


async def test_secrets_are_sealed_in_the_database(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw, signer = await two_parties(app, clock)
    await signer.commit(office, draw)
    await drawing.throw_dice(office, draw)
    await signer.reveal(office, draw)
    rows = await owner.fetch("select party, secret from draw_share")
    assert all(len(row["secret"]) == 40 for row in rows)  # wrapped, RFC 3394
    assert signer.secret not in [row["secret"] for row in rows]


async def test_an_open_draw_is_reminded_of(app: Litestar, clock: StillClock, owner: Owner) -> None:
    office, draw, _ = await two_parties(app, clock)
    assert await countersigns.remind(act=await office.product()) == 1
    body = msgspec.json.decode(
        await owner.fetchval("select body from aud.entry order by id desc limit 1")
    )
    assert (body["verb"], body["reason"]) == ("draw.reminded", "commit:supervision")
    assert body["object"]["id"] == str(draw.id)


async def test_parties_have_codes_and_keys_of_their_own(app: Litestar, clock: StillClock) -> None:
    office = await drawing.an_office(app, clock())
    signer = await drawing.a_party(office)
    key = signer.key.public.hex()

    def new(code: str, public_key: str) -> NewParty:
        return NewParty(code=code, name="某方", kind="association", public_key=public_key)

    for code, public_key, refusal in (
        ("other", key, parties.KeyShared),
        ("supervision", "cd" * 32, parties.PartyTaken),
        ("operator", "cd" * 32, parties.PartyTaken),
    ):
        with pytest.raises(refusal):
            await parties.register(new(code, public_key), act=office.act)
    (party,) = await parties.parties(act=office.act)
    assert (await parties.retire(party.id, act=office.act)).active is False
    with pytest.raises(Absent):
        await parties.retire(office.id, act=office.act)
    spec = drawing.a_spec(parties=("operator", "supervision"))
    with pytest.raises(PartyUnknown):
        await plans.create(drawing.a_draft(clock(), spec=spec), act=office.act)


async def test_the_operator_signs_with_the_servers_key_of_today(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, draw, _ = await two_parties(app, clock)
    key = office.keys.server.public
    shown = await draws.draw(draw.id, act=office.act)
    (signed,) = [one for one in shown.countersigns if one.party == "operator"]
    verify_server(key, bytes.fromhex(signed.hash), bytes.fromhex(signed.signature))
    await owner.execute("update party set public_key = $1 where code = 'operator'", b"\1" * 32)
    spec = drawing.a_spec(cool_down_days=0)
    await drawing.a_frozen_draw(
        office, await drawing.an_approved_plan(office, code="second", spec=spec)
    )
    stored = await owner.fetchval("select public_key from party where code = 'operator'")
    assert stored == key
    verbs = await owner.fetch("select body ->> 'verb' as verb from aud.entry")
    assert "party.key_changed" in [row["verb"] for row in verbs]


async def test_two_deeds_at_the_log_keep_its_times_in_order(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.an_approved_plan(office)
    office.at = clock() - timedelta(hours=3)
    await drawing.an_approved_plan(office, code="earlier")
    times = [row["at"] for row in await owner.fetch("select at from draw_log order by seq")]
    assert times == sorted(times)
    assert drawlog.instant(times[0]) == "2026-03-02T01:00:00Z"


async def test_a_ceremony_over_http(
    app: Litestar, clock: StillClock, client: httpx.AsyncClient
) -> None:
    office, draw, signer = await two_parties(app, clock)
    clock.set(office.at)
    mine = await world.signed_in(client, office.supervisor)
    second = await world.signed_in(client, office.approver)
    at = f"/api/v1/draws/{draw.id}"
    commits = signer.commits(draw)
    body = {
        "party": signer.code,
        "commitment": commits,
        "signature": signer.key.sign(ceremony.COMMIT_TAG + bytes.fromhex(commits)).hex(),
    }
    bad = await client.post(
        f"{at}/commitments", json={**body, "signature": "00" * 64}, headers=second
    )
    assert (bad.status_code, bad.json()["code"]) == (403, "signature.invalid")
    short = await client.post(f"{at}/commitments", json={**body, "party": ""}, headers=second)
    assert short.status_code == 422
    done = await client.post(f"{at}/commitments", json=body, headers=second)
    head = done.json()["head"]
    signed = {
        "party": signer.code,
        "head": head,
        "signature": signer.key.sign(bytes.fromhex(head)).hex(),
    }
    assert (
        await client.post(f"{at}/countersignatures", json=signed, headers=second)
    ).status_code == 201
    secret = {**signed, "secret": signer.secret.hex()}
    early = await client.post(f"{at}/reveals", json=secret, headers=second)
    assert (early.status_code, early.json()["code"]) == (409, "draw.reveal_early")
    await drawing.throw_dice(office, draw)
    alone = await client.post(f"{at}/void", headers=second)
    assert (alone.status_code, alone.json()["code"]) == (409, "draw.void_not_proposed")
    await client.post(f"{at}/void-proposal", json={"reason": "见证人缺席"}, headers=mine)
    assert (await client.post(f"{at}/void", headers=second)).json()["state"] == "void"
    late = await client.post(f"{at}/reveals", json=secret, headers=second)
    assert (late.status_code, late.json()["code"]) == (409, "draw.wrong_state")
    listed = await client.get("/api/v1/draws", params={"plan": str(draw.plan)}, headers=mine)
    assert [one["state"] for one in listed.json()] == ["void"]
    shown = await client.get(f"/api/v1/public/draws/{draw.code}", params={"attempt": 1})
    assert shown.json()["draw"]["void_reason"] == "见证人缺席"


async def test_parties_over_http(
    app: Litestar, clock: StillClock, client: httpx.AsyncClient
) -> None:
    office = await drawing.an_office(app, clock())
    mine = await world.signed_in(client, office.supervisor)
    body = {"code": "association", "name": "某协会", "kind": "association"}
    new = {**body, "public_key": "ab" * 32}
    made = await client.post("/api/v1/parties", json=new, headers=mine)
    assert (made.status_code, made.json()["active"]) == (201, True)
    twice = await client.post("/api/v1/parties", json=new, headers=mine)
    assert (twice.status_code, twice.json()["code"]) == (409, "party.key_shared")
    gone = await client.delete(f"/api/v1/parties/{made.json()['id']}", headers=mine)
    assert (gone.status_code, gone.json()["active"]) == (200, False)
    listed = await client.get("/api/v1/parties", headers=mine)
    assert [party["code"] for party in listed.json()] == ["association"]


@pytest.mark.parametrize(
    ("source", "value", "witnesses"),
    [
        ("dice", "1234567890123456789", ("甲", "乙")),
        ("dice", "１２３４５６７８９０１２３４５６７８９０", ("甲", "乙")),
        ("dice", "1" * 20, ("甲",)),
        ("dice", "1" * 20, ("甲", " 甲 ")),
        ("dice", "1" * 20, ("甲", " ")),
        ("drand", "AB" * 32, ()),
        ("drand", "ab" * 31, ()),
        ("lottery", "", ()),
        ("lottery", "七", ()),
    ],
)
def test_values_that_do_not_look_like_their_source(
    source: str, value: str, witnesses: tuple[str, ...]
) -> None:
    with pytest.raises((DiceInvalid, ValueInvalid)):
        check_value(source, value, witnesses)


def test_values_as_their_sources_publish_them() -> None:
    assert check_value("dice", "0" * 20, (" 甲", "乙", "甲")) == ("甲", "乙")
    assert check_value("drand", "0f" * 32, ()) == ()
    assert check_value("lottery", "07 12 33 + 9".replace(" + ", "+"), ("丙",)) == ("丙",)
