"""The sealed profile: from totals and its own row everybody learns what became of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.draw.canon import canonical
from inspection_plans.draw.errors import DrawRefusal
from inspection_plans.draw.select import select, select_with_totals
from inspection_plans.draw.standing import standing
from inspection_plans.draw.totals import fate
from inspection_plans.draw.verify import verify
from tests.inspection_plans.draw.cases import Row, a_seed, an_office, random_frame
from tests.inspection_plans.draw.histories import eventful, second_attempt, short_of_people


def expected(selection: list[Row], row: Row) -> str:
    """What the full selection says of a row."""
    part = next(part for part in selection if part["stratum"] == row["stratum"])
    names = {"must": "must", "certain": "certain", "random": "drawn"}
    for name, word in names.items():
        if row["id"] in part[name]:
            return word
    return "excluded" if row.get("excl") else "not_drawn"


@given(st.integers(0, 10**6))
def test_totals_tell_every_row_its_fate(number: int) -> None:
    plan, rows = random_frame(number)
    try:
        selection, totals = select_with_totals("sha256", a_seed(number), plan, rows)
    except DrawRefusal:
        return
    assert selection == select("sha256", a_seed(number), plan, rows)
    canonical(totals)
    for row in rows:
        assert fate("sha256", a_seed(number), totals, row) == expected(selection, row)


@given(st.integers(0, 10**6))
def test_the_threshold_is_the_largest_key_drawn(number: int) -> None:
    plan, rows = random_frame(number)
    selection, totals = select_with_totals("sha256", a_seed(number), plan, rows)
    by_id = {row["id"]: row for row in rows}
    for part, total in zip(selection, totals, strict=True):
        keys = [
            int(standing("sha256", a_seed(number), by_id[ident], total)["key"])
            for ident in part["random"]
        ]
        assert total["threshold"] == (str(max(keys)) if keys else None)
        assert keys == sorted(keys)


@pytest.mark.parametrize("make", [an_office, eventful, second_attempt, short_of_people])
def test_a_sealed_record_holds_with_each_row_opened(make: Any) -> None:
    office = make()
    idents = [row["id"] for row in office.frames["objects"]]
    report = verify(office.sealed(*idents))
    assert [failure.text for failure in report.failures] == []
    assert report.verdict == "verified"
    rows = office.frames["objects"]
    assert report.standings == {r["id"]: expected(office.outcome["selection"], r) for r in rows}


def test_a_sealed_record_shows_nobody_else() -> None:
    office = an_office()
    mine, *others = [row["id"] for row in office.frames["objects"]]
    text = canonical(office.sealed(mine))
    assert mine in text
    assert not any(other in text for other in others)


def test_a_total_that_cannot_be_is_found() -> None:
    whole = an_office().sealed()
    for name, value in (("frame", 99), ("must", 9), ("threshold", None), ("certain_from", 1)):
        totals = [{**whole["totals"][0], name: value}, *whole["totals"][1:]]
        assert verify({**whole, "totals": totals}).verdict == "failed", name
