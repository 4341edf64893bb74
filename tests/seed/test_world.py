"""The fictional world: one integer makes it, nothing real is accused, pictures are drawn."""

import json
from hashlib import sha256
from io import BytesIO

import pytest
from PIL import Image

from backend.services.credit_code import is_valid
from inspection_plans.checklist import Answer, judge_all
from inspection_plans.loader import applied_sheet, jurisdiction_of
from inspection_plans.vocabulary import Verdict
from seed import answers, images, world
from seed.answers import Scene
from seed.plans import CLASS_DAY

INTEGER = 2026
LIMIT_BYTES = 350_000


@pytest.fixture(scope="module")
def made() -> world.World:
    return world.make(INTEGER)


def digest(found: world.World) -> str:
    rows = json.dumps(found.rows, sort_keys=True, ensure_ascii=False)
    return sha256(rows.encode()).hexdigest()


def test_one_integer_makes_one_world(made: world.World) -> None:
    assert digest(world.make(INTEGER)) == digest(made)
    assert digest(world.make(INTEGER + 1)) != digest(made)


def test_the_world_has_the_size_it_says(made: world.World) -> None:
    counts = {kind: len(rows) for kind, rows in made.rows.items()}
    wanted = {"institutions": 300, "inspectors": 60, "classes": 40, "rosters": 1600}
    assert {kind: counts[kind] for kind in wanted} == wanted
    assert len({row["credit_code"] for row in made.rows["institutions"]}) == 300
    assert len({row["name"] for row in made.rows["institutions"]}) == 300


def test_breaches_are_planted_at_invented_institutions_only() -> None:
    for integer in range(6):
        found = world.make(integer)
        rows = {row["credit_code"]: row for row in found.rows["institutions"]}
        assert set(found.named) == set(world.NAMED)
        assert not set(found.named.values()) & set(found.planted)
        for code in found.planted:
            assert rows[code]["name"].endswith(world.MARK)
            assert rows[code]["name"].removesuffix(world.MARK) not in world.NAMED
        assert [b.kind for b in found.planted.values()] == [b.kind for b in world.BREACHES]


def test_everybody_and_everything_else_is_marked_as_invented(made: world.World) -> None:
    for row in made.rows["institutions"]:
        assert row["fictional"] == "yes"
        assert row["name"] in world.NAMED or row["name"].endswith(world.MARK)
        assert row["legal_person"].endswith(world.MARK)
        assert is_valid(row["credit_code"])
        assert row["credit_code"][2:8] == "990000"  # a division that no place has
    people = made.rows["inspectors"] + made.rows["rosters"]
    assert all(row["name"].endswith(world.MARK) for row in people)
    assert all(row["teacher"].endswith(world.MARK) for row in made.rows["classes"])


def test_every_banned_practice_of_the_notices_is_planted() -> None:
    kinds = {breach.kind for breach in world.BREACHES}
    assert kinds >= {
        "pass_guarantee",
        "refund_guarantee",
        "job_guarantee",
        "loan",
        "alliance",
        "ghost_roster",
        "out_of_catalogue",
        "high_pass_rate",
    }
    high = [breach for breach in world.BREACHES if breach.kind == "high_pass_rate"]
    assert {breach.region for breach in high} == {world.SHANXI}


def test_the_alliance_class_is_in_another_province(made: world.World) -> None:
    code = next(c for c, breach in made.planted.items() if breach.kind == "alliance")
    held = [row for row in made.rows["classes"] if row["credit_code"] == code]
    assert [int(row["venue_region"]) // 10000 for row in held] == [world.SHANXI // 10000]


def test_every_lesson_of_the_class_day_is_known(made: world.World) -> None:
    on_day = [r for r in made.rows["sessions"] if r["on_date"] == CLASS_DAY.isoformat()]
    weihai = [row for row in on_day if int(row["region"]) == world.WEIHAI]
    ghosts = next(c for c, breach in made.planted.items() if breach.kind == "ghost_roster")
    assert ghosts in {row["credit_code"] for row in weihai}
    assert len(weihai) == 4


@pytest.mark.parametrize("breach", world.BREACHES, ids=lambda breach: breach.kind)
def test_a_planted_answer_fails_its_item_and_no_other(breach: world.Breach) -> None:
    jurisdiction = jurisdiction_of(breach.city or breach.region)
    sheet, _ = applied_sheet(breach.item[:2], jurisdiction, CLASS_DAY)
    told = answers.answers(sheet, Scene("某机构", 0, 0, breach))
    judged = judge_all(sheet, [Answer(**one) for one in told])
    assert len(judged) == len(sheet.items)
    assert [one.item for one in judged if one.verdict is not Verdict.PASS] == [breach.item]


@pytest.mark.parametrize("sheet_id", ["TI", "EI", "CV"])
@pytest.mark.parametrize("region", [world.SHANDONG, world.WEIHAI, world.SHANXI, world.HARBIN])
def test_a_clean_place_passes_every_item(sheet_id: str, region: int) -> None:
    sheet, _ = applied_sheet(sheet_id, jurisdiction_of(region), CLASS_DAY)
    judged = judge_all(sheet, [Answer(**one) for one in answers.answers(sheet, Scene("某", 0, 0))])
    assert {one.verdict for one in judged} == {Verdict.PASS}
    assert len(judged) == len(sheet.items)


PICTURES = {
    "poster": lambda seed: images.poster(("考证", "一次包过", "签约"), seed),
    "contract": lambda seed: images.contract(("服务协议", "培训贷合同", "贷款本金"), seed),
    "classroom": lambda seed: images.classroom(5, seed),
    "sign": lambda seed: images.sign("示例培训学校（虚构）", seed),
    "document": lambda seed: images.document("登记证书", ("甲", "乙"), seed),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_is_a_small_jpeg_and_the_same_for_the_same_seed(kind: str) -> None:
    draw = PICTURES[kind]
    raw = draw(7)
    assert raw == draw(7)
    assert raw != draw(8)
    assert len(raw) < LIMIT_BYTES
    with Image.open(BytesIO(raw)) as image:
        assert image.format == "JPEG"
        assert max(image.size) == 1600
