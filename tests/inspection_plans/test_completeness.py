"""What a record still lacks: hidden items, owed evidence, broken bounds, several devices."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import loader
from inspection_plans.checklist import judge
from inspection_plans.completeness import (
    Carrier,
    Lacking,
    MissingEvidence,
    Told,
    broken_bounds,
    carriers,
    counting,
    facts,
    lacking,
    missing_evidence,
    missing_items,
    relevant_items,
    views,
)
from inspection_plans.expressions import Known
from inspection_plans.sheets import Fact, Sheet
from inspection_plans.vocabulary import Verdict
from tests.inspection_plans.test_checklist import good_answer

DAY = date(2024, 7, 1)
CLASS = {"kind": "class_session", "remote": False, "institution_kinds": ["training"]}
PASS, FAIL = Verdict.PASS, Verdict.FAIL
SKIPPED, OPEN = Verdict.NOT_APPLICABLE, Verdict.COULD_NOT_CHECK


def sheet_of(code: str, place: str = "CN-37") -> Sheet:
    return loader.load().sheet(code, place, DAY)


def known(about: dict[str, Any] | None = None, **answers: Any) -> Known:
    """What is known when these items are answered so; CV_07 means CV-07."""
    values = {code.replace("_", "-"): value for code, value in answers.items()}
    return Known(
        facts=CLASS if about is None else about,
        answers={code: value for code, value in values.items() if isinstance(value, dict)},
        verdicts={
            code: "pass" if isinstance(value, dict) else value for code, value in values.items()
        },
    )


def counts(present: int, signed: int, enrolled: int) -> dict[str, Any]:
    return {"counts": {"present": present, "signed": signed, "enrolled": enrolled}}


def lesson(mode: str) -> dict[str, Any]:
    return {"mode": mode, "form": "theory"}


def test_a_conditional_item_is_asked_when_its_condition_is_known_to_hold() -> None:
    sheet = sheet_of("CV")
    for answers, asked in (
        ({}, False),
        ({"CV_07": lesson("offline")}, False),
        ({"CV_07": lesson("online")}, True),
        ({"CV_07": "could_not_check"}, False),
    ):
        assert ("CV-13" in relevant_items(sheet, known(**answers))) is asked
    assert "CV-11" in relevant_items(sheet, known())
    assert "CV-11" not in relevant_items(sheet, known(about={**CLASS, "remote": True}))
    assert "CV-11" not in relevant_items(sheet, known(about={})), "an unknown fact holds nothing"


def test_an_institution_is_asked_for_what_it_does() -> None:
    sheet = sheet_of("DC", "CN-3710")

    def asked(*kinds: str) -> set[str]:
        return set(relevant_items(sheet, known(about={"institution_kinds": list(kinds)})))

    assert "DC-14" in asked("training") - asked("evaluation")
    assert "DC-21" in asked("evaluation") - asked("training")
    assert asked("training", "evaluation") == asked("training") | asked("evaluation")
    assert asked() == asked("training") & asked("evaluation")


def test_what_is_known_of_a_visit_before_it_starts() -> None:
    found = facts(
        kind="remote_class",
        unannounced=True,
        selection="random",
        jurisdiction="CN-3710",
        institution_kinds=["training", "evaluation"],
    )
    assert found == {
        "kind": "remote_class",
        "remote": True,
        "unannounced": True,
        "selection": "random",
        "jurisdiction": "CN-3710",
        "places": ["CN-3710", "CN-37", "national"],
        "institution_kinds": ["evaluation", "training"],
    }
    assert set(found) == {fact.value for fact in Fact}


def chained(sheet: Sheet) -> Sheet:
    """CV-08 is asked of online lessons only, CV-09 where CV-08 passed, CV-10 where CV-09 did."""
    conditions = {
        "CV-08": {"eq": [{"answer": "CV-07.mode"}, "online"]},
        "CV-09": {"eq": [{"verdict": "CV-08"}, "pass"]},
        "CV-10": {"eq": [{"verdict": "CV-09"}, "pass"]},
    }
    items = tuple(
        replace(item, relevant=conditions.get(item.code, item.relevant)) for item in sheet.items
    )
    return replace(sheet, items=items)


def test_what_hangs_on_a_hidden_item_is_hidden_with_it() -> None:
    sheet = chained(sheet_of("CV"))
    answered = {"CV_08": {"counts": {"machines": 3, "present": 3}}, "CV_09": {"ticked": ["none"]}}
    chain = {"CV-08", "CV-09", "CV-10"}
    online = relevant_items(sheet, known(CV_07=lesson("online"), **answered))
    offline = relevant_items(sheet, known(CV_07=lesson("offline"), **answered))
    assert chain <= set(online)
    assert chain & set(offline) == set()
    turned = replace(sheet, items=sheet.items[::-1])
    assert set(relevant_items(turned, known(CV_07=lesson("online"), **answered))) == set(online)


def test_what_is_missing_is_required_asked_and_unanswered() -> None:
    sheet = sheet_of("CV")
    everything = {item.code.replace("-", "_"): "pass" for item in sheet.items}
    assert missing_items(sheet, known(**everything)) == ()
    nothing = missing_items(sheet, known())
    assert nothing == tuple(
        item.code for item in sheet.items if item.code not in ("CV-13", "CV-14")
    ), "an opinion is nobody's duty"
    assert "CV-13" in missing_items(sheet, known(CV_07=lesson("online")))
    assert "CV-01" not in missing_items(sheet, known(CV_01="not_applicable"))


def owed(
    sheet: Sheet, item: str, answer: Any, excused: tuple[str, ...] = (), **held: int
) -> list[tuple[str, int, int]]:
    told = known(**{item.replace("-", "_"): answer})
    if answer == "fail":
        told = replace(told, verdicts={item: "fail"})
    found = missing_evidence(sheet, told, {item: held}, excused)
    assert all(missing.item == item for missing in found)
    return [(missing.kind, missing.wanted, missing.held) for missing in found]


def test_evidence_is_owed_by_item_answer_and_verdict() -> None:
    sheet = sheet_of("TI")
    paid = [("contract", 1, 1), ("payment_record", 5, 2), ("interview", 1, 0)]
    assert owed(sheet, "TI-08", {"result": "none"}, image=3) == [paid[2], paid[1]]
    assert owed(sheet, "TI-08", {"result": "none"}, image=4, file=2, interview=9) == []
    third = {"result": "instalment_third_party"}
    assert owed(sheet, "TI-08", third, image=6, interview=1) == [("payment_record", 5, 4)]
    assert owed(sheet, "TI-08", third, image=7, interview=1) == []
    assert owed(sheet, "TI-05", "pass", image=2) == []
    assert owed(sheet, "TI-05", "fail", image=2) == [("website_capture", 1, 0)]
    assert owed(sheet, "TI-02", "pass", image=1) == [], "the platform owes the snapshot itself"
    for skipped in ("not_applicable", "could_not_check"):
        assert owed(sheet, "TI-08", skipped) == []
    assert owed(sheet, "TI-08", {"result": "none"}, excused=("TI-08",)) == []
    assert missing_evidence(sheet, known(), {}) == ()


def test_a_photograph_is_no_video_and_a_file_no_photograph() -> None:
    sheet = sheet_of("TI", "CN-14")
    assert owed(sheet, "TI-31", "pass", image=1, video=1, file=1) == []
    assert owed(sheet, "TI-31", "pass", image=3) == [("video", 1, 0)]
    assert owed(sheet, "TI-31", "pass", file=3, video=1) == [("photo", 1, 0)]
    assert carriers("recording") == (Carrier.VIDEO, Carrier.AUDIO)
    assert carriers("a word no sheet has yet") == carriers("document")


def test_a_value_beyond_its_bound_is_told_and_a_missing_one_is_not() -> None:
    sheet = sheet_of("CV")

    def broken(**answers: Any) -> list[tuple[str, int]]:
        return [(one.item, one.constraint) for one in broken_bounds(sheet, known(**answers))]

    asked = {"counts": {"asked": 5}, "ticked": ["none"]}
    assert broken(CV_10=asked) == [], "the head count is not known yet"
    assert broken(CV_10=asked, CV_03=counts(5, 5, 5)) == []
    assert broken(CV_10=asked, CV_03=counts(4, 4, 5)) == [("CV-10", 0)]
    assert broken(CV_03=counts(0, 0, 0)) == [("CV-03", 0)]
    hidden = {"CV_13": {"counts": {"online": 3, "enrolled": 9}}, "CV_03": counts(4, 4, 5)}
    assert broken(CV_07=lesson("offline"), **hidden) == []
    assert broken(CV_07=lesson("online"), **hidden) == [("CV-13", 0)]


def told(device: str, item: str, value: Any = None, **more: Any) -> Told:
    verdict = more.pop("verdict", PASS if value else SKIPPED)
    return Told(device=device, item=item, verdict=verdict, value=value, **more)


def test_a_device_sees_its_own_answers_and_what_all_others_agree_on() -> None:
    seen = views(
        [
            told("a", "CV-07", lesson("online")),
            told("b", "CV-07", lesson("offline")),
            told("b", "CV-02", {"result": "same"}),
            told("c", "CV-01", {"result": "yes"}),
        ],
        CLASS,
    )
    assert seen["a"].answers["CV-07"]["mode"] == "online"
    assert seen["b"].answers["CV-07"]["mode"] == "offline"
    assert "CV-07" not in seen["c"].verdicts, "others disagree: nothing is known"
    assert {known.answers["CV-02"]["result"] for known in seen.values()} == {"same"}
    assert list(views([], CLASS)) == [""]


def lacks(*answers: Told, **held: dict[str, int]) -> Lacking:
    pieces = {code.replace("_", "-"): one for code, one in held.items()}
    return lacking(sheet_of("CV"), answers, CLASS, pieces)


def test_a_record_lacks_what_any_of_its_devices_sees_missing() -> None:
    disagree = [told("a", "CV-07", lesson("online")), told("b", "CV-07", lesson("offline"))]
    assert "CV-13" in lacks(*disagree).items
    assert "CV-07" not in lacks(*disagree).items
    assert "CV-13" not in lacks(*disagree, told("b", "CV-13")).items
    assert "CV-13" not in lacks(disagree[1]).items


def test_a_word_why_excuses_evidence_and_explains_a_bound() -> None:
    present = told("a", "CV-03", counts(4, 4, 5))
    more = told("a", "CV-10", {"counts": {"asked": 5}, "ticked": ["none"]})
    found = lacks(present, more)
    assert [(one.item, one.kind) for one in found.evidence] == [
        ("CV-03", "attendance_record"),
        ("CV-03", "photo"),
        ("CV-10", "interview"),
    ]
    assert [one.item for one in found.bounds] == ["CV-10"]
    assert not lacks(present, replace(more, reasoned=True)).bounds
    excused = lacks(replace(present, without=True), replace(more, without=True))
    assert not excused.evidence
    assert excused.bounds


def test_a_record_that_lacks_nothing_is_false() -> None:
    sheet = sheet_of("CV")
    answers = [
        told("a", item.code, good_answer(item).value, without=True, reasoned=True)
        for item in sheet.items
    ]
    assert not lacks(*answers)
    assert lacks(*answers[1:]) == Lacking(items=("CV-01",))


def test_an_answer_counts_where_its_item_is_asked() -> None:
    hidden = told("a", "CV-13", {"counts": {"online": 9, "enrolled": 5}}, verdict=FAIL)
    offline, online = told("a", "CV-07", lesson("offline")), told("a", "CV-07", lesson("online"))
    sheet = sheet_of("CV")
    assert counting(sheet, [offline, hidden], CLASS) == (offline,)
    assert counting(sheet, [online, hidden], CLASS) == (online, hidden)
    assert counting(sheet, [hidden], CLASS) == ()


@st.composite
def records(draw: st.DrawFn) -> tuple[Sheet, list[Told], dict[str, dict[str, int]]]:
    """A sheet, answers of up to three devices, and pieces of evidence."""
    sheet = sheet_of(draw(st.sampled_from(["CV", "RC", "DC"])), "CN-23")
    chosen = draw(
        st.lists(st.sampled_from(sheet.items), max_size=12, unique_by=lambda item: item.code)
    )
    answers = []
    for item in chosen:
        for device in draw(st.sets(st.sampled_from("abc"), min_size=1)):
            answer = good_answer(item)
            verdict = draw(st.sampled_from([judge(sheet, answer).verdict, FAIL, OPEN]))
            value = None if verdict is OPEN else answer.value
            answers.append(told(device, item.code, value, verdict=verdict))
    held = {
        item.code: {carrier.value: draw(st.integers(0, 3)) for carrier in Carrier}
        for item in chosen
    }
    return sheet, answers, held


@given(records(), st.randoms(use_true_random=False))
def test_neither_answers_nor_items_have_an_order(
    record: tuple[Sheet, list[Told], dict[str, dict[str, int]]], rng: Any
) -> None:
    sheet, answers, held = record
    found = lacking(sheet, answers, CLASS, held)
    turned, items = list(answers), list(sheet.items)
    rng.shuffle(turned)
    rng.shuffle(items)
    again = lacking(replace(sheet, items=tuple(items)), turned, CLASS, held)
    assert lacking(sheet, turned, CLASS, held) == found
    for one, other in ((found.items, again.items), (found.evidence, again.evidence)):
        assert set(one) == set(other)
    assert set(found.bounds) == set(again.bounds)


@given(records(), st.sampled_from(list(Carrier)))
def test_more_evidence_never_leaves_more_to_bring(
    record: tuple[Sheet, list[Told], dict[str, dict[str, int]]], carrier: Carrier
) -> None:
    sheet, answers, held = record

    def due(pieces: dict[str, dict[str, int]]) -> int:
        found: tuple[MissingEvidence, ...] = lacking(sheet, answers, CLASS, pieces).evidence
        return sum(one.wanted - one.held for one in found)

    more = {item: {**one, carrier: one[carrier] + 1} for item, one in held.items()}
    assert due(more) <= due(held)


@given(records())
def test_an_answered_item_is_never_missing(
    record: tuple[Sheet, list[Told], dict[str, dict[str, int]]],
) -> None:
    sheet, answers, held = record
    found = lacking(sheet, answers, CLASS, held)
    assert {one.item for one in answers}.isdisjoint(found.items)
    assert {one.item for one in found.evidence} <= {one.item for one in answers}
    skipped = [replace(one, verdict=OPEN, value=None) for one in answers]
    assert lacking(sheet, skipped, CLASS, {}).evidence == ()


def test_every_word_of_evidence_has_a_carrier() -> None:
    for word in loader.load().terms.evidence:
        assert set(carriers(word)) <= set(Carrier)


@pytest.mark.parametrize("code", ["TI", "EI", "CV", "EX", "DC", "RC"])
def test_a_circle_that_slipped_in_hides_and_never_hangs(code: str) -> None:
    sheet = sheet_of(code)
    first, second = sheet.items[:2]
    circle = (
        replace(first, relevant={"eq": [{"verdict": second.code}, "pass"]}),
        replace(second, relevant={"eq": [{"verdict": first.code}, "pass"]}),
    )
    found = relevant_items(replace(sheet, items=(*circle, *sheet.items[2:])), known())
    assert {first.code, second.code}.isdisjoint(found)
