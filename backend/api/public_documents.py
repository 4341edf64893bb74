"""What anybody may ask of a document: whether it exists, and nothing that it says."""

from typing import Annotated

from litestar.params import PathParameter

from backend.api.routes import get
from backend.services import documents
from backend.services.documents import PublicDocument


@get("/api/v1/public/documents/{code:str}", action="public.read")
async def public(
    code: Annotated[str, PathParameter(max_length=26, pattern=r"^[A-Z2-7]{26}$")],
) -> PublicDocument:
    """Whether a document exists: number, day, digest, void or not; nothing else."""
    return await documents.public(code)


HANDLERS = [public]
