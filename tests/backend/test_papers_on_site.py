"""Preservation lists, extractions of data: kept as signed, with what shows them."""

from typing import Any

import asyncpg
import httpx
import pytest

from tests import field as worlds
from tests.backend.desk import Desk
from tests.field import Field

PAPERS: dict[str, dict[str, Any]] = {
    "preservation.list": {
        "things": [{"name": "签到簿", "count": "2 本", "condition": "完好"}],
        "place": "教务处档案柜",
        "keeper": "王某",
    },
    "data.extract": {
        "system": "线上学习平台",
        "holder": "李某",
        "way": "由机构人员登录后导出学习记录，全程录像",
        "content": "2026 年 3 月学习记录",
        "evidence": [],
    },
}


@pytest.fixture
async def field(desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection) -> Field:
    return await worlds.a_field(desk, client, owner)


async def test_papers_become_events_of_the_visit(field: Field) -> None:
    phone = field.phone
    capture = phone.capture(worlds.a_jpeg(), item="paper")
    extract = PAPERS["data.extract"] | {"evidence": [str(capture.id)], "witness": "赵某"}
    told = await phone.send(
        phone.op("evidence.declare", capture.body),
        phone.op("preservation.list", PAPERS["preservation.list"]),
        phone.op("data.extract", extract),
    )
    assert [one["result"] for one in told] == ["applied"] * 3
    assert "item_unknown" not in told[0]["outcome"].get("flags", ())
    kinds = await field.owner.fetch("select kind from visit_event order by seq")
    assert [row["kind"] for row in kinds] == ["preservation.list", "data.extract"]


async def test_an_extraction_waits_for_what_shows_it(field: Field) -> None:
    phone = field.phone
    capture = phone.capture(worlds.a_jpeg(), item="paper")
    extract = PAPERS["data.extract"] | {"evidence": [str(capture.id)]}
    [told] = await phone.send(phone.op("data.extract", extract))
    assert told["result"] == "blocked"
    [empty] = await phone.send(phone.op("data.extract", PAPERS["data.extract"]))
    assert empty["outcome"]["code"] == "op.body_invalid"
    unlisted = PAPERS["preservation.list"] | {"things": []}
    [none] = await phone.send(phone.op("preservation.list", unlisted))
    assert none["outcome"]["code"] == "op.body_invalid"
