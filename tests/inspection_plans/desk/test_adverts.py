"""DR-28: what advertisements promise, by the words of the place on the day."""

import pytest

from tests.inspection_plans.desk.judging import Rows, outcomes, results, row_by_row


def advert(text: str, published_on: str = "2024-07-01") -> Rows:
    row = {"id": "a1", "institution_id": "i1", "published_on": published_on, "text": text}
    return {"adverts": [row]}


@pytest.mark.parametrize("text", ["本班包过", "本班包 过", "本班包·过"])
def test_a_promise_is_found_also_in_disguise(text: str) -> None:
    (found,) = results("DR-28", "CN-37", advert(text)).values()
    assert (found.verdict.value, found.inputs["concept"]) == ("finding", "pass_guarantee")
    assert found.inputs["term"] == "包过"
    assert found.about == f"adverts/a1/2-{len(text)}/pass_guarantee"
    assert set(found.clauses) == {
        "national-2021-71/6.3/pass-guarantee",
        "shandong-2022-156/6.2/pass-guarantee",
    }


def test_a_lawful_text_and_a_denial_are_no_finding() -> None:
    assert outcomes("DR-28", "CN-37", advert("校企合作，面包过期不卖。")) == {
        "adverts/a1": "clean"
    }
    (denied,) = outcomes("DR-28", "CN-37", advert("本机构不承诺包过。")).values()
    assert denied == "negated"


def test_a_word_is_banned_where_and_when_a_paper_says_so() -> None:
    text = "高通过率"
    assert "hit" in outcomes("DR-28", "CN-14", advert(text, "2024-05-23")).values()
    assert "hit" not in outcomes("DR-28", "CN-14", advert(text, "2024-05-22")).values()
    assert "hit" not in outcomes("DR-28", "CN-23", advert(text)).values()


def test_a_province_beside_an_alliance_is_a_question() -> None:
    found = results("DR-28", "CN-37", advert("与河北省联盟办班"))
    assert {one.outcome for one in found.values()} == {"question"}


@pytest.mark.parametrize(
    ("place", "approved_on", "outcome"),
    [
        ("CN-14", "2024-07-01", "approved"),
        ("CN-14", "2024-07-02", "question"),  # it came after the advert
        ("CN-14", None, "question"),
        ("CN-37", "2024-07-01", "question"),  # Shandong's paper has no exception
    ],
)
def test_an_approval_on_file_clears_the_question_in_shanxi_alone(
    place: str, approved_on: str | None, outcome: str
) -> None:
    rows = approved(approved_on)
    found = results("DR-28", place, rows)
    assert {one.outcome for one in found.values()} == {outcome}
    row_by_row("DR-28", place, rows)


def approved(on: str | None) -> Rows:
    """An advert beside another province, and an employer's approval of the school's class."""
    school = {
        "id": "c1",
        "institution_id": "i1",
        "occupation": "大数据",
        "level": "junior",
        "start_on": "2024-07-01",
        "venue_region": 140100,
    }
    approval = {"id": "p1", "class_id": "c1", "requested_on": "2024-05-01", "approved_on": on}
    kept = {key: value for key, value in approval.items() if value}
    text = advert("与河北省联盟办班")
    return {**text, "classes": [school], "employer_approvals": [kept]}


def test_a_row_taken_away_and_put_back_changes_nothing() -> None:
    row_by_row("DR-28", "CN-37", advert("包过，保就业"))
