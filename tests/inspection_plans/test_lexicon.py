"""Words of advertisements against labelled texts; the held-out half was written before tuning."""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.ask import table
from inspection_plans.lexicon import Hit
from inspection_plans.lexicon.words import Mark
from inspection_plans.loader import load_rulebook
from inspection_plans.vocabulary import Jurisdiction

CORPUS = Path(__file__).parent / "adverts"
CONCEPTS = {
    "pass": "pass_guarantee",
    "refund": "refund_guarantee",
    "job": "job_guarantee",
    "salary": "salary_guarantee",
    "loan": "training_loan",
    "exag": "exaggeration",
    "false": "false_advertising",
    "rate": "high_pass_rate",
    "licence": "disguised_licensing",
    "cross": "cross_province",
}
MARKS = {"-": Mark.NEGATED, "?": Mark.QUESTION}
Place = tuple[str, str, Mark, int, int]
WEIHAI, SHANXI, NATIONAL = Jurisdiction("CN-3710"), Jurisdiction("CN-14"), Jurisdiction("national")
SHANDONG, HEILONGJIANG = Jurisdiction("CN-37"), Jurisdiction("CN-23")


@dataclass(frozen=True)
class Advert:
    """One labelled text: where it was published, what it says, what must be found."""

    at: Jurisdiction
    text: str
    places: frozenset[Place]


def corpus(name: str) -> list[Advert]:
    """Read one half: lines of a code and a text with ⟦words|concept:term⟧ in it."""
    lines = (CORPUS / name).read_text(encoding="utf-8").splitlines()
    return [an_advert(line) for line in lines if line and not line.startswith("#")]


def an_advert(line: str) -> Advert:
    """Take the labels out of a line and remember where they stood."""
    at, written = line.replace("\\n", "\n").split(" ", 1)
    text, places, done = "", set(), 0
    for label in re.finditer(r"⟦([^|⟧]*)\|([a-z]+):([^⟧]*?)([-?]?)⟧", written):
        text += written[done : label.start()]
        done = label.end()
        mark = MARKS.get(label[4], Mark.HIT)
        end = len(text) + len(label[1])
        places.add((CONCEPTS[label[2]], label[3], mark, len(text), end))
        text += label[1]
    return Advert(Jurisdiction(at), text + written[done:], frozenset(places))


def hits(text: str, at: Jurisdiction = SHANDONG, on: date | None = None) -> tuple[Hit, ...]:
    """Scan a text as if published at a place."""
    rules = load_rulebook()
    return rules.lexicon.scan(text, at, rules.in_force(at, on))


def places(found: tuple[Hit, ...]) -> frozenset[Place]:
    """Drop the clauses."""
    return frozenset((hit.concept, hit.term, hit.mark, hit.start, hit.end) for hit in found)


def told(text: str, at: Jurisdiction = SHANDONG) -> list[tuple[str, str]]:
    """Return terms with marks in the order of the text."""
    return [(hit.term, hit.mark.value) for hit in hits(text, at)]


def measure(name: str) -> tuple[int, int, int]:
    """Count places found rightly, found wrongly and missed; concept, term, mark and position."""
    right = wrong = missed = 0
    for advert in corpus(name):
        found = places(hits(advert.text, advert.at))
        right += len(found & advert.places)
        wrong += len(found - advert.places)
        missed += len(advert.places - found)
    return right, wrong, missed


def test_held_out_texts_are_found_and_lawful_ones_left_alone() -> None:
    """All that was held out counts together, also the half whose first measurement fell short."""
    measured = [measure(path.name) for path in sorted(CORPUS.glob("held_out*.txt"))]
    right, wrong, missed = (sum(column) for column in zip(*measured, strict=True))
    assert right * 100 >= 98 * (right + missed), measured
    assert right * 100 >= 95 * (right + wrong), measured


@pytest.mark.parametrize("advert", corpus("tuning.txt"), ids=lambda advert: advert.text[:12])
def test_every_text_of_the_tuning_half(advert: Advert) -> None:
    assert places(hits(advert.text, advert.at)) == advert.places


def test_the_corpus_is_large_and_its_halves_share_nothing() -> None:
    tuning = {advert.text for advert in corpus("tuning.txt")}
    held = [advert.text for path in CORPUS.glob("held_out*.txt") for advert in corpus(path.name)]
    assert len(tuning) >= 120
    assert len(held) >= 120
    assert tuning.isdisjoint(held)


def test_a_hit_cites_every_prohibition_of_the_place() -> None:
    (hit,) = hits("包 过", WEIHAI)
    assert (hit.term, hit.start, hit.end) == ("包过", 0, 3)
    assert hit.clauses == (
        "national-2021-71/6.3/pass-guarantee",
        "shandong-2022-156/6.2/pass-guarantee",
    )


def test_a_word_is_active_where_and_while_it_is_forbidden() -> None:
    assert [hit.term for hit in hits("高通过率", SHANXI)] == ["高通过率"]
    assert hits("高通过率", SHANDONG) == hits("高通过率", HEILONGJIANG) == ()
    assert hits("包过", SHANDONG, on=date(2020, 1, 1)) == ()
    licence = "颁发上岗证"
    assert [bool(hits(licence, at)) for at in (SHANDONG, WEIHAI, SHANXI)] == [True] * 3
    assert hits(licence, HEILONGJIANG) == hits(licence, NATIONAL) == ()


def test_another_province_beside_an_alliance_is_a_question_where_it_is_banned() -> None:
    text = "与广东数字联盟共同开班"
    for at in (SHANDONG, WEIHAI, SHANXI, HEILONGJIANG):
        assert told(text, at) == [("联盟", "question")]
    assert told(text, NATIONAL) == []
    assert told("与山东数字联盟共同开班", WEIHAI) == []


def test_positions_count_code_points_of_the_original() -> None:
    text = "😀😀包\u200b過，不 過 退 費"
    found = hits(text)
    assert [text[hit.start : hit.end] for hit in found] == ["包\u200b過", "不 過 退 費"]
    assert [hit.term for hit in found] == ["包过", "不过退费"]


@pytest.mark.parametrize(
    "text",
    [
        "校企合作",
        "政校企联合培养",
        "共建培训基地",
        "订单班",
        "冠名班",
        "一培多证",
        "创业担保贷款",
        "考核通过率",
        "免费场地",
    ],
)
def test_lawful_words_that_look_like_breaches(text: str) -> None:
    for at in (SHANDONG, WEIHAI, SHANXI, HEILONGJIANG, NATIONAL):
        assert hits(text, at) == ()


@pytest.mark.parametrize("text", ["面包过期", "书包过大", "承包就业", "岗前培训贷后管理"])
def test_words_inside_other_words(text: str) -> None:
    assert hits(text) == ()
    assert hits(" ".join(text)) == ()


@pytest.mark.parametrize(
    "text",
    ["严禁包过", "拒绝培训贷", "不承诺包过", "举报“包过”", "严禁「包過」", "不 承 诺 包 过"],
)
def test_denial_and_quotation(text: str) -> None:
    assert [mark for _, mark in told(text)] == ["negated"]


@given(st.text(max_size=300))
def test_any_text_is_scanned_and_every_place_lies_in_it(text: str) -> None:
    found = hits(text, SHANXI)
    assert all(0 <= hit.start < hit.end <= len(text) for hit in found)
    assert list(found) == sorted(found, key=lambda hit: (hit.start, hit.end, hit.concept))


PIECES = ["包过", "保过", "不过退费", "包就业", "年薪20万保底", "培训贷", "面包过期"]
PIECES += ["严禁", "不承诺", "，", "。", "班", "广东", "联盟", "考核通过率"]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_no_two_hits_of_one_concept_overlap(text: str) -> None:
    seen: set[tuple[str, int]] = set()
    for hit in hits(text, SHANXI):
        taken = {(hit.concept, place) for place in range(hit.start, hit.end)}
        assert seen.isdisjoint(taken)
        seen |= taken


@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join),
    st.sampled_from([" ", "\u3000", "\u200b", "·", "🔥", "."]),
)
def test_what_stands_between_all_characters_hides_nothing(text: str, between: str) -> None:
    hidden = between.join(text)
    step = 1 + len(between)
    plain = [(hit.term, hit.mark, hit.start, hit.end - 1) for hit in hits(text)]
    found = [(hit.term, hit.mark, hit.start // step, hit.end // step) for hit in hits(hidden)]
    assert found == plain


def test_a_long_text_without_any_stop_is_scanned_in_one_pass() -> None:
    assert len(hits("包过" * 5_000)) == 5_000
    assert hits("数字技术工程师培训班招生" * 10_000) == ()


def test_the_question_interface_answers_with_clauses_and_basis() -> None:
    question = {"ask": "advert", "jurisdiction": "CN-14", "text": "我校包.过，严禁培训贷"}
    answer = table.answer(question, load_rulebook())
    clauses = ["national-2021-71/6.3/pass-guarantee", "shanxi-2024-27/6.2/pass-guarantee"]
    assert answer["hits"][0] == {
        "concept": "pass_guarantee",
        "term": "包过",
        "mark": "hit",
        "start": 2,
        "end": 5,
        "clauses": clauses,
    }
    assert answer["hits"][1]["mark"] == "negated"
    assert answer["clauses"][:2] == clauses
    assert answer["basis"][0]["kind"] == "house_default"
