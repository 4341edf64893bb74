"""Histories of one upload against a model: chunks, kills, both lanes, ends, losses, in any order.

The model knows which bytes anybody was promised. Source: evidence spec 4.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar import Litestar

from backend.jobs.context import Context
from backend.services import evidence, forwarding, tokens, uploads
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.uploads import Lanes, NewPart
from media.bucket import Bucket, Room
from media.spool import SEGMENT_BYTES, SpoolTorn
from tests.backend.desk import Desk
from tests.conftest import START, StillClock
from tests.field import Field, a_field
from tests.phone import Capture

SMALL, LARGE = 40_000, SEGMENT_BYTES + 300_000
Step = tuple[str, int]
WEEK = {"days": 7, "seconds": 1}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                *("chunk", "chunk", "chunk", "chunk", "torn", "early", "past", "killed", "open"),
                *("head", "forward", "forward", "part", "part", "complete", "end", "week"),
                *("spool", "store"),
            )
        ),
        st.integers(1, 1000),
    ),
    max_size=14,
)


@dataclass
class Yard:
    """Everything that a history needs, made once."""

    field: Field
    context: Context
    act: Callable[[], Act]
    told: int = 0

    @property
    def bucket(self) -> Bucket:
        return self.context.bucket

    async def declared(self, size: int, seed: int) -> Capture:
        """A piece that is awaited; bytes of a picture that nobody looks at here."""
        raw = random.Random(seed).randbytes(64) * (size // 64)
        phone = self.field.phone
        # Weeks of the history before have not passed for this one: its token is minutes old.
        self.told += 1
        self.field.clock.set(START + self.told * timedelta(milliseconds=100))
        capture = phone.capture(raw)
        (told,) = await phone.send(phone.op("evidence.declare", capture.body))
        assert told["result"] == "applied", told
        return capture


@pytest.fixture
async def yard(
    app: Litestar, desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> Yard:
    seen = await a_field(desk, client, owner)
    token = seen.phone.headers["Authorization"].partition(" ")[2]
    person = await tokens.person_of_token(token, at=seen.clock())
    assert person is not None
    context: Context = app.state.jobs
    return Yard(seen, context, lambda: Act(by=person, at=seen.clock(), new_id=context.ids))


@dataclass
class Run:
    """One history under way: the piece, and what the model says of it.

    ``promised`` bytes were acknowledged to the sender; ``lost`` says that disk or store lost some
    since, so that the next offset may be lower. ``alive``: the upload is open.
    """

    yard: Yard
    capture: Capture
    clock: StillClock
    alive: bool = False
    over: bool = False
    promised: int = 0
    lost: bool = False
    parts: set[int] = field(default_factory=set)

    @property
    def ident(self) -> UUID:
        return UUID(self.capture.id)

    @property
    def size(self) -> int:
        return len(self.capture.raw)

    async def play(self, steps: Sequence[Step]) -> None:
        """Take the steps, then finish as an honest phone does."""
        for name, number in steps:
            await DEEDS[name](self, number)
        await self.finish()

    async def head(self, _number: int = 0) -> int | None:
        """Ask for the offset and hold it against what was promised."""
        context = self.yard.context
        try:
            told = await uploads.progress(self.ident, act=self.yard.act(), bucket=context.bucket)
        except (Absent, uploads.Expired):
            assert not self.alive
            return None
        assert self.alive or self.over
        assert told.offset >= self.promised or self.lost, (told.offset, self.promised)
        assert told.offset <= self.size
        self.promised, self.lost = told.offset, False
        self.over = self.over or (await self.state() not in evidence.AWAITED)
        return told.offset

    async def state(self) -> str:
        found: str = await self.yard.field.owner.fetchval(
            "select state from evidence where id = $1", self.ident
        )
        return found

    async def open(self, _number: int = 0) -> None:
        told = await uploads.open_upload(self.ident, self.size, host="one", act=self.yard.act())
        if not self.alive and not self.over:
            assert told.offset == 0
            self.promised, self.lost = 0, False
        self.alive = True

    async def chunk(self, number: int) -> None:
        """Send the next bytes from where the server is."""
        at = await self.head()
        if at is None or self.over:
            return
        data = self.capture.raw[at : at + self.size * number // 1000 + 1]
        with suppress(SpoolTorn):
            await self._append(at, data)

    async def _append(self, at: int, data: bytes) -> None:
        context = self.yard.context
        told = await uploads.append(self.ident, at, data, act=self.yard.act(), spool=context.spool)
        assert told.offset == at + len(data)
        self.promised = told.offset

    async def torn(self, number: int) -> None:
        """The body was cut: nothing came; or the sender is ahead of the server."""
        await self._refused(self.promised + number, b"x")

    async def early(self, number: int) -> None:
        """Bytes that are here already come again, and others than those."""
        if self.promised:
            await self._refused(max(0, self.promised - number), b"x" * number)

    async def past(self, number: int) -> None:
        """More than was declared."""
        await self._refused(self.promised, b"x" * (self.size - self.promised + number))

    async def _refused(self, at: int, data: bytes) -> None:
        refusals = (uploads.WrongOffset, uploads.PastEnd, Absent, uploads.Expired)
        if self.lost or (self.parts and self.size > SEGMENT_BYTES):
            return  # the offset is another one by now; only a HEAD tells
        with pytest.raises(refusals):
            await self._append(at, data)

    async def killed(self, number: int) -> None:
        """The process died when the bytes were on the disk and nobody was told."""
        if self.alive and not self.over and not self.lost:
            spool = self.yard.context.spool
            with suppress(SpoolTorn), spool.hold(self.capture.id):
                spool.append(self.capture.id, self.promised, b"k" * number)

    async def forward(self, _number: int = 0) -> None:
        """The worker's turn."""
        context = self.yard.context
        try:
            await forwarding.forward(
                self.ident, act=context.act(370000), bucket=context.bucket, spool=context.spool
            )
        except evidence.NotSent:
            assert self.parts
        self.over = self.over or (await self.state() not in evidence.AWAITED)

    async def part(self, number: int) -> None:
        """One part by the direct lane."""
        if self.size <= SEGMENT_BYTES:
            return
        n = 1 + number % 2
        raw = self.capture.raw[(n - 1) * SEGMENT_BYTES : n * SEGMENT_BYTES]
        wanted = [NewPart(n=n, size=len(raw), sha256="ab" * 32)]
        told = await uploads.urls(
            self.ident,
            wanted,
            lanes=Lanes("one", ("direct", "tus")),
            act=self.yard.act(),
            bucket=self.yard.bucket,
        )
        if not self.alive and not self.over:
            self.promised, self.lost, self.parts = 0, False, set()
        self.alive = True
        row = await self.row()
        if told.puts and row["store_upload"] is not None:
            key, name = row["object_key"], row["store_upload"]
            await asyncio.to_thread(self.yard.bucket.put_part, key, name, n, raw)
            self.parts.add(n)

    async def row(self) -> asyncpg.Record:
        return await self.yard.field.owner.fetchrow(
            "select u.*, e.object_key from upload u join evidence e on e.id = u.evidence"
            " where e.id = $1",
            self.ident,
        )

    async def complete(self, _number: int = 0) -> None:
        """The sender says that all is there; it is believed only when it is."""
        context = self.yard.context
        refused = False
        try:
            await uploads.complete(
                self.ident, act=self.yard.act(), bucket=context.bucket, spool=context.spool
            )
        except evidence.NotSent:
            refused = True
        self.over = await self.state() not in evidence.AWAITED
        assert self.over is not refused

    async def end(self, _number: int = 0) -> None:
        context = self.yard.context
        with suppress(Absent, uploads.Expired):
            await uploads.end(
                self.ident, act=self.yard.act(), bucket=context.bucket, spool=context.spool
            )
            self._ended()

    async def week(self, number: int) -> None:
        """Nothing comes for a week; now and then the timer looks."""
        whole = self.alive and (await self.row())["taken"] == self.size
        self.clock.tick(**WEEK)
        if number % 2:
            context = self.yard.context
            await uploads.expire(
                act=context.act(370000), bucket=context.bucket, spool=context.spool
            )
        if not whole and not self.over:
            self._ended()

    def _ended(self) -> None:
        self.alive, self.promised, self.lost, self.parts = False, 0, False, set()

    async def spool(self, _number: int = 0) -> None:
        """The disk is lost."""
        self.yard.context.spool.clear(self.capture.id)
        self.lost = True

    async def store(self, _number: int = 0) -> None:
        """The store forgets the parts."""
        row = await self.row()
        if row is not None and row["store_upload"] is not None and not self.over:
            bucket = self.yard.bucket
            await asyncio.to_thread(bucket.drop_parts, row["object_key"], row["store_upload"])
            self.lost, self.parts = True, set()

    async def finish(self) -> None:
        """Whatever happened, an honest phone brings every byte there."""
        for _ in range(12):
            if not self.over and await self.head() is None:
                await self.open()
            for _ in range(4):
                await self.chunk(999)
            await self.forward()
            if self.over:
                break
        assert self.over
        row = await self.yard.field.owner.fetchrow(
            "select object_key, version_id from evidence where id = $1", self.ident
        )
        found = await asyncio.to_thread(
            self.yard.bucket.rehash, Room.QUARANTINE, row["object_key"], row["version_id"]
        )
        assert (found.sha256, found.size) == (self.capture.sha256, self.size)
        await self.forward()
        assert self.capture.id not in self.yard.context.spool.uploads()


DEEDS: dict[str, Callable[[Run, int], Awaitable[object]]] = {
    name: getattr(Run, name)
    for name in (
        *("chunk", "torn", "early", "past", "killed", "open", "head", "forward", "part"),
        *("complete", "end", "week", "spool", "store"),
    )
}


async def history(yard: Yard, size: int, steps: Sequence[Step], seed: int) -> None:
    capture = await yard.declared(size, seed)
    await Run(yard, capture, yard.field.clock).play(steps)


@settings(max_examples=180)
@given(steps=STEPS, seed=st.integers(0, 2**32))
async def test_no_promised_byte_is_lost(yard: Yard, steps: list[Step], seed: int) -> None:
    await history(yard, SMALL, steps, seed)


@settings(max_examples=20)
@given(steps=STEPS, seed=st.integers(0, 2**32))
async def test_nor_between_the_lanes(yard: Yard, steps: list[Step], seed: int) -> None:
    await history(yard, LARGE, steps, seed)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=3000)
@given(steps=STEPS, seed=st.integers(0, 2**32))
async def test_nor_in_many_histories(yard: Yard, steps: list[Step], seed: int) -> None:
    await history(yard, SMALL, steps, seed)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=300)
@given(steps=STEPS, seed=st.integers(0, 2**32))
async def test_nor_in_many_between_the_lanes(yard: Yard, steps: list[Step], seed: int) -> None:
    await history(yard, LARGE, steps, seed)
