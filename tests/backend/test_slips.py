"""One-time slips: answered once, by nobody in particular, counted only from five on."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import asyncpg
import httpx
import pytest
from litestar import Litestar

from backend.clock import new_id
from backend.services import slips
from backend.services.errors import Absent
from backend.services.questions import questions
from backend.services.slips import SlipAnswer, SlipOver, SlipSpent
from inspection_plans import policy
from tests import field as worlds
from tests.backend.desk import Desk
from tests.backend.test_pages import csrf
from tests.field import Field

CHOSEN = {"loan": "yes", "promise": "no"}
LEAST = policy.number("slip_counts_from", "CN-37")
Ids = Callable[[], Any]


@pytest.fixture
async def field(desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection) -> Field:
    return await worlds.a_field(desk, client, owner)


async def issued(field: Field, n: int) -> list[str]:
    """Codes of slips that the phone has handed out."""
    codes = [f"{number:022d}" for number in range(n)]
    made = [
        {"id": str(new_id()), "code_sha256": sha256(code.encode()).hexdigest()} for code in codes
    ]
    [told] = await field.phone.send(field.phone.op("slip.issue", {"slips": made}))
    assert told["outcome"]["data"] == {"slips": n}
    return codes


async def answer(field: Field, code: str, chosen: dict[str, str] | None = None) -> None:
    picked = CHOSEN if chosen is None else chosen
    await slips.answer(code, picked, at=field.clock(), new_id=new_id)


async def test_counts_are_told_from_enough_answers_on(field: Field) -> None:
    codes = await issued(field, LEAST + 1)
    for number, code in enumerate(codes[:LEAST], start=1):
        assert (await slips.look(code, at=field.clock())).institution
        await answer(field, code)
        told = await slips.counts(field.visit, act=field.desk.act)
        assert (told.issued, told.answered, told.shown_from) == (LEAST + 1, number, LEAST)
        assert bool(told.counts) == (number >= LEAST)
    assert told.counts == {"loan": {"yes": LEAST}, "promise": {"no": LEAST}}
    assert await field.entries("slip.answered") == LEAST


async def test_nothing_kept_says_who_or_when(field: Field) -> None:
    [code] = await issued(field, 1)
    await answer(field, code)
    counted = await field.owner.fetch("select * from slip_count order by question")
    assert [set(row.keys()) for row in counted] == [
        {"visit", "region", "question", "option", "persons"}
    ] * len(CHOSEN)
    [slip] = await field.owner.fetch("select * from slip")
    assert set(slip.keys()) == {"id", "region", "visit", "code_sha256", "until", "spent"}
    assert code not in str(slip)


async def test_a_slip_answers_once_in_time_and_what_is_asked(field: Field) -> None:
    first, second = await issued(field, 2)
    wrong: list[dict[str, str]] = [{}, {"loan": "perhaps"}, {"age": "yes"}]
    for chosen in wrong:
        with pytest.raises(SlipAnswer):
            await answer(field, first, chosen)
    await answer(field, first)
    with pytest.raises(SlipSpent):
        await answer(field, first)
    with pytest.raises(SlipSpent):
        await slips.look(first, at=field.clock())
    for unknown in ("9" * 22, "short", "'; drop table slip; --"):
        with pytest.raises(Absent):
            await answer(field, unknown)
    field.clock.tick(days=policy.number("slip_days", "CN-37"), seconds=1)
    with pytest.raises(SlipOver):
        await answer(field, second)
    assert await field.owner.fetchval("select sum(persons) from slip_count") == len(CHOSEN)


async def test_the_page_needs_no_script_and_no_signing_in(
    field: Field, client: httpx.AsyncClient
) -> None:
    [code] = await issued(field, 1)
    page = await client.get(f"/slips/{code}")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    for question in questions().anonymous:
        assert question.zh in page.text
    token = {"_csrf_token": csrf(page)}
    again = await client.post(f"/slips/{code}", data=token)
    assert again.status_code == 422
    assert "还没有选择" in again.text
    sent = await client.post(f"/slips/{code}", data={"loan": "no", **token})
    assert (sent.status_code, sent.headers["location"]) == (303, "/slips/done")
    assert "谢谢" in (await client.get("/slips/done")).text
    assert (await client.get(f"/slips/{code}")).status_code == 409
    absent = await client.get(f"/slips/{'x' * 22}")
    assert absent.status_code == 404


async def test_the_phone_asks_for_counts_and_its_handbook(
    field: Field,
    client: httpx.AsyncClient,
    app: Litestar,  # noqa: ARG001 - its lifespan holds the pools
) -> None:
    phone = field.phone
    told = await phone.get(f"/api/v1/visits/{field.visit}/slips")
    assert told == {"issued": 0, "answered": 0, "shown_from": LEAST, "counts": {}}
    book = await phone.get("/api/v1/handbook?place=CN-3710&on=2026-03-02")
    assert "weihai-2023-25/2/catalogue-only" in book["clauses"]
    assert set(book["lexicon"]["banned"]["training_loan"]) <= set(book["clauses"])
    assert [one["code"] for one in book["questions"]["anonymous"]][3] == "loan"
    nation = await phone.get("/api/v1/handbook?place=national&on=2026-03-02")
    assert set(nation["clauses"]) < set(book["clauses"])
    assert (await client.get("/api/v1/handbook?place=CN-37&on=2026-03-02")).status_code == 401
