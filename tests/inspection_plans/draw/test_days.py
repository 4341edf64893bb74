"""The visit day is drawn from the days given."""

from collections import Counter
from typing import Any

import pytest

from inspection_plans.draw.days import days
from inspection_plans.draw.errors import DrawRefusal
from tests.inspection_plans.draw import naive
from tests.inspection_plans.draw.cases import a_seed

WEEK = [f"2027-01-{day:02d}" for day in range(11, 16)]


def test_each_visit_gets_the_day_of_its_own_label() -> None:
    visits = [{"id": f"机构{i}", "days": WEEK[: 1 + i % 5]} for i in range(30)]
    drawn = days("sha256", a_seed(1), visits)
    for visit in visits:
        at = naive.uniform(a_seed(1), "ssj1.day", visit["id"].encode(), len(visit["days"]))
        assert drawn[visit["id"]] == visit["days"][at]


def test_all_days_are_alike() -> None:
    visits = [{"id": f"v{i}", "days": WEEK} for i in range(5000)]
    counts = Counter(days("sha256", a_seed(2), visits).values())
    chi = sum((counts[day] - 1000) ** 2 / 1000 for day in WEEK)
    assert chi < 23.5  # 4 df, alpha 1e-4


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([], "E_DAYS"),
        (None, "E_DAYS"),
        ("2027-01-11", "E_DAYS"),
        (["2027-1-11"], "E_DAYS"),
        (["20270111"], "E_DAYS"),
        (["2027-02-30"], "E_DAYS"),
        (["2027-01-11\n"], "E_DAYS"),
        ([20270111], "E_DAYS"),
        (["2027-01-12", "2027-01-11"], "E_DAYS"),
        (["2027-01-11", "2027-01-11"], "E_DAYS"),
    ],
)
def test_refused_days(value: Any, code: str) -> None:
    with pytest.raises(DrawRefusal, match=code):
        days("sha256", a_seed(1), [{"id": "v", "days": value}])


@pytest.mark.parametrize(
    ("visits", "code"),
    [
        ([{"id": "v", "days": WEEK}, {"id": "v", "days": WEEK}], "E_DUP_VISIT"),
        ([{"days": WEEK}], "E_ID"),
        ({}, "E_TYPE"),
    ],
)
def test_refused_visits(visits: Any, code: str) -> None:
    with pytest.raises(DrawRefusal, match=code):
        days("sha256", a_seed(1), visits)
