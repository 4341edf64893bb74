"""The wiring of sheets: sections, conditions, points; every refusal by one change of our packs."""

import shutil
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import expressions, loader
from inspection_plans.checklist import Judged
from inspection_plans.scoring import Score, score
from inspection_plans.sheetcheck import codes_of, conditions, fields_of
from inspection_plans.sheets import Choice, MultiChoice, YesNo
from inspection_plans.vocabulary import Severity, Verdict
from tests.inspection_plans.test_checklist import good

DAY = date(2024, 7, 1)
PLACES = ["national", "CN-37", "CN-3710", "CN-14", "CN-23"]
SHEETS = ["TI", "EI", "CV", "EX", "DC", "RC"]
ONLINE = "relevant: {eq: [{answer: CV-07.mode}, online]}"
Change = tuple[str, str, str, str, str]

REFUSED: dict[str, Change] = {
    # name: (file, old, new, code, what the refusal names)
    "no such operator": ("CV", "{eq: [{answer: CV-07.mode}, online]}",
                         "{same: [{answer: CV-07.mode}, online]}",
                         "packs.broken_expression", "CV-13"),
    "half a pair": ("CV", "[{answer: CV-07.mode}, online]", "[{answer: CV-07.mode}]",
                    "packs.broken_expression", "CV-13"),
    "a float": ("CV", "{lt: [0, {answer: CV-03.counts.enrolled}]}",
                "{lt: [0.5, {answer: CV-03.counts.enrolled}]}", "packs.broken_expression",
                "CV-03"),
    "no such item": ("CV", "{answer: CV-07.mode}", "{answer: CV-77.mode}",
                     "packs.unknown_reference", "CV-13"),
    "an item of another sheet": ("CV", "{answer: CV-07.mode}", "{answer: TI-02.result}",
                                 "packs.unknown_reference", "CV-13"),
    "no such part": ("CV", "{answer: CV-07.mode}", "{answer: CV-07.modes}",
                     "packs.unknown_reference", "CV-13"),
    "no such field": ("CV", "holds: {lt: [0, {answer: CV-03.counts.enrolled}]}",
                      "holds: {lt: [0, {answer: CV-03.counts.rolled}]}",
                      "packs.unknown_reference", "CV-03"),
    "a field left out": ("CV", "holds: {lt: [0, {answer: CV-03.counts.enrolled}]}",
                         "holds: {lt: [0, {answer: CV-03.counts}]}",
                         "packs.unknown_reference", "CV-03"),
    "a field of a plain value": ("CV", "{answer: CV-07.mode}", "{answer: CV-07.mode.first}",
                                 "packs.unknown_reference", "CV-13"),
    "no such option": ("CV", "CV-07.mode}, online]", "CV-07.mode}, on_line]",
                       "packs.unknown_reference", "CV-13"),
    "no such option in a list": ("RC", "RC-09.mode}, [recorded, mixed]]",
                                 "RC-09.mode}, [recorded, mix]]",
                                 "packs.unknown_reference", "RC-10"),
    "no such verdict": ("CV", "{eq: [{answer: CV-07.mode}, online]}",
                        "{eq: [{verdict: CV-07}, failed]}", "packs.unknown_reference", "CV-13"),
    "no such fact": ("CV", "{fact: remote}", "{fact: remoteness}",
                     "packs.unknown_reference", "CV-11"),
    "an item of another place": ("CV", "{answer: CV-07.mode}, online]",
                                 "{answer: CV-12.result}, 'yes']",
                                 "packs.unknown_reference", "CV-13"),
    "a part of another place": ("TI", "{answer: TI-33.counts.subsidised}",
                                "{answer: TI-17.ticked}", "packs.unknown_reference", "TI-33"),
    "evidence given what is not": ("TI", "{answer: TI-08.result}, instalment_third_party]",
                                   "{answer: TI-08.result}, instalments]",
                                   "packs.unknown_reference", "TI-08"),
    "its own condition": ("CV", "{answer: CV-07.mode}, online]",
                          "{verdict: CV-13}, pass]", "packs.cyclic_conditions", "CV-13"),
    "no such section": ("CV", "section: place", "section: places",
                        "packs.unknown_section", "CV-01"),
    "no section": ("CV", "  section: place\n", "", "packs.unknown_section", "CV-01"),
    "an empty section": ("CV", "sections:\n", "sections:\n- {id: spare, zh: 空, en: none}\n",
                         "packs.unknown_section", "CV"),
    "a section twice": ("CV", "sections:\n", "sections:\n- {id: place, zh: 空, en: none}\n",
                        "packs.unknown_section", "CV"),
    "points without a basis": ("CV", "  section: place\n", "  section: place\n  points: 5\n",
                               "packs.points_unfounded", "CV-01"),
    "a basis without points": ("CV", "sections:\n",
                               "scoring: {kind: law, zh: 分, en: points}\nsections:\n",
                               "packs.points_unfounded", "CV"),
    "points of none": ("DC", "  points: 10\n", "  points: 0\n", "packs.malformed", "DC-04"),
}  # fmt: skip


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    copy = tmp_path / "packs"
    shutil.copytree(loader.HOME / "packs", copy)
    return copy


def change(packs: Path, sheet: str, old: str, new: str) -> int:
    """Change the first place that reads so; the line of it."""
    path = packs / "sheets" / f"{sheet}.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return text.count("\n", 0, text.index(old)) + 1


@pytest.mark.parametrize("name", REFUSED)
def test_a_miswired_sheet_is_refused_with_file_line_and_item(packs: Path, name: str) -> None:
    sheet, old, new, code, named = REFUSED[name]
    line = change(packs, sheet, old, new)
    refused = loader.problems(packs)
    assert {one.code for one in refused} == {code}
    found = [(one.facts["file"], one.facts["clause"]) for one in refused]
    assert (f"sheets/{sheet}.yaml", named) in found
    assert min(abs(int(str(one.facts["line"])) - line) for one in refused) <= 3


def test_a_circle_of_conditions_names_all_its_items(packs: Path) -> None:
    change(
        packs,
        "CV",
        "- code: CV-08\n",
        "- code: CV-08\n  relevant: {eq: [{verdict: CV-13}, pass]}\n",
    )
    change(packs, "CV", ONLINE, "relevant: {eq: [{verdict: CV-08}, pass]}")
    refused = loader.problems(packs)
    assert [(one.code, one.facts["clause"]) for one in refused] == [
        ("packs.cyclic_conditions", "CV-08"),
        ("packs.cyclic_conditions", "CV-13"),
    ]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("code", SHEETS)
def test_every_item_stands_in_a_section_with_a_title(place: str, code: str) -> None:
    sheet = loader.load().sheet(code, place, DAY)
    titles = [section.id for section in sheet.sections]
    assert len(titles) == len(set(titles)) > 1
    assert {item.section for item in sheet.items} == set(titles)


def test_a_section_without_items_is_left_out_of_a_place(packs: Path) -> None:
    change(packs, "CV", "- {id: conduct", "- {id: local, zh: 山西, en: Shanxi}\n- {id: conduct")
    path = packs / "sheets" / "CV.yaml"
    text = path.read_text("utf-8").replace(
        "- code: CV-12\n  section: teaching", "- code: CV-12\n  section: local"
    )
    path.write_text(text, "utf-8")
    library = loader.read(packs)

    def titles(place: str) -> set[str]:
        return {section.id for section in library.sheet("CV", place, DAY).sections}

    assert titles("CN-14") - titles("CN-37") == {"local"}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("code", SHEETS)
def test_what_a_condition_asks_for_is_there_in_every_place(place: str, code: str) -> None:
    sheet = loader.load().sheet(code, place, DAY)
    named = {
        one
        for item in sheet.items
        for _, tree in conditions(item)
        for one in expressions.items(tree)
    }
    assert named <= {item.code for item in sheet.items}


@pytest.mark.parametrize("code", SHEETS)
def test_the_words_a_condition_may_use_are_those_of_the_answer(code: str) -> None:
    for item in loader.load().sheet(code, "national", DAY).items:
        for part in item.answer:
            value = good(part)
            assert fields_of(part) == (set(value) if isinstance(value, dict) else set())
            said = (
                {value} if isinstance(value, str) else set(value if part.name == "ticked" else ())
            )
            assert not codes_of(part) or said <= codes_of(part)
            assert bool(codes_of(part)) == isinstance(part, YesNo | Choice | MultiChoice)


def test_only_the_document_review_scores_and_says_why() -> None:
    scoring = [sheet.id for sheet in loader.load().sheets.values() if sheet.scoring]
    assert scoring == ["DC"]
    worth = {Severity.CRITICAL: 10, Severity.MAJOR: 5, Severity.MINOR: 2}
    sheet = loader.load().sheets["DC"]
    assert {item.code: item.points for item in sheet.items} == {
        item.code: worth[item.severity] for item in sheet.items
    }
    assert sheet.scoring is not None
    assert sheet.scoring.kind == "house_default"


def test_points_are_added_up_exactly() -> None:
    sheet = loader.load().sheet("DC", "national", DAY)
    asked = ["DC-01", "DC-02", "DC-03", "DC-04", "DC-05"]

    def of(**verdicts: str) -> Score | None:
        judged = [
            Judged(item=code.replace("_", "-"), verdict=Verdict(verdict))
            for code, verdict in verdicts.items()
        ]
        return score(sheet, judged, asked)

    whole = 5 + 5 + 2 + 10 + 2
    assert of() == Score(points=0, possible=whole, open=whole)
    assert of(
        DC_01="pass", DC_03="fail", DC_04="could_not_check", DC_05="not_applicable"
    ) == Score(points=5, possible=whole - 2, open=5 + 10)
    assert of(DC_30="pass") == of(), "an item that is not asked counts neither way"
    assert score(loader.load().sheet("TI", "national", DAY), [], ["TI-01"]) is None


@given(st.lists(st.sampled_from(list(Verdict)), min_size=22, max_size=22), st.integers(0, 21))
def test_a_better_verdict_never_costs_points(verdicts: list[Verdict], place: int) -> None:
    sheet = loader.load().sheet("DC", "national", DAY)
    codes = [item.code for item in sheet.items]

    def of(told: list[Verdict]) -> Score:
        judged = [Judged(item=c, verdict=v) for c, v in zip(codes, told, strict=True)]
        found = score(sheet, judged[::-1], codes)
        assert found is not None
        assert found == score(sheet, judged, codes), "the order of answers does not matter"
        return found

    before = of(verdicts)

    def instead(verdict: Verdict) -> Score:
        return of([*verdicts[:place], verdict, *verdicts[place + 1 :]])

    assert before.points >= 0
    assert before.open >= 0
    assert before.points + before.open <= before.possible
    assert instead(Verdict.PASS).points >= before.points
    assert instead(Verdict.FAIL).points <= before.points
