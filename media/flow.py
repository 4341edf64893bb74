"""Bytes that come in chunks, read like a file by whoever wants them in other portions."""

from collections.abc import Iterable


class Flow:
    """A stream over chunks; holds no more than was asked for and one chunk."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = bytearray()

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes, fewer only at the end."""
        while len(self._held) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._held += chunk
        with memoryview(self._held) as view:
            taken = bytes(view[:size])
        del self._held[:size]
        return taken

    def finish(self) -> int:
        """Read to the end, so that a source that checks its end does; how many bytes were left."""
        left = len(self._held)
        self._held.clear()
        return left + sum(len(chunk) for chunk in self._chunks)
