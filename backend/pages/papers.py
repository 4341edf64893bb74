"""The file of a document, from the pages of the matter that it is about: desk and portal."""

from uuid import UUID

from litestar.params import FromPath
from litestar.response import Redirect

from backend.pages.routes import get
from backend.services import documents
from backend.services.act import Act
from media.bucket import Bucket


@get("/papers/{document_id:uuid}", action="documents.read")
async def file(document_id: FromPath[UUID], act: Act, bucket: Bucket) -> Redirect:
    """A redirect to the PDF, good for 60 seconds; the fetch is logged."""
    url = await documents.link(document_id, act=act, bucket=bucket)
    return Redirect(url, status_code=303, headers={"Referrer-Policy": "no-referrer"})


HANDLERS = [file]
