"""The demo's tour: where a played year left it, on a loopback address alone."""

from pathlib import Path

import httpx
import msgspec
import pytest

from backend.app import create_app
from backend.pages.public import tour as page
from backend.settings import Settings, from_environment, to_environment
from seed import tour
from seed.report import ROLES, Access, Report
from tests.backend.test_pages import outline


@pytest.fixture
def left(settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a site whose year was played."""
    logins = tuple(Access(f"{code}.weihai", words, "虚构人社局") for code, words in ROLES.items())
    told = Report(integer=1, seconds=1.0, password="虚构口令", lines=(), logins=logins)
    file = tour.lay(told, tmp_path / "tour.json")
    return msgspec.structs.replace(settings, tour=file, origin="http://127.0.0.1:8000")


async def _asked(settings: Settings, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=create_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url=settings.origin) as http:
        return await http.get(path)


async def test_the_tour_names_the_faces_and_a_login_of_each_role(left: Settings) -> None:
    answer = await _asked(left, "/tour")
    found = outline(answer)
    assert {"/", "/desk", "/portal", "/phone/"} <= set(found.links)
    assert all(f"{role}.weihai" in answer.text for role in page.SHOWN)
    assert "虚构口令" in answer.text


async def test_a_site_that_others_reach_has_no_tour(left: Settings, settings: Settings) -> None:
    outside = msgspec.structs.replace(left, origin="https://mingcha.example.gov.cn")
    assert (await _asked(outside, "/tour")).status_code == 404
    assert (await _asked(settings, "/tour")).status_code == 404
    gone = msgspec.structs.replace(left, tour=Path("/nowhere/tour.json"))
    assert (await _asked(gone, "/tour")).status_code == 404


def test_the_tour_is_a_setting(left: Settings) -> None:
    assert from_environment(to_environment(left)).tour == left.tour
