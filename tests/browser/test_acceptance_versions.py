"""Acceptance 14 and 15: many records stay at hand; nothing newer comes in without being asked."""

from pathlib import Path

from backend.piccolo_conf import DB
from backend.services import sheet_versions
from inspection_plans.loader import applied_sheet, jurisdiction_of
from inspection_plans.sheets import Sheet
from tests import field as worlds
from tests import world
from tests.browser import phones
from tests.browser.stage import Kit, Stage, at_work

SEED_MANY = """async (visit) => {
  const db = await new Promise((done) => {
    const asked = indexedDB.open("mingcha");
    asked.onsuccess = () => done(asked.result);
  });
  const deed = db.transaction(["tasks", "answers", "ops"], "readwrite");
  const tasks = deed.objectStore("tasks");
  const [answers, ops] = [deed.objectStore("answers"), deed.objectStore("ops")];
  const asked = tasks.get(visit);
  asked.onsuccess = () => {
    const kept = asked.result;
    for (let n = 0; n < 220; n += 1) {
      const id = visit.slice(0, -4) + String(n).padStart(4, "0");
      const name = `第${n}培训学校`;
      const institution = { ...kept.task.institution, name };
      const task = { ...kept.task, visit: id, code: `V-OLD-${n}`, institution };
      tasks.put({ ...kept, visit: id, task, over: "complete" });
      for (let item = 0; item < 20; item += 1) {
        const answer = { item: `TI-${item}`, value: { result: "yes" } };
        answers.put({ visit: id, item: answer.item, answer, at: n, op: 1 });
      }
      const op = { id: `${id}-op`, epoch: "e", seq: n, visit: id, kind: "visit.finalize" };
      ops.put({ ...op, bytes: new Uint8Array(0), state: "applied", at: n });
    }
  };
  await new Promise((done) => (deed.oncomplete = done));
  db.close();
}"""


async def moved(stage: Stage, sheet: Sheet) -> None:
    """The visit has another version from now on, and its phones are told."""
    act = stage.kit.desk.act
    async with DB.transaction(act.by.scope):
        await sheet_versions.keep([sheet], act=act)
    await stage.kit.owner.execute(
        "update visit set sheet_digest = $2 where id = $1",
        stage.visit,
        sheet.version,
    )


async def test_14_two_hundred_records_stay_reachable_and_searchable(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.fetched()
        await stage.page.evaluate(SEED_MANY, str(stage.visit))
        await stage.reborn("/records")
        cards = stage.page.locator("main .cards > li")
        await stage.page.wait_for_selector("main .cards > li >> nth=0")
        assert "221" in await stage.page.inner_text("main")
        took = await stage.page.evaluate(
            "async () => { const began = performance.now();"
            " scrollTo(0, document.body.scrollHeight); await new Promise(requestAnimationFrame);"
            " return performance.now() - began; }"
        )
        assert took < 1000
        await stage.page.fill("input[type=search]", "第137培训")
        await phones.holds(
            stage.page, "document.querySelectorAll('main .cards > li').length === 1"
        )
        await cards.first.locator("a").click()
        await stage.page.wait_for_selector("h1 >> text=第137培训学校")


async def test_15_a_new_sheet_leaves_a_draft_alone_and_an_update_waits(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.ready_for_no_signal()
        await stage.open("checklist")
        await stage.yes("TI-01")
        [before] = await stage.rows("tasks")
        # The office moves the visit, which it does not know to have begun, to another version.
        place, day = jurisdiction_of(world.SHANDONG), kit.clock().date()
        other = applied_sheet("TI", place, day)[0]
        await moved(stage, other)
        await stage.line_back()
        await stage.until("select count(*) from answer", 1)
        await stage.until_row("tasks", "newer", other.version)
        [after] = await stage.rows("tasks")
        assert after["task"]["sheet_digest"] == before["task"]["sheet_digest"] != other.version
        assert await stage.page.is_checked("#TI-01 input[type=radio] >> nth=0")
        # Another build: it is there, it waits, and it comes when the person says so.
        build = Path(worlds.__file__).parents[1] / "backend" / "phone" / "dist" / "sw.js"
        kit.shelf.instead["/phone/sw.js"] = build.read_bytes() + b"\n// another build\n"
        await stage.page.evaluate(
            "navigator.serviceWorker.getRegistration().then((one) => one.update())"
        )
        await stage.page.wait_for_selector("text=有新版本")
        waiting = "navigator.serviceWorker.getRegistration().then((one) => one.waiting !== null)"
        assert await stage.page.evaluate(waiting)
        await stage.yes("TI-02")
        assert await stage.page.evaluate(waiting)
        async with stage.page.expect_navigation():
            await stage.page.click("text=现在更新")
        await stage.page.wait_for_selector("#TI-02")
        assert await stage.page.is_checked("#TI-02 input[type=radio] >> nth=0")
