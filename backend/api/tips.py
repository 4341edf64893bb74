"""Tips from the public: sent without an account, read again with the return code.

The code travels in a header, never in an address: addresses are logged, here and by proxies.
"""

from dataclasses import dataclass
from typing import Annotated

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat
from litestar.params import HeaderParameter, JSONBody, RawBody
from msgspec import Meta, Struct

from backend.api.routes import get, post
from backend.keyring import Keyring
from backend.services import tip_files, tips
from backend.services.tips import File, Given, Message, NewTip, Own
from backend.services.visitors import Visitor
from media.bucket import Bucket
from media.kinds import KINDS

Code = Annotated[str, HeaderParameter(name="Tip-Code", max_length=64)]
Mime = Annotated[str, HeaderParameter(name="Content-Type", max_length=100)]


@dataclass
class FileUpload(Operation):
    """Says in the interface description that the body is the file itself."""

    def __post_init__(self) -> None:
        file = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        content = {mime: OpenAPIMediaType(schema=file) for mime in KINDS}
        self.request_body = RequestBody(content=content, required=True)


class MessageIn(Struct, frozen=True, forbid_unknown_fields=True):
    text: Annotated[str, Meta(min_length=1, max_length=5000, pattern=r"\S")]


@post("/api/v1/public/tips", action="tips.send")
async def send(data: JSONBody[NewTip], visitor: Visitor, keys: Keyring) -> Given:
    """Send a tip; the answer carries the return code, the only time that it is told."""
    return await tips.receive(data, visitor=visitor, box=keys.tips)


@get("/api/v1/public/tip", action="tips.send")
async def own(code: Code, visitor: Visitor) -> Own:
    """The tip of a code with its answers."""
    return await tips.own(code, visitor=visitor)


@post("/api/v1/public/tip/messages", action="tips.send")
async def add(code: Code, data: JSONBody[MessageIn], visitor: Visitor) -> Message:
    """Add to the tip of a code."""
    return await tips.add(code, data.text, visitor=visitor)


@post(
    "/api/v1/public/tip/files",
    action="tips.send",
    request_max_body_size=tip_files.FILE_BYTES,
    operation_class=FileUpload,
)
async def add_file(
    code: Code, mime: Mime, body: RawBody, visitor: Visitor, bucket: Bucket
) -> tuple[File, ...]:
    """Add a picture, a PDF or a recording; its name is not kept."""
    return await tip_files.receive(code, mime, body, visitor=visitor, bucket=bucket)


HANDLERS = [send, own, add, add_file]
