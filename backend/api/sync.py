"""What a phone asks about itself: the time, its tasks, its counters, its receipts."""

from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from msgspec import Struct

from backend.api.doubts import ChoiceIn, DisagreementsOut, HoldersOut
from backend.api.proofs import PROVEN
from backend.api.routes import get, post
from backend.keyring import Keyring
from backend.services import app_versions, bundles, choices, holdings, receipts, sync, timetokens
from backend.services.act import Act
from backend.services.bundles import Bundle
from backend.services.receipts import ReceiptRecord
from backend.services.sync import Cursor, Heartbeat
from backend.services.timetokens import Now
from backend.settings import Settings
from inspection_plans.library import Library

Since = Annotated[str, QueryParameter(pattern=r"^[0-9]{1,20}(-[0-9]{1,15})?\Z")]
Version = Annotated[
    str | None,
    HeaderParameter(name="App-Version", pattern=app_versions.FORM, description="such as 1.2.0"),
]
After = Annotated[int, QueryParameter(ge=0, le=2**53 - 1)]
Epoch = Annotated[str, QueryParameter(pattern=r"^[0-9a-f]{16}\Z")]


class ReceiptsOut(Struct, frozen=True):
    receipts: tuple[ReceiptRecord, ...]


@get("/api/v1/time", action="session.own")
async def time(act: Act, keys: Keyring) -> Now:
    """The server's time, signed; the token is also the nonce of a Device-Proof for 12 hours."""
    return timetokens.issue(keys.server, at=act.at, fresh=act.new_id())


@get("/api/v1/tasks", action="field.sync")
async def tasks(
    act: Act,
    keys: Keyring,
    rules: Library,
    settings: Settings,
    since: Since = "0",
    version: Version = None,
) -> Bundle:
    """The caller's open tasks that changed since; a sealed task is not sent before its hour.

    An application that is too old is given none; what it has recorded is taken all the same.
    """
    app_versions.may_begin(version, settings.app_minimum)
    return await bundles.bundle(since, act=act, keys=keys, rules=rules)


@get("/api/v1/devices/me/cursor", action="field.sync")
async def cursor(act: Act, inst_epoch: Epoch) -> Cursor:
    """Up to where the phone's operations are here, and what is missing."""
    return await sync.cursor(inst_epoch, act=act)


@get("/api/v1/devices/me/receipts", action="field.sync")
async def device_receipts(act: Act, after: After = 0) -> ReceiptsOut:
    """Signed receipts after a number, at most 200."""
    return ReceiptsOut(await receipts.of_device(after, act=act))


@post("/api/v1/devices/me/heartbeat", action="field.sync", status_code=204, dependencies=PROVEN)
async def heartbeat(data: JSONBody[Heartbeat], proven: Act) -> None:
    """What the phone has not sent yet."""
    await sync.heartbeat(data, act=proven)


@get("/api/v1/tasks/{visit_id:uuid}/holders", action="field.sync")
async def holders(visit_id: FromPath[UUID], act: Act) -> HoldersOut:
    """Who holds unsent items of a visit that is or was in the caller's hands."""
    return HoldersOut(await holdings.of_visit(visit_id, act=act))


@get("/api/v1/tasks/{visit_id:uuid}/disagreements", action="field.sync")
async def disagreements(visit_id: FromPath[UUID], act: Act) -> DisagreementsOut:
    """Items on which the devices of the caller's visit disagree; both count unless chosen."""
    return DisagreementsOut(await choices.of_visit(visit_id, act=act))


@post(
    "/api/v1/tasks/{visit_id:uuid}/disagreements",
    action="field.sync",
    status_code=204,
    dependencies=PROVEN,
)
async def choose(
    visit_id: FromPath[UUID], data: JSONBody[ChoiceIn], proven: Act, rules: Library
) -> None:
    """Mine, theirs, or both."""
    await choices.choose(visit_id, data.item, data.keep, data.reason, act=proven, rules=rules)


HANDLERS = [
    time,
    tasks,
    cursor,
    device_receipts,
    heartbeat,
    holders,
    disagreements,
    choose,
]
