"""Draws that run by themselves: chains of secrets, links left ahead, named values of chance."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar import Litestar

from backend.clock import token
from backend.jobs import schedule
from backend.jobs.context import Context
from backend.services import chains, countersigns, deposits, disclosure, draws, entropy, plans
from backend.services.records.chains import NewChain, NewDeposit
from backend.services.records.draws import DrawRecord
from backend.services.records.plans import Entropy
from inspection_plans.draw.links import hashed, link_at, link_secret, steps
from inspection_plans.draw.seed import commitment, tagged
from media.keys import BoxKey, SealBroken, ServerKey, seal_for
from tests import drawing, world
from tests.conftest import StillClock, Work
from tests.drawing import Office, Signer

Owner = asyncpg.Connection
LENGTH = 8
ROOT = "5c" * 32


@dataclass
class Chain:
    """A party's chain, kept with its key."""

    signer: Signer
    root: str = ROOT
    length: int = LENGTH

    @property
    def tip(self) -> str:
        """What is committed once."""
        return link_at("sha256", self.root, self.length, 0)

    def link(self, index: int) -> str:
        """One link, hex."""
        return link_at("sha256", self.root, self.length, index)

    def new(self, year: int = 2026) -> NewChain:
        """The tip, signed."""
        bare = NewChain(
            party=self.signer.code, year=year, tip=self.tip, length=self.length, signature=""
        )
        signed = self.signer.key.sign(chains.signed_text(bare, "sha256")).hex()
        return msgspec.structs.replace(bare, signature=signed)

    def deposit(
        self, office: Office, code: str, index: int, *, link: str | None = None, attempt: int = 1
    ) -> NewDeposit:
        """A link for a draw, sealed for the server and signed."""
        value, who = link or self.link(index), self.signer.code
        commits = commitment("sha256", code, attempt, who, link_secret("sha256", value))
        box = seal_for(office.keys.box.public, bytes.fromhex(value), deposits.BOX, once=token(32))
        bare = NewDeposit(
            party=who,
            draw=code,
            attempt=attempt,
            index=index,
            commitment=commits,
            commit_signature=self.signer.key.sign(
                tagged("ssj1.commit") + bytes.fromhex(commits)
            ).hex(),
            sealed=box.hex(),
            signature="",
        )
        signed = self.signer.key.sign(deposits.signed_text(bare)).hex()
        return msgspec.structs.replace(bare, signature=signed)


async def a_world(app: Litestar, clock: StillClock) -> tuple[Office, Chain]:
    """An office with a party that has left its chain for the year."""
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 13))
    await drawing.inspectors(office.act, range(1, 5))
    chain = Chain(await drawing.a_party(office))
    await chains.commit(chain.new(), alg="sha256", act=office.act, keys=office.keys)
    return office, chain


async def a_plan(office: Office, code: str, **changes: Any) -> drawing.PlanRecord:
    """An approved plan of operator and supervision, without any chance to be entered."""
    given: dict[str, Any] = {"parties": ("operator", "supervision"), "entropy": ()}
    spec = drawing.a_spec(cool_down_days=0, **given | changes)
    return await drawing.an_approved_plan(office, code=code, spec=spec)


async def leave(office: Office, new: NewDeposit) -> None:
    """Deposit a link."""
    await deposits.deposit(new, act=office.act, keys=office.keys)


async def held(owner: Owner) -> list[list[tuple[object, ...]]]:
    """Everything that a refused deed must leave as it was."""
    statements = (
        "select id, state, head, entropy::text from draw order by id",
        "select draw, party, commitment, secret, link from draw_share order by 1, 2",
        "select id, used, anchor from draw_chain order by id",
        "select id, used_in from draw_deposit order by id",
        "select hash from draw_log order by seq",
        "select id from aud.entry order by id",
    )
    return [[tuple(row) for row in await owner.fetch(text)] for text in statements]


async def refused(deed: Any, owner: Owner) -> tuple[str, dict[str, Any]]:
    """Code and facts of a refusal that left everything as it was."""
    before = await held(owner)
    with pytest.raises(Exception) as refusal:  # noqa: PT011 - the code says which
        await deed
    assert await held(owner) == before
    return str(getattr(refusal.value, "code", refusal.value)), getattr(refusal.value, "facts", {})


async def published(office: Office, owner: Owner, draw: DrawRecord) -> dict[str, Any]:
    """The disclosed record, found right by a citizen's verifier."""
    await owner.execute("update visit set state = 'concluded' where draw = $1", draw.id)
    await disclosure.disclose(draw.id, act=office.act, keys=office.keys)
    verdict = await disclosure.verify(draw.id, act=office.act)
    assert (verdict.problems, verdict.ok) == ((), True)
    record: dict[str, Any] = (await disclosure.record(draw.id, act=office.act))["record"]
    return record


async def test_an_unattended_plan_draws_by_itself_at_level_b(
    app: Litestar, clock: StillClock, owner: Owner, work: Work
) -> None:
    office, chain = await a_world(app, clock)
    plan = await a_plan(office, "auto")
    await leave(office, chain.deposit(office, plans.draw_code(plan), 1))
    context: Context = app.state.jobs
    clock.set(plan.fire_at)
    await schedule.tick(context)
    await work.drain()
    office.at = clock()
    (draw,) = await draws.draws(act=office.act)
    assert (draw.state, draw.level, draw.parties) == ("drawn", "B", ("operator", "supervision"))
    ceremony = await draws.draw(draw.id, act=office.act)
    assert ceremony.unsigned == {"freeze": ("supervision",), "result": ("supervision",)}
    record = await published(office, owner, draw)
    (opened,) = [entry for entry in record["log"] if entry["type"] == "disclose"]
    by_party = {one["party"]: one for one in opened["body"]["links"]}
    tips = {
        one["party"]: one["tip"]
        for entry in record["log"]
        for one in entry["body"].get("chains", ())
    }
    values = {
        e["body"]["party"]: e["body"]["value"] for e in record["log"] if e["type"] == "opening"
    }
    for party in ("operator", "supervision"):
        one = by_party[party]
        assert hashed("sha256", one["link"], one["index"]) == tips[party] == one["tip"]
        assert link_secret("sha256", one["link"]) == values[party]
    assert by_party["supervision"]["link"] == chain.link(1)


async def test_without_a_deposit_the_draw_waits_for_the_ceremony_and_its_link(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, chain = await a_world(app, clock)
    draw = await drawing.a_frozen_draw(office, await a_plan(office, "by-hand"))
    assert (await draws.draw(draw.id, act=office.act)).missing == ("commit:supervision",)
    chain.signer.secret = bytes.fromhex(link_secret("sha256", chain.link(2)))
    await chain.signer.commit(office, draw)
    none = chain.signer.reveal(office, draw)
    assert await refused(none, owner) == ("chain.link_wrong", {"party": "supervision", "used": 0})
    other = chain.signer.reveal(office, draw, link="77" * 32)
    assert (await refused(other, owner))[0] == "chain.link_wrong"
    draw = await chain.signer.reveal(office, draw, link=chain.link(2))
    assert draw.state == "revealed"
    assert [one.used for one in await chains.chains(act=office.act)] == [1, 2]
    await draws.run(draw.id, act=office.act, keys=office.keys)
    await published(office, owner, draw)


async def test_a_link_is_used_once_and_in_the_chains_order(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, chain = await a_world(app, clock)
    first, second, third = [await a_plan(office, code) for code in ("one", "two", "three")]
    await leave(office, chain.deposit(office, plans.draw_code(first), 2))
    early = chain.deposit(office, plans.draw_code(second), 1)
    await leave(office, early)
    again = leave(office, chain.deposit(office, plans.draw_code(second), 3))
    assert (await refused(again, owner))[0] == "deposit.exists"
    same = leave(office, chain.deposit(office, plans.draw_code(third), 2))
    assert (await refused(same, owner))[0] == "deposit.exists"
    assert (await drawing.a_frozen_draw(office, first)).state == "revealed"
    passed = await drawing.a_frozen_draw(office, second)
    assert (await draws.draw(passed.id, act=office.act)).missing == ("commit:supervision",)
    used = leave(office, chain.deposit(office, plans.draw_code(third), 2))
    assert await refused(used, owner) == ("chain.link_wrong", {"party": "supervision", "used": 2})
    verbs = await owner.fetch("select body ->> 'verb' as verb from aud.entry")
    assert "chain.link_passed" in [row["verb"] for row in verbs]


async def test_a_wrong_deposit_is_refused_and_names_the_party(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, chain = await a_world(app, clock)
    code = plans.draw_code(await a_plan(office, "auto"))
    right = chain.deposit(office, code, 1)
    replace = msgspec.structs.replace

    def signed(new: NewDeposit) -> NewDeposit:
        return replace(new, signature=chain.signer.key.sign(deposits.signed_text(new)).hex())

    cases = (
        (chain.deposit(office, code, 1, link="99" * 32), "chain.link_wrong"),
        (chain.deposit(office, code, 3, link=chain.link(1)), "chain.link_wrong"),
        (signed(replace(right, sealed="00" * 80)), "chain.link_wrong"),
        (chain.deposit(office, "370000-nothing", 1), "deposit.not_announced"),
        (replace(right, index=2), "signature.invalid"),
        (signed(replace(right, commit_signature="00" * 64)), "signature.invalid"),
    )
    for new, wanted in cases:
        found, facts = await refused(leave(office, new), owner)
        assert found == wanted
        if found == "chain.link_wrong":
            assert facts["party"] == "supervision"
    stranger = Chain(await drawing.a_party(office, "b", 21))
    other = plans.draw_code(await a_plan(office, "b", parties=("operator", "b")))
    assert (await refused(leave(office, stranger.deposit(office, other, 1)), owner))[0] == (
        "chain.link_wrong"
    )
    twice = chains.commit(chain.new(), alg="sha256", act=office.act, keys=office.keys)
    assert (await refused(twice, owner))[0] == "chain.exists"
    forged = replace(chain.new(2027), signature="00" * 64)
    deed = chains.commit(forged, alg="sha256", act=office.act, keys=office.keys)
    assert (await refused(deed, owner))[0] == "signature.invalid"


async def test_a_link_is_not_opened_while_an_earlier_draw_is_sealed(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, chain = await a_world(app, clock)
    one, two = [await a_plan(office, code) for code in ("one", "two")]
    for place, plan in enumerate((one, two), 1):
        await leave(office, chain.deposit(office, plans.draw_code(plan), place))
    frozen = [await drawing.a_frozen_draw(office, plan) for plan in (one, two)]
    for draw in frozen:
        await draws.run(draw.id, act=office.act, keys=office.keys)
    record = await published(office, owner, frozen[1])
    (opened,) = [entry for entry in record["log"] if entry["type"] == "disclose"]
    assert opened["body"]["links"] == []
    assert chain.link(2) not in str(record)
    record = await published(office, owner, frozen[0])
    last = [entry for entry in record["log"] if entry["type"] == "disclose"][-1]
    assert [(x["party"], x["index"]) for x in last["body"]["links"]] == [
        ("operator", 2),
        ("supervision", 2),
    ]


async def test_a_chain_that_runs_out_is_told_thirty_days_ahead(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, _ = await a_world(app, clock)
    short = Chain(await drawing.a_party(office, "b", 21), "44" * 32, 1)
    await chains.commit(short.new(), alg="sha256", act=office.act, keys=office.keys)
    await a_plan(office, "one", parties=("operator", "b"))
    assert await chains.warn(act=await office.product()) == 0
    await a_plan(office, "two", parties=("operator", "b"))
    assert await chains.warn(act=await office.product()) == 1
    (told,) = [one for one in await chains.chains(act=office.act) if one.runs_out_on]
    assert (told.party, told.due, told.runs_out_on) == ("b", 2, date(2026, 3, 2))
    body = msgspec.json.decode(
        await owner.fetchval("select body from aud.entry order by id desc limit 1")
    )
    assert (body["verb"], body["object"]["title_snapshot"]) == ("chain.running_out", "b")


async def test_the_value_of_a_beacon_is_one_of_the_time_after_the_freeze(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, _ = await a_world(app, clock)
    past = await a_plan(office, "past", entropy=(Entropy(source="drand", ref="quicknet/4000000"),))
    lottery = await a_plan(
        office, "lottery", entropy=(Entropy(source="lottery", ref="福彩双色球 2026-03-02"),)
    )
    office.at = past.fire_at
    for plan in (past, lottery):
        deed = draws.freeze(plan.id, act=office.act, keys=office.keys, token=token)
        assert (await refused(deed, owner))[0] == "draw.entropy_past"
    dice = (Entropy(source="dice", ref="另掷"),)
    other = draws.freeze(past.id, act=office.act, keys=office.keys, token=token, named=dice)
    assert (await refused(other, owner))[0] == "draw.source_changed"
    named = (Entropy(source="drand", ref="quicknet"),)
    draw = await draws.freeze(past.id, act=office.act, keys=office.keys, token=token, named=named)
    beacon, _, number = draw.entropy[0].ref.partition("/")
    genesis, period = entropy.BEACONS[beacon]
    at = datetime.fromtimestamp(genesis + (int(number) - 1) * period, UTC)
    assert timedelta(hours=1) <= at - office.at < timedelta(hours=1, seconds=period + 1)
    later = (Entropy(source="lottery", ref="福彩双色球 2026-03-05"),)
    again = await draws.freeze(
        lottery.id, act=office.act, keys=office.keys, token=token, named=later
    )
    assert again.entropy[0].ref == later[0].ref


@given(st.integers(0, 10**9), st.sampled_from(sorted(entropy.BEACONS)))
def test_a_bare_beacon_names_its_first_round_after_the_margin(seconds: int, beacon: str) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    (named,) = entropy.announce([Entropy(source="drand", ref=beacon)], at=at, region=370000)
    number = int(named.ref.partition("/")[2])
    genesis, period = entropy.BEACONS[beacon]
    margin = timedelta(hours=1)
    instant = datetime.fromtimestamp(genesis + (number - 1) * period, UTC)
    assert timedelta() < instant - at - margin <= timedelta(seconds=period)
    before = named.ref.partition("/")[0] + f"/{number - 1}"
    with pytest.raises(entropy.EntropyPast):
        entropy.announce(
            [Entropy(source="drand", ref=before)],
            at=at + timedelta(seconds=1),
            region=370000,
        )


@pytest.mark.parametrize(
    ("source", "ref"),
    [
        ("drand", "round 9"),
        ("drand", "quicknet/0"),
        ("lottery", "下周"),
        ("lottery", "2026-13-40"),
    ],
)
def test_a_reference_says_which_value_is_meant(source: str, ref: str) -> None:
    with pytest.raises(entropy.RefInvalid):
        entropy.check_ref(source, ref)


@given(st.binary(min_size=32, max_size=32), st.integers(1, 40), st.data())
@settings(max_examples=60)
def test_every_link_leads_to_the_tip_and_to_no_other_place(
    root: bytes, length: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(1, length))
    tip, link = (
        link_at("sha256", root.hex(), length, 0),
        link_at("sha256", root.hex(), length, index),
    )
    assert hashed("sha256", link, index) == tip
    assert steps("sha256", link, tip, length) == index
    assert steps("sha256", link_secret("sha256", link), tip, length) is None
    assert steps("sha256", link, tip, index - 1) is None


@given(
    st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.integers(0, 79)
)
@settings(max_examples=40)
def test_a_sealed_link_opens_for_its_key_and_purpose_alone(
    seed: bytes, plain: bytes, at: int
) -> None:
    key = BoxKey.from_seed(seed)
    box = seal_for(key.public, plain, b"ssj1.link", once=b"\7" * 32)
    assert key.open(box, b"ssj1.link") == plain
    broken = bytearray(box)
    broken[at] ^= 1
    for text, purpose in ((bytes(broken), b"ssj1.link"), (box, b"other"), (b"", b"ssj1.link")):
        with pytest.raises(SealBroken):
            key.open(text, purpose)


async def test_who_has_not_countersigned_shows(
    app: Litestar, clock: StillClock, owner: Owner
) -> None:
    office, chain = await a_world(app, clock)
    plan = await a_plan(office, "auto")
    await leave(office, chain.deposit(office, plans.draw_code(plan), 1))
    draw = await drawing.a_frozen_draw(office, plan)
    shown = await countersigns.head(draw.id, act=office.act, origin="https://x.invalid")
    assert (shown.station, shown.unsigned) == ("freeze", {"freeze": ("supervision",)})
    assert shown.printed == shown.head[:16]
    assert shown.zh.endswith("已由operator签名确认；尚未签名：supervision。")
    signature = chain.signer.key.sign(bytes.fromhex(shown.head)).hex()
    await countersigns.countersign(draw.id, "supervision", shown.head, signature, act=office.act)
    page = await disclosure.record(draw.id, act=office.act)
    assert page["unsigned"] == {"freeze": []}
    signed = await countersigns.head(draw.id, act=office.act, origin="https://x.invalid")
    assert signed.unsigned == {"freeze": ()}
    await draws.run(draw.id, act=office.act, keys=office.keys)
    record = await published(office, owner, draw)
    (opened,) = [entry for entry in record["log"] if entry["type"] == "disclose"]
    assert "supervision" in [one["party"] for one in opened["body"]["countersigned"]]
    last = record["log"][-1]["hash"]
    signature = chain.signer.key.sign(bytes.fromhex(last)).hex()
    await countersigns.countersign(draw.id, "supervision", last, signature, act=office.act)
    verdict = await disclosure.verify(draw.id, act=office.act)
    assert verdict.ok
    page = await disclosure.record(draw.id, act=office.act)
    assert [one["party"] for one in page["record"]["countersigns"]] == ["operator", "supervision"]


async def test_chains_over_http(
    app: Litestar, clock: StillClock, client: httpx.AsyncClient
) -> None:
    office, chain = await a_world(app, clock)
    plan = await a_plan(office, "auto")
    mine = await world.signed_in(client, office.supervisor)
    key = await client.get("/api/v1/chain-key", headers=mine)
    assert key.json()["public"] == office.keys.box.public.hex()
    second = Chain(Signer("b", ServerKey.from_seed(b"\x2a" * 32), b""))
    unknown = await client.post(
        "/api/v1/chains", json=msgspec.to_builtins(second.new()), headers=mine
    )
    assert unknown.status_code == 404
    new = msgspec.to_builtins(chain.deposit(office, plans.draw_code(plan), 1))
    made = await client.post("/api/v1/chain-deposits", json=new, headers=mine)
    assert (made.status_code, made.json()["link_index"]) == (201, 1)
    twice = await client.post("/api/v1/chain-deposits", json=new, headers=mine)
    assert (twice.status_code, twice.json()["code"]) == (409, "deposit.exists")
    listed = await client.get("/api/v1/chain-deposits", headers=mine)
    assert [one["code"] for one in listed.json()] == [plans.draw_code(plan)]
    assert chain.link(1) not in listed.text
    known = await client.get("/api/v1/chains", headers=mine)
    assert [one["party"] for one in known.json()] == ["supervision"]
    assert "root" not in known.text
