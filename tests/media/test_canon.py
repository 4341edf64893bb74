"""The narrowed canonical form: one spelling per object, everything else refused."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import canon
from media.errors import Family

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])).map(
    lambda text: unicodedata.normalize("NFC", text)
)
scalars = st.one_of(texts, st.booleans(), st.integers(-canon.MAX_INT, canon.MAX_INT))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=12,
)


def depth(value: Any) -> int:
    match value:
        case dict():
            return 1 + max(map(depth, value.values()), default=0)
        case list():
            return 1 + max(map(depth, value), default=0)
        case _:
            return 0


objects = st.dictionaries(texts, values, max_size=5).filter(lambda o: depth(o) <= canon.MAX_DEPTH)


@given(objects)
def test_what_was_encoded_is_read_back(value: dict[str, Any]) -> None:
    assert canon.canonical(canon.encode(value)) == value


@given(objects)
def test_any_other_spelling_is_refused(value: dict[str, Any]) -> None:
    raw = canon.encode(value)
    for spelling in (
        b" " + raw,
        json.dumps({**value, "a": 1}, indent=1).encode(),
        raw + b"\n",
        b"\xef\xbb\xbf" + raw,
        raw.decode().encode("utf-16"),
    ):
        with pytest.raises(canon.NotCanonical):
            canon.canonical(spelling)


@given(st.binary(max_size=64))
def test_noise_is_refused_or_canonical(raw: bytes) -> None:
    try:
        value = canon.canonical(raw)
    except canon.NotCanonical:
        return
    assert canon.encode(value) == raw


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"a":1,"a":2}', "spelling"),
        (b'{"b":1,"a":2}', "spelling"),
        (b'{"a":-0}', "spelling"),
        (b'{"a":"\\u0041"}', "spelling"),
        (b'{"a": 1}', "spelling"),
        (b'{"a":1.0}', "number"),
        (b'{"a":1e3}', "number"),
        (b'{"a":NaN}', "number"),
        (b'{"a":-Infinity}', "number"),
        (b'{"a":9007199254740992}', "number"),
        (b'{"a":' + b"9" * 5000 + b"}", "number"),
        (b'{"a":null}', "null"),
        (b'{"a":[null]}', "null"),
        (b'{"a":"\\u0000"}', "nul"),
        (b'{"\\u0000":1}', "nul"),
        (b'{"a":"\\ud800"}', "surrogate"),
        ('{"a":"e\u0301"}'.encode(), "nfc"),
        ('{"e\u0301":1}'.encode(), "nfc"),
        (b'{"a":' * 9 + b"1" + b"}" * 9, "depth"),
        (b'{"a":' + b"[" * 60_000, "depth"),
        (b"[]", "top"),
        (b'"a"', "top"),
        (b"", "not_json"),
        (b'{"a":1', "not_json"),
        (b'{"a":"\xff"}', "not_json"),
        (b"{}" + b" " * canon.MAX_BYTES, "too_long"),
    ],
)
def test_refusals_say_why(raw: bytes, reason: str) -> None:
    with pytest.raises(canon.NotCanonical) as refused:
        canon.canonical(raw)
    assert refused.value.facts["reason"] == reason
    assert (refused.value.code, refused.value.family) == ("not_canonical", Family.MALFORMED)


def test_eight_levels_are_allowed() -> None:
    raw = b'{"a":' * 8 + b"1" + b"}" * 8
    assert canon.encode(canon.canonical(raw)) == raw


@pytest.mark.parametrize("value", [{"a": 1.5}, {"a": None}, {"a": b"x"}, {1: "a"}, {"a": {2: 3}}])
def test_values_outside_the_form_are_not_written(value: dict[str, Any]) -> None:
    with pytest.raises(canon.NotCanonical):
        canon.encode(value)


def test_keys_are_sorted_by_utf16_as_rfc_8785_says() -> None:
    assert canon.encode({"\uff21": 1, "\U0001f600": 2, "\u20ac": 3, "1": 4}) == (
        '{"1":4,"\u20ac":3,"\U0001f600":2,"\uff21":1}'.encode()
    )
