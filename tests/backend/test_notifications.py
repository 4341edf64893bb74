"""Messages: who is told what, when it goes outside, and what an outside system can prove."""

import json
import re
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar

from backend import jobs
from backend.clock import new_id
from backend.jobs.context import Context
from backend.services import clock_stops, notifications, replies
from backend.services.accounts import SHANGHAI, on_day
from backend.services.clock_stops import NewStop
from backend.services.notifications import (
    Matter,
    SubjectUnfit,
    To,
    calendar,
    outgoing,
    webhooks,
    wording,
)
from inspection_plans.stops import Ground, Whose
from media import base64url
from media.keys import verify_server
from tests import casework, world
from tests.backend.desk import Desk
from tests.casework import Matter as Affair
from tests.conftest import StillClock, Work
from tests.field import a_field, a_visit
from tests.ports import free_port


class Post(Work):
    """Background work with the follower of the log in it."""

    async def drain(self) -> None:
        await super().drain()
        while await jobs.following.once(self.context):
            await super().drain()


@pytest.fixture
def post(app: Litestar) -> Post:
    return Post(app.state.jobs)


def changed(app: Litestar, **settings: Any) -> Context:
    """The jobs' edge with other settings."""
    held: Context = app.state.jobs
    other = msgspec.structs.replace(held.settings, **settings)
    return msgspec.structs.replace(held, settings=other)


@pytest.fixture
async def affair(app: Litestar, owner: asyncpg.Connection, clock: StillClock) -> Affair:  # noqa: ARG001
    return await casework.a_matter(owner, clock())


async def inbox(client: httpx.AsyncClient, who: world.Login) -> list[dict[str, Any]]:
    headers = await world.signed_in(client, who)
    answer = await client.get("/api/v1/inbox", headers=headers)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_the_log_tells_whom_it_concerns(
    affair: Affair, client: httpx.AsyncClient, post: Post, clock: StillClock
) -> None:
    notice = await casework.served(affair, clock())
    await post.drain()
    (told,) = await inbox(client, affair.user)
    assert told["subject"] == "notice.served"
    assert told["matter_id"] == str(notice.id)
    number = told["zh"].removeprefix("收到通知书 ")
    assert wording.NUMBER.match(number)
    # Who wrote it hears of the approval by another; nobody hears of their own deed.
    authors = {line["subject"] for line in await inbox(client, affair.office.author)}
    assert authors == {"notice.issue"}
    headers = await world.signed_in(client, affair.user)
    words = replies.Words(kind="statement", text="申辩如下")
    act = affair.user.act(clock.tick(minutes=5))
    drafted = await replies.save(notice.id, new_id(), words, base=None, act=act)
    await replies.send(notice.id, (drafted.id,), key=post.context.keys.server, act=act)
    await post.drain()
    assert "reply.received" in {
        line["subject"] for line in await inbox(client, affair.office.author)
    }
    read = {"messages": [told["id"]]}
    stranger = await world.signed_in(client, affair.office.legal)
    answer = await client.post("/api/v1/inbox/read", json=read, headers=stranger)
    assert answer.status_code == 404
    answer = await client.post("/api/v1/inbox/read", json=read, headers=headers)
    assert answer.json() == {"count": 1}
    assert (await client.get("/api/v1/inbox/unread", headers=headers)).json() == {"count": 0}


async def test_what_is_told_again_is_told_once(
    affair: Affair,
    post: Post,
    owner: asyncpg.Connection,
    clock: StillClock,
    client: httpx.AsyncClient,
) -> None:
    matter = Matter(noun="visit", id=affair.visit, region=affair.office.region)
    act = await world.the_product(clock())
    for day in ("1", "1", "2"):
        async with casework.DB.transaction(act.by.scope):
            await notifications.tell(
                "visit.complete", matter, to=To(roles=("supervisor",)), act=act, dedupe=day
            )
        await post.drain()
    assert len(await inbox(client, affair.office.author)) == 2
    # The follower started again from the beginning writes nothing twice.
    before = await owner.fetchval("select count(*) from message")
    await owner.execute("update follower set position = 0")
    await post.drain()
    assert await owner.fetchval("select count(*) from message") == before


@pytest.mark.parametrize(
    "facts",
    [{"number": "王某某"}, {"number": 1}, {}, {"number": "威人社责改字〔2026〕1号", "code": "x"}],
)
def test_a_subject_has_no_room_for_a_name(facts: dict[str, object]) -> None:
    with pytest.raises(SubjectUnfit):
        wording.checked("notice.served", facts)


@given(st.integers(0, 366 * 24 * 60))
def test_nothing_goes_out_at_night(minutes: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    due = outgoing.after_quiet(at, world.WEIHAI)
    assert 8 <= due.astimezone(SHANGHAI).hour < 21
    assert at <= due <= at + timedelta(hours=11)
    if due != at:
        assert not 8 <= at.astimezone(SHANGHAI).hour < 21


class Box:
    """What a mail server takes; it refuses as often as told."""

    def __init__(self) -> None:
        self.refusing, self.taken = 0, [b""][:0]

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802
        if self.refusing:
            self.refusing -= 1
            return "451 later"
        self.taken.append(bytes(envelope.content or b""))
        return "250 taken"


@pytest.fixture
def smtp() -> Iterator[tuple[Box, str]]:
    box = Box()
    port = free_port()
    server = Controller(box, hostname="127.0.0.1", port=port, ready_timeout=20)
    server.start()
    yield box, f"smtp://127.0.0.1:{port}"
    server.stop()


async def reached(client: httpx.AsyncClient, who: world.Login, **ways: str) -> None:
    headers = await world.signed_in(client, who)
    answer = await client.put("/api/v1/reach", json=ways, headers=headers)
    assert answer.status_code == 200, answer.text


async def test_mail_goes_to_a_real_server_in_the_morning_and_again_when_refused(
    affair: Affair,
    app: Litestar,
    client: httpx.AsyncClient,
    clock: StillClock,
    smtp: tuple[Box, str],
) -> None:
    box, url = smtp
    await reached(client, affair.user, email="office@school.invalid", language="en")
    clock.set(datetime(2026, 3, 2, 14, 30, tzinfo=UTC))  # half past ten at night
    await casework.served(affair, clock())
    post = Post(changed(app, mail_url=url))
    await post.drain()
    assert box.taken == []
    box.refusing = 1
    clock.set(datetime(2026, 3, 3, 0, 0, tzinfo=UTC))
    await post.drain()
    assert box.taken == []
    clock.tick(minutes=1)
    await post.drain()
    (letter,) = box.taken
    assert b"To: office@school.invalid" in letter
    assert b"Auto-Submitted: auto-generated" in letter
    assert "海岬" not in letter.decode("utf-8", "replace")
    sysadmin = await world.a_person(clock(), "sysadmin", region=affair.office.region)
    headers = await world.signed_in(client, sysadmin)
    (log,) = (await client.get("/api/v1/deliveries", headers=headers)).json()
    assert (log["progress"], log["attempts"], log["fault"]) == ("sent", 2, None)


async def test_without_a_server_everything_is_a_file(
    affair: Affair, app: Litestar, client: httpx.AsyncClient, clock: StillClock, tmp_path: Any
) -> None:
    await reached(client, affair.user, email="office@school.invalid", mobile="13000000000")
    await casework.served(affair, clock())
    await Post(changed(app, outbox=tmp_path)).drain()
    texts = {file.suffix: file.read_bytes() for file in tmp_path.iterdir()}
    assert set(texts) == {".eml", ".json"}
    said = json.loads(texts[".json"])
    assert said["mobile"] == "13000000000"
    assert re.search(r"〔2026〕\d+号", said["text"])
    # A link in a message would carry an id to whoever reads along.
    assert str(affair.institution).encode() not in texts[".eml"]


class Ear:
    """An outside system on loopback that keeps what it hears and answers as told."""

    def __init__(self) -> None:
        self.answers, self.heard = [200], []
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                ear.heard.append((dict(self.headers), raw))
                status = ear.answers.pop(0) if len(ear.answers) > 1 else ear.answers[0]
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    made = Ear()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


async def test_a_webhook_hears_signs_of_change_that_it_can_prove(
    affair: Affair, app: Litestar, clock: StillClock, ear: Ear, owner: asyncpg.Connection
) -> None:
    integrator = await world.a_person(clock(), "integrator", region=affair.office.region)
    elsewhere = await world.a_person(clock(), "integrator", region=world.JINAN)
    new = webhooks.NewWebhook(
        url=f"http://{ear.host}/hear", events=("notice.issued", "notice.served"), note="省平台"
    )
    with pytest.raises(webhooks.HostUnknown):
        await webhooks.add(new, act=integrator.act(clock()), hosts=("example.invalid",))
    hook = await webhooks.add(new, act=integrator.act(clock()), hosts=(ear.host,))
    await webhooks.add(new, act=elsewhere.act(clock()), hosts=(ear.host,))
    ear.answers = [500, 302, 200]
    post = Post(changed(app, webhook_hosts=(ear.host,)))
    await casework.served(affair, clock())
    await post.drain()
    for minutes in (1, 5):  # a failure and a redirect are tried again, each after its pause
        clock.tick(minutes=minutes)
        await post.drain()
    kept = await owner.fetch("select body from webhook_call")
    assert {raw for _, raw in ear.heard} == {row["body"] for row in kept}
    keys = post.context.keys.server
    for headers, raw in ear.heard:
        signature = base64url.decode(headers["Mingcha-Signature"])
        verify_server(keys.public, webhooks.DOMAIN + raw, signature)
        assert set(json.loads(raw)) == {"event", "log_index", "object", "region", "t", "v"}
    calls = await webhooks.calls(hook.id, act=integrator.act(clock()))
    assert {(call.event, call.progress) for call in calls} == {
        ("notice.issued", "delivered"),
        ("notice.served", "delivered"),
    }
    count = len(ear.heard)
    again = await webhooks.replay(calls[0].id, act=integrator.act(clock()))
    await post.drain()
    assert len(ear.heard) == count + 1
    assert ear.heard[-1][1].decode() == calls[0].body
    assert again.replay_of == calls[0].id
    with pytest.raises(webhooks.Absent):
        await webhooks.replay(calls[0].id, act=elsewhere.act(clock()))


async def test_a_webhook_hears_of_a_change_of_what_it_heard_before(
    affair: Affair, app: Litestar, clock: StillClock, ear: Ear
) -> None:
    integrator = await world.a_person(clock(), "integrator", region=affair.office.region)
    new = webhooks.NewWebhook(
        url=f"http://{ear.host}/", events=("notice.served", "notice.clock_stopped"), note="省平台"
    )
    await webhooks.add(new, act=integrator.act(clock()), hosts=(ear.host,))
    post = Post(changed(app, webhook_hosts=(ear.host,)))
    notice = await casework.served(affair, clock())
    stop = NewStop(
        whose=Whose.PARTY,
        ground=Ground.HEARING,
        first_on=on_day(clock.tick(days=3)),
        reason="听证",
        paper="函1",
    )
    await clock_stops.begin(notice.id, stop, act=affair.office.author.act(clock()))
    await post.drain()
    heard = [json.loads(raw) for _, raw in ear.heard]
    assert sorted(one["event"] for one in heard) == ["notice.clock_stopped", "notice.served"]
    assert {one["object"]["id"] for one in heard} == {str(notice.id)}
    assert heard[0]["log_index"] != heard[1]["log_index"]


def test_an_outside_system_is_promised_only_what_the_log_says() -> None:
    services = Path(webhooks.__file__).parents[1]
    source = "\n".join(path.read_text("utf-8") for path in sorted(services.rglob("*.py")))
    for event in webhooks.events():
        noun, _, _ = event.partition(".")
        assert f'"{event}"' in source or f'f"{noun}.{{' in source, event


async def test_a_webhook_that_never_answers_is_given_up_and_told(
    affair: Affair, app: Litestar, clock: StillClock, ear: Ear, client: httpx.AsyncClient
) -> None:
    integrator = await world.a_person(clock(), "integrator", region=affair.office.region)
    act = integrator.act(clock())
    new = webhooks.NewWebhook(url=f"http://{ear.host}/", events=("notice.served",), note="省平台")
    hook = await webhooks.add(new, act=act, hosts=(ear.host,))
    ear.answers = [503]
    post = Post(changed(app, webhook_hosts=(ear.host,)))
    await casework.served(affair, clock())
    for _ in range(7):
        await post.drain()
        clock.tick(days=2)
    (call,) = await webhooks.calls(hook.id, act=act)
    assert (call.progress, call.attempts, call.status) == ("failed", 7, 503)
    assert [line["subject"] for line in await inbox(client, integrator)] == ["webhook.failed"]


async def test_a_sealed_visit_is_in_nobodys_calendar_before_its_hour(
    clock: StillClock, desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    field = await a_field(desk, client, owner)
    opens = clock() + timedelta(minutes=3)
    await a_visit(
        desk, field.institution, field.inspectors[:2], sealed_until=opens, code="V-SEALED"
    )
    headers = field.phone.headers
    made = await client.post("/api/v1/reach/calendar", headers=headers)
    path = made.json()["url"].removeprefix("http://testserver")
    code = await owner.fetchval("select code from visit where id = $1", field.visit)
    first = (await client.get(path)).text
    assert f"SUMMARY:现场检查 {code}\r\n" in first
    assert "V-SEALED" not in first
    clock.set(opens)
    later = await client.get(path)
    assert "V-SEALED" in later.text
    assert later.headers["content-type"].startswith("text/calendar")
    assert later.headers["cache-control"] == "private, no-store"
    name = await owner.fetchval("select name from institution limit 1")
    assert name not in later.text
    renewed = (await client.post("/api/v1/reach/calendar", headers=headers)).json()["url"]
    assert (await client.get(path)).status_code == 404
    assert (await client.get(renewed.removeprefix("http://testserver"))).status_code == 200
    assert (await client.get("/calendar/x.ics")).status_code == 404


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"))))
def test_a_folded_line_unfolds_to_itself(text: str) -> None:
    folded = calendar.folded(text)
    assert all(len(part.encode()) <= 75 for part in folded.split("\r\n"))
    assert folded.replace("\r\n ", "") == text
