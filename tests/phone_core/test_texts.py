"""The phone's words: both tables whole, evidence named as the rules name it, every key used."""

import json
import re
from pathlib import Path

from inspection_plans.loader import load

SRC = Path(__file__).parents[2] / "backend" / "phone" / "src"
TABLES = {
    language: json.loads((SRC / "texts" / f"{language}.json").read_text("utf-8"))
    for language in ("zh", "en")
}
FILES = [path.read_text("utf-8") for path in SRC.rglob("*") if path.suffix in {".vue", ".ts"}]
# How keys begin that are put together from a state, a kind or a code.
MADE = tuple(
    {start for text in FILES for start in re.findall(r"`([a-z]+(?:\.[a-z_]+)*\.)\$\{", text)}
)


def test_both_languages_say_everything_with_the_same_facts() -> None:
    zh, en = TABLES["zh"], TABLES["en"]
    assert zh.keys() == en.keys()
    for key, text in zh.items():
        assert text, key
        assert en[key], key
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", en[key])), key


def test_no_word_is_left_over_and_none_is_missing() -> None:
    quoted = re.compile(r"""["'`]([a-z]+(?:\.[a-z_]+)+)["'`]""")
    said = {key for text in FILES for key in quoted.findall(text)}
    assert {key for key in TABLES["zh"] if not key.startswith(MADE)} <= said
    calls = {key for text in FILES for key in re.findall(r'say\(\s*"([a-z_.]+)"', text)}
    assert calls <= TABLES["zh"].keys()


def test_no_chinese_stands_in_the_code() -> None:
    for path in SRC.rglob("*"):
        if path.suffix in {".vue", ".ts"} and path.name != "api.d.ts":
            text = re.sub(r"（|）|中文", "", path.read_text("utf-8"))
            assert not re.search(r"[\u4e00-\u9fff]", text), path.name


def test_evidence_is_called_what_the_rules_call_it() -> None:
    terms = load().terms.evidence
    for language in ("zh", "en"):
        named = {
            key.removeprefix("kind."): text
            for key, text in TABLES[language].items()
            if key.startswith("kind.")
        }
        assert named == {code: getattr(term, language) for code, term in terms.items()}
