"""What changed between two frames; the difference and one frame give the other."""

from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.framediff import FrameDiff, Moved, compare

IDS = st.sampled_from(["甲", "乙", "a", "b", "c", "d"])
FRAMES = st.dictionaries(IDS, st.sampled_from(["A 370000", "B 370000", "B 371000"]))


def test_each_kind_of_change_has_its_list() -> None:
    before = {"a": "A 370000", "b": "A 370000", "c": "B 370000"}
    now = {"b": "C 370000", "c": "B 370000", "d": "A 370000"}
    assert compare(before, now, {"c", "d", "e"}) == FrameDiff(
        appeared=("d",),
        vanished=("a",),
        moved=(Moved("b", "A 370000", "C 370000"),),
        unlisted=("b",),
        missing=("e",),
    )


def test_a_first_frame_is_compared_with_the_catalogue_alone() -> None:
    found = compare(None, {"a": "A", "b": "B"}, {"a"})
    assert found == FrameDiff(unlisted=("b",))
    assert found.counts == {
        "appeared": 0,
        "vanished": 0,
        "moved": 0,
        "unlisted": 1,
        "missing": 0,
    }


@given(FRAMES, FRAMES, st.sets(IDS))
def test_the_last_frame_and_the_difference_give_the_new_one(
    before: dict[str, str], now: dict[str, str], listed: set[str]
) -> None:
    found = compare(before, now, listed)
    built = {k: v for k, v in before.items() if k not in found.vanished}
    built |= {one.object: one.after for one in found.moved}
    built |= {ident: now[ident] for ident in found.appeared}
    assert built == now
    assert set(now) == (listed | set(found.unlisted)) - set(found.missing)
    for part in (found.appeared, found.vanished, found.unlisted, found.missing):
        assert list(part) == sorted(part, key=str.encode)
