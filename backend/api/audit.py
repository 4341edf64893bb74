"""The audit log for the audit administrator."""

from typing import Annotated

from litestar.params import QueryParameter

from backend.api.routes import get
from backend.services import audit_entries
from backend.services.act import Act
from backend.services.audit_entries import AuditEntry

Before = Annotated[int | None, QueryParameter(ge=1, le=(1 << 62))]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]


@get("/api/v1/audit", action="audit.read")
async def page(act: Act, before: Before = None, limit: Limit = 100) -> list[AuditEntry]:
    """Entries of the caller's regions, newest first; ``before`` is the last id seen."""
    return list(await audit_entries.page(act=act, before=before, limit=limit))


HANDLERS = [page]
