"""What may be told of a tip: not its sender's wording."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import tips

TEXTS = st.text("甲乙丙丁ab， 。", max_size=40)


@pytest.mark.parametrize(
    ("original", "paraphrase", "run"),
    [
        ("他们在开班当天让我们贷款", "有学员反映存在贷款情形", "贷款"),
        ("他们让我们，签了 三份合同", "他们让我们签了三份合同", "他们让我们签了三份合同"),
        ("Signed TWICE", "was signed twice", "signedtwice"),
        ("没有相同", "全然两样", ""),
        ("", "什么", ""),
    ],
)
def test_the_longest_shared_piece(original: str, paraphrase: str, run: str) -> None:
    assert tips.shared(original, paraphrase) == run


def test_a_paraphrase_that_repeats_is_refused() -> None:
    tips.require_paraphrase(["他们让我们签合同"], "学员被要求签订协议", most=4)
    with pytest.raises(tips.TooClose) as refused:
        tips.require_paraphrase(["另一句", "他们让我们签合同"], "据称他们让我们签合同", most=4)
    assert (refused.value.facts["run"], refused.value.facts["length"]) == ("他们让我们签合同", 8)


def naive(first: str, second: str) -> int:
    return max(
        (
            end - start
            for start in range(len(first))
            for end in range(start, len(first) + 1)
            if first[start:end] in second
        ),
        default=0,
    )


@given(TEXTS, TEXTS)
def test_it_is_as_long_as_the_naive_one_and_stands_in_both(first: str, second: str) -> None:
    run = tips.shared(first, second)
    assert len(run) == naive(tips.plain(first), tips.plain(second))
    assert run in tips.plain(first)
    assert run in tips.plain(second)
    assert len(run) == len(tips.shared(second, first))


@given(TEXTS, st.text("，。 ！", max_size=3), st.integers(0, 12))
def test_blanks_and_punctuation_hide_nothing(text: str, between: str, most: int) -> None:
    spread = between.join(text)
    if len(tips.plain(text)) > most:
        with pytest.raises(tips.TooClose):
            tips.require_paraphrase([text], spread, most=most)
    else:
        tips.require_paraphrase([text], spread, most=most)
