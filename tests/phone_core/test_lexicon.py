"""Words of advertisements: the phone finds what the rules find, in the corpus and in noise."""

from datetime import date
from random import Random
from typing import Any

import msgspec

from backend.services import handbook
from inspection_plans import jurisdictions
from inspection_plans.loader import load_rulebook
from inspection_plans.vocabulary import Jurisdiction
from tests.inspection_plans.test_lexicon import corpus
from tests.phone_core import node

DAY = date(2026, 3, 2)
HALVES = ("tuning.txt", "held_out.txt", "held_out_2.txt")
PLACES = [Jurisdiction(code) for code in ("national", "CN-37", "CN-3710", "CN-14", "CN-23")]
# What makes a text hard: disguises, gaps, marks, guards, quotation, other planes, odd cases.
PIECES = (
    *(
        "包过",
        "保過",
        "包。过",
        "【包·过】",
        "包\n\n过",
        "Ｂ包Ｇ",
        "bAo过",
        "不承诺",
        "严禁",
        "吗？",
    ),
    *(
        "，",
        "。",
        "、",
        " ",
        "\n",
        "😀",
        "𠮷",
        "ẞ",
        "İ",
        "培训贷",
        "联盟",
        "河南",
        "中山东路",
        "学",
    ),
    *("考不过，退费", "100%通过", "月薪过万", "就业率", "是骗局", "绝非骗局", "但我校", "报名"),
    *("班", "“", "”", "①②", "ﬁ"),
)
NOISE = 400


def cases() -> list[dict[str, Any]]:
    rng = Random(7)
    noise = ["".join(rng.choices(PIECES, k=rng.randint(0, 14))) for _ in range(NOISE)]
    known = [(advert.at, advert.text) for half in HALVES for advert in corpus(half)]
    texts = known + [(PLACES[n % len(PLACES)], text) for n, text in enumerate(noise)]
    return [
        {"text": text, "home": list(jurisdictions.lineage(at)), "lists": str(at)}
        for at, text in texts
    ]


def test_the_phone_finds_the_words_that_the_rules_find() -> None:
    rules = load_rulebook()
    asked = cases()
    places = {case["lists"] for case in asked}
    lists = {
        place: msgspec.to_builtins(handbook.of(Jurisdiction(place), DAY, rules).lexicon)
        for place in places
    }
    found = node.call("advert", asked, lists)
    hits = 0
    for case, said in zip(asked, found, strict=True):
        place = Jurisdiction(case["lists"])
        wanted = rules.lexicon.scan(case["text"], place, rules.in_force(place, DAY))
        told = [
            {
                "concept": hit.concept,
                "term": hit.term,
                "mark": hit.mark.value,
                "start": hit.start,
                "end": hit.end,
                "clauses": list(hit.clauses),
            }
            for hit in wanted
        ]
        assert said == told, case["text"]
        hits += len(told)
    assert hits > len(asked) // 2


def test_the_word_lists_hold_no_rare_character() -> None:
    """The phone folds characters of two units to one mark of its own; no list may need either."""
    book = handbook.of(Jurisdiction("CN-37"), DAY, load_rulebook())
    spelled = msgspec.json.encode(book.lexicon).decode()
    assert all(ord(one) <= 0xFFFF for one in spelled)
    assert "\ue000" not in spelled
