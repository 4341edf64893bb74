"""The filings document: strict reading, its published schema, an example of every register."""

import dataclasses
import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans.desk.bulk import LineRefused, read_lines
from inspection_plans.desk.review import Review
from inspection_plans.desk.view import View
from inspection_plans.filings import FiledTwice, Filings, key_field, registers, rows
from inspection_plans.filings import schema as filings_schema
from inspection_plans.filings.training import Lesson
from inspection_plans.filings.words import Filed
from inspection_plans.records import Fault, Flaw, Mismatch, decode, plain
from inspection_plans.vocabulary import Jurisdiction
from tests.inspection_plans.desk.judging import RULES

EXAMPLE: dict[str, list[dict[str, Any]]] = plain(RULES.example)
PUBLISHED = Path(filings_schema.__file__).with_name("filings.schema.json")
SCHEMA = json.loads(PUBLISHED.read_text("utf-8"))
VALID = jsonschema_rs.validator_for(SCHEMA, validate_formats=True)


def test_the_published_schema_is_that_of_the_records() -> None:
    """Renew it with ``python -m tests.inspection_plans.desk.publish_schema``."""
    assert filings_schema.schema(EXAMPLE) == SCHEMA


def test_every_register_has_an_example_that_fits() -> None:
    assert set(EXAMPLE) == set(registers().values())
    assert VALID.is_valid(EXAMPLE)
    for name, listed in EXAMPLE.items():
        assert SCHEMA["properties"][name]["examples"] == [listed]
    assert decode(EXAMPLE, Filings) == RULES.example


def test_the_examples_show_every_field() -> None:
    for register, found in rows(RULES.example):
        hidden = {
            field.name
            for field in dataclasses.fields(register)
            if all(getattr(row, field.name) in (None, ()) for row in found or ())
        }
        may_be_empty = {"retired_on", "valid_until", "batch_id", "certificate_on", "destroyed_on"}
        may_be_empty |= {"stale", "due", "override_reason", "override_by", "days", "heads"}
        may_be_empty |= {"occupation", "level", "direction", "account"}
        assert hidden <= may_be_empty, registers()[register]


def fault_of(document: object) -> Fault | None:
    """The first thing wrong with a document, None when it can be read."""
    try:
        decode(document, Filings)
    except Mismatch as wrong:
        return wrong.first
    return None


LISTED = [(name, place) for name, found in EXAMPLE.items() for place in range(len(found))]
WRONG: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 1.5, "", "x y", "2024-02-30", "2024-7-1", [], {}, "🀄"]
)


@given(st.sampled_from(LISTED), st.data(), WRONG)
def test_the_schema_and_the_records_agree_on_every_value(
    where: tuple[str, int], data: st.DataObject, value: Any
) -> None:
    name, place = where
    row = EXAMPLE[name][place]
    field = data.draw(st.sampled_from([*row, "unheard_of"]))
    changed = {name: [{**row, field: value}]}
    fault = fault_of(changed)
    assert VALID.is_valid(changed) == (fault is None)
    assert fault is None or fault.path[:3] == (name, 0, field)


@given(st.sampled_from(LISTED), st.data())
def test_what_is_required_is_required_in_both(where: tuple[str, int], data: st.DataObject) -> None:
    name, place = where
    row = dict(EXAMPLE[name][place])
    del row[data.draw(st.sampled_from(sorted(row)))]
    fault = fault_of({name: [row]})
    assert VALID.is_valid({name: [row]}) == (fault is None)
    assert fault is None or fault.flaw is Flaw.MISSING


def test_a_register_not_given_is_not_one_without_rows() -> None:
    filed = decode({"lessons": []}, Filings)
    assert filed.classes is None
    assert filed.lessons == ()
    view = View.of(filed)
    assert view.known(Lesson)
    assert view.count(Lesson) == 0


def lines_of(document: dict[str, list[dict[str, Any]]]) -> list[bytes]:
    return [
        json.dumps({"register": name, "row": row}, ensure_ascii=False).encode()
        for name, found in document.items()
        for row in found
    ]


def test_rows_line_by_line_come_to_the_same_as_one_document() -> None:
    def judged(view: View) -> list[Any]:
        review = Review(RULES, view, Jurisdiction("CN-3710"), date(2024, 8, 1))
        return [one.written(RULES.filing_words) for one in review.run()]

    assert judged(read_lines(lines_of(EXAMPLE))) == judged(View.of(RULES.example))


def test_a_register_without_rows_is_said_in_a_line() -> None:
    assert read_lines(['{"register":"lessons","row":null}']).known(Lesson)
    assert not read_lines([]).known(Lesson)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("{", None),
        ("[]", None),
        ('{"register":"lessons"}', None),
        ('{"register":"lunches","row":{}}', None),
        ('{"register":"publicity","row":{"id":"p","started_on":"2024-02-30"}}', "started_on"),
        ('{"register":"publicity","row":{"id":"p"}}', "started_on"),
        ('{"register":"publicity","row":"p"}', None),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(line: str, field: str | None) -> None:
    good = '{"register":"publicity","row":{"id":"q","started_on":"2024-02-29"}}'
    with pytest.raises(LineRefused) as refused:
        read_lines([good, line])
    assert (refused.value.facts["line"], refused.value.field) == (2, field)


def test_a_key_filed_twice_is_refused_line_by_line_too() -> None:
    with pytest.raises(FiledTwice):
        read_lines(lines_of({"publicity": EXAMPLE["publicity"] * 2}))


@given(st.data())
def test_an_index_holds_what_a_search_would_find(data: st.DataObject) -> None:
    view = View.of(RULES.example)
    register = data.draw(st.sampled_from(list(registers())))
    field = data.draw(st.sampled_from([one.name for one in dataclasses.fields(register)]))
    view.many(register, field, None)
    for _ in range(data.draw(st.integers(1, 4))):
        held = list(view.all(register))
        if not held:
            break
        row = data.draw(st.sampled_from(held))
        key = data.draw(st.sampled_from([getattr(row, key_field(register)), "new"]))
        gone = data.draw(st.booleans())
        changed = None if gone else dataclasses.replace(row, **{key_field(register): key})
        view.put(register, key, changed)
    values = {getattr(row, field) for row in view.all(register)}
    for value in values | {None}:
        slow: list[Filed] = [row for row in view.all(register) if getattr(row, field) == value]
        slow.sort(key=lambda row: str(getattr(row, key_field(register))))
        assert list(view.many(register, field, value)) == slow
