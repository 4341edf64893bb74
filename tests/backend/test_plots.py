"""Plots as geometry: names at the ends of lines that nobody has to guess."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from backend.pages.plots import APART, lines

VALUES = st.lists(st.lists(st.integers(0, 1000), min_size=3, max_size=3), min_size=1, max_size=4)


@given(VALUES)
def test_no_name_of_a_line_stands_on_another(values: list[list[int]]) -> None:
    series = [(str(n), [(v, str(v)) for v in one]) for n, one in enumerate(values)]
    drawn = lines(["一月", "二月", "三月"], series)
    high = sorted(line.name_y for line in drawn.lines)
    assert all(below - above >= APART for above, below in pairwise(high))
    assert high[0] >= APART
    assert high[-1] <= drawn.floor
    assert all(dot.x <= drawn.right for line in drawn.lines for dot in line.dots)
