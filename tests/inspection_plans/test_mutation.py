"""Every number and decision of the packs matters: changed, it breaks an answer of the table."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from inspection_plans import loader
from inspection_plans.ask.table import answer_line
from inspection_plans.deadlines import Counting, Ends, Strictest
from inspection_plans.library import Library
from inspection_plans.rulebook import Rulebook
from inspection_plans.vocabulary import Clause, ClauseId, Jurisdiction
from tests.inspection_plans.question_table import Row, holds, rows

RULES = loader.load_rulebook()
TABLE = list(rows())
# Parameters that are shown or cited and that nothing computes with, and why.
ONLY_SHOWN = {
    "trigger_event": "the caller says the day; deadlines.yaml says which day that is",
    "items": "what a report holds is checked by people, on sheets and at the desk",
    "due": "the end of a span is counted by deadlines.yaml",
    "window": "a setting, subsidy_window, because the papers say no start day",
    "times": "the yearly window lets one through",
    "key": "the desk rule compares person, occupation and level by name",
    "unit_name": "an address to show",
    "valid": "information for the holder",
    "open_list": "says that a list is not complete",
    "count": "the number of a list that is open",
    "absent_vs_national": "a note on a list",
    "approximate": "says that a target is rounded",
    "from_year": "years of a national target, shown with it",
    "to_year": "years of a national target, shown with it",
    "persons_per_year": "a target of the province, shown; no duty of an institution",
    "numerator": "names what is counted",
    "denominator": "names what is counted",
    "indicators": "names of the three indicators",
    "methods": "names of ways to inspect",
    "catalogues": "names of catalogues",
    "named": "names of institutions",
    "examples": "words of the lexicon, which has its own corpus",
    "elements": "names of what a standard holds",
    "parts": "names of what a standard holds",
    "systems": "names of what an inspector looks for",
    "roles": "names of what an inspector looks for",
    "tasks": "names of what an institution does",
    "stages": "names of what is entered",
    "media": "names of what records are kept on",
    "documents": "names of what an applicant brings",
    "occupations": "names of occupations",
    "required_items": "names of what a prospectus says",
    "open_items": "says that a list is not complete",
    "subjects": "who is recorded",
    "applicant": "who applies",
    "approver": "who approves",
    "city": "where a policy is paid",
    "modes": "names of ways to train",
    "soft": "says that a condition is a preference",
    "attachments": "names of what is attached",
    "fields": "names of what a form holds",
    "row_key": "the first column of a form",
    "rows_open": "says that a form has open rows",
    "rows_preset": "rows a form starts with",
}
ONLY_SHOWN_OF: dict[tuple[str, str], str] = {
    ("heilongjiang-2023-13/2/goal-10-years", "years"): "the span of a programme, shown",
    ("national-2021-71/4.6.1/annual-plan", "period"): "no day is given, so none is due",
    ("national-2021-71/4.6.1/annual-plan", "recipient"): "no day is given, so none is due",
    ("national-2021-71/4.2.3/experience-5y", "years_min"): "a preference, read by people",
    (
        "national-2021-71/4.2.3/scale-2000",
        "person_times_per_year_min",
    ): "a preference, read by people",
    ("national-2021-71/3.1/three-levels", "levels"): "the levels are named in figures.yaml",
    ("weihai-2023-25/4.1/local-class-approval", "recipient"): "who approves, without a day",
    ("weihai-2023-25/4.1/plan-filing-city-province", "recipient"): "no day; Shandong's binds",
    ("weihai-2023-25/4.3/certificate-data-report", "recipient"): "no number of its own",
    ("shandong-2022-156/4.1/exam-plan-filing", "recipient"): "no day is given, so none is due",
    ("shandong-2022-156/4.1/training-plan-filing", "before"): "that it is before, not the word",
    ("heilongjiang-2023-13/3.1.1/place-harbin", "gbt2260"): "a question of the desk review",
    ("heilongjiang-2023-13/3.2.2/pass-score", "theory_min"): "a lower score; the nation's binds",
    ("heilongjiang-2023-13/3.2.2/pass-score", "ability_min"): "a lower score; the nation's binds",
    ("heilongjiang-2023-13/4.3/application-documents", "recipient"): "where to apply",
    ("heilongjiang-2023-13/4.3/evaluation-bonus-junior-middle", "levels"): "an unknown level more",
    ("heilongjiang-2023-13/4.3/evaluation-bonus-senior", "levels"): "an unknown level more",
    ("heilongjiang-2023-13/4.3/evaluation-bonus-junior-middle", "one_off"): "the desk counts it",
    ("heilongjiang-2023-13/4.3/evaluation-bonus-senior", "one_off"): "the desk counts it",
    ("shanxi-2024-27/3/eligible-trainees", "unemployed"): "a question of the desk review (K11)",
    ("shanxi-2024-27/annex/allocation-total", "persons_total"): "a sum, added up below",
    ("shanxi-2024-27/annex/allocation-total", "by_institution"): "sums, added up below",
    ("shanxi-2024-27/annex/allocation-total", "institutions"): "a sum, added up below",
    ("shanxi-2024-27/annex/allocation-total", "year"): "the year of the sums",
    ("weihai-2023-25/annex/form-columns", "columns"): "names of what a form holds",
}

WORDS = {"day": "month", "month": "day", "working": "calendar", "calendar": "working"}


def mutants(value: object) -> Iterator[Any]:
    """Other values of the same kind: both sides of a number, another word, one less of a list."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
        yield value - 1
    elif isinstance(value, str) and value.replace(".", "", 1).isdigit() and "." in value:
        yield f"{value}1"
        yield f"{float(value) - 0.01:.2f}"
    elif isinstance(value, str):
        yield WORDS.get(value, f"{value} or other")
    elif isinstance(value, list):
        yield value[1:]
        yield [*value, "one more"]
    elif isinstance(value, Mapping):
        for key in value:
            yield {**value, key: value[key] + 1}


def changed(
    *,
    clauses: Mapping[ClauseId, Clause] | None = None,
    deadlines: Mapping[str, Counting] | None = None,
) -> Rulebook:
    """Our rules with other clauses or another way to count."""
    old = RULES.library
    library = Library(
        terms=old.terms,
        packs=old.packs,
        clauses=clauses or old.clauses,
        sheets=old.sheets,
        gates=old.gates,
        wordings=old.wordings,
        deadlines=deadlines or old.deadlines,
        computed=old.computed,
    )
    return replace(RULES, library=library)


def with_parameter(clause: Clause, name: str, value: object) -> Rulebook:
    parameters: Any = {**clause.parameters, name: value}
    other = replace(clause, parameters=parameters)
    return changed(clauses={**RULES.library.clauses, clause.id: other})


def broken(rules: Rulebook, table: list[Row]) -> bool:
    """Say whether some row of the table does not hold any more."""
    return any(
        not holds(expected, json.loads(answer_line(json.dumps(question), rules)))
        for question, expected in table
    )


def near(clause: Clause) -> list[Row]:
    """The table, with the rows first that name the clause's concept or place."""
    place = RULES.library.packs[clause.pack].jurisdiction

    def distance(row: Row) -> int:
        question = row[0]
        named = clause.concept == question.get("concept")
        return -(2 * named + (place == question.get("jurisdiction")))

    return sorted(TABLE, key=distance)


def survivors() -> Iterator[tuple[str, str]]:
    """Changes that break no row: clause and parameter."""
    for clause in RULES.library.clauses.values():
        table = near(clause)
        for name, value in clause.parameters.items():
            for other in mutants(value):
                if not broken(with_parameter(clause, name, other), table):
                    yield clause.id, name


def test_the_table_holds_on_our_packs() -> None:
    for question, expected in TABLE:
        found = json.loads(answer_line(json.dumps(question), RULES))
        assert holds(expected, found), (question, expected, found)


def test_a_changed_parameter_breaks_an_answer_or_is_only_shown() -> None:
    lived = set(survivors())
    silent = lived - set(ONLY_SHOWN_OF)
    assert sorted(pair for pair in silent if pair[1] not in ONLY_SHOWN) == []
    # What something computes with now, is not only shown any more.
    assert sorted(set(ONLY_SHOWN_OF) - lived) == []
    assert sorted(set(ONLY_SHOWN) - {name for _, name in lived}) == []


def test_sums_of_the_papers_follow_from_their_parts() -> None:
    """Shanxi's allocation, which is only shown, and the day on which the cap is reached."""

    def given(clause: str) -> Mapping[str, Any]:
        return RULES.library.clause(f"shanxi-2024-27/{clause}").parameters

    total = given("annex/allocation-total")
    lines: list[Mapping[str, Any]] = [
        clause.parameters
        for clause in RULES.library.clauses.values()
        if clause.concept == "annual_allocation" and "persons" in clause.parameters
    ]
    by_institution: Counter[object] = Counter()
    for line in lines:
        by_institution[line["institution"]] += line["persons"]
    assert by_institution == total["by_institution"]
    assert len(by_institution) == total["institutions"]
    assert sum(by_institution.values()) == total["persons_total"]
    assert {line["year"] for line in lines} == {total["year"]}
    first, later, cap = (
        given(f"5.4/{name}") for name in ("rate-first-10-days", "rate-later-days", "cap-5000")
    )
    days = cap["reached_at_day"] - first["days"]
    worth = first["days"] * first["yuan_per_day"] + days * later["yuan_per_day"]
    assert worth == cap["cap_yuan_per_person"]


@pytest.mark.parametrize("concept", sorted(RULES.library.deadlines))
def test_another_way_to_count_breaks_an_answer(concept: str) -> None:
    counting = RULES.library.deadlines[concept]
    asked = [row for row in TABLE if row[0].get("concept") == concept]
    assert asked
    for ends in set(Ends) - {counting.ends}:
        other = {**RULES.library.deadlines, concept: replace(counting, ends=ends)}
        assert broken(changed(deadlines=other), asked), ends


def test_another_strictest_breaks_an_answer() -> None:
    counting = RULES.library.deadlines["certificate_data_report"]
    other = {
        **RULES.library.deadlines,
        counting.concept: replace(counting, strictest=Strictest.LATEST),
    }
    assert broken(changed(deadlines=other), TABLE)


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("subsidy_window", "national", "calendar_year"),
        ("subsidy_window", "CN-23", "rolling"),
        ("annual_summary_grace_days", "national", 1),
    ],
)
def test_another_setting_of_a_term_breaks_an_answer(
    name: str, place: str, value: int | str
) -> None:
    key = (name, Jurisdiction(place))
    settings = {**RULES.settings, key: replace(RULES.settings[key], value=value)}
    assert broken(replace(RULES, settings=settings), TABLE)


@pytest.mark.parametrize("name", sorted(RULES.library.packs))
def test_another_first_day_of_a_paper_breaks_an_answer(name: str) -> None:
    """The first day of each paper, worked out from its date of issue or of printing."""
    pack = RULES.library.packs[name]
    for shift in (-1, 1):
        moved = replace(
            pack, valid_from=pack.valid_from.fromordinal(pack.valid_from.toordinal() + shift)
        )
        library = changed().library
        library.packs = {**library.packs, name: moved}
        assert broken(replace(RULES, library=library), list(first_days()))


FIRST_DAYS = {
    "national": ("2021-10-07", "2021-10-08", "national-2021-71"),
    "CN-37": ("2022-12-07", "2022-12-08", "shandong-2022-156"),
    "CN-3710": ("2023-05-23", "2023-05-24", "weihai-2023-25"),
    "CN-14": ("2024-05-22", "2024-05-23", "shanxi-2024-27"),
    "CN-23": ("2023-06-15", "2023-06-16", "heilongjiang-2023-13"),
}


def first_days() -> Iterator[Row]:
    """Each place on the day before and on the first day of its own paper."""
    papers: dict[str, list[str]] = {
        "national": [],
        "CN-3710": ["national-2021-71", "shandong-2022-156"],
    }
    for place, (before, first, paper) in FIRST_DAYS.items():
        above = papers.get(place, ["national-2021-71"])
        question = {"ask": "effective_set", "jurisdiction": place}
        yield {**question, "on": before}, {"papers": above}
        yield {**question, "on": first}, {"papers": [*above, paper]}


def test_each_paper_applies_from_its_first_day() -> None:
    assert not broken(RULES, list(first_days()))
