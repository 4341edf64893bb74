"""Frames: RFC 6962 trees, openings of one row without the key."""

import hashlib
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.draw import merkle
from inspection_plans.draw.errors import DrawRefusal
from tests.inspection_plans.draw.cases import a_seed

KEY = a_seed(1)


def rows(count: int) -> list[dict[str, Any]]:
    return [{"id": f"机构{i:03d}", "stratum": "S"} for i in range(count)]


def tree(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, by recursion."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\1" + tree(leaves[:half]) + tree(leaves[half:])).digest()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 33])
def test_the_root_is_that_of_the_rfc(count: int) -> None:
    leaves = [hashlib.sha256(b"%d" % i).digest() for i in range(count)]
    assert merkle.root("sha256", leaves) == tree(leaves).hex()


def test_a_leaf_is_salted_by_the_key_and_the_id() -> None:
    [row] = rows(1)
    salt = hashlib.sha256(b"ssj1.salt".ljust(32, b"\0") + bytes.fromhex(KEY) + row["id"].encode())
    assert merkle.salt("sha256", KEY, row["id"]) == salt.digest()
    text = '{"id":"机构000","stratum":"S"}'.encode()
    leaf = hashlib.sha256(b"\0" + salt.digest() + text).digest()
    assert merkle.leaf("sha256", salt.digest(), row) == leaf
    assert merkle.frame_root("sha256", KEY, [row]) == leaf.hex()


@given(st.integers(0, 40), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(count: int, rng: random.Random) -> None:
    mixed = rows(count)
    rng.shuffle(mixed)
    assert merkle.frame_root("sm3", KEY, mixed) == merkle.frame_root("sm3", KEY, rows(count))


@given(st.integers(1, 20), st.data())
def test_every_row_opens_and_nothing_else_does(count: int, data: st.DataObject) -> None:
    frame = rows(count)
    root = merkle.frame_root("sha256", KEY, frame)
    at = data.draw(st.integers(0, count - 1))
    proof = merkle.opening("sha256", KEY, frame, frame[at]["id"])
    assert proof["row"] == frame[at]
    assert merkle.check_opening("sha256", root, proof)
    wrong = [
        {**proof, "row": {**proof["row"], "stratum": "T"}},
        {**proof, "salt": a_seed(2)},
        {**proof, "index": proof["index"] + count},
        {**proof, "index": -1},
        {**proof, "path": [*proof["path"], a_seed(3)]},
    ]
    if proof["path"]:
        wrong.append({**proof, "path": proof["path"][1:]})
    for other in wrong:
        assert not merkle.check_opening("sha256", root, other)
    assert not merkle.check_opening("sha256", a_seed(4), proof)


def test_equal_ids_keep_their_order() -> None:
    one, two = {"id": "a", "stratum": "S"}, {"id": "a", "stratum": "T"}
    roots = [merkle.frame_root("sha256", KEY, pair) for pair in ([one, two], [two, one])]
    assert roots[0] != roots[1]


@pytest.mark.parametrize(
    ("key", "frame", "code"),
    [
        ("00", [], "E_TYPE"),
        (KEY.upper(), [], "E_TYPE"),
        (KEY, [{"stratum": "S"}], "E_ID"),
        (KEY, [{"id": "a", "w": 0.5}], "E_TYPE"),
        (KEY, [{"id": "\ud800"}], "E_SURROGATE"),
    ],
)
def test_refusals(key: str, frame: list[dict[str, Any]], code: str) -> None:
    with pytest.raises(DrawRefusal, match=code):
        merkle.frame_root("sha256", key, frame)


def test_an_absent_row_has_no_opening() -> None:
    with pytest.raises(DrawRefusal, match="E_ID"):
        merkle.opening("sha256", KEY, rows(3), "机构009")
