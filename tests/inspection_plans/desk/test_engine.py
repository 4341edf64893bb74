"""The frame of desk rules: changes, order, what is read, what is cited, at every place."""

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspection_plans.desk.frame import Result
from inspection_plans.desk.review import Change, Judged, Review
from inspection_plans.desk.rules import Verdict
from inspection_plans.desk.table import CHECKS
from inspection_plans.desk.view import View
from inspection_plans.filings import (
    FiledTwice,
    Filings,
    Register,
    key_field,
    key_of,
    registers,
    rows,
)
from inspection_plans.filings.words import Filed
from inspection_plans.records import decode, plain
from inspection_plans.vocabulary import Jurisdiction
from inspection_plans.workdays import TermMalformed
from tests.inspection_plans.desk.judging import RULES

R = TypeVar("R", bound=Filed)
PLACES = [Jurisdiction(code) for code in ("national", "CN-37", "CN-3710", "CN-14", "CN-23")]
DAYS = [date(2023, 1, 9), date(2024, 6, 20), date(2024, 8, 1), date(2025, 6, 30)]


def doubled() -> Filings:
    """The example, and beside it the same a month later under other keys of one institution."""
    written = plain(RULES.example)
    keys = {
        str(row[key_field(register)])
        for register, name in registers().items()
        for row in written[name]
        if name not in ("occupations", "institutions", "certificate_layouts")
    }
    text = json.dumps(written, ensure_ascii=False)
    for key in sorted(keys, key=len, reverse=True):
        text = text.replace(f'"{key}"', f'"{key}-b"')
    later = (date(2024, 5, 27) - date(2024, 5, 6)).days
    other = json.loads(text, object_hook=lambda found: moved(found, later))
    single = ("occupations", "institutions", "certificate_layouts")
    both = {
        name: listed + ([] if name in single else other[name]) for name, listed in written.items()
    }
    return decode(both, Filings)


def moved(found: dict[str, Any], by: int) -> dict[str, Any]:
    def day(value: Any) -> Any:
        if isinstance(value, str) and value.startswith("2024-") and len(value) == 10:
            return (date.fromisoformat(value) + timedelta(days=by)).isoformat()
        return value

    return {key: day(value) for key, value in found.items()}


BASE = doubled()
Told = dict[tuple[str, str], tuple[Result, ...]]


def view_of(held: dict[Register, dict[str, Filed]]) -> View:
    view = View()
    for register, found in held.items():
        view.give(register, found.values())
    return view


def held_of(filings: Filings) -> dict[Register, dict[str, Filed]]:
    return {
        register: {key_of(row): row for row in found}
        for register, found in rows(filings)
        if found is not None
    }


def told(found: Iterator[Judged] | list[Judged]) -> Told:
    return {one.subject: one.results for one in found}


def said(found: Told) -> Told:
    return {subject: results for subject, results in found.items() if results}


@st.composite
def edits(draw: st.DrawFn) -> list[tuple[Register, str, str | None, Any]]:
    """Rows taken away, fields emptied, or made equal to those of another row of the register."""
    chosen = []
    listed = [(register, found) for register, found in rows(BASE) if found]
    for _ in range(draw(st.integers(1, 6))):
        register, found = draw(st.sampled_from(listed))
        row = draw(st.sampled_from(found))
        names = [one.name for one in dataclasses.fields(row) if one.name != key_field(register)]
        name = draw(st.sampled_from([None, *names]))
        default = {one.name: one.default for one in dataclasses.fields(row)}
        value = None
        if name is not None:
            values = [getattr(other, name) for other in found]
            if default[name] is None:
                values.append(None)
            value = draw(st.sampled_from(values))
        chosen.append((register, key_of(row), name, value))
    return chosen


@settings(max_examples=40)
@given(edits(), st.sampled_from(PLACES), st.sampled_from(DAYS))
def test_a_change_comes_to_the_same_as_judging_everything_anew(
    changes: list[tuple[Register, str, str | None, Any]], place: Jurisdiction, as_of: date
) -> None:
    held = held_of(BASE)
    review = Review(RULES, view_of(held), place, as_of)
    results = told(review.everything())
    for register, key, name, value in changes:
        row = held[register].get(key)
        if name is None and row is not None:
            del held[register][key]
            row = None
        elif name is not None:
            found = row or next(one for one in rows(BASE) if one[0] is register)[1]
            assert found is not None
            old = row or next(
                one for one in held_of(BASE)[register].values() if key_of(one) == key
            )
            row = held[register][key] = dataclasses.replace(old, **{name: value})
        results |= told(review.update([Change(register, key, row)]))
        anew = Review(RULES, view_of(held), place, as_of)
        assert said(results) == said(told(anew.everything()))


@pytest.mark.parametrize("place", PLACES)
def test_a_register_given_for_the_first_time_is_seen_by_all_who_asked_for_it(
    place: Jurisdiction,
) -> None:
    held = held_of(BASE)
    for register, found in held.items():
        without = {other: kept for other, kept in held.items() if other is not register}
        review = Review(RULES, view_of(without), place, DAYS[2])
        results = told(review.everything())
        for key, row in found.items():
            results |= told(review.update([Change(register, key, row)]))
        whole = Review(RULES, view_of(held), place, DAYS[2])
        assert said(results) == said(told(whole.everything()))


@settings(max_examples=15)
@given(st.randoms(use_true_random=False), st.sampled_from(PLACES))
def test_the_order_of_rows_changes_nothing(random: Any, place: Jurisdiction) -> None:
    shuffled = {}
    for register, found in held_of(BASE).items():
        keys = list(found)
        random.shuffle(keys)
        shuffled[register] = {key: found[key] for key in keys}
    ours = Review(RULES, view_of(held_of(BASE)), place, DAYS[2])
    theirs = Review(RULES, view_of(shuffled), place, DAYS[2])
    assert told(ours.everything()) == told(theirs.everything())


@settings(max_examples=25)
@given(edits(), st.sampled_from(PLACES), st.dates(date(2021, 9, 1), date(2026, 12, 31)))
def test_a_result_cites_its_rule_in_force_and_has_its_sentences(
    changes: list[tuple[Register, str, str | None, Any]], place: Jurisdiction, as_of: date
) -> None:
    held = held_of(BASE)
    for register, key, name, value in changes:
        row = held[register].pop(key, None)
        if name is not None and row is not None:
            held[register][key] = dataclasses.replace(row, **{name: value})
    for result in Review(RULES, view_of(held), place, as_of).run():
        in_force = {clause.id for clause in RULES.library.effective_set(place, result.on)}
        assert result.clauses
        assert set(result.clauses) <= in_force & set(result.rule.clauses)
        written = result.written(RULES.filing_words)
        assert json.loads(json.dumps(written)) == written
        for sentence in written["explanation"].values():
            assert "{" not in sentence
        if result.verdict is Verdict.NOT_COMPUTABLE:
            assert written["inputs"]["missing"]


DAYS_OF_ROWS = [
    (register, key_of(row), field.name)
    for register, found in rows(RULES.example)
    for row in found or ()
    for field in dataclasses.fields(row)
    if isinstance(getattr(row, field.name), date)
]


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_first_and_the_last_day_of_all_break_nothing(day: date) -> None:
    for number, (register, key, name) in enumerate(DAYS_OF_ROWS):
        held = held_of(RULES.example)
        held[register][key] = dataclasses.replace(held[register][key], **{name: day})
        place = PLACES[2:][number % 3]
        # A term past the last year is refused by the clock, with its own code.
        with contextlib.suppress(TermMalformed):
            assert list(Review(RULES, view_of(held), place, DAYS[2]).run())


class Watched(View):
    """A view that remembers which registers were asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[Register] = set()

    def one(self, register: type[R], key: str | None) -> R | None:
        self.asked.add(register)
        return super().one(register, key)

    def many(self, register: type[R], field: str, value: object) -> tuple[R, ...]:
        self.asked.add(register)
        return super().many(register, field, value)

    def all(self, register: type[R]) -> Iterator[R]:
        self.asked.add(register)
        return super().all(register)

    def known(self, register: Register) -> bool:
        self.asked.add(register)
        return super().known(register)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("without", [None, *registers().values()])
def test_a_judgement_reads_only_what_it_names(place: Jurisdiction, without: str | None) -> None:
    view = Watched()
    for register, found in held_of(BASE).items():
        if registers()[register] != without:
            view.give(register, found.values())
    review = Review(RULES, view, place, DAYS[2])
    for check, at in review.judgements:
        for row in list(View.all(view, check.over)):
            view.asked.clear()
            list(check.judge(at, row))
            assert view.asked <= {check.over, *check.reads}, check.name


def test_every_judgement_has_a_rule_and_every_rule_a_judgement() -> None:
    assert {one.rule for one in CHECKS} == set(RULES.desk)
    names = [one.name for one in CHECKS]
    assert sorted(set(names)) == sorted(names)


def test_a_rule_holds_where_its_jurisdictions_say_and_below() -> None:
    def rules(place: str) -> set[str]:
        review = Review(RULES, view_of(held_of(BASE)), Jurisdiction(place), DAYS[2])
        return {check.rule for check, _ in review.judgements}

    assert "DR-17" in rules("CN-3710")
    assert "DR-17" not in rules("CN-14")
    assert rules("CN-37") < rules("CN-3710")
    assert rules("national") < rules("CN-11") | rules("CN-14")
    for place in PLACES:
        assert rules("national") <= rules(place)


def test_two_rows_of_one_key_are_refused() -> None:
    twice = dataclasses.replace(RULES.example, classes=(RULES.example.classes or ()) * 2)
    with pytest.raises(FiledTwice) as refused:
        View.of(twice)
    assert refused.value.field == "classes.1.id"
    assert refused.value.facts == {"register": "classes", "key": "class-1"}


def test_the_examples_leave_nothing_that_cannot_be_computed() -> None:
    for place in PLACES:
        review = Review(RULES, View.of(RULES.example), place, DAYS[2])
        lacking = [one for one in review.run() if one.verdict is Verdict.NOT_COMPUTABLE]
        assert [(one.rule.id, one.about, one.inputs) for one in lacking] == []
