"""What may be claimed, and who may enrol how many: subsidy of a class or person, allocation."""

from datetime import date
from typing import Annotated, Any

from inspection_plans import allocation, amounts
from inspection_plans.ask.questions import Answer, Handler, Natural, Placed, cited, why
from inspection_plans.ask.refusals import MissingField, UnknownWord, WrongField
from inspection_plans.records import Meta
from inspection_plans.rulebook import Rulebook

_RIGHTS = ("subsidy_right", "subsidy_standard")


class BatchAsked(Placed, frozen=True, kw_only=True):
    """补贴（班次）: days of training, persons trained and persons in work of one class."""

    days: Natural
    trained: Natural
    employed: Natural
    on: date | None = None


class PersonAsked(Placed, frozen=True, kw_only=True):
    """补贴（个人）: level and what is proved of one person."""

    level: str
    training_certificate: bool
    contract_in_province: bool
    insured_months: Natural
    level_certificate: bool
    on: date | None = None


class AllocationAsked(Placed, frozen=True, kw_only=True):
    """年度分配: the table of a year, or one line of it beside the persons enrolled."""

    year: Annotated[int, Meta(ge=1000, le=9998)]
    institution: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    occupation: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    enrolled: Natural | None = None
    on: date | None = None


def subsidy_batch(question: BatchAsked, rules: Rulebook) -> Answer:
    """Answer with heads, fen per head and in all; null, never zero, where no paper has a rate.

    Source: shanxi-2024-27/5.4; clause register K14, K30.
    """
    if question.employed > question.trained:
        raise WrongField("more persons in work than trained", field="employed")
    clauses = rules.in_force(question.jurisdiction, question.on)
    rates = amounts.batch_rates(clauses)
    if rates is None:
        nothing = {"heads": None, "per_head_fen": None, "total_fen": None}
        return {**nothing, **why(rules, "no_batch_rate"), **cited(clauses, *_RIGHTS)}
    found = amounts.batch(
        rates, days=question.days, trained=question.trained, employed=question.employed
    )
    return {
        "heads": found.heads,
        "per_head_fen": found.per_head_fen,
        "total_fen": found.total_fen,
        "all_trained": found.all_trained,
        "capped": found.capped,
        "claimants": list(rates.claimants),
        "clauses": list(rates.clauses),
        "basis": [],
    }


def subsidy_person(question: PersonAsked, rules: Rulebook) -> Answer:
    """Answer with what one person may claim: 0 with reasons when unmet, null without a rate.

    Source: heilongjiang-2023-13/4.3; clause register K14.
    """
    levels = rules.figures.levels
    if question.level not in levels:
        raise UnknownWord(f"no such level; there are {', '.join(levels)}", field="level")
    clauses = rules.in_force(question.jurisdiction, question.on)
    rates = amounts.person_rates(clauses)
    if rates is None:
        return {"amount_fen": None, **why(rules, "no_person_rate"), **cited(clauses, *_RIGHTS)}
    found = amounts.entitlement(
        rates,
        levels[question.level].zh,
        training_certificate=question.training_certificate,
        contract_in_province=question.contract_in_province,
        insured_months=question.insured_months,
        level_certificate=question.level_certificate,
    )
    reasons = why(rules, *(f"unmet_{name}" for name in found.unmet)) if found.unmet else {}
    return {
        "amount_fen": found.amount_fen,
        "base_fen": found.base_fen,
        "extra_fen": found.extra_fen,
        "extra_once": rates.extra_once,
        "unmet": list(found.unmet),
        **reasons,
        "claimants": list(rates.claimants),
        "clauses": list(found.clauses),
        "basis": [],
    }


def annual_allocation(question: AllocationAsked, rules: Rulebook) -> Answer:
    """Answer with the year's table, or with one line and whether the enrolled keep to it.

    Source: shanxi-2024-27/annex (allocation of 2024), /4.1/annual-plan-based.
    """
    clauses = rules.in_force(question.jurisdiction, question.on)
    table = allocation.table(clauses, question.year)
    if question.institution is None and question.occupation is None:
        if question.enrolled is not None:
            raise MissingField("enrolled where?", field="institution")
        return _whole_table(table, rules)
    if question.institution is None or question.occupation is None:
        missing = "institution" if question.institution is None else "occupation"
        raise MissingField("one line is an institution and an occupation", field=missing)
    row = table.row(question.institution, question.occupation)
    clause_ids = list(table.clauses) if row is None else [row.clause]
    answer: Answer = {
        "planned": None if row is None else row.persons,
        "verdict": allocation.verdict(row, question.enrolled),
        "clauses": clause_ids,
        "basis": [],
    }
    missing_code = "no_allocation_row" if table.rows else "no_allocation"
    return answer | (why(rules, missing_code) if row is None else {})


def _whole_table(table: allocation.Table, rules: Rulebook) -> Answer:
    rows = [
        {
            "institution": row.institution,
            "occupation": row.occupation,
            "persons": row.persons,
            "clause": row.clause,
        }
        for row in table.rows
    ]
    found: Answer = {
        "rows": rows,
        "total": sum(row.persons for row in table.rows) if rows else None,
        "adds_up": table.adds_up() if rows else None,
        "clauses": list(table.clauses),
        "basis": [],
    }
    return found if rows else found | why(rules, "no_allocation")


HANDLERS: dict[str, Handler[Any]] = {
    "subsidy_batch": Handler(BatchAsked, subsidy_batch),
    "subsidy_person": Handler(PersonAsked, subsidy_person),
    "allocation": Handler(AllocationAsked, annual_allocation),
}
