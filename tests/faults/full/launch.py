"""`mingcha VERB` under a fate: the product's own process, whose clock and death are told to it.

Usage: python -m tests.faults.full.launch FATE VERB …  The clock is replaced before anything asks
for it; statements and calls to the store are counted at the driver's connection and at the SDK's
sockets. Nothing else differs from `mingcha`.
"""

import asyncio
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import urllib3

from backend import clock
from tests.faults.full.fate import Fate, die

SENT = 3  # turns of the loop after which a statement is on its way to the server


def _counted(fate: Fate) -> None:
    from backend.db import engine  # noqa: PLC0415 - only once the clock is replaced

    class Link(engine.Link):
        """A connection whose process may die at a statement."""

        async def _meet(self, statement: Awaitable[Any]) -> Any:
            if fate.meet("statement"):
                die()
            if fate.meet("during"):
                sent = asyncio.ensure_future(statement)
                for _ in range(SENT):
                    await asyncio.sleep(0)
                assert sent is not None
                die()
            return await statement

        async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109 - as asyncpg has it
            done: str = await self._meet(super().execute(query, *args, timeout=timeout))
            return done

        async def _execute(self, *args: Any, **kwargs: Any) -> Any:
            return await self._meet(super()._execute(*args, **kwargs))

    engine.Link = Link  # type: ignore[misc]  # what the pools make from now on
    urlopen = urllib3.PoolManager.urlopen

    def call(self: urllib3.PoolManager, *args: Any, **kwargs: Any) -> Any:
        if fate.meet("store"):
            die()
        answer = urlopen(self, *args, **kwargs)
        if fate.meet("answered"):
            die()
        return answer

    urllib3.PoolManager.urlopen = call  # type: ignore[method-assign]


def main() -> int:
    """Be that process."""
    fate = Fate(Path(sys.argv[1]))
    real = clock.now
    clock.now = lambda: fate.now(real())
    _counted(fate)
    from backend.__main__ import main as mingcha  # noqa: PLC0415 - as above

    return mingcha(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
