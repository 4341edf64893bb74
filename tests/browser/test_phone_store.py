"""What the phone keeps: files for bad days, proofs before bytes go, what others did meanwhile."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Route

from backend.piccolo_conf import DB
from backend.services import assignments, teams, withdrawals
from backend.services.visits import NewAssignment
from backend.settings import Settings, to_environment
from media import package
from tests import field as worlds
from tests.browser.stage import Kit, Stage, at_work

PIECE = 1 << 20
DAY_MS = 86_400_000
HOURS_MS = 3_600_000


async def brought(kit: Kit, file: Path, settings: Settings) -> str:
    """What `mingcha package` prints of a file, on the machine of an office that works."""
    told = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "backend", "package", str(file), "--wait", "60"),
        *("--data", str(file.parent)),
        env=os.environ | to_environment(settings),
        stdout=asyncio.subprocess.PIPE,
    )
    said = asyncio.create_task(told.communicate())
    while not said.done():
        kit.clock.set(datetime.now(UTC))  # noqa: TID251 - the command has the real time
        await kit.work.drain()
        await asyncio.wait({said}, timeout=0.2)
    out = said.result()[0].decode()
    assert told.returncode == 0, out
    return out


async def test_an_emergency_file_brings_in_what_the_phone_could_not_send(
    kit: Kit, tmp_path: Path, settings: Settings
) -> None:
    async with at_work(kit, everybody=True) as stage:
        await stage.ready_for_no_signal()
        await stage.open("checklist")
        await stage.yes("TI-02")
        await stage.take("TI-01", worlds.a_jpeg(1, 900) + bytes(2 * PIECE))
        await stage.take("TI-02", worlds.a_jpeg(2, 500))
        await stage.sign("party", "王某")  # signs the answers, too
        await stage.open("/queue")
        async with stage.page.expect_download() as saved:
            await stage.page.click("button >> text=未传内容导出为应急文件")
        await (await saved.value).save_as(tmp_path / "p")
        raw = (tmp_path / "p").read_bytes()
        found = list(package.scan(lambda at, size: raw[at : at + size], len(raw)))
        assert not [one for one in found if isinstance(one, package.Damage)]
        # Nobody but the server reads it, and the office brings it.
        assert "王某".encode() not in raw
        told = await brought(kit, tmp_path / "p", settings)
        results = [line.split()[1] for line in told.splitlines() if line.startswith("applied ")]
        assert sorted(results) == ["blob"] * 2 + ["op"] * 4
        assert await stage.count("select count(*) from evidence where state = 'sealed'") == 2
        # The phone itself comes back: nothing is sent twice, and all of it is proved to it.
        before = await stage.count("select count(*) from op")
        await stage.line_back()
        await stage.open("checklist")
        await stage.shown("#TI-01 figure", "已验证")
        await stage.shown("#TI-02 figure", "已验证")
        assert await stage.count("select count(*) from op") == before


async def test_bytes_go_seven_days_after_a_receipt_that_holds_and_not_before(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.fetched()
        await stage.open("checklist")
        forged = 0

        async def forge(route: Route) -> None:
            nonlocal forged
            answer = await route.fetch()
            said = await answer.json()
            for one in said["receipts"]:
                one["receipt"] = one["receipt"].replace('"flags":[]', '"flags":["x"]')
            forged += len(said["receipts"])
            await route.fulfill(response=answer, json=said)

        await stage.context.route("**/devices/me/receipts*", forge)
        await stage.take("TI-01", worlds.a_jpeg(side=700))
        await stage.shown("#TI-01 figure", "已传")
        await kit.work.drain()
        await stage.hurry()
        for _ in range(600):
            if any(row["what"] == "refused" for row in await stage.rows("journal")):
                break
            await stage.page.wait_for_timeout(100)
        [capture] = await stage.rows("captures")
        assert (forged, capture["state"]) == (1, "sent")
        # The true one: proved, and kept on for seven days by the server's time.
        await stage.context.unroute_all()
        await stage.change("cells", "receipts", value=0)
        await stage.hurry()
        await stage.shown("#TI-01 figure", "已验证")
        [capture] = await stage.rows("captures")
        assert len(await stage.rows("chunks")) == 1
        now = int(kit.clock().timestamp() * 1000)
        assert abs(capture["free"] - now - 7 * DAY_MS) < HOURS_MS
        await stage.change("captures", capture["id"], free=now - 1)
        await stage.reborn()
        await stage.until_row("captures", "state", "freed")
        assert await stage.rows("chunks") == []


async def test_persons_are_forgotten_in_time_and_fetched_again(kit: Kit) -> None:
    async with at_work(kit, roster=True) as stage:
        await stage.ready_for_no_signal()
        [kept] = await stage.rows("tasks")
        assert len(kept["task"]["roster"]["trainees"]) == worlds.ROSTER
        assert 71 * HOURS_MS < kept["expires"] - kept["fetched"] <= 72 * HOURS_MS
        await stage.change("tasks", str(stage.visit), expires=1)
        await stage.reborn()
        for _ in range(600):
            [kept] = await stage.rows("tasks")
            if kept["task"]["roster"] is None:
                break
            await stage.page.wait_for_timeout(100)
        assert "trainees" not in json.dumps(kept)
        await stage.line_back()
        await stage.open("roll")
        await stage.page.wait_for_selector("text=虚构学员1 >> nth=0")


async def test_what_the_server_lost_is_sent_again(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.ready_for_no_signal()
        await stage.open("checklist")
        await stage.take("TI-01", worlds.a_jpeg(side=300))
        # As after a restore from yesterday: the phone had been told that both are there.
        [op] = await stage.rows("ops")
        await stage.change("ops", op["id"], state="applied")
        await stage.reborn()
        await stage.line_back()
        await stage.shown("#TI-01 figure", "已传")
        assert await stage.count("select count(*) from op") == 1


async def given_to_others(stage: Stage) -> None:
    team = tuple(
        NewAssignment(one, place, lead=place == 1)
        for place, one in enumerate(stage.field.inspectors[:2], start=1)
    )
    await assignments.reassign(stage.visit, team, "调休", act=stage.kit.desk.act)


async def withdrawn(stage: Stage) -> None:
    """As a confirmed withdrawal leaves the visit of a draw: nobody's, and closed."""
    act = stage.kit.desk.act
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(withdrawals.END, stage.visit, act.at)
        await DB.connection.execute(teams.SET, stage.visit, "closed")


@pytest.mark.parametrize("end", [given_to_others, withdrawn])
async def test_a_visit_that_is_taken_away_meanwhile_keeps_what_was_recorded(
    kit: Kit, end: Callable[[Stage], Awaitable[None]]
) -> None:
    async with at_work(kit) as stage:
        await stage.ready_for_no_signal()
        await stage.open("checklist")
        await stage.yes("TI-01")
        await stage.take("TI-01", worlds.a_jpeg(side=300))
        await end(stage)
        await stage.line_back()
        await stage.until("select count(*) from op", 2)
        await stage.open()
        await stage.page.wait_for_selector("text=已不是您的任务")
        rows = await kit.owner.fetch("select kind from op")
        assert {row["kind"] for row in rows} == {"answer.set", "evidence.declare"}
        assert await stage.count("select count(*) from answer") == 0  # for the supervisor to say
        assert len(await stage.rows("answers")) == 1
        assert [row["item"] for row in await stage.rows("captures")] == ["TI-01"]


async def test_a_whole_visit_without_signal_through_many_deaths(kit: Kit) -> None:
    async with at_work(kit, roster=True) as stage:
        await stage.ready_for_no_signal()
        await stage.open("arrival")
        await stage.page.click("footer.act button >> text=签到")
        await stage.page.wait_for_selector("footer.act .state.ok")
        await stage.reborn("arrival")
        await stage.page.fill("#shown-to", "校长")
        await stage.page.click("main form button[type=submit]")
        await stage.page.wait_for_selector("main p.note.ok >> text=校长")
        await stage.reborn("checklist")
        for place, item in enumerate(("TI-01", "TI-02", "TI-11")):
            await stage.yes(item)
            await stage.take(item, worlds.a_jpeg(place, 400))
            await stage.reborn("checklist")
        await stage.submit()
        await stage.reborn("record")
        await stage.page.wait_for_selector("text=已提交；")
        assert await stage.count("select count(*) from op") == 0
        await stage.line_back()
        await stage.until("select count(*) from evidence where state = 'received'", 3)
        await kit.work.drain()
        kinds = await kit.owner.fetch("select kind, count(*) from op group by kind")
        assert {row["kind"]: row["count"] for row in kinds}["visit.finalize"] == 1
        sql = "select count(*) from op where status <> 'applied'"
        assert await stage.count(sql) == 0
        claim = "select count(*) from claim where jsonb_array_length(items) = 3"
        assert await stage.count(claim) == 1
        await stage.shown(".status", "全部已传")


async def test_one_stuck_operation_holds_back_nothing(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.fetched()
        await stage.open("checklist")
        await stage.context.route("**/api/v1/ops", _one_refused)
        await stage.take("TI-01", worlds.a_jpeg(1, 300))
        await stage.open("/queue")
        await stage.page.wait_for_selector("text=服务器未接受（visit.closed）")
        await stage.context.unroute_all()
        await stage.open("checklist")
        await stage.take("TI-02", worlds.a_jpeg(2, 300))
        await stage.shown("#TI-02 figure", "已传")
        await stage.open("/queue")
        await stage.page.click("button >> text=再问一次服务器")
        await stage.until("select count(*) from evidence where state = 'received'", 2)


async def _one_refused(route: Route) -> None:
    """The server's answer, with every operation refused."""
    ops = json.loads(route.request.post_data_buffer or b"{}")["ops"]
    told = {"result": "rejected", "code": "visit.closed"}
    results = [{"op_id": op["op_id"], "result": "rejected", "outcome": told} for op in ops]
    await route.fulfill(status=200, json={"results": results})
