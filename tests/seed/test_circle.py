"""The main journey: a small fictional year over the real servers, through the same services."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from litestar import Litestar

from backend.services.records.draws import DrawRecord
from backend.settings import Settings
from backend.settings import Store as StoreSettings
from inspection_plans.draw.verify import verify
from media.darkroom import Darkroom
from seed import directories, people, plans, play, report, stage, world
from seed.play import Played
from seed.report import PUBLIC, Line
from seed.stage import PresentBucket
from seed.verify import pick
from tests.conftest import StillClock
from tests.seed import published

INTEGER = 7
ROOT = Path(__file__).parents[2]
# Papers are issued in the play and set while it is served; a case's index waits for them.
LEFT = """
select count(*) from task where done_at is null
  and kind not in ('document.print', 'document.issue')
"""
PAPERS = {
    *("order", "advice", "proof_of_service", "extension_decision", "statement_record"),
    *("closing_record", "publication_notice", "onsite_record", "evidence_list"),
    *("result_statement", "attendance_sheet", "visit_approval", "visit_notice"),
}
SMALL = world.Size(
    institutions={world.SHANDONG: 40, world.SHANXI: 16, world.HEILONGJIANG: 18},
    inspectors=world.FULL.inspectors,
    classes={world.SHANDONG: 14, world.SHANXI: 2, world.HEILONGJIANG: 2},
    roster=6,
)


WAITS = """
select count(*) from assignment a join visit v on v.id = a.visit
  join inspector i on i.id = a.inspector join account u on u.id = i.account
where v.state = 'assigned' and u.login = any ($1)
"""


@pytest.fixture
async def darkroom() -> AsyncIterator[Darkroom]:
    with Darkroom() as room:
        yield room


async def played_on(
    settings: Settings, store: StoreSettings, darkroom: Darkroom
) -> tuple[stage.Stage, Played, list[str]]:
    told: list[str] = []
    stood = await stage.staged(
        settings,
        INTEGER,
        start=play.STARTS_ON,
        bucket=PresentBucket.of(store),
        darkroom=darkroom,
    )
    stood.jobs.memory.forget()  # heads of other tests lie in the same bucket
    done = await play.play(stood, world.make(INTEGER, SMALL), say=told.append, pictures=2)
    return stood, done, told


async def answer(
    client: httpx.AsyncClient, path: str, headers: dict[str, str] | None = None
) -> Any:
    got = await client.get(path, headers=headers)
    assert got.status_code == 200, f"{path}: {got.text}"
    return got.json()


async def found(client: httpx.AsyncClient, line: Line, headers: dict[str, str]) -> int:
    """What the API says where a line of the table points."""
    if "{each}" not in line.path:
        return pick(await answer(client, line.path, headers), line.pick)
    visits = (await answer(client, "/api/v1/visits?limit=200", headers))["visits"]
    pages = [await answer(client, line.path.format(each=v["id"]), headers) for v in visits]
    return sum(pick(page, line.pick) for page in pages)


async def public_text(client: httpx.AsyncClient) -> str:
    """Everything that anybody may read of the year, as one text."""
    pages = [await answer(client, "/api/v1/public/publications?limit=200")]
    draws = await answer(client, "/api/v1/public/draws?limit=200")
    pages += [await answer(client, f"/api/v1/public/draws/{one['code']}") for one in draws]
    for region in {one["code"][:6] for one in draws}:
        pages.append(await answer(client, f"/api/v1/public/draw-logs/{region}/{world.YEAR}"))
    return json.dumps(pages, ensure_ascii=False)


def names_of(made: world.World) -> set[str]:
    rows = made.rows
    named = [row["name"] for row in (*rows["inspectors"], *rows["rosters"])]
    named += [row["legal_person"] for row in rows["institutions"]]
    named += [row["teacher"] for row in rows["classes"]]
    return {name.removesuffix(world.MARK) for name in named}


async def visits_ended(owner: asyncpg.Connection, done: Played) -> None:
    """All are concluded but one, which waits for a guest who signs in by a printed login."""
    rows = await owner.fetch("select state, count(*) as n from visit group by 1")
    ends = {"concluded": len(done.trips), "assigned": 1}
    assert {row["state"]: row["n"] for row in rows} == ends
    assert await owner.fetchval(WAITS, [one.login for one in done.cast.logins]) == 1


async def test_a_whole_year_is_played_through_the_services(
    app: Litestar,
    client: httpx.AsyncClient,
    settings: Settings,
    store: StoreSettings,
    clock: StillClock,
    darkroom: Darkroom,
    owner: asyncpg.Connection,
) -> None:
    stood, done, told = await played_on(settings, store, darkroom)
    assert [line[:5] for line in told if line.startswith("[")] == [
        f"[{n}/9]" for n in range(1, 10)
    ]
    assert any(
        "credit_code" in line for line in told
    )  # a wrong cell of the bad file, told as such

    kinds = {trip.fate for trip in done.trips if trip.scene.breach}
    assert kinds == {breach.kind for breach in world.BREACHES}
    named = set(done.world.named.values())
    matters = [matter.trip.institution.credit_code for matter in done.reviewed.matters]
    assert not named & set(matters)

    await visits_ended(owner, done)
    rows = await owner.fetch("select distinct state from evidence")
    assert [row["state"] for row in rows] == ["sealed"]
    assert done.here.repeated > 0
    assert await owner.fetchval("select count(*) from dead_letter") == 0
    assert await owner.fetchval(LEFT) == 0
    taken = sum(len(trip.captures) for trip in done.trips)
    assert done.here.receipts == taken
    assert not any(handset.held for handset in done.here.handsets.values())

    fates = {matter.trip.fate: matter.notice.state for matter in done.reviewed.matters}
    assert fates.pop("out_of_catalogue") == "case"
    assert set(fates.values()) == {"closed"}
    rows = await owner.fetch("select kind, granted from reply_decision order by kind")
    assert [tuple(row) for row in rows] == [("extension", True), ("objection", True)]
    rows = await owner.fetch("select distinct state, outcome from case_file order by 1")
    ends = [tuple(row) for row in rows]
    assert ends == [("closed", "stopped_by_legal_review"), ("opened", None)]
    assert await owner.fetchval("select count(*) from notice where state = 'second_order'") == 1
    assert done.published.corrections == 1
    ghosts = await owner.fetchrow("select * from rollcall order by absent_count desc limit 1")
    assert ghosts["absent_count"] > ghosts["roster_count"] / 2

    clock.set(stood.clock())
    told_all = report.make(stood, done)
    headers: dict[str, dict[str, str]] = {PUBLIC: {}}
    for access in told_all.logins:
        body = {"login": access.login, "password": told_all.password}
        signed = await client.post("/api/v1/sessions", json=body)
        assert signed.status_code == 201, access.login
        headers[access.login] = {"Authorization": f"Bearer {signed.json()['access']}"}
    for line in told_all.lines:
        for who, printed in line.numbers.items():
            assert await found(client, line, headers[who]) == printed, line.name

    for one in await answer(client, "/api/v1/public/draws"):
        page = await answer(client, f"/api/v1/public/draws/{one['code']}")
        heads = [sign["hash"] for sign in page["countersigns"]]
        assert verify(page["record"], heads).ok

    papers = {row["kind"] for row in await owner.fetch("select distinct kind from document")}
    assert papers >= PAPERS
    assert await owner.fetchval("select state from tip") == "answered"
    assert await owner.fetchval("select count(*) from desk_hit where state = 'upheld'") == 1

    await nobody_is_named(app, client, names_of(done.world))


async def nobody_is_named(app: Litestar, client: httpx.AsyncClient, names: set[str]) -> None:
    """Neither the API, nor any page, nor any kept file of the site names a natural person."""
    public = await public_text(client)
    assert "发现问题经责令已改正" in public
    assert not [name for name in names if name in public]
    pages = await published.everything(app, client)
    assert {"/", "/results", "/draws"} <= {path.split("?")[0] for path in pages}
    assert any("发现问题经责令已改正" in text for text in pages.values())
    assert published.naming(pages, names) == []


@pytest.mark.usefixtures("app")
async def test_one_integer_draws_the_same_again(
    settings: Settings,
    store: StoreSettings,
    darkroom: Darkroom,
    owner: asyncpg.Connection,
    wipe: str,
) -> None:
    async def drawn(integer: int) -> list[DrawRecord]:
        await owner.execute(wipe)
        bucket = PresentBucket.of(store)
        stood = await stage.staged(
            settings, integer, start=play.STARTS_ON, bucket=bucket, darkroom=darkroom
        )
        cast = await people.found(stood)
        await directories.bring_in(stood, cast, world.make(integer, SMALL))
        return await plans.draw_all(stood, cast, await plans.approve_all(stood, cast))

    first = await drawn(11)
    assert len(first) == len(plans.PLANS)
    again = await drawn(11)
    odd = [
        (one.code, name, getattr(one, name), getattr(other, name))
        for one, other in zip(first, again, strict=True)
        for name in one.__struct_fields__
        if getattr(one, name) != getattr(other, name)
    ]
    assert odd == []
    assert stage.secret(11, "tokens") != stage.secret(12, "tokens")


@pytest.mark.slow
def test_the_demo_replays_what_was_interrupted_and_serves_what_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "演示 data"
    argv = [sys.executable, "-m", "seed", "--data", str(folder), "--once", "--port", "18471"]
    env = {**os.environ, "PYTHONUTF8": "1"}

    def run() -> str:
        done = subprocess.run(
            argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    with subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as cut:
        assert cut.stdout is not None
        assert any("[2/9]" in line for line in cut.stdout)
        cut.kill()
    assert not (folder / "played.json").exists()
    first = run()
    assert "[1/9]" in first
    assert "numbers equal what the API says" in first
    second = run()
    assert "[1/9]" not in second
    assert second[second.index("GET") :] == first[first.index("GET") :]
