"""Answers that a cache may keep: a strong validator, and 304 when the caller has it already."""

from typing import Any, TypeVar

from litestar import Request, Response

T = TypeVar("T")
# Caches may keep it and must ask again: a correction shows at once.
CACHE = "public, no-cache"


def conditional(request: Request[Any, Any, Any], body: T, etag: str) -> Response[T | None]:
    """The body with its validator, or 304 without one."""
    headers = {"ETag": etag, "Cache-Control": CACHE}
    known = request.headers.get("if-none-match", "")
    if etag in {tag.strip().removeprefix("W/") for tag in known.split(",")}:
        return Response(None, status_code=304, headers=headers)
    return Response(body, headers=headers)
