"""Records: strict reading, every fault told with its path, and the form that sheets hash."""

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, NewType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import reading
from inspection_plans.reading import Source
from inspection_plans.records import Flaw, Meta, Mismatch, Record, decode, plain
from inspection_plans.sheets import Sheet

Name = NewType("Name", str)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Shape(Record, frozen=True, kw_only=True, tag_field="form"):
    name: Name


class Circle(Shape, frozen=True, kw_only=True, tag="circle"):
    radius: Annotated[int, Meta(ge=1, le=9)]


class Group(Shape, frozen=True, kw_only=True, tag="group"):
    members: tuple["Circle | Group", ...]


class Everything(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: Annotated[str, Meta(min_length=2, max_length=4, pattern=r"^[a-z]+$")] = "abc"
    flag: bool = False
    day: date | None = None
    colour: Colour = Colour.RED
    side: Literal["left", "right"] = "left"
    pair: tuple[int, str] = (1, "a")
    many: tuple[int, ...] = ()
    table: dict[str, int] = field(default_factory=dict)
    wide: Mapping[str, int | str | None] = {}
    shape: Circle | Group | None = None
    raw: Any = None


def faults(data: object, shape: type) -> list[tuple[tuple[str | int, ...], Flaw]]:
    with pytest.raises(Mismatch) as found:
        decode(data, shape)
    return [(fault.path, fault.flaw) for fault in found.value.faults]


def attempt(data: object) -> Everything | Mismatch:
    try:
        return decode(data, Everything)
    except Mismatch as wrong:
        return wrong


def test_records_are_frozen_keyword_only_slotted_and_equal_by_value() -> None:
    circle = Circle(name=Name("c"), radius=2)
    with pytest.raises(FrozenInstanceError):
        circle.radius = 3  # type: ignore[misc]  # that it fails is the point
    with pytest.raises(TypeError):
        Circle(Name("c"), 2)  # type: ignore[call-arg]  # that it fails is the point
    assert not hasattr(circle, "__dict__")
    assert circle == Circle(name=Name("c"), radius=2)
    assert hash(circle) == hash(Circle(name=Name("c"), radius=2))
    assert replace(circle, radius=3) == Circle(name=Name("c"), radius=3)
    assert Everything().table is not Everything().table


def test_defaults_are_left_out_and_tags_written() -> None:
    assert plain(Everything()) == {}
    assert plain(Everything(many=(1,), colour=Colour.BLUE, day=date(2024, 2, 29))) == {
        "many": [1],
        "colour": "blue",
        "day": "2024-02-29",
    }
    group = Group(name=Name("g"), members=(Circle(name=Name("c"), radius=1),))
    written = {
        "form": "group",
        "name": "g",
        "members": [{"form": "circle", "name": "c", "radius": 1}],
    }
    assert plain(group) == written
    assert decode(written, Group | Circle) == group  # type: ignore[arg-type]  # a union


@pytest.mark.parametrize(
    ("field", "value", "flaw"),
    [
        ("text", "a", Flaw.MALFORMED),
        ("text", "abcde", Flaw.MALFORMED),
        ("text", "AB", Flaw.MALFORMED),
        ("text", "ab\n", Flaw.MALFORMED),
        ("text", 12, Flaw.MALFORMED),
        ("text", None, Flaw.MALFORMED),
        ("flag", 1, Flaw.MALFORMED),
        ("flag", "true", Flaw.MALFORMED),
        ("day", "2024-02-30", Flaw.MALFORMED),
        ("day", "20240229", Flaw.MALFORMED),
        ("day", "2024-2-9", Flaw.MALFORMED),
        ("day", datetime(2024, 2, 29), Flaw.MALFORMED),  # noqa: DTZ001 - a moment is no day
        ("colour", "green", Flaw.UNKNOWN_VALUE),
        ("colour", True, Flaw.MALFORMED),
        ("side", "up", Flaw.UNKNOWN_VALUE),
        ("pair", [1], Flaw.MALFORMED),
        ("pair", "1a", Flaw.MALFORMED),
        ("many", "12", Flaw.MALFORMED),
        ("many", {}, Flaw.MALFORMED),
        ("table", [], Flaw.MALFORMED),
        ("shape", [], Flaw.MALFORMED),
        ("more", 1, Flaw.UNKNOWN_KEY),
    ],
)
def test_what_does_not_fit_is_told_at_its_field(field: str, value: object, flaw: Flaw) -> None:
    assert faults({field: value}, Everything) == [((field,), flaw)]


@pytest.mark.parametrize(
    ("data", "path", "flaw"),
    [
        ({"pair": [1, 2]}, ("pair", 1), Flaw.MALFORMED),
        ({"many": [1, True]}, ("many", 1), Flaw.MALFORMED),
        ({"many": [1, 1.0]}, ("many", 1), Flaw.MALFORMED),
        ({"table": {"a": "1"}}, ("table", "a"), Flaw.MALFORMED),
        ({"table": {1: 1}}, ("table", 1), Flaw.MALFORMED),
        ({"wide": {"a": []}}, ("wide", "a"), Flaw.MALFORMED),
        ({"shape": {"name": "c"}}, ("shape", "form"), Flaw.MISSING),
        ({"shape": {"form": "oval"}}, ("shape", "form"), Flaw.MALFORMED),
        ({"shape": {"form": "circle", "name": "c"}}, ("shape", "radius"), Flaw.MISSING),
        (
            {"shape": {"form": "circle", "name": "c", "radius": 10}},
            ("shape", "radius"),
            Flaw.MALFORMED,
        ),
    ],
)
def test_the_path_leads_to_the_value(data: object, path: tuple[Any, ...], flaw: Flaw) -> None:
    assert faults(data, Everything) == [(path, flaw)]


def test_all_faults_are_told_in_order() -> None:
    circle = {"form": "circle", "name": "c", "radius": 0}
    data = {"form": "group", "members": [circle, {**circle, "colour": 1}, {"form": "square"}]}
    assert faults(data, Group) == [
        (("members", 0, "radius"), Flaw.MALFORMED),
        (("members", 1, "radius"), Flaw.MALFORMED),
        (("members", 1, "colour"), Flaw.UNKNOWN_KEY),
        (("members", 2, "form"), Flaw.MALFORMED),
        (("name",), Flaw.MISSING),
    ]
    assert faults({"form": "circle", "name": "g", "members": []}, Group) == [
        (("form",), Flaw.MALFORMED)
    ]
    assert faults([], Group) == [((), Flaw.MALFORMED)]


def test_a_shape_the_rules_do_not_count_in_is_a_fault_of_the_code() -> None:
    with pytest.raises(TypeError):
        decode(1.5, float)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
records = st.builds(
    Everything,
    text=st.from_regex(r"[a-z]{2,4}", fullmatch=True),
    flag=st.booleans(),
    day=st.none() | st.dates(),
    colour=st.sampled_from(Colour),
    side=st.sampled_from(["left", "right"]),
    many=st.lists(st.integers(), max_size=3).map(tuple),
    wide=st.dictionaries(st.text(max_size=3), st.none() | st.integers() | st.text(), max_size=3),
    shape=st.none()
    | st.builds(Circle, name=st.text(max_size=3).map(Name), radius=st.integers(1, 9)),
)


@given(records)
def test_what_was_written_is_read_again(record: Everything) -> None:
    assert decode(plain(record), Everything) == record


@given(st.dictionaries(st.sampled_from([*Everything.__dataclass_fields__, "other"]), values))
def test_reading_gives_the_record_or_its_faults_and_nothing_else(data: dict[str, object]) -> None:
    found = attempt(data)
    if isinstance(found, Mismatch):
        assert {fault.path[0] for fault in found.faults} <= set(data)
    else:
        assert decode(plain(found), Everything) == found


SHEET = """\
id: ZZ
zh: 样表
en: sample sheet
items:
- code: ZZ-01
  zh: 要点
  en: item
  severity: major
  jurisdictions: [national]
  answer:
  - {type: yes_no_na, name: result}
  - type: choice
    name: pick
    zh: 选
    en: pick
    jurisdictions: [CN-37]
    options:
    - {code: a, zh: 甲, en: a, mark: pass}
    - {code: b, zh: 乙, en: b, mark: fail, concepts: [scale]}
  - type: multi_choice
    name: ticks
    rule: none_of
    options: [{code: a, zh: 甲, en: a, mark: pass}, {code: b, zh: 乙, en: b, mark: fail}]
  - type: count
    name: heads
    fields: [{name: one, zh: 一, en: one, min: 1}, {name: two, zh: 二, en: two}]
    at_most: [[one, two]]
  - type: ratio
    name: share
    numerator: {zh: 子, en: n}
    denominator: {zh: 母, en: d}
    min: '0.6'
  - {type: sample, name: some, n: 5}
  - {type: scale, name: mark, lowest: 1, highest: 5}
  - {type: text, name: words}
  - {type: location, name: place}
  clauses: [national-2021-71/6.3/loan]
  evidence:
  - {kind: photo}
  - {kind: document, n: 1, by: inspector, when: fail, profile: document, of: {zh: 约, en: deal}}
  - {kind: interview, n: 3, by: platform}
"""
KEPT = "9148451ab41e3729a0cbc66776592d99847e72e78628667e9940ffadfff80052"


def test_the_version_of_a_sheet_is_that_of_the_sheets_already_kept() -> None:
    """Computed once with the writer of the first release, whose versions visits have kept."""
    assert reading.decode(Source("ZZ.yaml", SHEET), Sheet).version == KEPT
