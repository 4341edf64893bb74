"""Directories and imports at the desk: pages, rights, files, every wrong cell, one import."""

import asyncpg
import pytest
from litestar import Litestar

from tests import world
from tests.backend.desk import Desk as Office
from tests.backend.rooms import at_the_desk, queries, text_of
from tests.backend.sheets import an_institution
from tests.conftest import Work

HEADS = "统一社会信用代码,机构名称,机构类别,所在地\n"


async def test_every_directory_page_opens_in_both_languages(app: Litestar, desk: Office) -> None:
    await desk.fill()
    at = await at_the_desk(app, desk.who)
    ids = {
        "institutions": await desk.id_of("institution"),
        "inspectors": await desk.id_of("inspector"),
        "classes": await desk.id_of("training_class"),
    }
    item = await desk.id_of("inspection_item")
    paths = [
        "/desk/institutions?kind=training&search=",
        "/desk/items",
        "/desk/imports",
        *(f"/desk/{kind}" for kind in ids),
        *(f"/desk/{kind}/{one}" for kind, one in ids.items()),
        f"/desk/versions/institution/{ids['institutions']}?on=2026-03-02",
        f"/desk/versions/roster/{ids['classes']}",
        f"/desk/versions/inspection_item/{item}",
    ]
    for path in paths:
        zh = await at.open(path)
        en = await at.open(f"{path}{'&' if '?' in path else '?'}lang=en")
        assert zh.text != en.text
        assert "None" not in zh.text
