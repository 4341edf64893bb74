"""What goes out can come in again; nothing in a cell runs."""

import pytest

from backend.services import exports, imports
from backend.services.imports import child, process
from tests.backend.desk import Desk
from tests.backend.sheets import ONE_OF_EACH, an_institution


@pytest.mark.parametrize("form", ["xlsx", "csv"])
@pytest.mark.parametrize("kind", imports.kinds())
async def test_an_export_imports_as_unchanged(desk: Desk, kind: str, form: exports.Form) -> None:
    await desk.fill()
    content = await exports.export(kind, form, act=desk.act)
    run = await desk.run(kind, content)
    assert (run.state, run.row_count, run.unchanged_count) == ("imported", 1, 1)
