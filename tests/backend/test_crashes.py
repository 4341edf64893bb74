"""Killed at any moment, a draw leaves no result or the one result; many processes fire once."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from litestar import Litestar

from backend.services import disclosure, drawrows
from backend.settings import Settings
from inspection_plans.draw import outcome
from inspection_plans.draw.chain import check_chain
from tests import drawing, world
from tests.conftest import StillClock
from tests.drawing import Office

ROOT = Path(__file__).parents[2]
KILLS = 40
PROCESSES = 4
Owner = asyncpg.Connection
Job = dict[str, Any]
# Everything a draw writes, so that the same plan can be drawn again.
UNDO = """
begin; set local session_replication_role = replica;
delete from assignment; delete from visit; delete from draw_event; delete from draw_result;
delete from draw_share; delete from draw_deposit; delete from draw_chain; delete from draw_frame;
delete from draw_page; delete from draw_countersign; delete from draw; delete from task;
delete from draw_log where type <> 'plan_year' or seq > 0; delete from party;
delete from occurrence; update plan set state = 'approved'; commit
"""


class Processes:
    """Real processes, forked ready to draw from one that waits for orders."""

    def __init__(self, settings: Settings, said: Path) -> None:
        self.said = said.open("w+", encoding="utf-8")
        self.base: Job = {
            "dsns": {role: settings.database.dsn(role) for role in ("app", "worker")},
            "keys": str(settings.keys),
            "region": world.SHANDONG,
        }
        self.pipe = subprocess.Popen(
            [sys.executable, "-m", "tests.crash"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            text=True,
        )

    def order(self, **job: Any) -> list[Job]:
        """Send one order and wait for its answer."""
        assert self.pipe.stdin is not None
        assert self.pipe.stdout is not None
        self.pipe.stdin.write(json.dumps({**self.base, **job}) + "\n")
        self.pipe.stdin.flush()
        answers: list[Job] = json.loads(self.pipe.stdout.readline())
        return answers

    def close(self) -> None:
        """Let it end by itself."""
        assert self.pipe.stdin is not None
        assert self.pipe.stdout is not None
        self.pipe.stdin.close()
        self.pipe.stdout.close()
        self.pipe.wait(10)
        self.said.close()

    def complaints(self) -> str:
        """What the children said before they ended otherwise than they should."""
        self.said.seek(0)
        return self.said.read()[-4000:]


@pytest.fixture
def processes(settings: Settings, tmp_path: Path) -> Iterator[Processes]:
    """The one that forks, ended after the test."""
    started = Processes(settings, tmp_path / "said")
    yield started
    started.close()


async def a_world(app: Litestar, clock: StillClock, **changes: Any) -> tuple[Office, Job]:
    """A small office with an approved plan, and the order to draw it."""
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 9))
    await drawing.inspectors(office.act, range(1, 5))
    plan = await drawing.an_approved_plan(office, spec=drawing.a_spec(**changes))
    dice = [drawing.DICE.source, drawing.DICE.ref, drawing.DIGITS, drawing.WITNESSES]
    order = {"verb": "draw", "plan": str(plan.id), "at": plan.fire_at.isoformat(), "dice": dice}
    office.at = plan.fire_at
    return office, order


async def whole(owner: Owner) -> int:
    """How many results there are; whatever stands is whole, nothing is half done."""
    rows = await owner.fetch(
        "select d.state, (select count(*) from draw_frame f where f.draw = d.id) as frames,"
        " (select count(*) from draw_share s where s.draw = d.id) as shares,"
        " (select count(*) from draw_result r where r.draw = d.id) as results,"
        " (select count(*) from visit v where v.draw = d.id) as visits,"
        " (select count(*) from assignment a) as places,"
        " (select hash from draw_log l where l.draw = d.id order by seq desc limit 1) = d.head"
        " as headed from draw d"
    )
    for row in rows:
        done = row["state"] == "drawn"
        assert (row["frames"], row["shares"], row["headed"]) == (1, 1, True)
        assert (row["results"], row["visits"], row["places"]) == ((1, 4, 8) if done else (0, 0, 0))
    assert list(check_chain("sha256", await disclosure.log(370000, 2026))) == []
    return sum(row["results"] for row in rows)


async def replayed(owner: Owner, office: Office) -> None:
    """The one result is what the frozen frames and everybody's share give."""
    (row,) = await owner.fetch("select d.*, r.* from draw d join draw_result r on r.draw = d.id")
    async with drawrows.DB.transaction(office.act.by.scope):
        draw = await drawrows.lock(row["id"])
        kept = await drawrows.frozen(draw.id, keys=office.keys)
        seed = await drawrows.seed_of(draw, kept, keys=office.keys)
    assert (draw.attempt, seed) == (1, row["seed"])
    again = outcome.draw(draw.alg, seed, kept.plan, kept.frames)
    for part in ("selection", "assignment", "days"):
        assert msgspec.json.decode(row[part]) == again[part]


async def killed_everywhere(
    processes: Processes, office: Office, order: Job, owner: Owner, points: list[tuple[int, bool]]
) -> set[int]:
    """Kill at each point, start again, and look; gives the numbers of results left by a kill."""
    left = set()
    for kill, during in points:
        await owner.execute(UNDO)
        (died,) = processes.order(**order, kill=kill, during=during)
        assert died["killed"], kill
        left.add(await whole(owner))
        (again,) = processes.order(**order)
        assert again["code"] == 0, processes.complaints()
        assert await whole(owner) == 1
        await replayed(owner, office)
    return left


async def test_killed_at_any_moment_a_draw_leaves_none_or_the_one_result(
    app: Litestar, clock: StillClock, owner: Owner, processes: Processes
) -> None:
    office, order = await a_world(app, clock)
    (lived,) = processes.order(**order)
    assert (lived["killed"], lived["code"], await whole(owner)) == (False, 0, 1)
    last = lived["count"]
    points = [(1 + place * (last - 1) // (KILLS - 1), bool(place % 2)) for place in range(KILLS)]
    left = await killed_everywhere(processes, office, order, owner, points)
    assert left == {0, 1}  # the last statements come after the result was committed


@pytest.mark.slow
async def test_killed_at_every_statement(
    app: Litestar, clock: StillClock, owner: Owner, processes: Processes
) -> None:
    office, order = await a_world(app, clock)
    (lived,) = processes.order(**order)
    points = [(kill, during) for kill in range(1, lived["count"] + 1) for during in (False, True)]
    await killed_everywhere(processes, office, order, owner, points)


async def test_several_processes_that_lead_and_work_fire_a_plan_once(
    app: Litestar, clock: StillClock, owner: Owner, processes: Processes
) -> None:
    office, order = await a_world(
        app, clock, entropy=(), level_d_accepted=True, level_d_reason="培训演示数据"
    )
    answers = processes.order(
        verb="serve", at=order["at"], processes=PROCESSES, rounds=2, plan=order["plan"]
    )
    ends = [(one["killed"], one["code"]) for one in answers]
    assert ends == [(False, 0)] * PROCESSES, processes.complaints()
    processes.order(verb="serve", at=order["at"], rounds=2)
    assert await whole(owner) == 1
    await replayed(owner, office)
    slots = await owner.fetch("select schedule from occurrence where schedule like 'plan:%'")
    tasks = await owner.fetch(
        "select kind, attempts from task where kind in ('draw.fire', 'draw.run')"
    )
    assert len(slots) == 1
    assert sorted(row["kind"] for row in tasks) == ["draw.fire", "draw.run"]
