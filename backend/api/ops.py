"""Operations of phones in batches: exact bytes in, one result an operation out."""

from typing import Annotated

import msgspec
from litestar.datastructures import State
from litestar.params import RawBody
from msgspec import Meta, Raw, Struct

from backend.api import opdocs
from backend.api.proofs import PROVEN
from backend.api.routes import post
from backend.services import ops
from backend.services.act import Act
from backend.services.deeds import Tools
from backend.services.errors import ServiceRefusal
from backend.services.op_kinds import Told
from inspection_plans.errors import Family

BATCH_BYTES = 1 << 20


class BatchMalformed(ServiceRefusal):
    """The batch cannot be read; nothing of it was taken, nothing on the phone is lost."""

    code = "op.batch_malformed"
    family = Family.MALFORMED


class BatchIn(Struct, frozen=True, forbid_unknown_fields=True):
    """The envelopes as their exact canonical bytes."""

    ops: Annotated[list[Raw], Meta(min_length=1, max_length=ops.BATCH_MAX)]


class BatchOut(Struct, frozen=True):
    results: tuple[Told, ...]


_batch = msgspec.json.Decoder(BatchIn)


def decoded(body: bytes) -> list[bytes]:
    """The operations' exact bytes; raises BatchMalformed ("op.batch_malformed")."""
    try:
        return [bytes(raw) for raw in _batch.decode(body).ops]
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        raise BatchMalformed(field="ops", detail=str(fault)[:200]) from None


@post(
    "/api/v1/ops",
    action="field.sync",
    status_code=200,
    dependencies=PROVEN,
    request_max_body_size=BATCH_BYTES,
    operation_class=opdocs.Batch,
)
async def batch(body: RawBody, proven: Act, state: State) -> BatchOut:
    """Carry out up to 100 operations, each exactly once; a batch is no transaction."""
    told = await ops.apply(decoded(body), act=proven, tools=Tools(state.keyring, state.jobs.rules))
    return BatchOut(told)


HANDLERS = [batch]
