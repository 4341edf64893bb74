"""The bad line fails where it says, counts what passed, and does the same again for its seed."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest

from tests.faults.cutter import LOOPBACK, Cutter, Moment, Weather

BODY = b"b" * 20_000
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere"


@dataclass
class Server:
    """Takes requests as they come and remembers what came of each."""

    port: int = 0
    whole: list[int] = field(default_factory=list)
    torn: list[int] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = b""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                body, length = b"", int(head.partition(b"content-length:")[2].split()[0])
                while len(body) < length:
                    piece = await reader.read(length - len(body))
                    if not piece:
                        break
                    body += piece
                if len(body) < length:
                    break
                self.whole.append(length)
                writer.write(ANSWER)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.torn += [len(body)] if 0 < len(body) < len(BODY) else []
            writer.transport.abort()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made, LOOPBACK, 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()


async def put(port: int) -> str:
    """What a caller sees of one request."""
    async with httpx.AsyncClient(timeout=5) as http:
        try:
            answer = await http.put(f"http://{LOOPBACK}:{port}/x", content=BODY)
        except httpx.TransportError as fault:
            return type(fault).__name__
        return answer.text


async def test_a_fair_line_carries_and_counts(server: Server) -> None:
    async with Cutter(1) as line:
        port = await line.front(server.port)
        assert await put(port) == "there"
    assert server.whole == [len(BODY)]
    assert len(BODY) < line.up.passed < len(BODY) + 1000
    assert line.down.passed == len(ANSWER)
    assert (line.requests, line.cuts, line.events) == (1, 0, [])


@pytest.mark.parametrize(
    ("moment", "whole"),
    [
        (Moment.BEFORE_HEADERS, False),
        (Moment.MID_BODY, False),
        (Moment.BEFORE_ANSWER, True),
        (Moment.MID_ANSWER, True),
    ],
)
async def test_the_line_fails_where_it_says(
    server: Server, moment: Moment, *, whole: bool
) -> None:
    async with Cutter(7, Weather(chances={moment: 1.0})) as line:
        port = await line.front(server.port)
        seen = await put(port)
        assert seen in {"ReadError", "WriteError", "RemoteProtocolError"}
    assert server.whole == ([len(BODY)] if whole else [])
    assert [event.moment for event in line.events] == [moment]
    assert line.cuts == 1
    if moment is Moment.MID_BODY:
        assert line.events[0].after_bytes in range(len(BODY))


async def test_a_seed_repeats_itself_and_another_differs(server: Server) -> None:
    async def run(seed: int) -> list[tuple[int, Moment, int]]:
        chances = dict.fromkeys((Moment.BEFORE_HEADERS, Moment.MID_BODY, Moment.MID_ANSWER), 0.2)
        async with Cutter(seed, Weather(chances=chances)) as line:
            port = await line.front(server.port)
            for _ in range(20):
                await put(port)
        assert line.events
        return [tuple(event) for event in line.events]

    first = await run(3)
    assert await run(3) == first
    assert await run(4) != first


async def test_a_slow_far_line_takes_its_time(server: Server) -> None:
    async with Cutter(1, Weather(latency_s=0.1, rate=100_000)) as line:
        port = await line.front(server.port)
        began = time.monotonic()
        assert await put(port) == "there"
        took = time.monotonic() - began
    assert took >= 0.2 + len(BODY) / 100_000


async def test_a_stall_is_waited_out(server: Server) -> None:
    async with Cutter(1, Weather(stall_s=0.3, chances={Moment.STALL: 1.0})) as line:
        port = await line.front(server.port)
        began = time.monotonic()
        assert await put(port) == "there"
        assert time.monotonic() - began >= 0.3
    assert [event.moment for event in line.events] == [Moment.STALL]


async def test_cut_by_the_clock_and_by_hand(server: Server) -> None:
    async with Cutter(1, Weather(rate=10_000, cut_every_s=0.3)) as line:
        port = await line.front(server.port)
        assert await put(port) != "there"
        assert 0 < line.up.passed < len(BODY)
        line.weather = Weather()
        async with line.down_meanwhile():
            assert await put(port) != "there"
        assert await put(port) == "there"


async def test_a_server_that_is_away_is_a_lost_connection() -> None:
    async with Cutter(1) as line:
        assert await put(await line.front(9)) != "there"
