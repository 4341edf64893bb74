"""Typed answers, their verdicts, what is missing, and the findings that follow."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import loader
from inspection_plans.checklist import (
    Answer,
    AnsweredTwice,
    Judged,
    ReasonMissing,
    UnknownItem,
    WrongAnswer,
    answer_of,
    judge,
    judge_all,
)
from inspection_plans.sheets import (
    Choice,
    Count,
    Item,
    Location,
    Mark,
    MultiChoice,
    Ratio,
    Sample,
    Scale,
    Text,
    TickRule,
    YesNo,
)
from inspection_plans.verdict import consequences, suspected
from inspection_plans.vocabulary import Severity, Verdict

DAY = date(2024, 7, 1)
PLACES = ["national", "CN-37", "CN-3710", "CN-14", "CN-23"]
SHEETS = ["TI", "EI", "CV", "EX", "DC", "RC"]
PASS, FAIL = Verdict.PASS, Verdict.FAIL
PLACE = {"lat": 375000000, "lon": 1221000000, "acc_cm": 900, "crs": "wgs84"}
PLAIN: dict[type, Any] = {
    YesNo: "yes",
    Ratio: {"numerator": 1, "denominator": 1},
    Location: PLACE,
    Text: "配合",
}
SKIPPED, OPEN = Verdict.NOT_APPLICABLE, Verdict.COULD_NOT_CHECK


def verdict(place: str, item: str, value: Any, reason: str = "") -> Judged:
    sheet = loader.load().sheet(item[:2], place, DAY)
    return judge(sheet, Answer(item=item, value=value, reason=reason))


def good(part: object) -> Any:
    """Answer one part in the way that passes."""
    if isinstance(part, Choice):
        return next(option.code for option in part.options if option.mark is Mark.PASS)
    if isinstance(part, MultiChoice):
        wanted = Mark.REQUIRED if part.rule is TickRule.ALL_OF else Mark.PASS
        return [option.code for option in part.options if option.mark is wanted]
    if isinstance(part, Count):
        return {field.name: 5 for field in part.fields}
    if isinstance(part, Sample):
        return {"population": 40, "checked": part.n, "failed": 0}
    if isinstance(part, Scale):
        return part.highest
    return PLAIN[type(part)]


def good_answer(item: Item) -> Answer:
    return Answer(item=item.code, value={part.name: good(part) for part in item.answer})


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("code", SHEETS)
def test_a_sheet_answered_well_passes_and_finds_nothing(place: str, code: str) -> None:
    sheet = loader.load().sheet(code, place, DAY)
    judged = judge_all(sheet, [good_answer(item) for item in sheet.items])
    assert [answer.item for answer in judged] == [item.code for item in sheet.items]
    assert {answer.verdict for answer in judged} == {PASS}
    assert suspected(sheet, judged, loader.load().effective_set(place, DAY)) == ()


@pytest.mark.parametrize(
    ("place", "item", "value", "expected", "failed"),
    [
        ("CN-37", "TI-01", {"result": "yes"}, PASS, ()),
        ("CN-37", "TI-01", {"result": "no"}, FAIL, ("result",)),
        ("CN-37", "TI-02", {"result": "lapsed"}, FAIL, ("result:lapsed",)),
        ("CN-37", "TI-06", {"ticked": ["none"]}, PASS, ()),
        ("CN-37", "TI-06", {"ticked": ["pass_guarantee"]}, FAIL, ("ticked:pass_guarantee",)),
        ("CN-3710", "TI-15", {"share": {"numerator": 3, "denominator": 3}}, PASS, ()),
        ("CN-3710", "TI-15", {"share": {"numerator": 2, "denominator": 3}}, FAIL, ("share",)),
        ("CN-14", "TI-16", {"counts": {"planned": 50, "enrolled": 50}}, PASS, ()),
        ("CN-14", "TI-16", {"counts": {"planned": 50, "enrolled": 51}}, FAIL,
         ("counts:enrolled",)),
        ("CN-23", "TI-23", {"share": {"numerator": 60, "denominator": 100}}, PASS, ()),
        ("CN-23", "TI-23", {"share": {"numerator": 5999, "denominator": 10000}}, FAIL, ("share",)),
        ("CN-14", "TI-31", {"ticked": ["written", "photos"]}, FAIL, ("ticked:videos",)),
        ("CN-14", "TI-31", {"ticked": ["videos", "photos", "written"]}, PASS, ()),
        ("CN-37", "CV-03", {"counts": {"present": 30, "signed": 31, "enrolled": 40}}, FAIL,
         ("counts:signed",)),
        ("CN-37", "CV-03", {"counts": {"present": 30, "signed": 30, "enrolled": 40}}, PASS, ()),
        ("CN-37", "CV-04", {"sample": {"population": 40, "checked": 5, "failed": 1}}, FAIL,
         ("sample",)),
        ("CN-37", "TI-10",
         {"result": "yes", "sample": {"population": 40, "checked": 5, "failed": 2}}, FAIL,
         ("sample",)),
        ("CN-37", "EX-04", {"counts": {"examiners": 1, "supervisors": 1}}, PASS, ()),
        ("CN-37", "EX-04", {"counts": {"examiners": 2, "supervisors": 0}}, FAIL,
         ("counts:supervisors",)),
    ],
)  # fmt: skip
def test_a_value_has_one_verdict(
    place: str, item: str, value: Any, expected: Verdict, failed: tuple[str, ...]
) -> None:
    assert verdict(place, item, value) == Judged(item=item, verdict=expected, failed=failed)


@pytest.mark.parametrize(
    ("place", "item", "value", "expected"),
    [
        ("CN-37", "TI-01", {"result": "na"}, SKIPPED),
        ("CN-37", "TI-03", {"result": "unclear"}, OPEN),
        ("CN-37", "CV-04", {"sample": {"population": 40, "checked": 0, "failed": 0}}, OPEN),
        ("CN-37", "CV-04", {"sample": {"population": 40, "checked": 3, "failed": 0}}, PASS),
        ("CN-23", "TI-23", {"share": {"numerator": 0, "denominator": 0}}, OPEN),
    ],
)
def test_what_is_no_plain_answer_needs_a_reason(
    place: str, item: str, value: Any, expected: Verdict
) -> None:
    for reason in ("", "  "):
        with pytest.raises(ReasonMissing) as refused:
            verdict(place, item, value, reason)
        assert refused.value.facts["item"] == item
    assert verdict(place, item, value, "班次只有三人").verdict is expected


def test_an_item_applies_when_one_of_its_parts_does() -> None:
    value = {"result": "na", "sample": {"population": 40, "checked": 5, "failed": 0}}
    assert verdict("CN-37", "TI-10", value, "收费由上级统一公示").verdict is PASS


def test_a_breach_needs_no_reason_beside_a_question() -> None:
    value = {"result": "na", "sample": {"population": 40, "checked": 5, "failed": 1}}
    assert verdict("CN-37", "TI-10", value).verdict is FAIL


@pytest.mark.parametrize("skip", ["not_applicable", "could_not_check"])
def test_an_item_may_be_skipped_with_a_reason(skip: Any) -> None:
    sheet = loader.load().sheet("TI", "CN-37", DAY)
    with pytest.raises(ReasonMissing):
        judge(sheet, Answer(item="TI-01", skip=skip))
    assert judge(sheet, Answer(item="TI-01", skip=skip, reason="停电")).verdict == skip


WRONG: list[tuple[str, Any]] = [
    ("TI-01", None),
    ("TI-01", {}),
    ("TI-01", {"result": "maybe"}),
    ("TI-01", {"result": True}),
    ("TI-01", {"result": ["yes"]}),
    ("TI-01", {"result": "yes", "extra": 1}),
    ("TI-01", {"answer": "yes"}),
    ("TI-02", {"result": "elsewhere"}),
    ("TI-02", {"result": ["in_scope"]}),
    ("TI-06", {"ticked": []}),
    ("TI-06", {"ticked": "none"}),
    ("TI-06", {"ticked": ["none", "pass_guarantee"]}),
    ("TI-06", {"ticked": ["pass_guarantee", "pass_guarantee"]}),
    ("TI-06", {"ticked": ["high_pass_rate"]}),
    ("TI-06", {"ticked": [["none"]]}),
    ("TI-10", {"result": "yes", "sample": {"population": 40, "checked": 6, "failed": 0}}),
    ("TI-10", {"result": "yes", "sample": {"population": 40, "checked": 2, "failed": 3}}),
    ("TI-10", {"result": "yes", "sample": {"population": 40, "checked": 5}}),
    ("TI-10", {"result": "yes", "sample": {"checked": 5, "failed": 0}}),
    ("TI-10", {"result": "yes", "sample": {"population": 4, "checked": 5, "failed": 0}}),
    ("TI-10", {"result": "yes", "sample": {"population": 100001, "checked": 5, "failed": 0}}),
    ("TI-19", {"counts": {"staff": -1, "teachers": 2}, "as_filed": "yes"}),
    ("TI-19", {"counts": {"staff": 1.0, "teachers": 2}, "as_filed": "yes"}),
    ("TI-19", {"counts": {"staff": True, "teachers": 2}, "as_filed": "yes"}),
    ("TI-19", {"counts": {"staff": 10**13, "teachers": 2}, "as_filed": "yes"}),
    ("TI-19", {"counts": [1, 2], "as_filed": "yes"}),
    ("TI-22", {"share": {"numerator": "1", "denominator": 2}, "result": "yes"}),
    ("TI-38", {"result": "cooperates", "account": "字" * 2001}),
    ("TI-38", {"result": "cooperates", "account": 5}),
    ("TI-39", {"quality": 6, "usefulness": 1, "recommend": 1}),
    ("TI-39", {"quality": 0, "usefulness": 1, "recommend": 1}),
]
WRONG += [
    ("CV-01", {"result": "yes", "place": {**PLACE, **change}})
    for change in (
        {"lat": 900000001},
        {"lon": -1800000001},
        {"acc_cm": -1},
        {"crs": "mars"},
        {"lat": 37.5},
        {"alt": 3},
    )
]


@pytest.mark.parametrize(("item", "value"), WRONG)
def test_a_value_of_another_type_is_refused(item: str, value: Any) -> None:
    with pytest.raises(WrongAnswer) as refused:
        verdict("CN-37", item, value)
    assert refused.value.facts["item"] == item


def test_an_item_of_another_place_is_unknown() -> None:
    with pytest.raises(UnknownItem):
        verdict("CN-37", "TI-07", {"result": "yes"})
    assert verdict("CN-14", "TI-07", {"result": "yes"}).verdict is PASS


def test_a_value_and_a_skip_exclude_each_other() -> None:
    sheet = loader.load().sheet("TI", "CN-37", DAY)
    with pytest.raises(WrongAnswer):
        judge(sheet, Answer(item="TI-01", value={"result": "yes"}, skip="not_applicable"))


def test_one_item_is_answered_once() -> None:
    sheet = loader.load().sheet("TI", "CN-37", DAY)
    answer = Answer(item="TI-01", value={"result": "yes"})
    with pytest.raises(AnsweredTwice):
        judge_all(sheet, [answer, answer])


@given(st.permutations(range(14)), st.integers(0, 14))
def test_the_order_of_answers_does_not_matter(order: list[int], held: int) -> None:
    sheet = loader.load().sheet("CV", "CN-37", DAY)
    answers = [good_answer(sheet.items[place]) for place in order][:held]
    judged = judge_all(sheet, answers)
    codes = {answer.item for answer in answers}
    assert [a.item for a in judged] == [i.code for i in sheet.items if i.code in codes]


def test_the_body_of_an_operation_becomes_an_answer() -> None:
    found = answer_of("TI-01", {"value": {"result": "na"}, "reason": "x"})
    assert found == Answer(item="TI-01", value={"result": "na"}, reason="x")
    for body in ({"verdict": "pass"}, {"skip": "later"}, {"value": "yes"}, {"reason": 3}):
        with pytest.raises(WrongAnswer):
            answer_of("TI-01", body)


def test_all_of_a_small_population_is_a_whole_sample() -> None:
    value = {"sample": {"population": 3, "checked": 3, "failed": 0}}
    assert verdict("CN-37", "CV-04", value).verdict is PASS
    short = {"sample": {"population": 3, "checked": 2, "failed": 0}}
    with pytest.raises(ReasonMissing):
        verdict("CN-37", "CV-04", short)
    nobody = {"sample": {"population": 0, "checked": 0, "failed": 0}}
    assert verdict("CN-37", "CV-04", nobody, "无人到场").verdict is OPEN


def findings(place: str, item: str, value: Any) -> Any:
    library = loader.load()
    sheet = library.sheet(item[:2], place, DAY)
    judged = [judge(sheet, Answer(item=item, value=value, reason="见照片"))]
    return suspected(sheet, judged, library.effective_set(place, DAY))


def test_a_ticked_promise_cites_its_own_clauses_and_what_follows() -> None:
    (found,) = findings("CN-23", "TI-06", {"ticked": ["pass_guarantee"]})
    assert found.severity is Severity.CRITICAL
    assert found.clauses == (
        "national-2021-71/6.3/pass-guarantee",
        "heilongjiang-2023-13/5.3/pass-guarantee",
    )
    assert found.consequences == (
        "national-2021-71/6.3/exit-catalogue",
        "national-2021-71/6.3/handover",
        "heilongjiang-2023-13/5.3/consequence",
    )


def test_two_ticked_promises_cite_the_clauses_of_both() -> None:
    (found,) = findings("CN-37", "TI-06", {"ticked": ["job_guarantee", "salary_guarantee"]})
    assert found.clauses == (
        "national-2021-71/6.3/job-guarantee",
        "national-2021-71/6.3/salary-guarantee",
        "shandong-2022-156/6.2/job-guarantee",
        "shandong-2022-156/6.2/salary-guarantee",
    )
    assert found.failed == ("ticked:job_guarantee", "ticked:salary_guarantee")


def test_a_clause_that_the_packs_have_lost_stays_cited() -> None:
    sheet, library = loader.load().sheet("TI", "CN-37", DAY), loader.load()
    item = next(one for one in sheet.items if one.code == "TI-06")
    effective = [c for c in library.effective_set("CN-37", DAY) if c.pack == "shandong-2022-156"]

    def cited(*failed: str) -> tuple[str, ...]:
        judged = Judged(item="TI-06", verdict=FAIL, failed=failed)
        (found,) = suspected(sheet, [judged], effective)
        return found.clauses

    assert cited() == item.clauses
    assert cited("ticked:pass_guarantee") == ("shandong-2022-156/6.2/pass-guarantee",)
    (found,) = suspected(sheet, [Judged(item="TI-06", verdict=FAIL)], [])
    assert (found.clauses, found.consequences) == (item.clauses, ())


def test_a_consequence_counts_only_while_its_paper_is_in_force() -> None:
    loan = loader.load().clause("heilongjiang-2023-13/5.3/loan")
    assert consequences([loan.id], {loan.id: loan}) == ()


def test_a_ban_that_is_only_local_has_no_stated_consequence() -> None:
    (found,) = findings("CN-3710", "TI-09", {"result": "found"})
    assert found.clauses == ("shandong-2022-156/6.2/disguised-licensing",)
    assert found.consequences == ()


def test_a_plain_no_cites_all_clauses_of_the_item() -> None:
    (found,) = findings("CN-3710", "TI-28", {"result": "no"})
    assert found.clauses == (
        "national-2021-71/3.5/liaison",
        "shandong-2022-156/4.3/liaison",
        "weihai-2023-25/6.2/liaison",
    )
    assert found.failed == ("result",)


def test_no_finding_from_what_passed_or_stayed_open() -> None:
    assert findings("CN-37", "TI-03", {"result": "unclear"}) == ()
    assert findings("CN-37", "TI-03", {"result": "self"}) == ()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("code", SHEETS)
def test_every_failing_option_finds_something_with_clauses_in_force(place: str, code: str) -> None:
    library = loader.load()
    sheet = library.sheet(code, place, DAY)
    effective = library.effective_set(place, DAY)
    concepts = {clause.id: clause.concept for clause in effective}
    for item in sheet.items:
        for part in item.answer:
            if not isinstance(part, Choice | MultiChoice):
                continue
            for option in part.options:
                if option.mark is not Mark.FAIL:
                    continue
                bad = option.code if isinstance(part, Choice) else [option.code]
                value = {other.name: good(other) for other in item.answer} | {part.name: bad}
                judged = judge(sheet, Answer(item=item.code, value=value))
                (found,) = suspected(sheet, [judged], effective)
                assert found.failed == (f"{part.name}:{option.code}",)
                assert found.clauses
                if option.concepts:
                    assert {concepts[clause] for clause in found.clauses} <= set(option.concepts)
