"""Emergency packages: announced, sent in pieces, brought in; and what became of each thing."""

from typing import Annotated
from uuid import UUID

from litestar.params import (
    FromPath,
    FromQuery,
    HeaderParameter,
    JSONBody,
    QueryParameter,
    RawBody,
)
from msgspec import Struct

from backend.api.proofs import PROVEN
from backend.api.routes import get, post
from backend.services import packages
from backend.services.act import Act
from backend.services.packages import PIECE_BYTES, NewPackage, PackageItem, PackageRecord
from backend.settings import Settings
from media.spool import Spool

Offset = Annotated[int, HeaderParameter(name="Upload-Offset", ge=0, le=packages.SIZE_MAX)]
After = Annotated[int, QueryParameter(ge=0, le=2**31 - 1)]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]


class OpenedOut(Struct, frozen=True):
    """``piece_bytes`` is the most that one piece may hold."""

    package: PackageRecord
    piece_bytes: int


class PackagesOut(Struct, frozen=True):
    packages: tuple[PackageRecord, ...]


class ItemsOut(Struct, frozen=True):
    """In the order of the file; the last number is the next ``after``."""

    items: tuple[PackageItem, ...]


@post("/api/v1/packages", action="packages.bring", status_code=201, dependencies=PROVEN)
async def announce(data: JSONBody[NewPackage], proven: Act, settings: Settings) -> OpenedOut:
    """Announce a file; the same announcement again tells how far it is."""
    opened = await packages.open_package(data, host=settings.host, act=proven)
    return OpenedOut(opened, PIECE_BYTES)


@post(
    "/api/v1/packages/{package_id:uuid}/pieces",
    action="packages.bring",
    status_code=200,
    dependencies=PROVEN,
    request_max_body_size=PIECE_BYTES,
)
async def piece(
    package_id: FromPath[UUID], body: RawBody, offset: Offset, proven: Act, spool: Spool
) -> PackageRecord:
    """The next bytes of the file; the last ones start the work."""
    return await packages.append(package_id, offset, body, act=proven, spool=spool)


@post(
    "/api/v1/packages/{package_id:uuid}/end",
    action="packages.bring",
    status_code=200,
    dependencies=PROVEN,
)
async def end(package_id: FromPath[UUID], proven: Act) -> PackageRecord:
    """Say that no more will come: what is here is brought in."""
    return await packages.end(package_id, act=proven)


@post(
    "/api/v1/packages/{package_id:uuid}/again",
    action="packages.bring",
    status_code=200,
    dependencies=PROVEN,
)
async def again(package_id: FromPath[UUID], proven: Act) -> PackageRecord:
    """Bring in once more what waited for something else."""
    return await packages.again(package_id, act=proven)


@get("/api/v1/packages", action="packages.read")
async def page(act: Act, after: FromQuery[UUID | None] = None, limit: Limit = 100) -> PackagesOut:
    """Packages of the caller's regions, or the ones it brought itself, newest first."""
    return PackagesOut(await packages.page(act=act, after=after, limit=limit))


@get("/api/v1/packages/{package_id:uuid}", action="packages.read")
async def one(package_id: FromPath[UUID], act: Act) -> PackageRecord:
    """How far a package is, and what was in it."""
    return await packages.one(package_id, act=act)


@get("/api/v1/packages/{package_id:uuid}/items", action="packages.read")
async def items(
    package_id: FromPath[UUID], act: Act, after: After = 0, limit: Limit = 200
) -> ItemsOut:
    """What became of each operation and blob, and what could not be read."""
    return ItemsOut(await packages.items(package_id, act=act, after=after, limit=limit))


HANDLERS = [announce, piece, end, again, page, one, items]
