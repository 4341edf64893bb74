"""Litestar's session store over the rows of ``services/sessions.py``."""

from datetime import timedelta

from litestar.stores.base import Store

from backend.services import sessions


class SessionStore(Store):
    """Sessions in PostgreSQL: any process serves the next request."""

    async def set(
        self, key: str, value: str | bytes, expires_in: int | timedelta | None = None
    ) -> None:
        """Store; ``expires_in`` in seconds or as a span."""
        life = timedelta(seconds=expires_in) if isinstance(expires_in, int) else expires_in
        await sessions.put(key, value.encode() if isinstance(value, str) else value, life)

    async def get(self, key: str, renew_for: int | timedelta | None = None) -> bytes | None:
        """Fetch, and move the end when asked to."""
        renew = timedelta(seconds=renew_for) if isinstance(renew_for, int) else renew_for
        return await sessions.get(key, renew)

    async def delete(self, key: str) -> None:
        """Forget one session."""
        await sessions.drop(key)

    async def delete_all(self) -> None:
        """Forget every session."""
        await sessions.drop()

    async def exists(self, key: str) -> bool:
        """Whether the session lives."""
        return await sessions.get(key) is not None

    async def expires_in(self, key: str) -> int | None:
        """Seconds it still lives."""
        return await sessions.remaining(key)
