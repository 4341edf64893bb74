"""What the public looks up: six items of institutions, certificates by two fields, cards."""

from datetime import date
from typing import Any

import httpx
import pytest

from backend.services import cards, filings, lookups
from inspection_plans.library import Library
from media.keys import ServerKey
from tests.backend.desk import Desk
from tests.backend.sheets import a_catalogue_entry, a_credit_code, an_institution
from tests.conftest import Work
from tests.world import a_person

KEY = ServerKey.from_seed(bytes(range(32)))
SECRETS = ("phone", "legal_person", "risk_class", "address", "frequency_cap")
CERTIFICATE = {
    "id": "1",
    "number": "DEMO-37-000001",
    "candidate_id": "1",
    "occupation": "大数据",
    "level": "junior",
    "issued_on": "2026-02-27",
}


@pytest.fixture
async def listed(desk: Desk) -> Desk:
    await desk.take("institutions", an_institution(), an_institution(2, name="另一所"))
    await desk.take(
        "catalogue",
        a_catalogue_entry(),
        a_catalogue_entry(1, kind="评价机构", occupation="人工智能", listed_on="2020-05-01"),
    )
    return desk


async def found(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/public/institutions", params=query)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()
    return rows


async def test_the_items_of_an_institution(client: httpx.AsyncClient, listed: Desk) -> None:
    assert listed
    (one,) = await found(client)
    entries = {entry["kind"]: entry for entry in one["entries"]}
    assert (one["name"], one["credit_code"]) == ("虚构培训机构1", a_credit_code())
    assert entries["training"]["name_zh"] == "大数据"
    assert entries["training"]["levels"] == ["junior", "intermediate"]
    assert (entries["training"]["valid_until"], entries["training"]["valid"]) == (
        "2027-05-01",
        True,
    )
    assert entries["evaluation"]["valid"] is False
    assert not {key for key in one if key in SECRETS}


@pytest.mark.parametrize(
    ("query", "entries"),
    [
        ({"name": "培训机构1"}, 2),
        ({"name": a_credit_code()}, 2),
        ({"name": "%"}, 0),
        ({"kind": "evaluation"}, 1),
        ({"occupation": "big-data"}, 1),
        ({"region": 140000}, 0),
    ],
)
async def test_what_is_looked_for(
    client: httpx.AsyncClient, listed: Desk, query: dict[str, Any], entries: int
) -> None:
    assert listed
    assert sum(len(one["entries"]) for one in await found(client, **query)) == entries


async def a_certificate(desk: Desk, work: Work, *, accepted: bool) -> None:
    school = await desk.owner.fetchval("select id from institution order by credit_code limit 1")
    user = await a_person(desk.clock(), "institution_user", institution=school)
    act, rules = user.act(desk.clock()), desk.rules
    payload = {"lists": {"certificates": [CERTIFICATE]}}
    filing = await filings.save(school, "R21", "B001", payload, act=act, rules=rules)
    await filings.submit(filing.id, act=act, rules=rules, key=KEY)
    if accepted:
        await filings.accept(filing.id, act=desk.act, rules=rules)
    await work.drain()


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_certificate_is_confirmed_by_number_and_day(
    client: httpx.AsyncClient, listed: Desk, work: Work, accepted: bool
) -> None:
    await a_certificate(listed, work, accepted=accepted)
    path = "/api/v1/public/certificates"
    right = await client.get(path, params={"number": "DEMO-37-000001", "issued_on": "2026-02-27"})
    other = await client.get(path, params={"number": "DEMO-37-000001", "issued_on": "2026-02-28"})
    assert other.status_code == 404
    if not accepted:
        assert right.text == other.text.replace(
            other.json()["request_id"], right.json()["request_id"]
        )
        return
    assert right.json() == {
        "number": "DEMO-37-000001",
        "occupation": "大数据",
        "level": "junior",
        "direction": None,
        "issued_on": "2026-02-27",
        "issuer": "虚构培训机构1",
    }


async def test_standards_are_open_once_accepted(
    client: httpx.AsyncClient, desk: Desk, work: Work
) -> None:
    row = {"id": "s", "occupation": "大数据", "level": "junior", "minutes_min": 480}
    rules, payload = desk.rules, {"lists": {"standards": [row]}}
    filing = await filings.save(None, "R46", "2026", payload, act=desk.act, rules=rules)
    await filings.submit(filing.id, act=desk.act, rules=rules, key=KEY)
    await work.drain()
    waiting = await client.get("/api/v1/public/standards")
    other = await a_person(desk.clock(), "supervisor")
    await filings.accept(filing.id, act=other.act(desk.clock()), rules=rules)
    await work.drain()
    (shown,) = (await client.get("/api/v1/public/standards")).json()
    assert waiting.json() == []
    assert (shown["occupation"], shown["minutes_min"], shown["conditions"]) == ("大数据", 480, [])


async def test_numbers_are_not_tried_out(client: httpx.AsyncClient, listed: Desk) -> None:
    assert listed
    answers = [
        await client.get(
            "/api/v1/public/certificates",
            params={"number": f"DEMO-{n}", "issued_on": "2026-02-27"},
        )
        for n in range(lookups.CERTIFICATES_AN_HOUR + 1)
    ]
    assert [a.status_code for a in answers] == [404] * lookups.CERTIFICATES_AN_HOUR + [429]


async def test_cards_over_http(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/public/cards", params={"region": 371000})
    assert [card["code"] for card in answer.json()] == list(cards.codes())


@pytest.mark.parametrize("region", [100000, 370000, 371000, 140000, 230100])
def test_cards_say_what_is_in_force(rules: Library, region: int) -> None:
    """Shanxi alone has a way for employers; every line is a clause in force at the place."""
    made = {card.code: card for card in cards.cards(region, date(2026, 3, 2), rules)}
    in_force = {c.id for c in rules.effective_set(rules.jurisdiction_of(region), date(2026, 3, 2))}
    assert {line.clause for card in made.values() for line in card.lines} <= in_force
    assert bool(made["R39"].lines) == (region == 140000)
    assert made["R42"].lines
    assert made["R45"].lines
