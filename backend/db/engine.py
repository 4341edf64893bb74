"""Piccolo's engine with real savepoints, no leaked connections, one pool a role, and the scope."""

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any, Literal, Self
from uuid import UUID

import asyncpg
import msgspec
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

LOST = (asyncpg.InterfaceError, asyncpg.PostgresConnectionError)
# What the driver says of a connection that was ended while nobody used it.
ENDED = (
    *LOST,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)


def gone(fault: BaseException) -> bool:
    """Whether the driver speaks of a connection that ended under it, by whatever word."""
    if isinstance(fault, asyncpg.InterfaceError):  # also its word for wrong use of it
        return "closed" in str(fault)
    return isinstance(fault, ENDED)


HURRIED = frozenset({"app", "public"})


class Scope(msgspec.Struct, frozen=True):
    """Whose rows a transaction sees: an office's regions, or one institution.

    Nothing set means 0 rows; ``role`` picks the pool. Regions are six-digit GB/T 2260 codes,
    already expanded.
    """

    regions: tuple[int, ...] = ()
    institution: UUID | None = None
    role: str = "app"


class NoTransaction(RuntimeError):  # noqa: N818 - a programming fault with a plain name
    """A query ran outside ``DB.transaction``; it would have had no tenant scope."""


class Link(asyncpg.Connection):  # type: ignore[misc]  # asyncpg ships no types
    """A connection on which a transaction begins and gets its scope in one round trip."""

    _beginning = ""

    def begin_with(self, statements: str) -> None:
        """Let the next plain statement, which is a BEGIN, be followed by these."""
        self._beginning = statements

    async def execute(
        self,
        query: str,
        *args: Any,  # noqa: ANN401 - as asyncpg has it
        timeout: float | None = None,  # noqa: ASYNC109 - as asyncpg has it
    ) -> str:
        """Execute, once with what ``begin_with`` left."""
        beginning, self._beginning = self._beginning, ""
        status: str = await super().execute(query + beginning, *args, timeout=timeout)
        return status


def _set_scope(scope: Scope) -> str:
    """The statements that set a scope; numbers alone get in, so nothing needs a quote."""
    regions = ",".join(str(int(code)) for code in scope.regions)
    institution = scope.institution.hex if scope.institution else ""
    return f" set local app.regions = '{regions}'; set local app.institution = '{institution}';"


async def _acquired(pool: asyncpg.Pool) -> asyncpg.Connection:
    """A connection; a server that is away is told like one that is starting (57P03)."""
    try:
        return await pool.acquire()
    except OSError as fault:
        raise asyncpg.CannotConnectNowError("the database does not answer") from fault


def _server_settings(role: str) -> dict[str, str]:
    """An open transaction holds back every seal of the log: whoever answers a call has 30 s.

    Jobs read and write millions of rows in one transaction; they have no such limit.
    """
    limits = ("statement_timeout", "idle_in_transaction_session_timeout")
    given = dict.fromkeys(limits, "30s") if role in HURRIED else {}
    return {"application_name": f"mingcha-{role}", **given}


async def _nothing_to_reset(_connection: asyncpg.Connection) -> None:
    """Spare the round trip: scope, locks and cursors of ours end with their transaction."""


class Tx(PostgresTransaction):
    """A transaction; a nested one is a savepoint and keeps the scope of the outermost."""

    __slots__ = ("_opts", "_pool", "_scope")
    engine: "Engine"

    def __init__(
        self, engine: "Engine", scope: Scope, *, isolation: str | None, readonly: bool
    ) -> None:
        super().__init__(engine)
        self._scope = scope
        self._opts: dict[str, Any] = {"isolation": isolation, "readonly": readonly}
        self._pool: asyncpg.Pool | None = None

    async def __aenter__(self) -> Self:
        if self._parent is None:
            self._pool = self.engine.pools[self._scope.role]
            await self._begin(self._pool)
        else:
            self.connection = self._parent.connection
            self.transaction = self.connection.transaction()
            await self.transaction.start()
        self.context = self.engine.current_transaction.set(self)
        return self

    async def _begin(self, pool: asyncpg.Pool) -> None:
        """Begin on a connection that lives; those that ended while they lay idle are put away."""
        for _ in range(pool.get_max_size() + 1):
            self.connection = await _acquired(pool)
            self.transaction = self.connection.transaction(**self._opts)
            try:
                self.connection.begin_with(_set_scope(self._scope))
                await self.transaction.start()
            except ENDED:
                with suppress(asyncpg.InterfaceError):  # the pool has put it away itself
                    self.connection.terminate()
                await pool.release(self.connection)
            except BaseException:
                await self._close()
                raise
            else:
                return
        self._pool = None
        raise asyncpg.CannotConnectNowError("the database ends every connection")

    async def __aexit__(self, kind: object, value: object, trace: object) -> Literal[False]:
        try:
            if kind is not None:
                with suppress(*LOST):  # then the server has undone it; the first fault is told
                    await self.rollback()
            elif not (self._committed or self._rolled_back):
                await self.commit()  # type: ignore[no-untyped-call]  # piccolo has no types here
        finally:  # also when COMMIT failed: a connection kept here would never come back
            self.engine.current_transaction.reset(self.context)
            await self._close()
        return False

    async def rollback(self) -> None:
        if not (self._rolled_back or self._committed):
            await super().rollback()  # type: ignore[no-untyped-call]  # piccolo has no types here

    async def _close(self) -> None:
        if self._pool is not None:
            await self._pool.release(self.connection)
            self._pool = None


async def _init(connection: asyncpg.Connection) -> None:
    """Make jsonb travel as values; text would come back otherwise."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        decoder=msgspec.json.decode,
        encoder=lambda v: v if isinstance(v, str) else msgspec.json.encode(v).decode(),
    )


class Engine(PostgresEngine):
    """One pool a role; every query needs a transaction, because only a transaction has a scope."""

    def __init__(self) -> None:
        super().__init__(config={}, extensions=())
        self.pools: dict[str, asyncpg.Pool] = {}

    async def check_version(self) -> None:
        """Do nothing: the stock engine asks the server for its version at import."""

    async def prep_database(self) -> None:
        """Do nothing: no extension is used anywhere."""

    async def open(self, dsns: Mapping[str, str], *, size: int = 10) -> None:
        """Open a pool for each role named in ``dsns`` (role → libpq URI)."""
        for role, dsn in dsns.items():
            self.pools[role] = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=size,
                init=_init,
                reset=_nothing_to_reset,
                connection_class=Link,
                server_settings=_server_settings(role),
            )

    async def close(self) -> None:
        """Close every pool; safe to call twice."""
        for role in list(self.pools):
            await self.pools.pop(role).close()

    def transaction(  # type: ignore[override]  # the scope is ours, nesting is always allowed
        self, scope: Scope | None = None, *, isolation: str | None = None, readonly: bool = False
    ) -> Tx:
        """Open a transaction with a scope, or a savepoint inside the running one."""
        if scope is None:  # the migration runner opens one without knowing of scopes
            scope = Scope(role="owner" if "owner" in self.pools else "app")
        return Tx(self, scope, isolation=isolation, readonly=readonly)

    @property
    def connection(self) -> asyncpg.Connection:
        """The connection of the running transaction; raises NoTransaction."""
        running = self.current_transaction.get()
        if running is None:
            raise NoTransaction("open DB.transaction(scope) first")
        return running.connection

    async def stream(
        self, sql: str, *args: object, prefetch: int = 500
    ) -> AsyncIterator[dict[str, Any]]:
        """Rows of one query, a few at a time, inside the running transaction."""
        async for row in self.connection.cursor(sql, *args, prefetch=prefetch):
            yield dict(row)

    async def _run_in_pool(self, query: str, args: object = None) -> Any:  # noqa: ANN401, ARG002
        raise NoTransaction("open DB.transaction(scope) first")

    async def _run_in_new_connection(self, query: str, args: object = None) -> Any:  # noqa: ANN401
        """Only the migration runner gets here: it works as the owner, before any pool exists."""
        pool = self.pools.get("owner")
        if pool is None:
            raise NoTransaction("open DB.transaction(scope) first")
        return await pool.fetch(query, *(args or ()))  # type: ignore[misc]
