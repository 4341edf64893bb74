"""Records of the imports: a run, and what was wrong in its cells."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec


class CellError(msgspec.Struct, frozen=True):
    """One wrong cell: where it stands, the stable code, and the reason in both languages.

    ``row`` counts from 1 as a spreadsheet shows it; ``column`` is its letter, ``key`` its name.
    The value itself is not repeated: a roster's cells are personal data.
    """

    sheet: str
    row: int
    column: str
    key: str
    code: str
    facts: dict[str, Any]
    reason_zh: str
    reason_en: str


class ImportRun(msgspec.Struct, frozen=True, kw_only=True):
    """导入: one file that was checked, refused or imported; ``errors`` holds the first of them."""

    id: UUID
    region: int
    kind: str
    file_name: str
    sha256: str
    dry_run: bool
    state: str
    row_count: int
    created_count: int
    updated_count: int
    unchanged_count: int
    error_count: int
    errors: tuple[CellError, ...]
    by_account: UUID
    created_at: datetime
