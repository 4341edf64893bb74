"""The phone's half of a direct upload: processes that PUT photos to pinned addresses."""

import asyncio
import functools
import http.client
import io
import multiprocessing
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

from PIL import Image

CONNECTIONS = 4
COMMENT = b"\xff\xfe"
OPEN: dict[str, http.client.HTTPConnection] = {}

Put = Callable[[str, dict[str, str], int, int], asyncio.Future[int]]


@functools.cache
def _frame(size: int) -> bytes:
    """A JPEG with the grain of a room, at most ``size`` less the room for a comment."""
    side, quality = (1600, 1200) if size < 1_000_000 else (4000, 3000), 95
    grain = Image.frombytes("L", (800, 600), random.Random(7).randbytes(480_000))
    picture = Image.merge("RGB", [grain.resize(side, Image.Resampling.BICUBIC)] * 3)
    while True:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality)
        if len(out.getvalue()) <= size - 64:
            return out.getvalue()
        quality -= 5


def photo(size: int, number: int) -> bytes:
    """A real JPEG of ``size`` bytes that differs from every other by its comment."""
    raw, said = _frame(size), f"{number:016d}".encode()
    pieces = [raw[:2]]
    left = size - len(raw)
    while left:
        length = min(left, 65_000)
        length -= 0 if left == length or left - length > 32 else 32
        body = said + b"." * (length - 4 - len(said))
        pieces.append(COMMENT + (length - 2).to_bytes(2, "big") + body)
        left -= length
    return b"".join([*pieces, raw[2:]])


def _put(url: str, headers: dict[str, str], size: int, number: int) -> int:
    where = urlsplit(url)
    if where.netloc not in OPEN:
        OPEN[where.netloc] = http.client.HTTPConnection(where.netloc, timeout=60)
    line = OPEN[where.netloc]
    line.request("PUT", f"{where.path}?{where.query}", body=photo(size, number), headers=headers)
    answer = line.getresponse()
    answer.read()
    return answer.status


@contextmanager
def putter() -> Iterator[Put]:
    """``put(url, headers, size, number)`` gives the store's status."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(CONNECTIONS, mp_context=spawn) as pool:

        def put(
            url: str, headers: dict[str, str], size: int, number: int
        ) -> "asyncio.Future[int]":
            loop = asyncio.get_running_loop()
            return loop.run_in_executor(pool, _put, url, headers, size, number)

        yield put
