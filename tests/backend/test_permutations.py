"""The order in which a visit's operations arrive decides nothing: any permutation, any repeats."""

from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from backend.api import proofs
from backend.services import visits
from tests import field as worlds
from tests import world
from tests.backend import sheets
from tests.backend.desk import Desk
from tests.phone import Phone, answers_sha

FEW, MANY = 8, 400
PHASES = (Phase.explicit, Phase.generate)  # a seed has no simpler one
KEPT = """
select (select state from visit where id = $1) as state,
  (select started_at is not null from visit where id = $1) as started,
  (select jsonb_agg(jsonb_build_array(a.dev, a.item, a.canon, a.seq) order by a.dev, a.item)
    from answer a where a.visit = $1) as answers,
  (select jsonb_agg(jsonb_build_array(c.dev, c.items, c.answers_sha256, c.seq) order by c.dev)
    from claim c where c.visit = $1) as claims,
  (select jsonb_agg(jsonb_build_array(e.dev, e.kind, e.seq, e.flags) order by e.dev, e.seq)
    from visit_event e where e.visit = $1) as events,
  (select jsonb_agg(jsonb_build_array(e.id, e.state, e.flags) order by e.dev, e.seq)
    from evidence e where e.visit = $1) as evidence,
  (select jsonb_agg(r.statement) from rollcall r where r.visit = $1) as rolls,
  (select jsonb_agg(jsonb_build_array(f.item, f.state) order by f.item)
    from finding f where f.visit = $1) as findings,
  (select jsonb_agg(jsonb_build_array(o.dev, o.seq, o.kind, o.status) order by o.dev, o.seq)
    from op o where o.visit = $1) as operations,
  (select jsonb_agg(jsonb_build_array(a.inspector, a.state) order by a.inspector)
    from assignment a where a.visit = $1) as team,
  (select count(*) from op_doubt where visit = $1) as doubts,
  (select count(*) from dead_letter) as letters
"""
TAKEN = {"applied", "blocked", "duplicate"}
VERIFY = """
update evidence set state = 'verified' where visit = $1 and state = 'declared' and id <> all ($2)
"""


@dataclass
class Play:
    """One visit's operations as its two phones made them, and what each phone may wait for."""

    field: worlds.Field
    visit: UUID
    made: list[tuple[Phone, bytes]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    unsent: list[UUID] = field(default_factory=list)

    def op(self, phone: Phone, kind: str, body: dict[str, Any]) -> None:
        """The phone's next operation."""
        self.made.append((phone, phone.op(kind, body)))

    async def send(self, order: list[int], random: Random) -> None:
        """Send in this order, as each phone's batches of a few; captures are proved on the way."""
        at = 0
        while at < len(order):
            phone = self.made[order[at]][0]
            batch = []
            while at < len(order) and self.made[order[at]][0] is phone and len(batch) < 4:
                batch.append(self.made[order[at]][1])
                at += 1
                if random.random() < 0.4:
                    break
            told = await phone.send(*batch)
            refused = [one["outcome"] for one in told if one["result"] not in TAKEN]
            assert refused == []
            if random.random() < 0.3:
                await self.prove()

    async def prove(self) -> None:
        """What the worker does to captures that have come."""
        await self.field.owner.execute(VERIFY, self.visit, self.unsent)
        product = await world.the_product(self.field.clock())
        await visits.complete_if_ready(self.visit, act=product, rules=self.field.desk.rules)

    async def kept(self) -> str:
        """Everything that is stored of the visit, its ids and numbers made comparable."""
        text = str(dict(await self.field.owner.fetchrow(KEPT, self.visit)))
        for ident, name in self.names.items():
            text = text.replace(ident, name)
        return text


@pytest.fixture
async def where(
    desk: Desk,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> worlds.Field:
    """A field of a class, whose phones may hurry."""
    monkeypatch.setattr(proofs, "PACE", proofs.Pace(per_second=1000, burst=1_000_000))
    await desk.take("institutions", sheets.an_institution())
    training_class = await worlds.a_class(desk)
    return await worlds.a_field(desk, client, owner, training_class=training_class)


async def begun(where: worlds.Field) -> tuple[Play, Phone, Phone]:
    """A new visit in the hands of both phones, their numbers beginning anew."""
    training_class = UUID(where.phone.task["training_class"])
    visit = await worlds.a_visit(
        where.desk, where.institution, where.inspectors[:2], training_class=training_class
    )
    play = Play(where, visit)
    for name, phone in zip("AB", where.phones, strict=True):
        await phone.fetch_task(visit)
        play.names[str(phone.dev)] = name
        epoch = int(phone.inst_epoch, 16) + 1
        phone.inst_epoch, phone.seq, phone.shots, phone.prev = f"{epoch:016x}", 0, 0, "0" * 64
    one, other = where.phones
    return play, one, other


def answer(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"answers": [worlds.an_answer(item, value) for item, value in pairs]}


async def a_record(where: worlds.Field) -> Play:
    """Found closed, got in after all; answered, answered again, one capture taken back, signed."""
    play, one, other = await begun(where)
    shots = [one.capture(worlds.a_jpeg(n)) for n in range(3)]
    theirs = other.capture(worlds.a_jpeg(9))
    for name, shot in zip(("kept", "copied", "back", "theirs"), (*shots, theirs), strict=True):
        play.names[shot.id] = name
    roster = one.task["roster"]
    marks = [{"trainee": row["id"], "state": "absent"} for row in roster["trainees"][:4]]
    over = "ab" * 32
    play.op(one, "visit.start", {})
    play.op(one, "obstruction.record", {"outcome": "closed", "text": "无人应门"})
    play.op(one, "visit.start", {})
    play.op(one, "certificate.shown", {"inspectors": [str(one.inspector)], "to": "校长"})
    play.op(one, "answer.set", answer(("TI-11", "no"), ("TI-12", "yes")))
    for shot in shots:
        play.op(one, "evidence.declare", shot.body)
    play.unsent.append(UUID(shots[2].id))
    play.op(one, "evidence.withdraw", {"evidence": shots[2].id, "reason": "误拍"})
    paper = {"title": "签到表", "holder": "教务", "pages": 1, "compared": True}
    play.op(one, "document.copy", paper | {"evidence": [shots[1].id, theirs.id]})
    roll = {"training_class": one.task["training_class"], "roster": roster["sha256"]}
    play.op(one, "rollcall.record", roll | {"marks": marks, "strangers": 0})
    early = {"items": [shots[0].listed], "answers_sha": "00" * 32}
    play.op(one, "visit.finalize", early)
    play.op(one, "answer.set", answer(("TI-11", "yes")))
    joined = {"dev": str(other.dev), "items": [theirs.listed]}
    play.op(one, "contributor.list", joined)
    for inspector in where.inspectors[:2]:
        signed = {"role": "inspector", "inspector": str(inspector), "over": over}
        play.op(one, "signature.record", signed)
    play.op(one, "signature.record", {"role": "party", "name": "王某", "over": over})
    listed = [one.listed for one in (shots[0], shots[1], theirs)]
    mine = [worlds.an_answer("TI-11"), worlds.an_answer("TI-12")]
    play.op(one, "visit.finalize", {"items": listed, "answers_sha": answers_sha(mine)})
    play.op(other, "visit.start", {})
    play.op(other, "evidence.declare", theirs.body)
    play.op(other, "answer.set", answer(("TI-11", "no")))
    claim = {"items": [], "answers_sha": answers_sha([worlds.an_answer("TI-11", "no")])}
    play.op(other, "visit.finalize", claim)
    return play


async def a_recusal(where: worlds.Field) -> Play:
    """At work, and then a relation comes to light; the colleague goes on."""
    play, one, other = await begun(where)
    shot = one.capture(worlds.a_jpeg(1))
    play.names[shot.id] = "shot"
    play.op(one, "visit.start", {})
    play.op(one, "answer.set", answer(("TI-11", "yes")))
    play.op(one, "evidence.declare", shot.body)
    play.op(one, "recusal.declare", {"ground": "与负责人有亲属关系"})
    play.op(other, "visit.start", {})
    play.op(other, "answer.set", answer(("TI-11", "no")))
    return play


async def a_second_try(where: worlds.Field) -> Play:
    """Found closed, then open: the visit goes on, and nothing is claimed yet."""
    play, one, _ = await begun(where)
    play.op(one, "visit.start", {})
    play.op(one, "obstruction.record", {"outcome": "closed", "text": "无人应门"})
    play.op(one, "visit.start", {})
    play.op(one, "answer.set", answer(("TI-11", "yes")))
    return play


async def a_refusal(where: worlds.Field) -> Play:
    """Let in, found closed, and sent away at last: the last word counts."""
    play, one, _ = await begun(where)
    play.op(one, "visit.start", {})
    play.op(one, "obstruction.record", {"outcome": "closed", "text": "无人应门"})
    play.op(one, "visit.start", {})
    play.op(one, "obstruction.record", {"outcome": "refused", "text": "拒绝入内"})
    return play


PLAYS = {
    "record": (a_record, "complete"),
    "recusal": (a_recusal, "started"),
    "second try": (a_second_try, "started"),
    "refusal": (a_refusal, "refused"),
}


async def in_order(where: worlds.Field, name: str) -> str:
    play = await PLAYS[name][0](where)
    await play.send(list(range(len(play.made))), Random(0))
    await play.prove()
    kept = await play.kept()
    assert f"'state': '{PLAYS[name][1]}'" in kept, kept
    return kept


async def shuffled(where: worlds.Field, name: str, seed: int, expected: str) -> None:
    """Every operation once in any order, and some of them again."""
    random = Random(seed)
    play = await PLAYS[name][0](where)
    order = [*range(len(play.made)), *random.choices(range(len(play.made)), k=4)]
    random.shuffle(order)
    await play.send(order, random)
    await play.prove()
    assert await play.kept() == expected, f"seed {seed}"


@pytest.fixture(params=sorted(PLAYS))
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
async def expected(where: worlds.Field, name: str) -> str:
    return await in_order(where, name)


seeds = st.integers(min_value=0, max_value=2**32)


@settings(max_examples=FEW, phases=PHASES)
@given(seed=seeds)
async def test_any_order_ends_in_the_same_state(
    where: worlds.Field, name: str, expected: str, seed: int
) -> None:
    await shuffled(where, name, seed, expected)


@pytest.mark.slow
@settings(max_examples=MANY, phases=PHASES)
@given(seed=seeds)
async def test_any_of_many_orders_ends_in_the_same_state(
    where: worlds.Field, name: str, expected: str, seed: int
) -> None:
    await shuffled(where, name, seed, expected)
