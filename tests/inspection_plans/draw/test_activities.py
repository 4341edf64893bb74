"""Sessions out of filed schedules, and the next session when one does not take place."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.draw import activities
from inspection_plans.draw.errors import DrawRefusal
from inspection_plans.draw.frame import group
from inspection_plans.draw.verify import verify
from tests.inspection_plans.draw.cases import PLAN, Office, Row
from tests.inspection_plans.draw.histories import withdraw

FIRST, LAST = "2027-01-11", "2027-01-31"


def a_session(number: int, on: str, name: str = "C1", **more: Any) -> Row:
    given = {"institution": "91370001", "class": name, "session": f"{number:02d}", "on": on}
    return {**given, "stratum": "S1", "area": "W", **more}


def schedule(count: int) -> list[Row]:
    """Sessions of two classes on alternate days."""
    return [a_session(i, f"2027-01-{11 + i:02d}", f"C{i % 2}") for i in range(count)]


def test_sessions_of_the_window_become_rows() -> None:
    filed = [
        a_session(2, "2027-01-12"),
        a_session(1, "2027-01-11", area=None),
        a_session(3, "2027-02-01"),
        a_session(4, "2027-01-13", cancelled=True),
    ]
    named = {"stratum": "S1", "class": "91370001/C1"}
    assert activities.session_rows(filed, FIRST, LAST) == [
        {"id": "91370001/C1/01", **named, "days": ["2027-01-11"]},
        {"id": "91370001/C1/02", **named, "days": ["2027-01-12"], "area": "W"},
        {"id": "91370001/C1/04", **named, "days": ["2027-01-13"], "area": "W", "excl": "SCOPE"},
    ]


def test_a_schedule_that_is_none_is_refused() -> None:
    with pytest.raises(DrawRefusal, match="E_DAYS"):
        activities.session_rows([a_session(1, "2027-02-30")], FIRST, LAST)
    with pytest.raises(DrawRefusal, match="E_DUP_ID"):
        activities.session_rows([a_session(1, FIRST), a_session(1, LAST)], FIRST, LAST)


@given(st.permutations(schedule(12)))
def test_the_order_of_filing_changes_nothing(filed: list[Row]) -> None:
    rows = activities.session_rows(filed, FIRST, LAST)
    assert rows == activities.session_rows(schedule(12), FIRST, LAST)
    assert group(rows, ["S1"])["S1"].rows == 12


def test_the_next_session_of_the_same_class_takes_the_place() -> None:
    rows = activities.session_rows(schedule(6), FIRST, LAST)
    rows[-1]["excl"] = "SCOPE"
    assert activities.next_session(rows, "91370001/C0/00") == "91370001/C0/02"
    assert activities.next_session(rows, "91370001/C0/00", ["91370001/C0/02"]) == "91370001/C0/04"
    assert activities.next_session(rows, "91370001/C0/04") is None
    assert activities.next_session(rows, "91370001/C1/03") is None
    with pytest.raises(DrawRefusal, match="E_ID"):
        activities.next_session(rows, "91370001/C9/00")


def moved(instead: int) -> list[str]:
    """A draw among sessions of which one is moved: what the verifier says of its successor."""
    plan = {**PLAN, "strata": [{"id": "S1", "ratio": "0.2"}], "reserve": 1}
    del plan["days"]
    office = Office(plan=plan)
    rows = activities.session_rows(schedule(10), FIRST, LAST)
    office.frames = {**office.frames, "objects": rows, "blocked": []}
    office.year()
    office.result(office.attempt())
    [part] = office.outcome["selection"]
    drawn = min(part["random"])
    later = [r["id"] for r in rows if r["id"] > drawn and r["class"] == f"91370001/{drawn[9:11]}"]
    later = [ident for ident in later if ident not in part["random"]]
    withdraw(office, drawn, "session_moved")
    office.write("replace", draw=office.draw, stratum="S1", object=later[instead], withdrawn=drawn)
    assert office.outcome["days"][drawn] == next(r["days"][0] for r in rows if r["id"] == drawn)
    return [failure.code for failure in verify(office.record()).failures]


def test_a_moved_session_is_followed_by_the_next_and_no_other() -> None:
    assert moved(0) == []
    assert moved(1) == ["reserves.session"]


def test_an_institution_cannot_be_withdrawn_as_a_moved_session() -> None:
    office = Office()
    office.year()
    office.result(office.attempt())
    withdraw(office, office.outcome["selection"][0]["must"][0], "session_moved")
    found = [failure.code for failure in verify(office.record()).failures]
    assert found == ["withdrawals.reason"]
