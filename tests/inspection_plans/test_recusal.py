"""Who may not inspect whom."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import loader
from inspection_plans.recusal import (
    Blocked,
    Employment,
    Ground,
    Inspector,
    Institution,
    Relation,
    blocked,
)

DAY = date(2024, 7, 1)
HOUSES = [Institution("i1", frozenset({"u1", "group"})), Institution("i2", frozenset({"group"}))]


def pairs(*inspectors: Inspector, on: date = DAY) -> tuple[Blocked, ...]:
    return blocked(inspectors, HOUSES, on=on, cooling_years=3, calendar=loader.load_calendar())


def test_a_declared_relation_blocks_until_its_last_day() -> None:
    person = Inspector("p", "office", relations=(Relation("i2", until=DAY), Relation("i9")))
    assert pairs(person) == (Blocked("p", "i2", (Ground.DECLARED,)),)
    assert pairs(person, on=date(2024, 7, 2)) == ()


def test_a_common_unit_blocks_every_institution_of_it() -> None:
    assert pairs(Inspector("p", "group")) == (
        Blocked("p", "i1", (Ground.SAME_UNIT,)),
        Blocked("p", "i2", (Ground.SAME_UNIT,)),
    )


def test_a_former_employer_blocks_for_the_cooling_years() -> None:
    person = Inspector("p", "office", employments=(Employment("u1", date(2021, 7, 1)),))
    assert pairs(person) == (Blocked("p", "i1", (Ground.FORMER_EMPLOYER,)),)
    assert pairs(person, on=date(2024, 7, 2)) == ()


def test_all_grounds_of_a_pair_are_named() -> None:
    person = Inspector(
        "p", "u1", relations=(Relation("i1"),), employments=(Employment("u1", DAY),)
    )
    grounds = (Ground.DECLARED, Ground.FORMER_EMPLOYER, Ground.SAME_UNIT)
    assert pairs(person) == (Blocked("p", "i1", grounds),)


units = st.sampled_from(["a", "b", "c", "d"])
institutions = st.builds(
    Institution, st.sampled_from(["i1", "i2", "i3"]), st.frozensets(units, max_size=3)
)
relations = st.builds(
    Relation, st.sampled_from(["i1", "i2", "i9"]), st.none() | st.dates(date(2023, 1, 1), DAY)
)
employments = st.builds(Employment, units, st.dates(date(2019, 1, 1), date(2024, 1, 1)))
inspectors = st.builds(
    Inspector,
    st.sampled_from(["p1", "p2", "p3"]),
    units,
    st.lists(relations, max_size=2).map(tuple),
    st.lists(employments, max_size=2).map(tuple),
)


@given(
    st.lists(inspectors, max_size=3, unique_by=lambda person: person.id),
    st.lists(institutions, max_size=3, unique_by=lambda house: house.id),
)
def test_blocked_pairs_are_exactly_those_with_a_ground(
    people: list[Inspector], houses: list[Institution]
) -> None:
    calendar = loader.load_calendar()
    found = blocked(people, houses, on=DAY, cooling_years=3, calendar=calendar)
    expected = set()
    for person in people:
        for house in houses:
            declared = any(
                relation.institution == house.id and (relation.until or DAY) >= DAY
                for relation in person.relations
            )
            former = any(
                job.unit in house.units and job.until >= date(2021, 7, 1)
                for job in person.employments
            )
            if declared or former or person.unit in house.units:
                expected.add((person.id, house.id))
    assert {(pair.inspector, pair.institution) for pair in found} == expected
    assert list(found) == sorted(found)
    assert all(pair.grounds for pair in found)
    turned = blocked(people[::-1], houses[::-1], on=DAY, cooling_years=3, calendar=calendar)
    assert turned == found
