"""Canonical form: one text for a value, the first error in input order."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.draw.canon import canonical, check_id, digest, parse
from inspection_plans.draw.errors import CODES, DrawRefusal


def fine(text: str) -> bool:
    return refused(text) == ""


def refused(value: object) -> str:
    try:
        canonical(value)
    except DrawRefusal as refusal:
        return refusal.code
    return ""


texts = st.text(st.sampled_from('aZ09 "\\/机é€😀\u0301\x7f\x01')).filter(fine)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.from_regex("[a-z0-9_]+", fullmatch=True), inner, max_size=4)
    ),
    max_leaves=12,
)


def parse_refused(text: str) -> str:
    try:
        parse(text)
    except DrawRefusal as refusal:
        return refusal.code
    return ""


@given(values)
def test_the_text_equals_sorted_json(value: object) -> None:
    plain = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert canonical(value) == plain
    assert parse(plain) == value


@given(values)
def test_reading_and_writing_again_changes_nothing(value: object) -> None:
    spaced = json.dumps(value, indent=3)
    assert canonical(parse(spaced)) == canonical(value)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0.5, "E_TYPE"),
        (b"a", "E_TYPE"),
        ({1, 2}, "E_TYPE"),
        (2**53, "E_NUMBER"),
        (-(2**53), "E_NUMBER"),
        ({"A": 1}, "E_KEY"),
        ({"": 1}, "E_KEY"),
        ({"a\n": 1}, "E_KEY"),
        ({"机": 1}, "E_KEY"),
        ({1: 1}, "E_KEY"),
        ("a\x00", "E_CONTROL"),
        ("\x7f", "E_CONTROL"),
        ("\ud800", "E_SURROGATE"),
        ("\udfff\x01", "E_SURROGATE"),
        ("\x01\udfff", "E_CONTROL"),
        ("e\u0301", "E_NFC"),
        ("\u212b", "E_NFC"),
        ("e\u0301\x01", "E_CONTROL"),
        ([2**53, 0.5], "E_NUMBER"),
        ({"a": 0.5, "B": 1}, "E_TYPE"),
        ({"B": 0.5, "a": 1}, "E_KEY"),
    ],
)
def test_refusals(value: object, code: str) -> None:
    assert refused(value) == code


@pytest.mark.parametrize("value", [2**53 - 1, 1 - 2**53, "\x80", "\u2028", "é", [], {}, True])
def test_values_at_the_edge_are_fine(value: object) -> None:
    assert refused(value) == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a":1,"a":2}', "E_KEY"),
        ('{"a":0.5,"a":2}', "E_TYPE"),
        ('{"a":{"b":1,"b":1},"c":9007199254740992}', "E_KEY"),
        ('{"c":9007199254740992,"a":{"b":1,"b":1}}', "E_NUMBER"),
        ("1.0", "E_TYPE"),
        ("1e3", "E_TYPE"),
        ("NaN", "E_TYPE"),
        ("[1,]", "E_TYPE"),
        ("", "E_TYPE"),
        ("\ufeff1", "E_TYPE"),
        ("1" * 5000, "E_NUMBER"),
        ("-" + "1" * 30, "E_NUMBER"),
        ("[" * 100_000, "E_TYPE"),
        ('"\\ud83d"', "E_SURROGATE"),
        ('"\\u007f"', "E_CONTROL"),
        ('{"a":"\\ud83d","A":1}', "E_SURROGATE"),
    ],
)
def test_parse_finds_the_first_error_in_input_order(text: str, code: str) -> None:
    assert parse_refused(text) == code


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert canonical(parse('"\\ud83d\\ude00"')) == '"😀"'


def test_too_deep_is_a_type_and_no_crash() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    assert refused(value) == "E_TYPE"


def test_digest_is_over_the_utf8_bytes() -> None:
    assert digest("sha256", {"b": "机", "a": 1}) == (
        hashlib.sha256('{"a":1,"b":"机"}'.encode()).hexdigest()
    )


@pytest.mark.parametrize(
    ("ident", "code"),
    [
        (None, "E_ID"),
        (7, "E_ID"),
        ("", "E_ID"),
        ("a" * 129, "E_ID"),
        ("机" * 43, "E_ID"),
        ("\ud800" * 43, "E_ID"),
        ("\ud800", "E_SURROGATE"),
        ("a\n", "E_CONTROL"),
        ("e\u0301", "E_NFC"),
    ],
)
def test_ids(ident: object, code: str) -> None:
    with pytest.raises(DrawRefusal) as refusal:
        check_id(ident)
    assert refusal.value.code == code


def test_the_longest_ids_are_fine() -> None:
    assert check_id("a" * 128) == "a" * 128
    assert check_id("机" * 42) == "机" * 42


def test_a_refusal_has_the_shape_of_the_house() -> None:
    refusal = DrawRefusal("E_ID", "id", row=3)
    assert (refusal.code, refusal.family, refusal.field) == ("E_ID", "invalid", "id")
    assert refusal.facts == {"row": 3}
    assert str(refusal) == f"E_ID: {CODES['E_ID']} in id"
