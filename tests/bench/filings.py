"""A year of invented filings, one row a line: classes of forty with all that belongs to them."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

HEADS = 40
LESSONS = 10
PER_INSTITUTION = 20
OCCUPATIONS = ("人工智能", "大数据", "区块链", "智能制造", "数字化管理")


def lines(classes: int) -> Iterator[bytes]:
    """Every row of ``classes`` classes with ``HEADS`` trainees each, register by class."""
    for register, row in rows(classes):
        yield json.dumps({"register": register, "row": row}, ensure_ascii=False).encode()


def rows(classes: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Registers and rows; a class in fifty has a fault."""
    for name in OCCUPATIONS:
        yield "occupations", {"id": name, "in_fields": True}
        yield (
            "standards",
            {
                "id": f"std-{name}",
                "occupation": name,
                "level": "junior",
                "minutes_min": LESSONS * 200,
                "conditions": ["training_certificate"],
            },
        )
    yield "certificate_layouts", {"id": "layout", "valid_from": "2022-01-01", "prefix": "DEMO-"}
    for number in range(classes):
        if number % PER_INSTITUTION == 0:
            yield from _institution(number // PER_INSTITUTION)
        yield from _class(number)


def _institution(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "institutions", {"id": f"i{number}", "home_region": 370100 + number % 90, "base": False}
    scope = [{"occupation": name, "levels": ["junior"]} for name in OCCUPATIONS]
    listed = {"institution_id": f"i{number}", "scope": scope}
    listed |= {"valid_from": "2023-06-01", "valid_until": "2026-06-01"}
    for side in ("training", "evaluation"):
        yield "catalogue_entries", {"id": f"e{number}-{side}", "side": side, **listed}
    fee = {"amount_fen": 180_000, "valid_from": "2023-06-01", "cost_fen": 180_000}
    yield (
        "fee_notices",
        {"id": f"f{number}", "institution_id": f"i{number}", **fee} | {"side": "training"},
    )
    for kind, day in (("plan", "2024-01-10"), ("summary", "2024-12-30")):
        filed = {"institution_id": f"i{number}", "year": 2024, "kind": kind, "filed_on": day}
        yield "annual_filings", {"id": f"a{number}-{kind}", **filed}


def _class(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    key, owner = f"c{number}", f"i{number // PER_INSTITUTION}"
    start = date(2024, 1, 8) + timedelta(days=number % 200)
    end = start + timedelta(days=LESSONS)
    late = number % 50 == 0
    taught = {
        "institution_id": owner,
        "occupation": OCCUPATIONS[number % len(OCCUPATIONS)],
        "level": "junior",
        "start_on": start.isoformat(),
        "end_on": end.isoformat(),
        "venue_region": 370100 + number % 90,
    }
    done = {"ended_on": end.isoformat(), "completed_on": end.isoformat()}
    yield "classes", {"id": key, **taught, **done}
    for kind in ("training", "exam"):
        for recipient in ("hr_department_province", "hr_department_city"):
            filed = {"class_id": key, "kind": kind, "recipient": recipient}
            yield (
                "plan_filings",
                {
                    "id": f"p{number}-{kind}-{recipient}",
                    "filed_on": "2024-01-05",
                    **filed,
                },
            )
    notice = {"published_on": "2023-12-01", "opens_on": "2023-12-10", "fee": "1800元"}
    yield "enrolment_notices", {"id": f"n{number}", "class_id": key, **notice}
    reported = (end + timedelta(days=60 if late else 20)).isoformat()
    report = {"recipient": "hr_department_province", "reported_on": reported}
    yield "list_reports", {"id": f"l{number}", "class_id": key, **report}
    for place in range(LESSONS):
        yield "lessons", _lesson(number, place, start)
    exam = end + timedelta(days=5)
    batch = {**taught, "start_on": exam.isoformat(), "end_on": exam.isoformat()}
    yield "exam_batches", {"id": f"b{number}", **batch}
    way = {"batch_id": f"b{number}", "reported_on": (exam + timedelta(days=9)).isoformat()}
    way |= {"received_on": way["reported_on"], "reported_up_on": way["reported_on"]}
    audit = exam + timedelta(days=12)
    yield "certificate_reports", {"id": f"r{number}", **way, "audit_passed_on": audit.isoformat()}
    for head in range(HEADS):
        yield from _trainee(number, head, end, audit)


def _lesson(number: int, place: int, start: date) -> dict[str, Any]:
    return {
        "id": f"c{number}-{place}",
        "class_id": f"c{number}",
        "held_on": (start + timedelta(days=place)).isoformat(),
        "starts_at": 540,
        "ends_at": 750,
        "mode": ("offline", "online")[place % 3 == 0],
        "kind": ("theory", "practice")[place % 2],
        "delivered_minutes": 210,
        "teacher": f"teacher-{number}",
    }


def _trainee(
    number: int, head: int, end: date, audit: date
) -> Iterator[tuple[str, dict[str, Any]]]:
    key, person = f"t{number}-{head}", f"p{number}-{head}"
    who = {"class_id": f"c{number}", "person": person, "enrolled_on": "2023-12-20"}
    yield (
        "trainees",
        {
            "id": key,
            **who,
            "ground": "practitioner",
            "retired": False,
            "home_region": 370102,
            "work_region": 370103,
        },
    )
    lessons = [f"c{number}-{place}" for place in range(LESSONS)]
    yield "attendance", {"trainee_id": key, "attended": lessons}
    day = end.isoformat()
    yield (
        "completions",
        {
            "trainee_id": key,
            "examined_on": day,
            "passed": True,
            "certificate": f"tc-{key}",
            "certified_on": day,
        },
    )
    paid = {"amount_fen": 180_000, "charged_on": "2023-12-20", "payer": "trainee"}
    yield (
        "charges",
        {
            "id": f"m{key}",
            "trainee_id": key,
            "payee_id": f"i{number // PER_INSTITUTION}",
            "instalments": 1,
            **paid,
        },
    )
    yield "commitments", {"id": f"w{key}", "person": person, "signed_on": day}
    yield (
        "candidates",
        {
            "id": f"k{key}",
            "batch_id": f"b{number}",
            "person": person,
            "trainee_id": key,
            "confirmed": True,
            "condition": "training_certificate",
            "commitment_id": f"w{key}",
        },
    )
    yield "scores", {"candidate_id": f"k{key}", "theory": "71.5", "ability": "60"}
    yield (
        "certificates",
        {
            "id": f"z{key}",
            "number": f"DEMO-{key}",
            "candidate_id": f"k{key}",
            "institution_id": f"i{number // PER_INSTITUTION}",
            "occupation": OCCUPATIONS[number % len(OCCUPATIONS)],
            "level": "junior",
            "issued_on": (audit + timedelta(days=9)).isoformat(),
            "layout": "layout",
        },
    )
