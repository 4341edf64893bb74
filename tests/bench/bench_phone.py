"""The phone's shell: what a first load carries, how soon it shows, and how soon it starts again.

Over a line like slow 4G (1.6 Mbit/s, 150 ms) to a processor slowed four times. And a roster of
four hundred on that processor: how soon it stands, and how soon a mark is shown.
"""

import asyncio
import gzip
import mimetypes
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from backend.phone.build import OUT, build
from tests.bench.figures import Figure, median
from tests.browser import phones

ROUNDS = 5
SLOW_4G = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
SLOWER = 4
LARGEST = """() => new Promise((done) => {
  new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
    .observe({ type: "largest-contentful-paint", buffered: true });
})"""
ROSTER = 400
MARKS = 30
# An enrolled phone with one task, written as the application writes it; no server is asked.
TASK_KEPT = """async (names) => {
  const db = await new Promise((done) => {
    const asked = indexedDB.open("mingcha");
    asked.onsuccess = () => done(asked.result);
  });
  const form = { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.generateKey(form, false, ["sign", "verify"]);
  const deed = db.transaction(["cells", "tasks", "sheets"], "readwrite");
  const identity = { device: "d", account: "a", inspector: "i", name: "N", login: "n" };
  deed.objectStore("cells").put({ name: "key", value: key });
  deed.objectStore("cells").put({ name: "identity", value: identity });
  const trainees = Array.from({ length: names }, (_, n) => (
    { id: `t-${n}`, roster_no: n + 1, name: `Trainee ${n + 1}`, id_tail: "0011" }));
  const sheet = { id: "TI", zh: "S", en: "S", items: [], sections: [] };
  deed.objectStore("sheets").put({ digest: "s", sheet });
  const task = {
    visit: "v", institution: { name: "School" }, sheet: "TI", sheet_digest: "s", facts: {},
    team: [], sample_seed: "00".repeat(32), samples: [], policy: {}, training_class: "c",
    roster: { sha256: "00".repeat(32), trainees } };
  const later = Date.now() + 86_400_000;
  const kept = { visit: "v", task, fetched: Date.now(), expires: later, gone: false };
  deed.objectStore("tasks").put(kept);
  await new Promise((done) => (deed.oncomplete = done));
  db.close();
}"""
MARKED = """async (n) => {
  const found = [];
  const people = [...document.querySelectorAll(".person")];
  for (let at = 0; at < n; at += 1) {
    const person = people[Math.floor((at * people.length) / n)];
    person.scrollIntoView({ block: "center" });
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60)));
    const started = performance.now();
    person.querySelectorAll("input[type=radio]")[at % 3 === 0 ? 2 : 0].click();
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    found.push(performance.now() - started);
  }
  return found;
}"""
ROLL_STANDS = """() => new Promise((done) => {
  const look = () => document.querySelectorAll(".person").length > 0
    ? done(performance.now()) : requestAnimationFrame(look);
  look();
})"""
STARTED = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"


async def _shell(scope: Any, _receive: Any, send: Any) -> None:
    """A file of the build, packed as the app packs it; the app itself would need its servers."""
    file = OUT / (scope["path"].removeprefix("/phone/") or "index.html")
    there = scope["type"] == "http" and file.is_file()
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    headers = [(b"content-type", kind.encode()), (b"content-encoding", b"gzip")]
    start = {"type": "http.response.start", "status": 200 if there else 404, "headers": headers}
    await send(start)
    body = gzip.compress(file.read_bytes() if there else b"", mtime=0)
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def _served() -> AsyncIterator[str]:
    build()
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(_shell, lifespan="off", log_level="error"))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/phone/"
    finally:
        server.should_exit = True
        await task


async def _slowed(context: BrowserContext) -> Page:
    page = await context.new_page()
    driver = await context.new_cdp_session(page)
    await driver.send("Network.enable")
    await driver.send("Network.emulateNetworkConditions", SLOW_4G)
    await driver.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return page


async def _first(browser: Browser, origin: str) -> tuple[float, float]:
    """Kilobytes until the first page stands, and when its largest part was painted (ms)."""
    context = await browser.new_context(**phones.SCREEN, service_workers="block")
    page = await _slowed(context)
    driver = await context.new_cdp_session(page)
    await driver.send("Network.enable")
    sizes: list[float] = []
    driver.on("Network.loadingFinished", lambda said: sizes.append(said["encodedDataLength"]))
    await page.goto(origin)
    await page.wait_for_selector("#login")
    largest = await page.evaluate(LARGEST)
    await context.close()
    return sum(sizes) / 1000, largest


async def _again(browser: Browser, origin: str) -> float:
    """When the first words stand at the second start, without any line (ms)."""
    context = await browser.new_context(**phones.SCREEN)
    page = await context.new_page()
    await page.goto(origin)
    await phones.holds(page, phones.KEPT)
    await page.close()
    await context.set_offline(True)
    page = await context.new_page()
    await page.goto(origin)
    await page.wait_for_selector("#login")
    painted: float = await page.evaluate(STARTED)
    await context.close()
    return painted


async def _roll(browser: Browser, origin: str) -> tuple[float, list[float]]:
    """When a roster of four hundred stands after a start, and how long each mark took (ms)."""
    context = await browser.new_context(**phones.SCREEN)
    page = await context.new_page()
    await page.goto(origin)
    await page.wait_for_selector("#login")
    await page.evaluate(TASK_KEPT, ROSTER)
    await page.close()
    page = await _slowed(context)
    await page.goto(f"{origin}#/tasks/v/roll")
    stands: float = await page.evaluate(ROLL_STANDS)
    took: list[float] = await page.evaluate(MARKED, MARKS)
    await context.close()
    return stands, took


async def _measure() -> list[Figure]:
    loads: list[tuple[float, float]] = []
    starts: list[float] = []
    more: dict[str, Any] = {"executable_path": phones.CHROMIUM, "args": phones.ARGS}
    async with _served() as origin, async_playwright() as driver:
        browser = await driver.chromium.launch(**more)
        for _ in range(ROUNDS):
            loads.append(await _first(browser, origin))
            starts.append(await _again(browser, origin))
        stands, marks = await _roll(browser, origin)
        await browser.close()
    name = "phone: {}".format
    return [
        median(name("first load, compressed"), [size for size, _ in loads], "kB", target=200.0),
        median(
            name("largest paint, slow 4G and a 4x slower processor"),
            [largest for _, largest in loads],
            "ms",
            target=2500.0,
        ),
        median(name("second start without a line"), starts, "ms", target=1000.0),
        Figure(name(f"a roster of {ROSTER} stands, 4x slower processor"), stands, "ms"),
        median(name(f"a mark in a roster of {ROSTER}, 4x slower"), marks, "ms", target=100.0),
    ]


def run() -> list[Figure]:
    """The shell alone; without a browser there is nothing to measure."""
    return asyncio.run(_measure()) if phones.CHROMIUM else []
