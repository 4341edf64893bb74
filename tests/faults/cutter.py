"""A bad line on loopback: slow, far, cut at seeded moments of HTTP, with its bytes counted.

It stands before the app and before the object store; whoever signs a Host must be given the
front's address. The n-th request over a line meets what seed and n say, so that a run with one
caller at a time can be repeated. Source: evidence spec 13 (tools), 14 (goal 6).
"""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Self

LOOPBACK = "127.0.0.1"
PIECE = 4096
RECEIVE_BYTES = 16 << 10  # small: what waits in the kernel has not been sent over the line
WAITING = 16  # pieces under way in one direction; more, and the sender has to wait
CONNECTIONS = 64
HEAD_END = b"\r\n\r\n"
HEAD_BYTES = 32 << 10
Forward = Callable[[bytes], Awaitable[None]]


class Moment(StrEnum):
    """Where in one exchange of HTTP the line fails."""

    BEFORE_HEADERS = "before headers"
    MID_BODY = "mid body"
    BEFORE_ANSWER = "before answer"
    MID_ANSWER = "mid answer"
    STALL = "stall"


@dataclass(frozen=True)
class Weather:
    """How the line is now: ``latency_s`` one way, ``rate`` in bytes a second each way (0: any).

    ``chances`` are those of each request to fail at a moment; ``cut_every_s`` cuts by the clock.
    """

    latency_s: float = 0.0
    rate: int = 0
    cut_every_s: float = 0.0
    stall_s: float = 0.5
    chances: Mapping[Moment, float] = field(default_factory=dict)


FAIR = Weather()


class Cut(Exception):  # noqa: N818 - what happens to a connection
    """The line fails here."""


class Event(NamedTuple):
    """The n-th request over the line failed at this moment, after so many bytes of its body."""

    request: int
    moment: Moment
    after_bytes: int


@dataclass
class Lane:
    """One direction of a line: its bytes pass one after another, whosever they are."""

    passed: int = 0
    free_at: float = 0.0

    async def carry(self, size: int, rate: int) -> None:
        """Wait until ``size`` bytes have passed, and count them."""
        if rate:
            now = asyncio.get_running_loop().time()
            self.free_at = max(now, self.free_at) + size / rate
            await asyncio.sleep(self.free_at - now)
        self.passed += size


@dataclass
class Answer:
    """What one connection lets through of the server's next answer; None: everything."""

    left: int | None = None


@dataclass
class Request:
    """How far the request that is passing has come, and where it is to fail."""

    number: int
    length: int
    fault: Moment | None
    cut_at: int
    passed: int = 0

    @property
    def over(self) -> bool:
        return self.passed >= self.length


@dataclass
class Cutter:
    """A line with any number of fronts, each before one server."""

    seed: int
    weather: Weather = FAIR
    up: Lane = field(default_factory=Lane)
    down: Lane = field(default_factory=Lane)
    requests: int = 0
    cuts: int = 0
    events: list[Event] = field(default_factory=list)
    closed: bool = False
    _servers: list[asyncio.Server] = field(default_factory=list)
    _pairs: set[asyncio.Task[None]] = field(default_factory=set)
    _clockwork: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._clockwork = asyncio.create_task(self._cut_by_the_clock())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._clockwork is not None:
            self._clockwork.cancel()
        for server in self._servers:
            server.close()
        await self._end(tuple(self._pairs))

    async def front(self, port: int, *, at: int = 0) -> int:
        """The port of a new front before the server on loopback ``port``."""
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        listening.bind((LOOPBACK, at))
        self._servers.append(
            await asyncio.start_server(
                lambda reader, writer: self._accept(reader, writer, port),
                sock=listening,
                limit=RECEIVE_BYTES,
            )
        )
        found: int = listening.getsockname()[1]
        return found

    async def cut(self) -> None:
        """Cut whatever is connected now."""
        pairs = tuple(self._pairs)
        await self._end(pairs)
        self.cuts += bool(pairs)

    async def _end(self, pairs: Sequence[asyncio.Task[None]]) -> None:
        for pair in pairs:
            pair.cancel()
        await asyncio.gather(*pairs, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def down_meanwhile(self) -> AsyncIterator[None]:
        """Nobody gets through until the block ends."""
        self.closed = True
        await self.cut()
        try:
            yield
        finally:
            self.closed = False

    async def _cut_by_the_clock(self) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            every = self.weather.cut_every_s
            await asyncio.sleep(max(0.0, last + every - loop.time()) if every else 0.05)
            if every and every == self.weather.cut_every_s:
                await self.cut()
            last = loop.time()

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int
    ) -> None:
        if self.closed or len(self._pairs) >= CONNECTIONS:
            writer.transport.abort()
            return
        pair = asyncio.create_task(self._pair(reader, writer, port))
        self._pairs.add(pair)
        pair.add_done_callback(self._pairs.discard)

    async def _pair(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int
    ) -> None:
        """Carry one connection until either side ends it or the line fails."""
        writers = [writer]
        try:
            there, back = await asyncio.open_connection(LOOPBACK, port, limit=RECEIVE_BYTES)
            writers.append(back)
            answer = Answer()
            sides = [
                asyncio.create_task(self._carry(self.up, reader, Upward(self, back, answer))),
                asyncio.create_task(self._carry(self.down, there, Downward(writer, answer))),
            ]
            try:
                await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for side in sides:
                    side.cancel()
                ends = await asyncio.gather(*sides, return_exceptions=True)
            self.cuts += any(isinstance(end, Cut) for end in ends)
        except OSError:
            return  # the server is away: so is the connection
        finally:
            for one in writers:
                one.transport.abort()

    async def _carry(self, lane: Lane, reader: asyncio.StreamReader, forward: Forward) -> None:
        """Move one direction: through the lane's rate, then its latency, then on."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(WAITING)

        async def take() -> None:
            data = b"-"
            while data:
                data = await reader.read(self._piece())
                await lane.carry(len(data), self.weather.rate)
                await under_way.put((loop.time() + self.weather.latency_s, data))

        taking = asyncio.create_task(take())
        try:
            while True:
                due, data = await under_way.get()
                if due > loop.time():
                    await asyncio.sleep(due - loop.time())
                if not data:
                    return
                await forward(data)
        finally:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)

    def _piece(self) -> int:
        """Bytes that pass at once: a slow line shows what is under way every 20 ms."""
        rate = self.weather.rate
        return max(64, min(PIECE, rate // 50)) if rate else PIECE

    def begin(self, length: int) -> Request:
        """What the next request is to meet; its number and the seed alone decide."""
        number = self.requests
        self.requests += 1
        chance = random.Random(f"{self.seed}:{number}")
        drawn, place = chance.random(), chance.randrange(max(1, length))
        fault = None
        for moment, share in self.weather.chances.items():
            drawn -= share
            if drawn < 0:
                fault = moment
                break
        if fault is Moment.MID_BODY and not length:
            fault = Moment.BEFORE_ANSWER
        return Request(number, length, fault, place)


@dataclass
class Upward:
    """Requests on their way to the server: told apart, and failed where the line says."""

    cutter: Cutter
    writer: asyncio.StreamWriter
    answer: Answer
    head: bytes = b""
    request: Request | None = None

    async def __call__(self, data: bytes) -> None:
        while data:
            if self.request is None or self.request.over:
                data = await self._head(data)
            else:
                data = await self._body(self.request, data)

    async def _head(self, data: bytes) -> bytes:
        """Keep a head until it is whole; what follows it is given back."""
        self.head += data
        head, end, rest = self.head.partition(HEAD_END)
        if not end:
            if len(self.head) > HEAD_BYTES:
                raise Cut
            return b""
        self.request, self.head = self.cutter.begin(_length(head)), b""
        if self.request.fault is Moment.BEFORE_HEADERS:
            self._fail(self.request)
        await self._send(head + end)
        if self.request.over:
            await self._whole(self.request)
        return rest

    async def _body(self, request: Request, data: bytes) -> bytes:
        mine, rest = (
            data[: request.length - request.passed],
            data[request.length - request.passed :],
        )
        breaks = request.passed <= request.cut_at < request.passed + len(mine)
        if breaks and request.fault is Moment.MID_BODY:
            await self._send(mine[: request.cut_at - request.passed])
            request.passed = request.cut_at
            self._fail(request)
        if breaks and request.fault is Moment.STALL:
            self._note(request)
            await asyncio.sleep(self.cutter.weather.stall_s)
        await self._send(mine)
        request.passed += len(mine)
        if request.over:
            await self._whole(request)
        return rest

    async def _whole(self, request: Request) -> None:
        """The server has all of it: what becomes of its answer is known now."""
        if request.fault is Moment.BEFORE_ANSWER:
            self.answer.left = 0
        elif request.fault is Moment.MID_ANSWER:
            self.answer.left = 1 + request.cut_at % 60
        elif request.fault is Moment.STALL and not request.length:
            await asyncio.sleep(self.cutter.weather.stall_s)
        if self.answer.left is not None:
            self._note(request)

    async def _send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def _note(self, request: Request) -> None:
        assert request.fault is not None
        self.cutter.events.append(Event(request.number, request.fault, request.passed))

    def _fail(self, request: Request) -> None:
        self._note(request)
        raise Cut


@dataclass
class Downward:
    """Answers on their way back: cut where the request's fate says."""

    writer: asyncio.StreamWriter
    answer: Answer

    async def __call__(self, data: bytes) -> None:
        if self.answer.left is None:
            self.writer.write(data)
            await self.writer.drain()
            return
        self.writer.write(data[: self.answer.left])
        await self.writer.drain()
        self.answer.left -= len(data[: self.answer.left])
        if not self.answer.left:
            raise Cut


def _length(head: bytes) -> int:
    """The bytes of the body that a head announces; our callers never chunk."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0
