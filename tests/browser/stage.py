"""One inspector at work: a world, an enrolled phone in the session's browser, and short ways."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from playwright.async_api import Browser, BrowserContext, Error, Page, Route

from tests import field as worlds
from tests import world
from tests.backend.desk import Desk
from tests.browser import phones
from tests.conftest import BROWSED, StillClock, Work
from tests.media.samples import a_movie, box
from tests.phone import Phone

ROWS = """async ([name, slim]) => {
  const db = await new Promise((done, fail) => {
    const asked = indexedDB.open("mingcha");
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
  const rows = await new Promise((done, fail) => {
    const asked = db.transaction(name).objectStore(name).getAll();
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
  db.close();
  const plain = (key, value) =>
    value instanceof Uint8Array ? (slim ? value.length : Array.from(value)) : value;
  return JSON.stringify(rows, plain);
}"""
CHANGE = """async ([name, key, change]) => {
  const db = await new Promise((done) => {
    const asked = indexedDB.open("mingcha");
    asked.onsuccess = () => done(asked.result);
  });
  await new Promise((done, fail) => {
    const deed = db.transaction(name, "readwrite");
    const rows = deed.objectStore(name);
    const asked = rows.get(key);
    asked.onsuccess = () => rows.put({ ...asked.result, ...change });
    deed.oncomplete = done;
    deed.onabort = () => fail(deed.error);
  });
  db.close();
}"""

STANDING = """async () => JSON.stringify({
  seen: [document.readyState, document.visibilityState, navigator.onLine],
  locks: await navigator.locks.query(),
  shell: navigator.serviceWorker.controller?.state,
  said: document.body.innerText,
})"""


@dataclass(frozen=True)
class Kit:
    """What a test of the phone stands on."""

    shelf: phones.Shelf
    chromium: Browser
    clock: StillClock
    desk: Desk
    client: httpx.AsyncClient
    owner: asyncpg.Connection
    work: Work


@dataclass
class Stage:
    """A phone of the third inspector with one open visit; the first two have phones in Python."""

    kit: Kit
    field: worlds.Field
    who: world.Login
    visit: UUID
    context: BrowserContext
    page: Page
    #: Bytes of bodies that the browser has sent, by the end of their address.
    sent: list[tuple[str, int]] = field(default_factory=list)

    async def open(self, place: str = "") -> Page:
        """A page of the visit, or of the application where ``place`` begins with a slash."""
        where = place if place.startswith("/") else f"/tasks/{self.visit}/{place}".rstrip("/")
        await self.page.goto(f"{BROWSED}/phone/#{where}")
        return self.page

    async def reborn(self, place: str = "checklist") -> Page:
        """The page dies as under memory pressure; another one is opened at the same place."""
        await self.page.close(run_before_unload=False)
        self.page = await self.context.new_page()
        return await self.open(place)

    async def ready_for_no_signal(self) -> None:
        """Fetch the task, keep the shell; then the line is gone."""
        await self.fetched()
        await phones.holds(self.page, phones.KEPT)
        await self.context.set_offline(True)

    async def fetched(self) -> None:
        """Wait until the task lies on the phone."""
        await self.open("/")
        await self.page.wait_for_selector(f"a[href='#/tasks/{self.visit}']")

    async def line_back(self) -> None:
        """Signal again; the phone notices by itself."""
        await self.context.set_offline(False)

    async def shown(self, selector: str, text: str) -> None:
        """Wait until an element says this."""
        await self.page.wait_for_selector(f"{selector} >> text={text}")

    async def take(
        self, item: str, raw: bytes, name: str = "a.jpg", folder: Path | None = None
    ) -> None:
        """One more piece of an item, by the file input; shown as kept when this ends.

        By way of ``folder`` where it is too large for the driver's own line.
        """
        mime = {"jpg": "image/jpeg", "mp4": "video/mp4"}[name.rpartition(".")[2]]
        before = await self.page.locator(f"#{item} figure").count()
        await self.page.click(f"#{item} .shots button")
        where = ".viewfinder input[type=file]"
        if folder is None:
            picked = {"name": name, "mimeType": mime, "buffer": raw}
            await self.page.set_input_files(where, picked)  # type: ignore[arg-type]
        else:
            (folder / name).write_bytes(raw)
            await self.page.set_input_files(where, folder / name)
        await self.page.wait_for_selector(f"#{item} figure >> nth={before}")

    async def yes(self, item: str) -> None:
        """Answer the first choice of an item."""
        await self.page.check(f"#{item} input[type=radio] >> nth=0")

    async def rows(self, name: str, *, slim: bool = True) -> list[dict[str, Any]]:
        """What lies in one table of the phone; bytes as their length unless not ``slim``."""
        found: list[dict[str, Any]] = json.loads(await self.page.evaluate(ROWS, [name, slim]))
        return found

    async def change(self, name: str, key: str, **change: Any) -> None:
        """Change one row behind the application, as time or another program would."""
        await self.page.evaluate(CHANGE, [name, key, change])

    async def sign(self, who: str, name: str = "") -> None:
        """One signature by name: an inspector's by id, or the party's."""
        await self.open(f"record/sign/{who}")
        await self.page.check("input[name=way][value=typed]")
        if name:
            await self.page.fill("main input[maxlength='40']", name)
        await self.page.click("footer.act button")
        await self.page.wait_for_url("**/record")

    async def sign_twice(self) -> None:
        """The inspector's and right after it the party's; nothing is waited for to be sent."""
        await self.sign(str(self.field.inspectors[2]))
        await self.sign("party", "王某")

    async def submit(self) -> None:
        """Sign for everybody and submit, as the record page has it."""
        await self.sign_twice()
        await self.page.click("footer.act button >> text=提交检查")
        await self.page.click(".sheet button >> text=提交检查")
        await self.page.wait_for_selector("text=已提交；")

    async def hurry(self) -> None:
        """Have the phone look again now, as it does when the line comes back."""
        await self.page.evaluate("dispatchEvent(new Event('online'))")

    async def count(self, sql: str, *values: object) -> int:
        """A number from behind the policies."""
        found: int = await self.kit.owner.fetchval(sql, *values)
        return found

    async def until(self, sql: str, wanted: int, *values: object) -> None:
        """Wait until the server has so many."""
        for _ in range(600):
            if await self.count(sql, *values) == wanted:
                return
            await self.page.wait_for_timeout(100)
        assert await self.count(sql, *values) == wanted

    async def until_row(self, table: str, field: str, wanted: object) -> None:
        """Wait until the only row of a table on the phone has this value."""
        for _ in range(600):
            [row] = await self.rows(table)
            if row[field] == wanted:
                return
            await self.page.wait_for_timeout(100)
        assert row[field] == wanted

    async def waits(self, capture: str) -> None:
        """Have a piece wait for four minutes, whatever attempt was under way just now."""
        later = int(time.time() * 1000) + 240_000
        for _ in range(600):
            await self.change("captures", capture, next=later)
            await self.page.wait_for_timeout(500)
            if {row["id"]: row["next"] for row in await self.rows("captures")}[capture] == later:
                return

    async def until_swept(self, kept: set[str]) -> None:
        """Wait until chunks lie here of these pieces alone, and of each of them."""
        for _ in range(600):
            if {row["id"] for row in await self.rows("chunks")} == kept:
                return
            await self.page.wait_for_timeout(100)
        assert {row["id"] for row in await self.rows("chunks")} == kept

    def count_bytes(self) -> None:
        """Note the size of every body that is sent from now on."""
        self.context.on(
            "request",
            lambda request: self.sent.append(
                (request.url.partition("?")[0], len(request.post_data_buffer or b""))
            ),
        )

    async def last_words(self) -> str:
        """What the page shows and holds, for whoever reads why a test failed."""
        try:
            async with asyncio.timeout(5):
                return f"{self.page.url} {await self.page.evaluate(STANDING)}"
        except (TimeoutError, Error) as fault:
            return f"{self.page.url} does not answer: {fault!r}"

    async def colleague(self, number: int = 0) -> Phone:
        """A colleague's phone that has fetched this visit too."""
        phone = self.field.phones[number]
        await phone.fetch_task(self.visit)
        return phone


@asynccontextmanager
async def at_work(
    kit: Kit, *, context: BrowserContext | None = None, promised: bool = True, **visit: Any
) -> AsyncIterator[Stage]:
    """Enrol the phone of an inspector who has one open visit, in a context of its own."""
    made = await worlds.a_field(kit.desk, kit.client, kit.owner)
    who, code = await phones.an_inspector(kit.desk, made.inspectors[2])
    team = made.inspectors[2:] + made.inspectors[: 2 * visit.pop("everybody", False)]
    if visit.pop("roster", False):
        visit["training_class"] = await worlds.a_class(kit.desk)
    mine = await worlds.a_visit(kit.desk, made.institution, team, **visit)
    own = context is None
    if context is None:
        context = await kit.chromium.new_context(
            permissions=phones.ALLOWED, geolocation=phones.HERE, **phones.SCREEN
        )
    context.set_default_timeout(phones.PATIENCE_MS)
    stage = Stage(kit, made, who, mine, context, await context.new_page())
    try:
        if promised:
            await phones.promise(stage.page)
        await phones.enrolled(stage.page, BROWSED, who, code)
        yield stage
    except Exception as fault:
        fault.add_note(await stage.last_words())
        raise
    finally:
        if own:
            await context.close()


def a_film(size: int) -> bytes:
    """A film with noise in its free space, a little larger than ``size`` bytes."""
    return a_movie() + box(b"free", random.Random(size).randbytes(size))


async def refuse(route: Route) -> None:
    """A line that breaks off."""
    await route.abort("connectionreset")
