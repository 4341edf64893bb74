"""What happens to phones: killed pages, two tabs, wrong clocks, full disks, lost words."""

import asyncio
import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests import field as worlds
from tests.browser import phones
from tests.browser.stage import Kit, Stage, a_film, at_work, refuse
from tests.conftest import BROWSED

MEGA = 1 << 20
YEARS_MS = 2 * 365 * 86_400_000
PUTS = "**/*X-Amz-Signature*"


async def arrived(stage: Stage, pieces: int) -> None:
    """Wait until the server has all pieces, then hold each against what the phone signed."""
    await stage.until("select count(*) from evidence where state = 'received'", pieces)
    await stage.kit.work.drain()
    rows = await stage.kit.owner.fetch("select id, sha256, state, flags from evidence")
    held = {str(row["id"]): (row["sha256"], row["state"]) for row in rows}
    signed = {
        row["id"]: row["manifest"]["media"]["sha256"] for row in await stage.rows("captures")
    }
    assert held == {ident: (sha256, "sealed") for ident, sha256 in signed.items()}


@pytest.mark.parametrize(
    "rounds", [10, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(1500)])]
)
async def test_no_capture_is_lost_to_a_page_that_is_killed_at_random(
    kit: Kit, rounds: int
) -> None:
    chance = random.Random(rounds)
    async with at_work(kit) as stage:
        await stage.ready_for_no_signal()
        shown = 0
        for n in range(rounds):
            await stage.open("checklist")
            await stage.page.click("#TI-01 .shots button")
            raw = worlds.a_jpeg(n, 300) + chance.randbytes(chance.randrange(1, MEGA))
            picked = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": raw}
            figures = stage.page.locator("#TI-01 figure")
            await stage.page.set_input_files(".viewfinder input[type=file]", picked)
            # Anywhere between the shutter and a while behind the sign that it is kept.
            await stage.page.wait_for_timeout(chance.randrange(400))
            shown = max(shown, await figures.count())
            await stage.reborn()
            await stage.page.wait_for_selector("#TI-01")
        kept = await stage.rows("captures")
        assert len(kept) >= shown
        # What is kept is whole: its bytes, its operation, its number and the one before it.
        numbers = [row["seq"] for row in sorted(kept, key=lambda row: row["seq"])]
        assert numbers == list(range(1, len(kept) + 1))
        await stage.line_back()
        await arrived(stage, len(kept))
        # What a killed page never came to sign is swept away, and nothing else.
        await stage.reborn()
        await stage.shown("#TI-01 figure >> nth=0", "已")
        await stage.until_swept({row["id"] for row in kept})


@pytest.mark.parametrize(
    ("size", "cuts"),
    [
        (5 * MEGA, 2),
        pytest.param(50 * MEGA, 6, marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
)
async def test_a_video_survives_cuts_and_the_death_of_the_browser(
    kit: Kit, tmp_path: Path, size: int, cuts: int
) -> None:
    chance = random.Random(size)
    film, broken = a_film(size), 0
    async with (
        phones.browser(str(tmp_path)) as context,
        at_work(kit, context=context) as before,
    ):
        await before.ready_for_no_signal()
        await before.open("checklist")
        await before.take("TI-01", film, "a.mp4", folder=tmp_path)
        [capture] = await before.rows("captures")
    # The browser is gone, and whatever it was doing; what it had shown as kept is not.

    async def cut(route: object) -> None:
        nonlocal broken
        if broken < cuts and chance.random() < 0.5:
            broken += 1
            await refuse(route)  # type: ignore[arg-type]
        else:
            await route.continue_()  # type: ignore[attr-defined]

    async with phones.browser(str(tmp_path)) as context:
        stage = replace(before, context=context, page=context.pages[0])
        await context.route(PUTS, cut)
        await context.route("**/api/v1/uploads/*", cut)
        stage.count_bytes()
        await stage.open("checklist")
        await stage.shown("#TI-01 figure", "已传")
        await arrived(stage, 1)
        assert capture["manifest"]["media"]["size"] == len(film)


async def test_two_tabs_send_each_thing_once(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.ready_for_no_signal()
        await stage.open("checklist")
        await stage.take("TI-01", worlds.a_jpeg(1, 900))
        await stage.take("TI-02", worlds.a_jpeg(2, 900))
        other = await stage.context.new_page()
        await other.goto(f"{BROWSED}/phone/#/tasks/{stage.visit}/checklist")
        await other.wait_for_selector("#TI-02 figure")
        # An answer of one tab shows in the other, and is not undone by it.
        await stage.yes("TI-03")
        await other.wait_for_selector("#TI-03 input[type=radio]:checked")
        puts: list[str] = []
        stage.context.on(
            "request", lambda request: request.method == "PUT" and puts.append(request.url)
        )
        await stage.line_back()
        await asyncio.gather(
            *(tab.evaluate("dispatchEvent(new Event('online'))") for tab in (stage.page, other))
        )
        await arrived(stage, 2)
        assert len({url.partition("?")[0] for url in puts}) == len(puts) == 2
        sql = "select count(*) from op"
        assert await stage.count(sql) == len(await stage.rows("ops"))


@pytest.mark.parametrize("off", [YEARS_MS, -YEARS_MS])
async def test_a_clock_two_years_off_locks_nobody_out(kit: Kit, off: int) -> None:
    async with at_work(kit) as stage:
        await stage.fetched()
        skew = f"(() => {{ const now = Date.now; Date.now = () => now() + {off}; }})()"
        await stage.context.add_init_script(skew)
        await stage.reborn()
        await stage.page.wait_for_selector("#TI-01")
        await stage.take("TI-01", worlds.a_jpeg(side=500))
        await stage.yes("TI-02")
        await stage.shown("#TI-01 figure", "已传")
        await arrived(stage, 1)
        await stage.hurry()
        await stage.shown("#TI-01 figure", "已验证")
        [capture] = await stage.rows("captures")
        assert len(await stage.rows("chunks")) == 1
        # Both clocks are told: the wall as it is, the server's token beside it.
        times = capture["manifest"]["t"]
        assert abs(times["wall"] - times["anchor"]["srv"] - off) < 600_000
        assert abs(capture["free"] - times["anchor"]["srv"] - 7 * 86_400_000) < 600_000


async def test_without_a_promise_to_keep_the_page_says_so_and_sends_at_once(kit: Kit) -> None:
    async with at_work(kit, promised=False) as stage:
        await stage.open("/settings")
        await stage.page.wait_for_selector("text=浏览器没有承诺长期保存数据")
        await stage.fetched()
        await stage.shown("aside", "本机不能保证离线保存")
        await stage.open("checklist")
        await stage.context.route(PUTS, refuse)
        await stage.context.route("**/api/v1/uploads*", refuse)
        await stage.take("TI-01", worlds.a_jpeg(side=500))
        await stage.shown("#TI-01 figure", "正在争取立即上传")
        await stage.context.unroute_all()
        await stage.hurry()
        await stage.shown("#TI-01 figure", "已传")
        await arrived(stage, 1)


# Another address is wanted as soon as anything of the first one stands.
MEANWHILE = """new MutationObserver((_, seen) => {
  if (document.querySelector("#app > *") !== null) {
    seen.disconnect();
    location.hash = "#/settings";
  }
}).observe(document, { childList: true, subtree: true })"""


async def test_an_address_that_is_wanted_while_the_page_starts_is_not_lost(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.fetched()
        await stage.context.add_init_script(MEANWHILE)
        await stage.reborn()
        await stage.page.wait_for_selector("input[name=theme]")
        assert stage.page.url.endswith("#/settings")


async def test_a_program_that_does_not_come_is_told_and_loaded_again(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.fetched()
        # As after an update that another tab took: the program of a page is no more there.
        session = await stage.context.new_cdp_session(stage.page)
        await session.send("Network.enable")
        await session.send("Network.setBlockedURLs", {"urls": ["*/Papers-*"]})
        await stage.page.evaluate(f"location.hash = '#/tasks/{stage.visit}/papers'")
        await stage.shown("aside[role=alert]", "这一页没有载入")
        await session.detach()
        await stage.page.click("button >> text=重新载入")
        await stage.page.wait_for_selector("h1 >> text=询问与取证文书")


async def test_a_browser_that_stores_nothing_says_so(kit: Kit) -> None:
    context = await kit.chromium.new_context(**phones.SCREEN)
    await context.add_init_script(
        "IDBFactory.prototype.open = () => { throw new DOMException('', 'SecurityError'); }"
    )
    page = await context.new_page()
    await page.goto(f"{BROWSED}/phone/")
    await page.wait_for_selector("text=这个浏览器不允许保存数据")
    await context.close()


async def test_a_key_that_cannot_be_stored_works_until_the_page_closes(kit: Kit) -> None:
    context = await kit.chromium.new_context(
        permissions=phones.ALLOWED, geolocation=phones.HERE, **phones.SCREEN
    )
    await context.add_init_script(
        "const put = IDBObjectStore.prototype.put;"
        " IDBObjectStore.prototype.put = function (row, ...rest) {"
        "  if (row && row.value instanceof Object && 'privateKey' in row.value)"
        "   throw new DOMException('', 'DataCloneError');"
        "  return put.call(this, row, ...rest); }"
    )
    async with at_work(kit, context=context) as stage:
        await stage.page.wait_for_selector("text=浏览器不保存设备密钥")
        await stage.fetched()
        await stage.page.click(f"a[href='#/tasks/{stage.visit}']")
        await stage.page.evaluate(f"location.hash = '#/tasks/{stage.visit}/checklist'")
        await stage.page.wait_for_selector("#TI-01")
        await stage.take("TI-01", worlds.a_jpeg(side=500))
        await arrived(stage, 1)
        await stage.reborn("/")
        await stage.page.wait_for_selector("#login")
    await context.close()


# What a browser says at every large write once its disk is full; Chromium's own override of the
# quota is not enforced where storage was promised. A new page is without it.
FULL = """() => {
  const put = IDBObjectStore.prototype.put, add = IDBObjectStore.prototype.add
  const large = (value) => Object.values(value).some((one) => one?.byteLength > 200_000)
  const guarded = (write) => function (value, ...key) {
    if (large(value)) throw new DOMException("full", "QuotaExceededError")
    return write.call(this, value, ...key)
  }
  IDBObjectStore.prototype.put = guarded(put)
  IDBObjectStore.prototype.add = guarded(add)
}"""


async def test_a_full_disk_refuses_in_words_and_keeps_what_was_kept(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.ready_for_no_signal()
        await stage.open("checklist")
        await stage.take("TI-01", worlds.a_jpeg(side=500))
        await stage.yes("TI-01")
        await stage.page.evaluate(FULL)
        await stage.page.click("#TI-02 .shots button")
        noise = worlds.a_jpeg(3, 400) + random.Random(5).randbytes(9 * MEGA)
        picked = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": noise}
        await stage.page.set_input_files(".viewfinder input[type=file]", picked)
        await stage.page.wait_for_selector("text=手机存储已满")
        assert [row["item"] for row in await stage.rows("captures")] == ["TI-01"]
        await stage.reborn()  # there is room again
        assert await stage.page.is_checked("#TI-01 input[type=radio] >> nth=0")
        await stage.take("TI-02", worlds.a_jpeg(4, 400))
        await stage.until_swept({row["id"] for row in await stage.rows("captures")})
        await stage.line_back()
        await arrived(stage, 2)


# Whether the key that this browser holds without a PIN opens something.
OWN_KEY_OPENS = """async (sealed) => {
  const db = await new Promise((done) => {
    const asked = indexedDB.open("mingcha");
    asked.onsuccess = () => done(asked.result);
  });
  const cell = await new Promise((done) => {
    const asked = db.transaction("cells").objectStore("cells").get("content");
    asked.onsuccess = () => done(asked.result);
  });
  db.close();
  const [iv, text] = [new Uint8Array(sealed.slice(0, 12)), new Uint8Array(sealed.slice(12))];
  return crypto.subtle.decrypt({ name: "AES-GCM", iv }, cell.value, text).then(
    () => true, () => false);
}"""


async def test_a_forgotten_pin_loses_nothing_that_is_unsent(kit: Kit) -> None:
    async with at_work(kit) as stage:
        await stage.ready_for_no_signal()
        await stage.open("checklist")
        await stage.take("TI-02", worlds.a_jpeg(side=600))
        await stage.page.wait_for_selector("#TI-02 figure img")
        await stage.open("/settings")
        for field in ("#new-pin", "#new-pin-again"):
            await stage.page.fill(field, "135790")
        await stage.page.click("button >> text=设口令")
        await stage.page.wait_for_selector("text=口令已设")
        await stage.open("checklist")
        await stage.take("TI-01", worlds.a_jpeg(side=600))
        # Small pictures lie sealed, those from before the PIN too, and are seen while it is open.
        await stage.page.wait_for_selector("#TI-01 figure img")
        await stage.page.wait_for_selector("#TI-02 figure img")
        earlier, capture = sorted(
            await stage.rows("captures", slim=False), key=lambda row: row["seq"]
        )
        for one in (earlier, capture):
            assert one["preview"][:2] != [0xFF, 0xD8]
        assert not await stage.page.evaluate(OWN_KEY_OPENS, earlier["preview"])
        assert capture["local"]
        await stage.open("/queue")
        await stage.page.click(f"#piece-{capture['id']} >> text=查看")
        await stage.page.wait_for_selector(f"#piece-{capture['id']} figure img")
        # The page dies; it is closed now, and five wrong PINs leave the password alone.
        await stage.reborn("checklist")
        for _ in range(5):
            await stage.page.fill("#pin", "111111")
            await stage.page.click("form button[type=submit]")
            await stage.page.wait_for_selector("form button[type=submit]:not([disabled])")
        assert await stage.page.locator("#TI-01").count() == 0
        await stage.line_back()
        await arrived(stage, 2)  # closed all the while
        await stage.page.fill("#renew-password", stage.who.password)
        await stage.page.fill("#renew-pin", "246802")
        await stage.page.click("form button[type=submit]")
        await stage.shown("#TI-01 figure", "已验证")
        assert await stage.page.locator("figure img").count() == 0
        await stage.open("/queue")
        await stage.page.click(f"#piece-{capture['id']} >> text=查看")
        await stage.page.wait_for_selector("text=用当前口令打不开")


async def test_a_database_that_the_browser_closes_is_opened_again(kit: Kit) -> None:
    context = await kit.chromium.new_context(
        permissions=phones.ALLOWED, geolocation=phones.HERE, **phones.SCREEN
    )
    # Every connection is held here, so that it can be closed as memory pressure does it.
    await context.add_init_script(
        "const open = IDBFactory.prototype.open; window.connections = [];"
        " IDBFactory.prototype.open = function (...said) {"
        "  const asked = open.apply(this, said);"
        "  asked.addEventListener('success', () => window.connections.push(asked.result));"
        "  return asked; }"
    )
    async with at_work(kit, context=context) as stage:
        await stage.ready_for_no_signal()
        await stage.open("checklist")
        await stage.yes("TI-01")
        closed = await stage.page.evaluate(
            "() => window.connections.map((one) => {"
            " one.close(); one.dispatchEvent(new Event('close')); }).length"
        )
        assert closed >= 1
        await stage.yes("TI-02")
        await stage.take("TI-01", worlds.a_jpeg(side=300))
        assert len(await stage.rows("answers")) == 2
        assert len(await stage.rows("captures")) == 1
    await context.close()
