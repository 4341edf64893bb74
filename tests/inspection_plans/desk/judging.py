"""What the tests of desk rules share: a rule asked over a few rows, in bulk and row by row."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from inspection_plans import loader
from inspection_plans.desk.frame import Result
from inspection_plans.desk.review import Change, Review
from inspection_plans.desk.view import View
from inspection_plans.filings import Filings, key_of, registers
from inspection_plans.records import decode
from inspection_plans.vocabulary import Jurisdiction

RULES = loader.load_rulebook()
Rows = Mapping[str, list[dict[str, Any]]]


def with_row(rows: Rows, register: str, place: int = 0, /, **fields: Any) -> Rows:
    """The same rows with some fields of one of them changed; None takes a field away."""
    found = [dict(row) for row in rows[register]]
    found[place] = {
        key: value for key, value in {**found[place], **fields}.items() if value is not None
    }
    return {**rows, register: found}


def also(rows: Rows, register: str, /, **fields: Any) -> Rows:
    """The same rows and one more, like the first of its register but for some fields."""
    return {**rows, register: [*rows[register], {**rows[register][0], **fields}]}


def reviewed(rule: str, place: str, rows: Rows, as_of: str = "2024-12-31") -> Review:
    """A review of one rule."""
    view = View.of(decode(dict(rows), Filings))
    return Review(RULES, view, Jurisdiction(place), date.fromisoformat(as_of), [rule])


def results(rule: str, place: str, rows: Rows, as_of: str = "2024-12-31") -> dict[str, Result]:
    """Every result by its object, once the general promises are checked."""
    found = list(reviewed(rule, place, rows, as_of).run())
    named = {one.about: one for one in found}
    assert len(named) == len(found), "two results of one rule about one object"
    for one in found:
        in_force = {row.id for row in RULES.library.effective_set(place, one.on)}
        assert one.clauses
        assert set(one.clauses) <= in_force & set(RULES.desk[rule].clauses)
        written = one.written(RULES.filing_words)
        assert written["explanation"]["zh"]
        assert written["explanation"]["en"]
    return named


def outcomes(rule: str, place: str, rows: Rows, as_of: str = "2024-12-31") -> dict[str, str]:
    """Every outcome by its object."""
    return {about: one.outcome for about, one in results(rule, place, rows, as_of).items()}


def said(rule: str, place: str, rows: Rows, about: str, as_of: str = "2024-12-31") -> str:
    """The outcome about one object."""
    return outcomes(rule, place, rows, as_of)[about]


def row_by_row(rule: str, place: str, rows: Rows, as_of: str = "2024-12-31") -> None:
    """Taking any row away and putting it back comes to the same as judging everything anew."""
    whole = reviewed(rule, place, rows, as_of)
    right = {one.subject: one.results for one in whole.everything() if one.results}
    kinds = {name: register for register, name in registers().items()}
    for register, listed in rows.items():
        for place_of_row in range(len(listed)):
            review = reviewed(rule, place, rows, as_of)
            row = list(review.view.all(kinds[register]))[place_of_row]
            held = {one.subject: one.results for one in review.everything()}
            for change in (None, row):
                told = review.update([Change(kinds[register], key_of(row), change)])
                held |= {one.subject: one.results for one in told}
                again = {one.subject: one.results for one in review.everything() if one.results}
                assert {key: value for key, value in held.items() if value} == again
            assert again == right
