"""The only composition root: settings, clock, ids, keys, rules and bucket meet here."""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self

import msgspec
import structlog
from litestar import Litestar, Request, Router
from litestar.config.csrf import CSRFConfig
from litestar.di import Provide
from litestar.exceptions import NotAuthorizedException
from litestar.middleware import DefineMiddleware
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.stores.registry import StoreRegistry
from litestar.types import Message, Scope

from backend import api, jobs, pages
from backend.api.guards import authorise
from backend.api.identity import Identity
from backend.api.problems import problem
from backend.api.stores import SessionStore
from backend.clock import Clock, Ids, new_id, now, token
from backend.jobs.context import Context
from backend.jobs.memory import Memory
from backend.keyring import Keyring, open_keyring
from backend.piccolo_conf import DB
from backend.services import offices
from backend.services.act import Act, Person
from backend.services.visitors import Visitor, mark
from backend.settings import Role, Settings
from inspection_plans.library import Library
from inspection_plans.loader import load
from media.bucket import Bucket
from media.darkroom import PATIENT_SECONDS, Darkroom
from media.spool import Spool

log = structlog.get_logger()
GC_YOUNG = 20_000
LOCAL_ROLES: tuple[Role, ...] = ("app", "worker", "public", "seq")


class Edge(msgspec.Struct, frozen=True):
    """What a process of the product works with before it is connected."""

    bucket: Bucket
    spool: Spool
    rules: Library

    @classmethod
    def of(cls, settings: Settings, bucket: Bucket | None = None) -> Self:
        """Made from the settings, with another bucket where one is given."""
        spool = Spool(settings.spool_folder, quota=settings.spool_bytes)
        return cls(bucket or Bucket.of(settings.store), spool, load())


def _person(request: Request[Person | None, Any, Any]) -> Person | None:
    return request.user


def _act(request: Request[Person | None, Any, Any]) -> Act:
    """The deed of a signed-in caller; a route without a person asks for no act."""
    if request.user is None:
        raise NotAuthorizedException
    state = request.app.state
    client = request.client.host if request.client else ""
    return Act(
        by=request.user,
        at=state.clock(),
        new_id=state.new_id,
        request_id=request.state.request_id,
        ip=client.rpartition(".")[0],
    )


async def _tell(message: Message, scope: Scope) -> None:
    """One line a request: method, path without query, status, id."""
    if message["type"] == "http.response.start" and pages.PRESSING not in scope:
        request = scope.get("state", {}).get("request_id", "")
        log.info(
            "request",
            method=scope.get("method"),
            path=scope["path"],
            status=message["status"],
            request_id=request,
        )


def _settle_memory() -> None:
    """What was loaded by now lives as long as the process: no need to walk it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_YOUNG)


async def _stamp(request: Request[Any, Any, Any]) -> None:
    request.state.request_id = str(request.app.state.new_id())


def _visitor(request: Request[Any, Any, Any]) -> Visitor:
    """A caller without an account, by a mark of the address instead of the address."""
    state = request.app.state
    host = request.client.host if request.client else ""
    return Visitor(
        mark=mark(state.keyring.visitors, host), at=state.clock(), new_id=state.new_id, token=token
    )


def _dependencies(settings: Settings, edge: Edge) -> dict[str, Provide]:
    """What a handler may ask for by name."""

    def keyring(request: Request[Any, Any, Any]) -> Keyring:
        found: Keyring = request.app.state.keyring
        return found

    given: dict[str, Callable[..., Any]] = {
        "act": _act,
        "person": _person,
        "keys": keyring,
        "visitor": _visitor,
        "bucket": lambda: edge.bucket,
        "spool": lambda: edge.spool,
        "rules": lambda: edge.rules,
        "settings": lambda: settings,
    }
    return {name: Provide(give, sync_to_thread=False) for name, give in given.items()}


def _session(settings: Settings) -> DefineMiddleware:
    return ServerSideSessionConfig(
        key="__Host-session" if settings.secure_cookies else "session",
        secure=settings.secure_cookies,
        samesite="lax",
        store="sessions",
        exclude=["^/api/"],  # bearer tokens only: an empty session a call would be a row a call
    ).middleware


@asynccontextmanager
async def opened(
    settings: Settings, edge: Edge, *, clock: Clock = now, ids: Ids = new_id
) -> AsyncIterator[Context]:
    """Connect, and do what ``settings.duties`` says besides answering, until the block ends."""
    async with AsyncExitStack() as stack:
        dsns: dict[str, str] = {role: settings.database.dsn(role) for role in LOCAL_ROLES}
        await DB.open(dsns, size=settings.pool_size)
        stack.push_async_callback(DB.close)
        keys = open_keyring(settings.keys)
        context = Context(
            settings=settings,
            bucket=edge.bucket,
            spool=edge.spool,
            darkroom=stack.enter_context(Darkroom(wall_s=PATIENT_SECONDS)),
            keys=keys,
            memory=Memory(settings.keys, base=settings.log_origin, public=keys.log.public),
            rules=edge.rules,
            clock=clock,
            ids=ids,
            regions=await offices.every_region(),
        )
        await stack.enter_async_context(jobs.running(context))
        yield context


def create_app(
    settings: Settings, *, bucket: Bucket | None = None, clock: Clock = now, ids: Ids = new_id
) -> Litestar:
    """Compose app, worker and scheduler as ``settings.duties`` says; connects in the lifespan."""
    edge = Edge.of(settings, bucket)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            # Of its own: who looks at a picture does not wait for uploads to be proved.
            app.state.darkroom = stack.enter_context(Darkroom())
            served = opened(settings, edge, clock=clock, ids=ids)
            context = await stack.enter_async_context(served)
            app.state.jobs, app.state.keyring = context, context.keys
            if "web" in settings.duties:
                await stack.enter_async_context(pages.pressing(app))
                _settle_memory()
            yield

    app = Litestar(
        [*api.handlers(settings.faces), *pages.handlers(settings.faces)],
        guards=[authorise],
        before_request=_stamp,
        before_send=[_tell],
        dependencies=_dependencies(settings, edge),
        exception_handlers={Exception: problem},
        lifespan=[lifespan],
        middleware=[_session(settings), DefineMiddleware(Identity)],
        csrf_config=CSRFConfig(
            secret=settings.database.passwords["app"],
            cookie_secure=settings.secure_cookies,
            exclude=["^/api/"],
        ),
        stores=StoreRegistry({"sessions": SessionStore()}),
        openapi_config=OpenAPIConfig(
            title="明察 Mingcha",
            version="1",
            openapi_router=Router(
                "/api/schema",
                route_handlers=[],
                include_in_schema=False,
                opt={"action": "public.read"},
            ),
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        request_max_body_size=2_000_000,
        logging_config=None,
    )
    app.state.clock, app.state.new_id = clock, ids
    app.state.press = pages.Press(settings.site_folder, pages.main(settings.faces))
    return app
