"""Standard wordings and the mask over names."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import loader, publication
from inspection_plans.gates import UnknownWording

WORDINGS = loader.load().wordings
VERBATIM = [
    "未发现问题",
    "发现问题已责令改正",
    "发现问题经责令已改正",
    "发现问题待后续处理",
    "未按规定公示应当公示的信息",
    "公示信息隐瞒真实情况、弄虚作假",
    "通过登记的住所（经营场所）无法联系",
    "不配合检查情节严重",
    "未发现开展本次抽查涉及的培训（评价）活动",
    "已关闭停业或正在组织清算",
]


def test_the_wordings_stand_verbatim_under_a_version() -> None:
    assert [wording.zh for wording in WORDINGS.wordings] == VERBATIM
    assert WORDINGS.version == 1
    assert len({wording.code for wording in WORDINGS.wordings}) == len(VERBATIM)


@given(st.lists(st.sampled_from([w.code for w in WORDINGS.wordings]), min_size=1, unique=True))
def test_several_wordings_may_apply_in_the_order_of_the_list(codes: list[str]) -> None:
    found = publication.result(codes, WORDINGS)
    assert {wording.code for wording in found} == set(codes)
    assert [w.zh for w in found] == [w for w in VERBATIM if w in {f.zh for f in found}]


@pytest.mark.parametrize(
    "codes", [[], ["all_well"], ["no_problem_found", "no_problem_found"], ["未发现问题"]]
)
def test_no_other_wording_is_published(codes: list[str]) -> None:
    with pytest.raises(UnknownWording):
        publication.result(codes, WORDINGS)


@pytest.mark.parametrize(
    "text",
    [
        "学员王小明未到场",
        "学员王 小 明未到场",
        "学员王·小·明未到场",
        "学员王\u200b小明未到场",
        "学员王\n小明未到场",
        "Ｗａｎｇ　Xiaoming was absent",
        "wang-xiaoming was absent",
    ],
)
def test_a_name_is_found_however_it_is_written(text: str) -> None:
    with pytest.raises(publication.PersonalName) as refused:
        publication.nameless(text, ["王小明", "Wang Xiaoming"])
    assert refused.value.facts == {"gate": "G9", "found": 1}
    assert "王小明" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "未发现问题", "负责人姓王。小明中学提供场地", "培训机构：虚构数字学院"]
)
def test_other_texts_pass(text: str) -> None:
    publication.nameless(text, ["王小明", "", "  ", "李四"])


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(["欧阳娜娜", "李雷"]))
def test_no_surrounding_text_hides_a_name(before: str, after: str, name: str) -> None:
    with pytest.raises(publication.PersonalName):
        publication.nameless(f"{before}。{name}。{after}", [name])


def test_a_result_is_due_after_the_set_working_days() -> None:
    found = publication.due(date(2024, 9, 27), 20, loader.load_calendar())
    assert found.on == date(2024, 10, 30)
