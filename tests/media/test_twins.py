"""The draw and the evidence have a tree and a canonical form each: both agree where they overlap.

Each verifier must run alone, so the two rooms share no code; they share these vectors.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.draw import canon as draw_canon
from inspection_plans.draw import merkle as draw_merkle
from media import canon, merkle

keys = st.from_regex(r"\A[a-z][a-z0-9_]{0,11}\Z")
texts = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]), max_size=20)
values = st.recursive(
    st.one_of(texts, st.sampled_from(["检查", "\U0001f600", "é"]), st.booleans())
    | st.integers(-canon.MAX_INT, canon.MAX_INT),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("size", range(71))
def test_both_trees_have_the_same_root(size: int) -> None:
    leaves = [merkle.leaf_hash(b"%d" % index) for index in range(size)]
    ours = merkle.root(size, merkle.append(0, {}, leaves))
    assert draw_merkle.root("sha256", leaves) == ours.hex()


@given(st.dictionaries(keys, values, max_size=4))
def test_both_forms_spell_what_both_allow_alike(value: dict[str, object]) -> None:
    try:
        ours = canon.encode(value)
    except canon.NotCanonical as refusal:
        assert refusal.facts["reason"] == "depth"  # noqa: PT017 - the one bound the draw lacks
        return
    assert draw_canon.canonical(value).encode() == ours
