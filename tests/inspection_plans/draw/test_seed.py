"""Commitments, seed, tickets, uniform numbers."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.draw import seed
from inspection_plans.draw.errors import DrawRefusal
from tests.inspection_plans.draw import naive
from tests.inspection_plans.draw.cases import a_seed, seeds

HALF = 2**255 + 1
BOUND: dict[str, Any] = {
    "plan": {"mode": "ratio"},
    "frames": {"objects": a_seed(1), "inspectors": a_seed(2)},
    "reveals": {"operator": a_seed(3), "b": a_seed(4)},
    "entropy": [
        {"source": "dice", "ref": "2", "value": "1"},
        {"source": "dice", "ref": "1", "value": "2"},
    ],
}


def tagged(tag: str, *parts: bytes) -> str:
    return hashlib.sha256(tag.encode().ljust(32, b"\0") + b"".join(parts)).hexdigest()


def test_a_commitment_binds_party_draw_and_attempt() -> None:
    secret = a_seed(5)
    text = b'{"attempt":2,"draw":"d","party":"p"}'
    right = tagged("ssj1.commit", bytes.fromhex(secret), text)
    assert seed.commitment("sha256", "d", 2, "p", secret) == right
    others = {
        seed.commitment("sha256", *bound, secret)
        for bound in (("e", 2, "p"), ("d", 1, "p"), ("d", 2, "q"))
    }
    assert len(others | {right}) == 4


def test_a_person_is_committed_by_licence_and_salt() -> None:
    right = tagged("ssj1.person", bytes.fromhex(a_seed(6)), b'{"licence":"L1"}')
    assert seed.person("sha256", a_seed(6), "L1") == right


def test_the_seed_is_over_everything_in_byte_order() -> None:
    plan = hashlib.sha256(b'{"mode":"ratio"}').hexdigest()
    text = (
        '{"alg":"sha256","attempt":1,"draw":"d","entropy":['
        '{"ref":"1","source":"dice","value":"2"},{"ref":"2","source":"dice","value":"1"}],'
        f'"frame_inspectors":"{a_seed(2)}","frame_objects":"{a_seed(1)}","plan":"{plan}",'
        f'"reveals":[{{"party":"b","value":"{a_seed(4)}"}},'
        f'{{"party":"operator","value":"{a_seed(3)}"}}]}}'
    )
    assert seed.seed("sha256", "d", 1, **BOUND) == tagged("ssj1.seed", text.encode())


@pytest.mark.parametrize(
    ("entropy", "code"),
    [
        ([{"source": "dice", "ref": "1"}], "E_KEY"),
        ([{"source": "dice", "ref": "1", "value": "1", "more": 1}], "E_KEY"),
        (["dice"], "E_KEY"),
        ([{"source": "dice", "ref": 1, "value": "1"}], "E_TYPE"),
    ],
)
def test_entropy_has_exactly_three_texts(entropy: list[Any], code: str) -> None:
    with pytest.raises(DrawRefusal, match=code):
        seed.seed("sha256", "d", 1, **{**BOUND, "entropy": entropy})


@pytest.mark.parametrize("secret", ["", "00", "g" * 64, "A" * 64, a_seed(1) + "\n"])
def test_secrets_are_64_hexadecimal_digits(secret: str) -> None:
    with pytest.raises(DrawRefusal, match="E_TYPE"):
        seed.seed("sha256", "d", 1, **{**BOUND, "reveals": {"p": secret}})


@given(seeds(), st.binary(max_size=150))
def test_a_ticket_is_one_hash(value: str, label: bytes) -> None:
    assert seed.ticket("sha256", value, "ssj1.ticket", label) == (
        naive.ticket(value, "ssj1.ticket", label)
    )


@given(seeds(), st.binary(max_size=20), st.integers(1, 2**256))
def test_uniform_equals_the_naive_one(value: str, label: bytes, n: int) -> None:
    right = naive.uniform(value, "ssj1.pick", label, n)
    assert seed.uniform("sha256", value, "ssj1.pick", label, n) == right
    assert right < n


def test_uniform_rejects_instead_of_folding() -> None:
    """About half of all numbers lie above 2^255 + 1; folding them would favour the low half."""
    rejected = 0
    for number in range(50):
        value = a_seed(number)
        first = naive.ticket(value, "ssj1.day", b"x\0\0\0\0\0")
        drawn = seed.uniform("sha256", value, "ssj1.day", b"x", HALF)
        assert drawn == naive.uniform(value, "ssj1.day", b"x", HALF)
        if first >= HALF:
            rejected += 1
            assert drawn != first % HALF
    assert 10 < rejected < 40


@pytest.mark.parametrize("n", [0, -1, 2**256 + 1, True, "3", None])
def test_uniform_refuses_impossible_numbers(n: Any) -> None:
    with pytest.raises(DrawRefusal, match="E_NUMBER"):
        seed.uniform("sha256", a_seed(1), "ssj1.pick", b"", n)


def test_uniform_takes_the_whole_space() -> None:
    value = a_seed(9)
    assert seed.uniform("sha256", value, "ssj1.pick", b"", 2**256) == (
        naive.ticket(value, "ssj1.pick", b"\0\0\0\0\0")
    )
    assert seed.uniform("sha256", value, "ssj1.pick", b"", 1) == 0
