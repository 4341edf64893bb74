"""Where a run is broken: at a statement, at a call to the store, on the wire; once an action.

The edges are those of the process: the driver's connection, the SDK's pool of sockets, httpx's
transport. The product's own code is not touched. Source: evidence spec 13.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import asyncpg
import httpx
import urllib3

from backend.db.engine import Link
from media.bucket import Bucket

Place = Literal["statement", "commit", "store", "wire"]
GONE_MS = 5000
How = Literal["before", "after", "cut", "twice", "stall"]


class Killed(BaseException):
    """The process ended here; nothing that comes after it was done."""


@dataclass
class Plan:
    """One fault: at the ``nth`` meeting of ``place`` within an action, once.

    Statement: killed before or after it, its backend terminated (cut), or held (stall); commit:
    the same at a COMMIT of what may have written.
    Store: killed before or after the call, or the socket breaks after it (cut).
    Wire: the request is lost (before), its answer is lost (after), or it comes twice.
    """

    place: Place
    how: How
    nth: int
    met: int = 0
    fired: bool = False
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def strikes(self, place: Place) -> bool:
        """Whether this meeting is the one."""
        if self.fired or place != self.place:
            return False
        self.met += 1
        self.fired = self.met == self.nth
        return self.fired


_own: ContextVar[Plan | None] = ContextVar("plan", default=None)


class Edges:
    """Holds the plan of the action under way; without one everything passes untouched."""

    def __init__(self, killer: asyncpg.Connection) -> None:
        self._killer = killer
        self._everywhere: Plan | None = None
        self._killing = asyncio.Lock()
        self._reading: set[int] = set()

    @contextlib.contextmanager
    def everywhere(self, plan: Plan | None) -> Iterator[None]:
        """The plan meets whatever runs now, in whichever task."""
        self._everywhere = plan
        try:
            yield
        finally:
            self._everywhere = None

    @contextlib.contextmanager
    def here(self, plan: Plan | None) -> Iterator[None]:
        """The plan meets this task alone and what it calls."""
        token = _own.set(plan)
        try:
            yield
        finally:
            _own.reset(token)

    def plan(self) -> Plan | None:
        """The plan of whoever asks."""
        return _own.get() or self._everywhere

    async def statement(
        self, link: Link, run: Callable[[], Awaitable[Any]], *, commits: bool = False
    ) -> Any:
        """Pass one statement on, or break it."""
        plan = self.plan()
        if plan is None or not (plan.strikes("statement") or (commits and plan.strikes("commit"))):
            return await run()
        if plan.how == "before":
            raise Killed
        if plan.how == "cut":
            async with self._killing:
                # With a timeout it waits until the backend is gone, so that nothing overtakes it.
                await self._killer.execute(
                    "select pg_terminate_backend($1, $2)", link.get_server_pid(), GONE_MS
                )
        if plan.how == "stall":
            plan.reached.set()
            await plan.go_on.wait()
        done = await run()
        if plan.how == "after":
            raise Killed
        return done

    def writes(self, link: Link, query: str) -> bool:
        """Whether this is the COMMIT of a transaction that may have written something."""
        if query.startswith("BEGIN"):
            (self._reading.add if "READ ONLY" in query else self._reading.discard)(id(link))
        return query.startswith("COMMIT") and id(link) not in self._reading

    @contextlib.asynccontextmanager
    async def installed(
        self, bucket: Bucket, clock: Callable[[], datetime]
    ) -> AsyncIterator[None]:
        """Stand at the driver and at the store's sockets until the block ends.

        ``clock`` is the store's own: addresses are signed by it, whatever the app takes for now.
        """
        execute, inner = Link.execute, asyncpg.Connection._execute  # noqa: SLF001 - the edge
        edges = self

        async def plain(link: Link, query: str, *args: Any, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - as asyncpg has it
            if args:  # counted below, where asyncpg sends it
                return await execute(link, query, *args, timeout=timeout)
            commits = edges.writes(link, query)
            return await edges.statement(
                link, lambda: execute(link, query, timeout=timeout), commits=commits
            )

        async def prepared(link: Link, *args: Any, **kwargs: Any) -> Any:
            return await edges.statement(link, lambda: inner(link, *args, **kwargs))

        http = bucket._client._http  # noqa: SLF001 - the edge
        put, part = bucket.presign_put, bucket.presign_part
        setattr(Link, "execute", plain)  # noqa: B010 - the edge, not the product's own way
        setattr(Link, "_execute", prepared)  # noqa: B010
        setattr(bucket._client, "_http", Sockets(http, self))  # noqa: SLF001, B010
        signs: dict[str, Any] = {
            "presign_put": lambda *a, **k: put(*a, **{**k, "now": clock()}),
            "presign_part": lambda *a, **k: part(*a, **{**k, "now": clock()}),
        }
        for name, sign in signs.items():
            setattr(bucket, name, sign)
        try:
            yield
        finally:
            setattr(Link, "execute", execute)  # noqa: B010
            delattr(Link, "_execute")
            setattr(bucket._client, "_http", http)  # noqa: SLF001, B010
            for name in signs:
                delattr(bucket, name)


class Sockets:
    """The SDK's pool of sockets with a bad one in it."""

    def __init__(self, inner: urllib3.PoolManager, edges: Edges) -> None:
        self._inner = inner
        self._edges = edges

    def urlopen(self, *args: Any, **kwargs: Any) -> Any:
        """Pass one call on, or break it before or after the store carried it out."""
        plan = self._edges.plan()
        if plan is None or not plan.strikes("store"):
            return self._inner.urlopen(*args, **kwargs)
        if plan.how == "before":
            raise Killed
        done = self._inner.urlopen(*args, **kwargs)
        done.drain_conn()
        done.release_conn()
        if plan.how == "after":
            raise Killed
        raise urllib3.exceptions.ProtocolError("the socket broke")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Wire(httpx.AsyncBaseTransport):
    """The phones' line: a request lost, its answer lost, or the request carried out twice."""

    def __init__(self, inner: httpx.AsyncBaseTransport, edges: Edges) -> None:
        self._inner = inner
        self._edges = edges

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request, as far as the plan lets it."""
        plan = self._edges.plan()
        how = plan.how if plan is not None and plan.strikes("wire") else None
        if how == "before":
            raise httpx.ConnectError("lost on the way")
        answer = await self._carry(request)
        if how == "twice":
            answer = await self._carry(request)
        if how == "after":
            raise httpx.ReadError("the answer was lost")
        return answer

    async def _carry(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        try:
            answer = await self._inner.handle_async_request(request)
            await answer.aread()
        except BaseExceptionGroup as group:
            if group.split(Killed)[1] is not None:
                raise
            raise httpx.ReadError("the server ended") from None
        except Killed:
            raise httpx.ReadError("the server ended") from None
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()
