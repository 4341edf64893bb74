"""Questions with the answers a lawyer worked out from the notices; no answer was copied back.

A row is a question and the part of its answer that must be so. ``test_mutation`` changes every
number of the packs and wants a row to break.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Row = tuple[dict[str, Any], dict[str, Any]]

# concept, place, trigger, due, first day after a period
DAYS = [
    ("trainee_list_report", "CN-37", "2024-07-01", "2024-07-31", None),
    ("trainee_list_report", "CN-14", "2024-07-01", "2024-07-31", None),
    ("trainee_list_report", "CN-23", "2024-07-01", "2024-07-16", None),
    ("certificate_data_report", "national", "2024-02-10", "2024-03-11", None),
    ("certificate_data_report", "national", "2024-07-01", "2024-08-01", None),
    ("certificate_data_report", "CN-37", "2024-07-01", "2024-07-31", None),
    ("certificate_data_report", "CN-14", "2024-07-01", "2024-07-31", None),
    ("province_confirmation", "CN-37", "2024-07-01", "2024-07-15", None),
    ("province_confirmation", "CN-14", "2024-07-01", "2024-07-11", None),
    ("certificate_issue", "CN-37", "2024-07-02", "2024-08-01", None),
    ("certificate_issue", "CN-14", "2024-07-02", "2024-08-01", None),
    ("publicity_period", "national", "2024-09-10", "2024-10-08", "2024-10-09"),
    ("publicity_period", "national", "2024-07-05", "2024-07-26", "2024-07-29"),
    ("catalogue_validity", "national", "2024-02-29", "2027-02-28", "2027-03-01"),
    ("bad_record_ban", "CN-23", "2024-07-06", "2027-07-06", "2027-07-07"),
    ("no_duplicate_subsidy", "CN-37", "2024-03-15", "2025-03-15", "2025-03-16"),
    ("no_duplicate_subsidy", "CN-14", "2024-06-01", "2025-06-01", "2025-06-02"),
    ("no_duplicate_subsidy", "CN-23", "2024-03-15", "2024-12-31", "2025-01-01"),
    ("trainee_eligibility", "CN-14", "2024-06-30", "2026-06-30", "2026-07-01"),
    ("trainee_eligibility", "CN-14", "2022-06-30", "2024-06-30", "2024-07-01"),
    ("no_duplicate_subsidy", "CN-14", "2024-05-22", "2025-05-22", "2025-05-23"),
    ("plan_filing", "CN-37", "2024-07-01", "2024-07-01", None),
]
# What each paper says for itself, where the strictest hides it: concept, place, trigger, clause.
EACH = [
    (
        "trainee_list_report",
        "CN-3710",
        "2024-07-01",
        {
            "shandong-2022-156/4.2/trainee-list-30d": "2024-07-31",
            "weihai-2023-25/4.2/trainee-list-30d": "2024-07-31",
        },
    ),
    (
        "no_duplicate_subsidy",
        "CN-3710",
        "2024-03-15",
        {
            "shandong-2022-156/5.4/no-duplicate-1y": "2025-03-15",
            "weihai-2023-25/5.3/no-duplicate-1y": "2025-03-15",
        },
    ),
]
EACH += [
    (
        "certificate_data_report",
        place,
        "2024-07-01",
        {"national-2021-71/4.6.3/certificate-data-1-month": "2024-08-01", local: "2024-07-31"},
    )
    for place, local in (
        ("CN-37", "shandong-2022-156/4.3/certificate-data-30d"),
        ("CN-14", "shanxi-2024-27/4.3/certificate-data-30d"),
    )
]
WHO: dict[str, list[str]] = {
    "trainee_list_report": ["hr_department_province"],
    "certificate_data_report": ["hr_department_province"],
    "no_duplicate_subsidy": [],
}
SERVED: list[tuple[str, str, dict[str, Any], list[str]]] = [
    ("trainee_list_report", "CN-37", {"trigger": "2024-07-01"}, ["hr_department_province"]),
    ("trainee_list_report", "CN-14", {"trigger": "2024-07-01"}, ["hr_department_province"]),
    (
        "trainee_list_report",
        "CN-23",
        {"trigger": "2024-07-01"},
        ["hr_department_province", "hr_department_city:230100"],
    ),
    ("certificate_data_report", "national", {"trigger": "2024-07-01"}, ["hr_department_province"]),
    ("province_confirmation", "CN-37", {"trigger": "2024-07-01"}, ["project_office"]),
    ("province_confirmation", "CN-14", {"trigger": "2024-07-01"}, ["project_office"]),
    ("quarterly_form", "CN-3710", {"quarter": "2024Q1"}, ["hr_department_city"]),
    ("annual_summary", "national", {"year": 2024}, ["project_office"]),
    (
        "plan_filing",
        "CN-37",
        {"trigger": "2024-07-01"},
        ["hr_department_province", "hr_department_city"],
    ),
]
# Shanxi, a class: days, trained, employed, heads, yuan per head.
CLASSES = [
    (30, 50, 40, 50, 3500),
    (30, 50, 39, 39, 3500),
    (30, 100, 79, 79, 3500),
    (10, 1, 1, 1, 1500),
    (11, 1, 1, 1, 1600),
    (9, 1, 1, 1, 1350),
    (44, 1, 1, 1, 4900),
    (45, 1, 1, 1, 5000),
    (46, 1, 1, 1, 5000),
]
# Heilongjiang, a person: level, months insured, level certificate, yuan.
PERSONS = [
    ("junior", 6, False, 4000),
    ("middle", 6, False, 5000),
    ("senior", 6, False, 6000),
    ("junior", 6, True, 4500),
    ("middle", 6, True, 5500),
    ("senior", 6, True, 7000),
    ("senior", 5, True, 0),
    ("senior", 7, True, 7000),
]
# Shanxi's table of 2024.
ALLOTTED = [
    ("山西大学", "人工智能", 100),
    ("山西大学", "数字化管理", 100),
    ("太原理工大学", "区块链", 50),
    ("太原理工大学", "大数据", 150),
    ("太原科技大学", "智能制造", 100),
]


def rows() -> Iterator[Row]:
    """Every row, in one shape."""
    yield from _terms()
    yield from _money()
    yield from _shares()


def _money() -> Iterator[Row]:
    for days, trained, employed, heads, yuan in CLASSES:
        counts = {"days": days, "trained": trained, "employed": employed}
        question = {"ask": "subsidy_batch", "jurisdiction": "CN-14", **counts}
        expected = {"per_head_fen": yuan * 100, "total_fen": heads * yuan * 100}
        yield question, {"heads": heads, **expected, "claimants": ["training_institution"]}
    person = {"ask": "subsidy_person", "jurisdiction": "CN-23"}
    proved = {"training_certificate": True, "contract_in_province": True}
    for level, months, certificate, yuan in PERSONS:
        told = {"level": level, "insured_months": months, "level_certificate": certificate}
        question = {**person, **proved, **told}
        yield question, {"amount_fen": yuan * 100, "claimants": ["trainee"]}
    for missing in proved:
        told = {"level": "junior", "insured_months": 6, "level_certificate": False}
        yield {**person, **proved, **told, missing: False}, {"amount_fen": 0}
    table = {"ask": "allocation", "jurisdiction": "CN-14", "year": 2024}
    yield table, {"total": 500}
    yield {**table, "year": 2025}, {"total": None}
    for institution, occupation, persons in ALLOTTED:
        line = {"institution": institution, "occupation": occupation}
        yield {**table, **line}, {"planned": persons}


def _shares() -> Iterator[Row]:
    for place in ("national", "CN-37", "CN-3710", "CN-14", "CN-23"):
        for theory, ability, passed in (
            ("60", "60", True),
            ("59.9", "60", False),
            ("60", "59.9", False),
            ("59.9", "100", False),
        ):
            question = {"ask": "pass", "theory": theory, "ability": ability}
            yield {**question, "jurisdiction": place}, {"pass": passed}
    hours = {"ask": "offline_share", "jurisdiction": "CN-23", "total_minutes": 4800}
    yield {**hours, "offline_minutes": 2880}, {"verdict": "ok"}
    yield {**hours, "offline_minutes": 2879}, {"verdict": "finding"}


def _terms() -> Iterator[Row]:
    for concept, place, trigger, due, follows in DAYS:
        yield _term(concept, place, trigger=trigger), {"due": due, "from": follows}
    for concept, place, trigger, each in EACH:
        told = [
            {"clause": clause, "due": due, "recipients": WHO[concept]}
            for clause, due in each.items()
        ]
        yield _term(concept, place, trigger=trigger), {"each": told}
    for concept, place, fields, recipients in SERVED:
        yield _term(concept, place, **fields), {"recipients": recipients}
    for medium, due in (("paper", "2027-07-01"), ("electronic", "2029-07-01")):
        question = _term("archive_retention", "national", trigger="2024-07-01", medium=medium)
        yield question, {"due": due}
    yield _term("quarterly_form", "CN-3710", quarter="2024Q1"), {"due": "2024-03-31"}
    yield _term("annual_summary", "national", year=2024), {"due": "2024-12-31"}
    sheet = {"ask": "sheet", "sheet": "TI", "jurisdiction": "CN-23", "on": "2024-07-01"}
    yield sheet, {"items": [{"code": "TI-23", "answer": [{"type": "ratio", "min": "0.6"}]}]}


def _term(concept: str, place: str, **fields: Any) -> dict[str, Any]:
    return {"ask": "deadline", "concept": concept, "jurisdiction": place, **fields}


def holds(expected: object, found: object) -> bool:
    """Say whether an answer has what a row expects: a part of an object, lists by identity.

    Objects in a list are found by their ``clause``, ``code`` or ``type``; other lists are equal.
    """
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and all(
            key in found and holds(value, found[key]) for key, value in expected.items()
        )
    if isinstance(expected, list) and expected and isinstance(expected[0], Mapping):
        return isinstance(found, list) and all(
            any(holds(one, other) for other in found) for one in expected
        )
    return expected == found
